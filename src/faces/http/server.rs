//! Serves the router on a socket, plain or over TLS, with limits on connections, handshakes, heads and times, until a
//! stop is requested.
//!
//! Never routes a request, and never answers one but for its limits and for plain HTTP where TLS is spoken.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tower_service::Service as _;

use super::client::Peer;
use super::client_stream::ClientStream;
use super::problem::Problem;
use super::router::router;
use super::shared::Shared;
use super::tls::Tls;
use super::unread::Unread;

/// The most connections at once.
const MAX_CONNECTIONS: usize = 10_000;
/// The most connections at once of one address beyond this machine. A proxy runs on this machine.
const MAX_OF_ADDRESS: usize = 500;
/// The time for a TLS handshake, and for the head of a request, also after the request before it.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// The largest head of a request, in bytes.
const MAX_HEAD_BYTES: usize = 8 << 10;
/// The most fields in the head of a request.
const MAX_HEADERS: usize = 100;
/// The bytes of a body, or of an answer, that lie in the buffers of a connection.
const MAX_BUFFERED_BYTES: usize = 64 << 10;
/// The time in which a handler answers, once the head of the request is there.
const REQUEST_TIME: Duration = Duration::from_mins(1);
/// The time that a client may take to read the next piece of an answer.
const READER_TIME: Duration = Duration::from_secs(30);
/// The time that requests in flight have to finish after a stop was requested.
const DRAIN: Duration = Duration::from_secs(10);
/// The pause after a connection could not be accepted, for want of open files say.
const PAUSE: Duration = Duration::from_millis(100);

/// The socket on which the service listens.
pub type Listener = TcpListener;

/// Serves until a stop is requested, then lets requests in flight finish for 10 s.
pub async fn serve(listener: Listener, shared: Shared) {
    let trackers = [shared.clients().clone(), shared.to_end().clone()];
    let mut connections = JoinSet::new();
    let counted = shared.clone();
    let counting = Box::pin(counted.numbers().keep_counting(counted.app()));
    let accepting = Box::pin(accept_until_stopped(&listener, shared, &mut connections));
    tokio::select! {
        () = accepting => {}
        never = counting => match never {},
    }
    drop(listener);
    let drained = async {
        while connections.join_next().await.is_some() {}
        for tasks in trackers {
            tasks.close();
            tasks.wait().await;
        }
    };
    if tokio::time::timeout(DRAIN, drained).await.is_err() {
        tracing::warn!("requests that took longer than {DRAIN:?} to finish were cut off");
    }
}

/// Accepts connections until a stop is requested.
async fn accept_until_stopped(listener: &Listener, shared: Shared, connections: &mut JoinSet<()>) {
    let stop = shared.stop().clone();
    let site = Site {
        tls: shared.tls().cloned(),
        router: router(shared),
        stop: stop.clone(),
    };
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let by_address = ByAddress::default();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                pause_after(&error).await;
                continue;
            }
        };
        // Beyond a limit the connection is closed at once: a client that waits would never learn why.
        let place = places.clone().try_acquire_owned();
        let (Ok(place), Some(share)) = (place, by_address.take(peer.ip())) else {
            continue;
        };
        let site = site.clone();
        connections.spawn(async move {
            connection(stream, peer, site).await;
            drop((place, share));
        });
    }
}

/// Logs why no connection could be accepted, and waits: the next call would fail as well.
async fn pause_after(error: &io::Error) {
    let is_of_client = matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    );
    if !is_of_client {
        tracing::warn!("cannot accept a connection: {error}");
        tokio::time::sleep(PAUSE).await;
    }
}

/// What every connection is served with.
#[derive(Clone)]
struct Site {
    router: Router,
    stop: CancellationToken,
    tls: Option<Arc<Tls>>,
}

/// What a client speaks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Speech {
    Plain,
    Tls,
    /// Plain HTTP where TLS is expected.
    PlainForTls,
}

/// Serves one connection to its end. Its errors are the client's: it closed early, or sent something else than HTTP.
async fn connection(stream: TcpStream, peer: SocketAddr, site: Site) {
    // Without it, small answers wait for the client's acknowledgement.
    let _ = stream.set_nodelay(true);
    let client = Client {
        peer,
        unread: Unread::default(),
    };
    match site.tls.clone() {
        None => {
            let stream = ClientStream::new(stream, READER_TIME, client.unread.clone());
            speak(stream, client, Speech::Plain, site).await;
        }
        // Boxed: connections of a service without TLS have no room for it.
        Some(tls) => Box::pin(secured(stream, client, &tls, site)).await,
    }
}

/// Who is at the other end of a connection, and whether it was answered before it had sent all.
struct Client {
    peer: SocketAddr,
    unread: Unread,
}

