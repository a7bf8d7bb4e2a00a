//! `gannet serve` as a child process, and requests to it over a connection of their own each, plain or over TLS.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use serde_json::Value;

use super::gannet::Gannet;
use super::server::trusting_client;

/// The running service; ended when dropped.
pub(crate) struct Service {
    pub(crate) child: Child,
    stderr: BufReader<ChildStderr>,
    /// The address and port.
    pub(crate) address: String,
    is_tls: bool,
    /// Whom requests over TLS trust.
    pub(crate) client: Arc<ClientConfig>,
}

/// A connection to the service.
pub(crate) trait Connection: Read + Write {}

impl<T: Read + Write> Connection for T {}

/// The answer to a request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Returns the cookie that the answer has a browser keep.
    pub(crate) fn cookie(&self) -> String {
        let cookie = self.header("set-cookie");
        let cookie = cookie.and_then(|cookie| cookie.split(';').next());
        cookie
            .unwrap_or_else(|| panic!("no cookie: {self:?}"))
            .to_owned()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Service {
    /// Starts the service over a home's catalogue, with these further arguments, and waits until it listens.
    pub(crate) fn start(gannet: &Gannet, arguments: &[&str]) -> Self {
        let given = [&["serve", "--listen", "127.0.0.1:0"], arguments].concat();
        let child = gannet.start(&given);
        Self::of(child)
    }

    /// Waits until a started program listens.
    pub(crate) fn of(mut child: Child) -> Self {
        let mut stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut said = String::new();
        loop {
            let mut line = String::new();
            let read = stderr.read_line(&mut line).expect("a line");
            assert!(read > 0, "gannet serve ended: {said}");
            let place = line.trim_end().split_once("serving ");
            let place = place.and_then(|(_, place)| place.rsplit_once(" at "));
            if let Some((scheme, address)) = place.and_then(|(_, url)| url.split_once("://")) {
                return Self {
                    child,
                    stderr,
                    address: address.trim_end_matches('/').to_owned(),
                    is_tls: scheme == "https",
                    client: trusting_client(),
                };
            }
            said.push_str(&line);
        }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], "")
    }

    /// Sends a request with these fields and this body, and returns the answer.
    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        fields: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut stream = self.open();
        let mut head = vec![
            format!("{method} {path} HTTP/1.1"),
            "Connection: close".to_owned(),
        ];
        if !fields.iter().any(|(name, _)| *name == "Host") {
            head.push(format!("Host: {}", self.address));
        }
        head.extend(
            fields
                .iter()
                .map(|(name, value)| format!("{name}: {value}")),
        );
        if !body.is_empty() {
            head.push(format!("Content-Length: {}", body.len()));
        }
        let head = head.join("\r\n") + "\r\n\r\n";
        stream.write_all(head.as_bytes()).expect("a request");
        stream.write_all(body.as_bytes()).expect("a body");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        parse(&answer)
    }

    /// Sends the form by which people sign in.
    pub(crate) fn sign_in(&self, name: &str, password: &str) -> Answer {
        let form = format!("name={name}&password={}", password.replace(' ', "+"));
        let fields = [("Content-Type", "application/x-www-form-urlencoded")];
        self.ask("POST", "/sign-in", &fields, &form)
    }

    /// Sends JSON with a bearer token.
    pub(crate) fn send(&self, method: &str, path: &str, token: &str, body: &Value) -> Answer {
        let authorization = format!("Bearer {token}");
        let fields = [
            ("Authorization", authorization.as_str()),
            ("Content-Type", "application/json"),
        ];
        self.ask(method, path, &fields, &body.to_string())
    }

    /// Opens a connection over which the service speaks HTTP.
    pub(crate) fn open(&self) -> Box<dyn Connection> {
        let stream = self.connect();
        if !self.is_tls {
            return Box::new(stream);
        }
        let name = ServerName::try_from("localhost").expect("a name");
        let client = ClientConnection::new(Arc::clone(&self.client), name).expect("a client");
        Box::new(StreamOwned::new(client, stream))
    }

    /// Opens a connection.
    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).expect("a connection");
        stream
            .set_read_timeout(Some(Duration::from_mins(1)))
            .expect("a time-out");
        stream
    }

    /// Sends SIGHUP.
    pub(crate) fn hang_up(&self) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::HUP).expect("a signal");
    }

    /// Sends SIGTERM, and returns the exit code and what was said on stderr since the start.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("a signal");
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).expect("text");
        (self.child.wait().expect("an end").code(), said)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn parse(answer: &[u8]) -> Answer {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let end = end.unwrap_or_else(|| panic!("no head: {:?}", String::from_utf8_lossy(answer)));
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .and_then(|code| code.parse().ok());
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    let headers: HashMap<_, _> = headers.collect();
    let mut body = answer[end + 4..].to_vec();
    if headers
        .get("transfer-encoding")
        .is_some_and(|coding| coding == "chunked")
    {
        body = unchunked(&body).expect("whole chunks");
    }
    Answer {
        status: status.unwrap_or_else(|| panic!("no status: {head}")),
        headers,
        body,
    }
}

/// Returns what chunks carry (RFC 9112 §7.1); `None` without the last one.
fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).ok()?, 16).ok()?;
        rest = &rest[end + 2..];
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size + 2..)?;
    }
}
