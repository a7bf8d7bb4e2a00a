//! The scripted origin of all tests: what each path answers, in order, and what was asked, over TLS or plain.
//!
//! It runs on a thread of its own with a runtime of its own, so that synchronous tests can use it beside the real
//! program. Dropping it stops it and waits for it. Never leaves loopback.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, BoxStream, StreamExt as _};
use gannet::demo::server_config;
use gannet::domain::Digest;
use http_body_util::{BodyExt as _, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Frame, Incoming};
use hyper::header::HeaderValue;
use hyper::http::request;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use tempfile::NamedTempFile;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::server::{Server, acceptor, acceptor_with};

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    /// Such as `GET`.
    pub(crate) method: String,
    /// Path and query.
    pub(crate) path: String,
    /// Names in lower case.
    pub(crate) headers: HashMap<String, String>,
    /// As far as it came.
    pub(crate) body: Bytes,
}

impl Recorded {
    /// Returns the value of a header; several are joined with a comma.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// Holds an answer back until the test opens it.
#[derive(Clone, Debug)]
pub(crate) struct Gate(Arc<watch::Sender<bool>>);

impl Gate {
    /// Returns a closed gate.
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    /// Lets every answer behind it go.
    pub(crate) fn open(&self) {
        self.0.send_replace(true);
    }

    async fn wait(&self) {
        // An error means that no one is left to open it.
        let _ = self.0.subscribe().wait_for(|open| *open).await;
    }
}

/// How much of a body goes out at once.
const PIECE: usize = 64 << 10;

/// One answer of a script.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
    body: Bytes,
    conditional: bool,
    chunked: bool,
    gate: Option<Gate>,
    stall_after: Option<usize>,
    drip: Option<Duration>,
}

impl Reply {
    /// Returns an answer with this status and no body.
    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Bytes::new(),
            conditional: false,
            chunked: false,
            gate: None,
            stall_after: None,
            drip: None,
        }
    }

    /// Returns 200 with a body of a stated length.
    pub(crate) fn ok(body: impl Into<Bytes>) -> Self {
        Self {
            body: body.into(),
            ..Self::status(200)
        }
    }

    /// Returns 200 with a strong `ETag` of the body, or 304 when the request names it.
    pub(crate) fn file(body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let etag = format!("\"{}\"", &Digest::of(&body).to_hex()[..16]);
        Self {
            conditional: true,
            ..Self::ok(body).header("etag", etag)
        }
    }

    /// Returns a redirect.
    pub(crate) fn redirect(status: u16, location: &str) -> Self {
        Self::status(status).header("location", location)
    }

    /// Adds a header.
    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers
            .push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// Sends the body in chunks, its length unstated.
    pub(crate) fn chunked(mut self) -> Self {
        self.chunked = true;
        self
    }

    /// Waits for the gate before it answers.
    pub(crate) fn behind(mut self, gate: &Gate) -> Self {
        self.gate = Some(gate.clone());
        self
    }

    /// Sends this many bytes of the body and then nothing, for ever.
    pub(crate) fn stall_after(mut self, bytes: usize) -> Self {
        self.stall_after = Some(bytes);
        self
    }

    /// Sends the body byte by byte, this far apart.
    pub(crate) fn drip(mut self, pause: Duration) -> Self {
        self.drip = Some(pause);
        self
    }

    fn body_stream(&self) -> BoxStream<'static, Bytes> {
        let body = self.body.clone();
        if let Some(pause) = self.drip {
            let bytes = stream::iter(0..body.len()).then(move |at| {
                let byte = body.slice(at..=at);
                async move {
                    tokio::time::sleep(pause).await;
                    byte
                }
            });
            return bytes.boxed();
        }
        let sent = self.stall_after.unwrap_or(body.len());
        let pieces = (0..sent)
            .step_by(PIECE)
            .map(move |at| body.slice(at..sent.min(at + PIECE)));
        let pieces = stream::iter(pieces.collect::<Vec<_>>());
        if self.stall_after.is_some() {
            pieces.chain(stream::pending()).boxed()
        } else {
            pieces.boxed()
        }
    }
}

