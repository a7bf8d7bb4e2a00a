//! The configured proxy: the connection to it, and tunnels by CONNECT (RFC 9110 §9.3.6) or SOCKS 5 (RFC 1928).
//!
//! A tunnel is requested by address, since a name may resolve to another host at the proxy. Exceptions are names that
//! do not resolve here, proxies that refuse bare addresses, and plain http without a tunnel.

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
use super::failure::{BoxError, CarriedFailure, Failure};
use super::login::{basic, login_of};
use super::proxy_refusal::ProxyRefusal;
use super::raw_head::quoted;
use super::retry;
use super::route::{self, Resolved};
use super::secret::Scrubber;
use super::socks;
use super::tls_errors::tls_problem;
use crate::domain::{FailureKind, shortened};

/// Longest head of a response to CONNECT.
const MAX_HEAD_BYTES: usize = 16 << 10;

/// Characters of a proxy's message that an error repeats.
const MAX_WORDS_CHARS: usize = 80;

/// Hint for a proxy that requires a login.
pub(super) const CHECK_LOGIN: &str =
    "check the user name and the password in its address in the configuration";

/// A connection, encrypted or not.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {
    /// Returns the address of the other end; `None` when the connection is gone.
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

/// A proxy, as sources with one permission use it.
pub(super) struct Proxy {
    url: Url,
    /// User name and password, percent-decoded.
    login: Option<(String, String)>,
    /// Strikes out what the proxy may repeat: its login.
    scrubber: Scrubber,
    user_agent: String,
    /// For a proxy that is reached over TLS.
    tls: Arc<rustls::ClientConfig>,
    allow_private: bool,
    connect_timeout: Duration,
}

enum TunnelError {
    /// The proxy refuses this address to this user, whatever is there.
    Denied(Failure),
    /// Any other failure: another address of the host may work.
    Failed(BoxError),
}

impl Proxy {
    /// Returns the proxy at `url`, for sources with this permission.
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
        // The text of this error may hold the password: it is not repeated.
        let unusable = || NetError::Client("the address of the proxy is not usable".to_owned());
        url.as_str().parse::<Uri>().map_err(|_| unusable())?;
        Ok(proxy)
    }

    pub(super) fn is_http(&self) -> bool {
        matches!(self.url.scheme(), "http" | "https")
    }

    /// Returns `Proxy-Authorization`, for a proxy that requires a login with each request.
    pub(super) fn authorization(&self) -> Option<HeaderValue> {
        let (user, password) = self.login.as_ref().filter(|_| self.is_http())?;
        basic(user, password)
    }

    /// Checks that every address of `host` is allowed, before a plain http request by name. An address would not do:
    /// the proxy makes `Host` of the requested URL (RFC 9112 §3.2.2).
    pub(super) async fn check_name(&self, host: &str) -> Result<(), Failure> {
        match self.resolve(host).await?.refused {
            Some(refused) => Err(refused.into()),
            None => Ok(()),
        }
    }

    async fn resolve(&self, host: &str) -> Result<Resolved, Failure> {
        route::resolve(host, &self.url, self.allow_private, self.connect_timeout).await
    }

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

    /// Explains a failed handshake with the proxy itself, not with the host behind.
    fn handshake(&self, error: io::Error) -> BoxError {
        let cause = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match cause {
            Some(cause) => {
                let proxy = format!("the proxy {}", route::proxy_name(&self.url));
                let detail = tls_problem(cause, &proxy);
                CarriedFailure(Failure::new(FailureKind::Tls, detail)).into()
            }
            None => error.into(),
        }
    }

    async fn connect_tcp(&self) -> Result<TcpStream, BoxError> {
        let port = self.url.port_or_known_default().unwrap_or(1080);
        let host = bare_host(self.url.host_str());
        // Not guarded: the operator configured the proxy, so its address is trusted.
        let found = tokio::net::lookup_host((host, port)).await;
        let found = found.map_err(|_| {
            let detail = format!("cannot resolve the proxy {}", route::proxy_name(&self.url));
            CarriedFailure(Failure::passing(FailureKind::Dns, detail))
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

    /// Returns a tunnel to `host`, a name or an address without brackets.
    pub(super) async fn tunnel(&self, host: &str, port: u16) -> Result<Box<dyn Stream>, BoxError> {
        let resolved = self.resolve(host).await.map_err(CarriedFailure)?;
        if resolved.addresses.is_empty() {
            return self
                .ask(host, host, port)
                .await
                .map_err(TunnelError::into_error);
        }
        let mut denied = 0;
        let mut last = None;
        for address in &resolved.addresses {
            match self.ask(host, &address.to_string(), port).await {
                Ok(stream) => return Ok(stream),
                Err(why) => {
                    denied += usize::from(matches!(why, TunnelError::Denied(_)));
                    last = Some(why.into_error());
                }
            }
        }
        // A proxy may allow hosts by name only. Every address of this one is allowed, and the certificate identifies
        // the server, wherever the proxy resolves the name to.
        let by_name = denied == resolved.addresses.len()
            && resolved.refused.is_none()
            && host.parse::<std::net::IpAddr>().is_err();
        match last {
            Some(error) if !by_name => Err(error),
            _ => self
                .ask(host, host, port)
                .await
                .map_err(TunnelError::into_error),
        }
    }

    /// Requests one tunnel to `host`, by its name or by one of its addresses.
    async fn ask(
        &self,
        host: &str,
        target: &str,
        port: u16,
    ) -> Result<Box<dyn Stream>, TunnelError> {
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
                TunnelError::Denied(failure)
            } else {
                TunnelError::Failed(CarriedFailure(failure).into())
            }
        })
    }

    /// Returns the head of a CONNECT request.
    fn connect_request(&self, authority: &str) -> Vec<u8> {
        let user_agent = &self.user_agent;
        let mut head = format!(
            "CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: {user_agent}\r\n"
        )
        .into_bytes();
        if let Some(authorization) = self.authorization() {
            head.extend_from_slice(b"Proxy-Authorization: ");
            head.extend_from_slice(authorization.as_bytes());
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(b"\r\n");
        head
    }

    /// Requests a tunnel by CONNECT. Returns the connection, which is the tunnel from here on, or the proxy's refusal.
    async fn ask_http(
        &self,
        authority: &str,
    ) -> Result<Result<Box<dyn Stream>, ProxyRefusal>, BoxError> {
        let mut stream = self.reach().await?;
        stream.write_all(&self.connect_request(authority)).await?;
        let answer = read_head(&mut *stream).await?;
        let line = answer.lines().next().unwrap_or_default();
        let Some(status) = status(&answer) else {
            let line = quoted(line.as_bytes(), &self.scrubber);
            return Ok(Err(ProxyRefusal::new(format!(
                "its answer is no HTTP: {line}"
            ))));
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
        Ok(Err(ProxyRefusal {
            words,
            is_of_address: status == 403,
            may_pass: StatusCode::from_u16(status).is_ok_and(retry::is_transient),
        }))
    }
}

impl TunnelError {
    fn into_error(self) -> BoxError {
        match self {
            Self::Denied(failure) => CarriedFailure(failure).into(),
            Self::Failed(error) => error,
        }
    }
}

impl From<BoxError> for TunnelError {
    fn from(error: BoxError) -> Self {
        Self::Failed(error)
    }
}

impl From<io::Error> for TunnelError {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// Explains that the proxy closed the connection early.
fn unanswered(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            io::Error::new(error.kind(), "it closed the connection without an answer")
        }
        _ => error,
    }
}