/// Serves one connection over TLS.
async fn secured(stream: TcpStream, client: Client, tls: &Tls, site: Site) {
    let shaken = async {
        let is_tls = begins_handshake(&stream).await?;
        let stream = ClientStream::new(stream, READER_TIME, client.unread.clone());
        if is_tls {
            let stream = tls.accept(stream).await?;
            Ok::<_, io::Error>(Greeted::Tls(Box::new(stream)))
        } else {
            Ok(Greeted::Plain(stream))
        }
    };
    let shaken = tokio::select! {
        shaken = tokio::time::timeout(HEAD_TIME, shaken) => shaken,
        () = site.stop.cancelled() => return,
    };
    let peer = client.peer;
    match shaken {
        Ok(Ok(Greeted::Tls(stream))) => speak(stream, client, Speech::Tls, site).await,
        Ok(Ok(Greeted::Plain(stream))) => speak(stream, client, Speech::PlainForTls, site).await,
        Ok(Err(error)) => tracing::debug!("no TLS with {peer}: {error}"),
        Err(_) => tracing::debug!("no TLS with {peer}: the handshake took too long"),
    }
}

/// A connection after its first bytes.
enum Greeted {
    Tls(Box<TlsStream<ClientStream<TcpStream>>>),
    Plain(ClientStream<TcpStream>),
}

/// Returns whether a client begins a TLS handshake (RFC 8446 §5.1), once its first byte is there; leaves the byte there.
async fn begins_handshake(stream: &TcpStream) -> io::Result<bool> {
    const HANDSHAKE: u8 = 22;
    let mut first = [0];
    match stream.peek(&mut first).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(first == [HANDSHAKE]),
    }
}

/// Speaks HTTP on a connection to its end.
async fn speak<I>(io: I, client: Client, speech: Speech, site: Site)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Site { router, stop, .. } = site;
    let Client { peer, unread } = client;
    let peer_of = Peer {
        address: peer.ip().to_canonical(),
        is_tls: speech == Speech::Tls,
    };
    let service = service_fn(move |request| {
        let (router, unread) = (router.clone(), unread.clone());
        answer(request, peer_of, speech, router, unread)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_header_size(MAX_HEAD_BYTES)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_BUFFERED_BYTES)
        .serve_connection(TokioIo::new(io), service)
        .with_upgrades();
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!("a connection of {peer} ended early: {error}");
    }
}

/// Returns the answer to a request. After one that comes before all of the body the connection serves no other request.
async fn answer(
    request: Request<Incoming>,
    peer: Peer,
    speech: Speech,
    router: Router,
    unread: Unread,
) -> Result<Response, Infallible> {
    let request = request.map(|body| Body::new(unread.watching(body)));
    let mut response = match speech {
        Speech::Plain | Speech::Tls => routed(request, peer, router).await,
        Speech::PlainForTls => ask_for_tls(),
    };
    if unread.is_any() {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    Ok(response)
}

/// Returns the router's answer; a problem when that takes too long or fails.
async fn routed(mut request: Request<Body>, peer: Peer, mut router: Router) -> Response {
    request.extensions_mut().insert(peer);
    let answer = AssertUnwindSafe(router.call(request)).catch_unwind();
    match tokio::time::timeout(REQUEST_TIME, answer).await {
        Ok(Ok(Ok(response))) => response,
        Ok(Ok(Err(never))) => match never {},
        Ok(Err(_)) => {
            let detail = "the service failed to answer: its log says more";
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail).into_response()
        }
        Err(_) => {
            let detail = format!("the request took longer than {} s", REQUEST_TIME.as_secs());
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).into_response()
        }
    }
}

/// Returns the answer to plain HTTP where TLS is spoken.
fn ask_for_tls() -> Response {
    let words = "This port speaks TLS: the address begins with https://\n";
    let fields = [(header::CONNECTION, "close")];
    (StatusCode::BAD_REQUEST, fields, words).into_response()
}

/// The numbers of connections by address.
#[derive(Clone, Default)]
struct ByAddress(Arc<Mutex<HashMap<IpAddr, usize>>>);

impl ByAddress {
    /// Counts a connection of this address; `None` when it has too many.
    fn take(&self, address: IpAddr) -> Option<Share> {
        let address = address.to_canonical();
        if address.is_loopback() {
            return Some(Share(None));
        }
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if *count >= MAX_OF_ADDRESS {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(Share(Some((self.clone(), address))))
    }
}

/// One connection in the count of its address.
struct Share(Option<(ByAddress, IpAddr)>);

impl Drop for Share {
    fn drop(&mut self) {
        let Some((counts, address)) = &self.0 else {
            return;
        };
        let mut counts = counts.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(address);
            }
        }
    }
}