/// A file with these contents: [`Reply::file`].
impl From<&'static str> for Reply {
    fn from(content: &'static str) -> Self {
        Self::file(content)
    }
}

impl From<String> for Reply {
    fn from(content: String) -> Self {
        Self::file(content)
    }
}

impl From<Vec<u8>> for Reply {
    fn from(content: Vec<u8>) -> Self {
        Self::file(content)
    }
}

/// What each path answers, in order.
pub(super) type Replies = HashMap<String, VecDeque<Reply>>;

#[derive(Default)]
struct Script {
    replies: Mutex<Replies>,
    requests: Mutex<Vec<Recorded>>,
    arrived: watch::Sender<usize>,
}

impl Script {
    fn record(&self, request: &request::Parts, body: Bytes) {
        let mut headers: HashMap<String, String> = HashMap::new();
        for (name, value) in &request.headers {
            let value = String::from_utf8_lossy(value.as_bytes());
            headers
                .entry(name.to_string())
                .and_modify(|all| *all = format!("{all}, {value}"))
                .or_insert_with(|| value.into_owned());
        }
        let path = request
            .uri
            .path_and_query()
            .map_or("/", |path| path.as_str());
        self.requests.lock().expect("unpoisoned").push(Recorded {
            method: request.method.to_string(),
            path: path.to_owned(),
            headers,
            body,
        });
        self.arrived.send_modify(|count| *count += 1);
    }

    /// Returns the next reply for a path; the last one of its script stays.
    fn next(&self, path: &str) -> Reply {
        let mut replies = self.replies.lock().expect("unpoisoned");
        let Some(queue) = replies.get_mut(path) else {
            return Reply::status(404);
        };
        match queue.len() {
            0 => Reply::status(404),
            1 => queue[0].clone(),
            _ => queue.pop_front().expect("two or more"),
        }
    }

    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<UnsyncBoxBody<Bytes, Infallible>>, Infallible> {
        let (request, mut incoming) = request.into_parts();
        let mut body = BytesMut::new();
        while let Some(Ok(frame)) = incoming.frame().await {
            body.extend(frame.into_data());
        }
        self.record(&request, body.freeze());
        let mut reply = self.next(request.uri.path());
        if let Some(gate) = &reply.gate {
            gate.wait().await;
        }
        if reply.conditional {
            let etag = reply.headers.iter().find(|(name, _)| name == "etag");
            let asked = request
                .headers
                .get("if-none-match")
                .map(HeaderValue::as_bytes);
            if asked.is_some() && asked == etag.map(|(_, value)| value.as_slice()) {
                reply.status = 304;
                reply.body = Bytes::new();
            }
        }
        let mut response = Response::builder().status(reply.status);
        for (name, value) in &reply.headers {
            response = response.header(name, value.as_slice());
        }
        if !reply.chunked && !matches!(reply.status, 204 | 304) {
            response = response.header("content-length", reply.body.len());
        }
        let frames = reply.body_stream().map(|bytes| Ok(Frame::data(bytes)));
        let body = StreamBody::new(frames).boxed_unsync();
        Ok(response
            .body(body)
            .expect("a scripted reply is well formed"))
    }
}

/// A scripted HTTP server.
pub(crate) struct Origin {
    server: Server,
    script: Arc<Script>,
}

impl Origin {
    /// Starts on a free port of 127.0.0.1; `tls` decides between https and http.
    pub(crate) fn start(tls: bool) -> Self {
        Self::start_on("127.0.0.1:0", tls, b"http/1.1").expect("IPv4 loopback")
    }

