//! A scripted origin on loopback, over TLS or plain, and one that sends raw bytes.
//!
//! Each runs on a thread of its own with a runtime of its own, so that synchronous tests can use it beside the real
//! program. Dropping one stops it and waits for it. Never leaves loopback.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::future::Future;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, BoxStream, StreamExt as _};
use gannet::domain::Digest;
use http_body_util::{BodyExt as _, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Frame, Incoming};
use hyper::header::HeaderValue;
use hyper::http::request;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tempfile::NamedTempFile;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

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

#[derive(Default)]
struct Script {
    replies: Mutex<HashMap<String, VecDeque<Reply>>>,
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
        let acceptor = acceptor_with(&[b"http/1.1"], certificate.der().clone(), &key);
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
        Self::listen(bind, tls.then(|| acceptor(protocol)), protocol)
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

    /// Returns the PEM file to trust: `[fetch] ca_file`.
    pub(crate) fn ca_file(&self) -> &Path {
        self.server.ca_file.path()
    }

    /// Sets what a path (without query) answers, in order; the last answer stays.
    pub(crate) fn on(&self, path: &str, replies: impl IntoIterator<Item = Reply>) {
        let replies = replies.into_iter().collect();
        let mut scripts = self.script.replies.lock().expect("unpoisoned");
        scripts.insert(path.to_owned(), replies);
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

/// A server that sends prepared bytes, whatever it was asked: for framing that no library would send.
pub(crate) struct RawOrigin(Server);

impl RawOrigin {
    /// Starts plain on a free port; the n-th connection gets the n-th script, the last one stays. After its script a
    /// connection is closed.
    pub(crate) fn start(scripts: Vec<Vec<u8>>) -> Self {
        Self::start_with(scripts, false)
    }

    /// The same over TLS; the connection is cut without TLS's own farewell.
    pub(crate) fn start_tls(scripts: Vec<Vec<u8>>) -> Self {
        Self::start_with(scripts, true)
    }

    /// Speaks HTTP/2 over TLS, and answers the first request of each connection with these frames; to a client that only
    /// offers HTTP/1.1 it sends `http1`.
    pub(crate) fn start_http2(frames: Vec<u8>, http1: Vec<u8>) -> Self {
        let scripts = Arc::new((frames, http1));
        let acceptor = acceptor_for(&[b"h2", b"http/1.1"]);
        let server = Server::start("127.0.0.1:0", true, move |stream| {
            let (scripts, acceptor) = (Arc::clone(&scripts), acceptor.clone());
            async move {
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    return;
                };
                if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                    // Broken off by the client: nothing to serve then.
                    let _ = send_frames(&mut stream, &scripts.0).await;
                } else {
                    send_raw(&mut stream, &scripts.1).await;
                    hang_up(stream.get_mut().0).await;
                }
            }
        });
        Self(server.expect("IPv4 loopback"))
    }

    fn start_with(scripts: Vec<Vec<u8>>, tls: bool) -> Self {
        let scripts = Arc::new(Mutex::new(VecDeque::from(scripts)));
        let acceptor = tls.then(|| acceptor(b"http/1.1"));
        let server = Server::start("127.0.0.1:0", tls, move |stream| {
            let mut queue = scripts.lock().expect("unpoisoned");
            let script = if queue.len() > 1 {
                queue.pop_front()
            } else {
                queue.front().cloned()
            };
            drop(queue);
            let acceptor = acceptor.clone();
            async move {
                let script = script.unwrap_or_default();
                let Some(acceptor) = acceptor else {
                    let mut stream = stream;
                    send_raw(&mut stream, &script).await;
                    return hang_up(&mut stream).await;
                };
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    send_raw(&mut stream, &script).await;
                    hang_up(stream.get_mut().0).await;
                }
            }
        });
        Self(server.expect("IPv4 loopback"))
    }

    /// Returns the address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        self.0.url(&self.0.address.to_string(), path)
    }

    /// Returns the PEM file to trust.
    pub(crate) fn ca_file(&self) -> &Path {
        self.0.ca_file.path()
    }
}

