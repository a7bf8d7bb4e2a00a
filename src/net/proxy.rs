//! The proxy of the configuration: how it is reached, and how it is asked for a tunnel: CONNECT (RFC 9110 §9.3.6) or
//! SOCKS 5 (RFC 1928).
//!
//! Never gives a proxy a name that resolves here, for the same name may lead elsewhere from where the proxy stands; but
//! for a proxy that lets nobody connect to bare addresses, and for plain http without a tunnel.

use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::Uri;
use reqwest::StatusCode;
use reqwest::header::HeaderValue;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::Url;

use super::error::NetError;
use super::failure::{BoxError, Failure, Stopped};
use super::head::quoted;
use super::login::{basic, login_of};
use super::proxy_refusal::Refusal;
use super::retry;
use super::route::{self, Resolved};
use super::secret::Scrubber;
use super::socks;
use super::tls_words::tls_problem;
use crate::domain::{FailureKind, shortened};

/// The longest head of an answer to CONNECT.
const MAX_HEAD_BYTES: usize = 16 << 10;

/// As much of a proxy's words as a message repeats.
const MAX_WORDS_CHARS: usize = 80;

/// What may help when a proxy wants to know who asks.
pub(super) const CHECK_LOGIN: &str =
    "check the user name and the password in its address in the configuration";

/// A connection, in clear or not.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {
    /// Returns the address of the other end; nothing once that is gone.
    fn peer(&self) -> Option<SocketAddr>;
}

impl Stream for TcpStream {
    fn peer(&self) -> Option<SocketAddr> {
        self.peer_addr().ok()
    }
}

impl<S: Stream> Stream for TlsStream<S> {
    fn peer(&self) -> Option<SocketAddr> {
        self.get_ref().0.peer()
    }
}

impl Stream for Box<dyn Stream> {
    fn peer(&self) -> Option<SocketAddr> {
        (**self).peer()
    }
}

/// A proxy.
pub(super) struct Proxy {
    url: Url,
    /// User name and password, percent-decoded.
    login: Option<(String, String)>,
    /// What it must not be heard to repeat.
    scrubber: Scrubber,
    user_agent: String,
    /// For a proxy that is spoken to over TLS.
    tls: Arc<rustls::ClientConfig>,
    allow_private: bool,
    connect_timeout: Duration,
}

/// Why there is no tunnel.
enum NoTunnel {
    /// The proxy does not let this user connect to the address, whatever is there.
    Denied(Failure),
    /// Anything else: another address of the host may do.
    Failed(BoxError),
}

impl Proxy {
    /// Returns the proxy at `url`, as sources with this permission use it.
    pub(super) fn new(
        url: &Url,
        scrubber: &Scrubber,
        user_agent: &str,
        mut tls: rustls::ClientConfig,
        allow_private: bool,
        connect_timeout: Duration,
    ) -> Result<Self, NetError> {
        tls.alpn_protocols.clear();
        let proxy = Self {
            url: url.clone(),
            login: login_of(url),
            scrubber: scrubber.clone(),
            user_agent: user_agent.to_owned(),
            tls: Arc::new(tls),
            allow_private,
            connect_timeout,
        };
        // The text of such an error may hold the password: it is not repeated.
        let unusable = || NetError::Client("the address of the proxy is not usable".to_owned());
        url.as_str().parse::<Uri>().map_err(|_| unusable())?;
        Ok(proxy)
    }

    pub(super) fn is_http(&self) -> bool {
        matches!(self.url.scheme(), "http" | "https")
    }

    /// Returns the value of `Proxy-Authorization`, for a proxy that wants it with each request.
    pub(super) fn authorization(&self) -> Option<HeaderValue> {
        let (user, password) = self.login.as_ref().filter(|_| self.is_http())?;
        basic(user, password)
    }

    /// Makes sure that the proxy may be asked for plain http at `host` by name: HTTP/1.1 has it make `Host` of what it
    /// is asked for (RFC 9112 §3.2.2), so that an address would not do. Every address of the name has to be allowed.
    pub(super) async fn check_name(&self, host: &str) -> Result<(), Failure> {
        match self.resolve(host).await?.refused {
            Some(refused) => Err(refused.into()),
            None => Ok(()),
        }
    }

    async fn resolve(&self, host: &str) -> Result<Resolved, Failure> {
        route::resolve(host, &self.url, self.allow_private, self.connect_timeout).await
    }

    /// Connects to the proxy itself.
    pub(super) async fn reach(&self) -> Result<Box<dyn Stream>, BoxError> {
        let tcp = self.connect_tcp().await?;
        if self.url.scheme() != "https" {
            return Ok(Box::new(tcp));
        }
        let name = server_name(bare_host(self.url.host_str()))?;
        let tls = TlsConnector::from(Arc::clone(&self.tls));
        let stream = tls.connect(name, tcp).await;
        Ok(Box::new(stream.map_err(|error| self.handshake(error))?))
    }