/// Reads the head of the response to CONNECT. The body of a refusal is not read. A refusal counts once its first line
/// has arrived, even if its head is cut off or too long. A response that is not HTTP is returned as its first line.
async fn read_head(stream: &mut dyn Stream) -> io::Result<String> {
    let mut read = Vec::new();
    loop {
        if let Some(end) = end_of_head(&read) {
            let head = String::from_utf8_lossy(&read[..end]).into_owned();
            match status(&head) {
                // Interim responses while the proxy connects (RFC 9110 §15.2).
                Some(100 | 102..=199) => drop(read.drain(..end)),
                // Such a response has no body (RFC 9110 §9.3.6), and the server waits for the client's first bytes.
                Some(status) if is_tunnel(status) && end < read.len() => {
                    return Err(unreadable("it sends more than the head of its answer"));
                }
                _ => return Ok(head),
            }
            continue;
        }
        // A peer of another protocol may wait for more than an HTTP request.
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

/// Returns whether the bytes can still become an HTTP/1 response.
fn begins_as_http(read: &[u8]) -> bool {
    read.iter().zip(b"HTTP/1.").all(|(one, other)| one == other)
}

/// Returns the first line with its end, or as much of it as arrived.
fn first_line(read: &[u8]) -> String {
    let line = read.split_inclusive(|byte| *byte == b'\n').next();
    String::from_utf8_lossy(line.unwrap_or_default()).into_owned()
}

/// Returns the length of the head, with the empty line that ends it; `None` while it is incomplete.
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

/// Returns the host of an address without the brackets of an IPv6 literal; empty when there is no host.
pub(super) fn bare_host(host: Option<&str>) -> &str {
    let host = host.unwrap_or_default();
    let literal = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    literal.unwrap_or(host)
}

/// Returns the name that the server's certificate must have.
pub(super) fn server_name(host: &str) -> Result<ServerName<'static>, BoxError> {
    ServerName::try_from(host.to_owned()).map_err(|_| {
        let detail = format!("{host} is not a name that a certificate could hold");
        CarriedFailure(Failure::new(FailureKind::Tls, detail)).into()
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