async fn send_raw(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), script: &[u8]) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    // The client may hang up at any byte: that is what it is tested for.
    let _ = stream.write_all(script).await;
    let _ = stream.flush().await;
}

/// Says that nothing more comes, and reads what the client still sends: a socket that is closed over unread bytes resets the
/// connection, and what was sent may be lost on the way.
async fn hang_up(stream: &mut TcpStream) {
    let _ = stream.shutdown().await;
    let _ = tokio::io::copy(stream, &mut tokio::io::sink()).await;
}

/// Returns a frame of HTTP/2 (RFC 9113 §4.1) for the first stream, or for the connection when the kind is one of those.
pub(crate) fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len())
        .expect("a short frame")
        .to_be_bytes();
    let stream = u8::from(!matches!(kind, 4 | 7));
    let head = [&length[1..], &[kind, flags, 0, 0, 0, stream]].concat();
    [&head, payload].concat()
}

/// Sends the frames once a request is there, then reads until the client hangs up.
async fn send_frames(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    frames: &[u8],
) -> std::io::Result<()> {
    const HEADERS: u8 = 1;
    const SETTINGS: u8 = 4;
    let mut preface = [0; 24];
    stream.read_exact(&mut preface).await?;
    stream.write_all(&frame(SETTINGS, 0, &[])).await?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        stream.read_exact(&mut vec![0; length]).await?;
        match (head[3], head[4]) {
            (SETTINGS, 0) => stream.write_all(&frame(SETTINGS, 1, &[])).await?,
            (HEADERS, _) => stream.write_all(frames).await?,
            _ => {}
        }
        stream.flush().await?;
    }
}

/// A listening thread.
struct Server {
    address: SocketAddr,
    tls: bool,
    ca_file: NamedTempFile,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start<F, Fut>(bind: &str, tls: bool, handle: F) -> Option<Self>
    where
        F: Fn(TcpStream) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let listener = StdListener::bind(bind).ok()?;
        listener.set_nonblocking(true).expect("a socket");
        let address = listener.local_addr().expect("a bound socket");
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.expect("a runtime").block_on(async move {
                let listener = TcpListener::from_std(listener).expect("a runtime");
                let mut connections = JoinSet::new();
                tokio::pin!(stopped);
                loop {
                    tokio::select! {
                        _ = &mut stopped => return,
                        Some(_) = connections.join_next() => {}
                        Ok((stream, _)) = listener.accept() => {
                            connections.spawn(handle(stream));
                        }
                    }
                }
            });
        });
        let mut ca_file = NamedTempFile::with_suffix(".pem").expect("a file");
        ca_file
            .write_all(authority().pem().as_bytes())
            .expect("a file");
        Some(Self {
            address,
            tls,
            ca_file,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    fn url(&self, authority: &str, path: &str) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{authority}{path}")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(
                ended.is_ok() || std::thread::panicking(),
                "the origin panicked"
            );
        }
    }
}

/// The one authority of the process: every origin's certificate is trusted through any origin's `ca_file`.
fn authority() -> &'static CertifiedIssuer<'static, KeyPair> {
    static AUTHORITY: OnceLock<CertifiedIssuer<'static, KeyPair>> = OnceLock::new();
    AUTHORITY.get_or_init(|| {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        CertifiedIssuer::self_signed(params, key).expect("a certificate")
    })
}

fn acceptor(protocol: &[u8]) -> TlsAcceptor {
    acceptor_for(&[protocol])
}

fn acceptor_for(protocols: &[&[u8]]) -> TlsAcceptor {
    let key = KeyPair::generate().expect("a key");
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let params = CertificateParams::new(names).expect("names");
    let certificate = params.signed_by(&key, authority()).expect("a certificate");
    acceptor_with(protocols, certificate.der().clone(), &key)
}

fn acceptor_with(
    protocols: &[&[u8]],
    certificate: CertificateDer<'static>,
    key: &KeyPair,
) -> TlsAcceptor {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a certificate with its key");
    config.alpn_protocols = protocols.iter().map(|it| it.to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}