    /// Says of the proxy, not of the host behind, that its handshake failed.
    fn handshake(&self, error: io::Error) -> BoxError {
        let cause = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match cause {
            Some(cause) => {
                let proxy = format!("the proxy {}", route::proxy_name(&self.url));
                let detail = tls_problem(cause, &proxy);
                Stopped(Failure::new(FailureKind::Tls, detail)).into()
            }
            None => error.into(),
        }
    }

    async fn connect_tcp(&self) -> Result<TcpStream, BoxError> {
        let port = self.url.port_or_known_default().unwrap_or(1080);
        let host = bare_host(self.url.host_str());
        // The operator named the proxy in the configuration: where it stands is not the network's say.
        let found = tokio::net::lookup_host((host, port)).await;
        let found = found.map_err(|_| {
            let detail = format!("cannot resolve the proxy {}", route::proxy_name(&self.url));
            Stopped(Failure::passing(FailureKind::Dns, detail))
        })?;
        let found: Vec<SocketAddr> = found.collect();
        // A silent address leaves time for the others.
        let share = self.connect_timeout / u32::try_from(found.len().max(1)).unwrap_or(1);
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in found {
            match tokio::time::timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    stream.set_nodelay(true)?;
                    return Ok(stream);
                }
                Ok(Err(error)) => last = error,
                Err(_) => last = io::ErrorKind::TimedOut.into(),
            }
        }
        Err(last.into())
    }

    /// Returns a tunnel to `host`, which is a name or an address without brackets.
    pub(super) async fn tunnel(&self, host: &str, port: u16) -> Result<Box<dyn Stream>, BoxError> {
        let resolved = self.resolve(host).await.map_err(Stopped)?;
        if resolved.addresses.is_empty() {
            return self
                .ask(host, host, port)
                .await
                .map_err(NoTunnel::into_error);
        }
        let mut denied = 0;
        let mut last = None;
        for address in &resolved.addresses {
            match self.ask(host, &address.to_string(), port).await {
                Ok(stream) => return Ok(stream),
                Err(why) => {
                    denied += usize::from(matches!(why, NoTunnel::Denied(_)));
                    last = Some(why.into_error());
                }
            }
        }
        // A proxy may allow hosts by name only. Every address of this one is allowed, and the certificate proves who
        // answers, wherever the proxy finds the name.
        let by_name = denied == resolved.addresses.len()
            && resolved.refused.is_none()
            && host.parse::<std::net::IpAddr>().is_err();
        match last {
            Some(error) if !by_name => Err(error),
            _ => self
                .ask(host, host, port)
                .await
                .map_err(NoTunnel::into_error),
        }
    }

    /// Asks for one tunnel to `host`, by its name or by one of its addresses.
    async fn ask(&self, host: &str, target: &str, port: u16) -> Result<Box<dyn Stream>, NoTunnel> {
        let authority = if target.contains(':') {
            format!("[{target}]:{port}")
        } else {
            format!("{target}:{port}")
        };
        let asked = if self.is_http() {
            self.ask_http(&authority).await?
        } else {
            let mut tcp = self.connect_tcp().await?;
            let asked = socks::ask(&mut tcp, target, port, self.login.as_ref()).await;
            let asked = asked.map_err(unanswered)?;
            asked.map(|()| Box::new(tcp) as Box<dyn Stream>)
        };
        asked.map_err(|refusal| {
            let which = if target == host {
                authority
            } else {
                format!("{host} at {authority}")
            };
            let proxy = route::proxy_name(&self.url);
            let words = refusal.words;
            let detail = format!("the proxy {proxy} does not connect to {which}: {words}");
            let failure = Failure {
                transient: refusal.may_pass,
                ..Failure::new(FailureKind::Connect, detail)
            };
            if refusal.is_of_address {
                NoTunnel::Denied(failure)
            } else {
                NoTunnel::Failed(Stopped(failure).into())
            }
        })
    }

    /// Returns a connection to the proxy that is a tunnel from here on, or what the proxy answered instead.
    async fn ask_http(
        &self,
        authority: &str,
    ) -> Result<Result<Box<dyn Stream>, Refusal>, BoxError> {
        let mut stream = self.reach().await?;
        let mut head = format!(
            "CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: {}\r\n",
            self.user_agent
        )
        .into_bytes();
        if let Some(authorization) = self.authorization() {
            head.extend_from_slice(b"Proxy-Authorization: ");
            head.extend_from_slice(authorization.as_bytes());
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(b"\r\n");
        stream.write_all(&head).await?;
        let answer = read_head(&mut *stream).await?;
        let line = answer.lines().next().unwrap_or_default();
        let Some(status) = status(&answer) else {
            let line = quoted(line.as_bytes(), &self.scrubber);
            return Ok(Err(Refusal::new(format!("its answer is no HTTP: {line}"))));
        };
        if is_tunnel(status) {
            return Ok(Ok(stream));
        }
        let words = line
            .split_once(' ')
            .map_or("", |(_, status)| status.trim())
            .replace(char::is_control, "");
        let mut words = shortened(&self.scrubber.scrub(words), MAX_WORDS_CHARS);
        if status == 407 {
            let _ = write!(words, ": {CHECK_LOGIN}");
        }
        Ok(Err(Refusal {
            words,
            is_of_address: status == 403,
            may_pass: StatusCode::from_u16(status).is_ok_and(retry::is_transient),
        }))
    }
}