    /// Starts with TLS and a certificate of its own making, an authority's or not, which [`Self::ca_file`] names.
    pub(crate) fn start_self_signed(names: &[&str], is_authority: bool) -> Self {
        let key = KeyPair::generate().expect("a key");
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("names");
        if is_authority {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        let certificate = params.self_signed(&key).expect("a certificate");
        let pem = certificate.pem();
        let acceptor = acceptor_with(
            &[b"http/1.1"],
            server_config(certificate.der().clone(), &key).expect("a certificate with its key"),
        );
        let mut origin = Self::start_with(acceptor);
        let mut ca_file = NamedTempFile::with_suffix(".pem").expect("a file");
        ca_file.write_all(pem.as_bytes()).expect("a file");
        origin.server.ca_file = ca_file;
        origin
    }

    /// Starts with TLS and HTTP/2.
    pub(crate) fn start_http2() -> Self {
        Self::start_on("127.0.0.1:0", true, b"h2").expect("IPv4 loopback")
    }

    /// Starts with TLS on a free port of `::1`; nothing on a machine without IPv6.
    pub(crate) fn start_ipv6() -> Option<Self> {
        Self::start_on("[::1]:0", true, b"http/1.1")
    }

    fn start_with(acceptor: TlsAcceptor) -> Self {
        Self::listen("127.0.0.1:0", Some(acceptor), b"http/1.1").expect("IPv4 loopback")
    }

    fn start_on(bind: &str, tls: bool, protocol: &'static [u8]) -> Option<Self> {
        Self::listen(bind, tls.then(|| acceptor(&[protocol])), protocol)
    }

    fn listen(bind: &str, acceptor: Option<TlsAcceptor>, protocol: &'static [u8]) -> Option<Self> {
        let script = Arc::new(Script::default());
        let handler = Arc::clone(&script);
        let tls = acceptor.is_some();
        let server = Server::start(bind, tls, move |stream| {
            let script = Arc::clone(&handler);
            let acceptor = acceptor.clone();
            async move {
                match acceptor {
                    // A client that does not trust us hangs up: nothing to serve then.
                    Some(acceptor) => {
                        if let Ok(stream) = acceptor.accept(stream).await {
                            serve(stream, script, protocol).await;
                        }
                    }
                    None => serve(stream, script, protocol).await,
                }
            }
        })?;
        Some(Self { server, script })
    }

    /// Returns the address of a path, by IP address.
    pub(crate) fn url(&self, path: &str) -> String {
        self.server.url(&self.server.address.to_string(), path)
    }

    /// Returns the address of a path, by the name `localhost`.
    pub(crate) fn localhost_url(&self, path: &str) -> String {
        let authority = format!("localhost:{}", self.server.address.port());
        self.server.url(&authority, path)
    }

    /// Returns `127.0.0.1:port`.
    pub(crate) fn host(&self) -> String {
        self.server.address.to_string()
    }

    /// Returns the folder of its files below `published`.
    pub(crate) fn folder_name(&self) -> String {
        self.host().replace(':', "_")
    }

    /// Returns the PEM file to trust: `[fetch] ca_file`.
    pub(crate) fn ca_file(&self) -> &Path {
        self.server.ca_file.path()
    }

    /// Sets what a path (without query) answers, in order; the last answer stays.
    pub(crate) fn on<R: Into<Reply>>(&self, path: &str, replies: impl IntoIterator<Item = R>) {
        let replies = replies.into_iter().map(Into::into).collect();
        let mut scripts = self.script.replies.lock().expect("unpoisoned");
        scripts.insert(path.to_owned(), replies);
    }

    /// What each path answers from now on.
    pub(super) fn replies(&self) -> Replies {
        self.script.replies.lock().expect("unpoisoned").clone()
    }

    /// Lets each path answer this from now on, and no others.
    pub(super) fn answer_by(&self, replies: Replies) {
        *self.script.replies.lock().expect("unpoisoned") = replies;
    }

    /// Returns the requests so far.
    pub(crate) fn requests(&self) -> Vec<Recorded> {
        self.script.requests.lock().expect("unpoisoned").clone()
    }

    /// Waits until this many requests have arrived.
    pub(crate) async fn arrived(&self, count: usize) {
        let mut arrived = self.script.arrived.subscribe();
        arrived
            .wait_for(|seen| *seen >= count)
            .await
            .expect("the script outlives the wait");
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    script: Arc<Script>,
    protocol: &[u8],
) {
    let io = TokioIo::new(stream);
    let service = service_fn(move |request| Arc::clone(&script).answer(request));
    // A connection that the client broke is no fault of the origin.
    if protocol == b"h2" {
        let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        let _ = server.serve_connection(io, service).await;
    } else {
        let server = hyper::server::conn::http1::Builder::new();
        let _ = server.serve_connection(io, service).await;
    }
}