impl NoTunnel {
    fn into_error(self) -> BoxError {
        match self {
            Self::Denied(failure) => Stopped(failure).into(),
            Self::Failed(error) => error,
        }
    }
}

impl From<BoxError> for NoTunnel {
    fn from(error: BoxError) -> Self {
        Self::Failed(error)
    }
}

impl From<io::Error> for NoTunnel {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// Says of the end of a connection to the proxy that it came too early.
fn unanswered(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            io::Error::new(error.kind(), "it closed the connection without an answer")
        }
        _ => error,
    }
}

/// Reads the head of the answer to CONNECT. The body of a refusal is left unread, and a refusal whose head breaks off or goes
/// on without end is one all the same when its first line has come. Of an answer that is no HTTP the first line comes back.
async fn read_head(stream: &mut dyn Stream) -> io::Result<String> {
    let mut read = Vec::new();
    loop {
        if let Some(end) = end_of_head(&read) {
            let head = String::from_utf8_lossy(&read[..end]).into_owned();
            match status(&head) {
                // What the proxy says while it connects (RFC 9110 §15.2).
                Some(100 | 102..=199) => drop(read.drain(..end)),
                // A body has no place in such an answer (RFC 9110 §9.3.6), and the server waits for the client to begin.
                Some(status) if is_tunnel(status) && end < read.len() => {
                    return Err(unreadable("it sends more than the head of its answer"));
                }
                _ => return Ok(head),
            }
            continue;
        }
        // Whoever speaks another protocol may wait for more than a request of HTTP.
        let is_foreign = !begins_as_http(&read);
        if is_foreign && read.contains(&b'\n') {
            return Ok(first_line(&read));
        }
        let problem = if read.len() > MAX_HEAD_BYTES {
            unreadable("the head of its answer is too long")
        } else if stream.read_buf(&mut read).await? == 0 {
            unanswered(io::ErrorKind::UnexpectedEof.into())
        } else {
            continue;
        };
        let line = first_line(&read);
        return match status(&line) {
            None if is_foreign => Ok(line),
            Some(status) if line.ends_with('\n') && !is_tunnel(status) => Ok(line),
            _ => Err(problem),
        };
    }
}

/// Tells whether an answer can still become one of HTTP/1.
fn begins_as_http(read: &[u8]) -> bool {
    read.iter().zip(b"HTTP/1.").all(|(one, other)| one == other)
}

/// Returns the first line with its end, or all that came of it.
fn first_line(read: &[u8]) -> String {
    let line = read.split_inclusive(|byte| *byte == b'\n').next();
    String::from_utf8_lossy(line.unwrap_or_default()).into_owned()
}

/// Returns how long the head at the beginning of `read` is, with the empty line that ends it; nothing while that has not come.
fn end_of_head(read: &[u8]) -> Option<usize> {
    let feeds = read.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let mut ends = feeds.map(|(at, _)| at + 1);
    let mut start = ends.next()?;
    for end in ends {
        if matches!(&read[start..end], b"\n" | b"\r\n") {
            return Some(end);
        }
        start = end;
    }
    None
}

fn is_tunnel(status: u16) -> bool {
    (200..300).contains(&status)
}

fn unreadable(words: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, words)
}

fn status(head: &str) -> Option<u16> {
    let line = head.lines().next()?;
    let rest = line.strip_prefix("HTTP/1.")?;
    rest.split(' ').nth(1)?.trim().parse().ok()
}

/// Returns the host of an address without the brackets of an IPv6 literal; nothing of one without a host.
pub(super) fn bare_host(host: Option<&str>) -> &str {
    let host = host.unwrap_or_default();
    let literal = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    literal.unwrap_or(host)
}

/// Returns whose certificate a server has to show.
pub(super) fn server_name(host: &str) -> Result<ServerName<'static>, BoxError> {
    ServerName::try_from(host.to_owned()).map_err(|_| {
        let detail = format!("{host} is not a name that a certificate could hold");
        Stopped(Failure::new(FailureKind::Tls, detail)).into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_loses_its_brackets_in_any_form_of_an_address() {
        for (address, expected) in [
            ("http://[::1]:8080/a", "::1"),
            ("https://[2001:db8::2]/", "2001:db8::2"),
            ("http://192.0.2.7:80/", "192.0.2.7"),
            ("https://proxy.example.org/", "proxy.example.org"),
        ] {
            let url: Url = address.parse().expect("an address");
            assert_eq!(bare_host(url.host_str()), expected);
            let uri: Uri = address.parse().expect("an address");
            assert_eq!(bare_host(uri.host()), expected);
        }
        assert_eq!(bare_host(None), "");
        assert_eq!(bare_host(Some("[half")), "[half");
    }
}
