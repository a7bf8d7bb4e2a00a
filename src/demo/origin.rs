//! The demo's server: HTTP/1.1 over TLS on a free loopback port, with correct validators.
//!
//! It never listens on another address, and never serves anything but the script.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::error::DemoError;
use super::script::{DemoSource, Scripted, answer, sources};
use super::tls::Authority;
use crate::domain::Digest;

/// The running origin. Dropping it stops it at once; [`Demo::shutdown`] completes the responses in flight first.
#[derive(Debug)]
pub struct Demo {
    address: SocketAddr,
    ca_pem: String,
    sources: Vec<DemoSource>,
    step: Arc<AtomicU32>,
    closing: CancellationToken,
    server: JoinSet<()>,
}

impl Demo {
    /// Starts the origin at step 1, within the running tokio runtime.
    pub fn start() -> Result<Self, DemoError> {
        let authority = Authority::new()?;
        let tls = authority.server_config(&["127.0.0.1", "localhost"])?;
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let listener = TcpListener::from_std(listener)?;
        let step = Arc::new(AtomicU32::new(1));
        let closing = CancellationToken::new();
        let mut server = JoinSet::new();
        server.spawn(serve(
            listener,
            TlsAcceptor::from(Arc::new(tls)),
            Arc::clone(&step),
            closing.clone(),
        ));
        Ok(Self {
            address,
            ca_pem: authority.pem(),
            sources: sources(),
            step,
            closing,
            server,
        })
    }

    /// Returns the authority's certificate for clients to trust, as PEM (RFC 7468).
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Returns the origin's address, without a trailing slash: `https://127.0.0.1:43210`.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Returns the sources to add; their paths are relative to [`Demo::url`].
    pub fn sources(&self) -> &[DemoSource] {
        &self.sources
    }

    /// Sets the script's step, from 1: the origin answers accordingly from now on.
    pub fn set_step(&self, step: u32) {
        self.step.store(step, Ordering::Release);
    }

    /// Stops listening, completes the responses in flight, and closes every connection.
    pub async fn shutdown(mut self) {
        self.closing.cancel();
        while self.server.join_next().await.is_some() {}
    }
}

/// Accepts connections until `closing`, then waits for the open ones.
async fn serve(
    listener: TcpListener,
    tls: TlsAcceptor,
    step: Arc<AtomicU32>,
    closing: CancellationToken,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = closing.cancelled() => break,
            accepted = listener.accept() => {
                // An error here concerns one connection that the client closed.
                let Ok((stream, _)) = accepted else { continue };
                connections.spawn(serve_connection(stream, tls.clone(), Arc::clone(&step), closing.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
    while connections.join_next().await.is_some() {}
}

/// Serves one connection. Only the client sees its failures: it disconnected, or does not trust the authority.
async fn serve_connection(
    stream: TcpStream,
    tls: TlsAcceptor,
    step: Arc<AtomicU32>,
    closing: CancellationToken,
) {
    let handshake = tokio::select! {
        () = closing.cancelled() => return,
        handshake = tls.accept(stream) => handshake,
    };
    let Ok(stream) = handshake else { return };
    let service = service_fn(|request: Request<Incoming>| {
        let response = respond(
            request.method(),
            request.uri().path(),
            request.headers(),
            step.load(Ordering::Acquire),
        );
        std::future::ready(Ok::<_, Infallible>(response))
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = closing.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    // The client saw the connection end; nobody else needs the error.
    drop(ended);
}

fn respond(method: &Method, path: &str, request: &HeaderMap, step: u32) -> Response<Full<Bytes>> {
    if !matches!(*method, Method::GET | Method::HEAD) {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
        response
            .headers_mut()
            .insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let Scripted::File {
        body,
        media_type,
        since_step,
    } = answer(path, step)
    else {
        return plain(StatusCode::NOT_FOUND, "no such file\n");
    };
    let modified_at = modified_at(since_step);
    let etag = format!("\"{}\"", &Digest::of(&body).to_hex()[..16]);
    let (status, body) = if is_known(request, &etag, modified_at) {
        (StatusCode::NOT_MODIFIED, Bytes::new())
    } else {
        (StatusCode::OK, body)
    };
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let text = |text: &str| HeaderValue::from_str(text).expect("printable ASCII");
    headers.insert(header::ETAG, text(&etag));
    headers.insert(header::LAST_MODIFIED, text(&http_date(modified_at)));
    if status == StatusCode::OK {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    }
    response
}

fn plain(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}

/// Returns the `Last-Modified` time of content that appears with `step`; each step is an hour.
fn modified_at(step: u32) -> DateTime<Utc> {
    const NOON_2026_01_31: i64 = 1_769_860_800;
    DateTime::from_timestamp(NOON_2026_01_31 + i64::from(step) * 3600, 0)
        .expect("a few hours after 2026")
}

/// Prints a time as an HTTP date (RFC 9110 §5.6.7).
fn http_date(time: DateTime<Utc>) -> String {
    time.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Returns whether the client has this content: by `If-None-Match`, else `If-Modified-Since` (RFC 9110 §13.2.2).
fn is_known(request: &HeaderMap, etag: &str, modified_at: DateTime<Utc>) -> bool {
    let mut known_tags = request
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .peekable();
    if known_tags.peek().is_some() {
        return known_tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag);
    }
    request
        .get(header::IF_MODIFIED_SINCE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| DateTime::parse_from_rfc2822(value).ok())
        .is_some_and(|since| modified_at <= since)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(path: &str, step: u32, headers: &[(header::HeaderName, &str)]) -> StatusCode {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), value.parse().expect("a field value")))
            .collect();
        respond(&Method::GET, path, &headers, step).status()
    }

    #[test]
    fn validators_decide_in_the_order_of_the_standard() {
        let fresh = respond(&Method::GET, "/rates.json", &HeaderMap::new(), 1);
        let etag = fresh.headers()[header::ETAG].to_str().expect("text");
        let date = fresh.headers()[header::LAST_MODIFIED]
            .to_str()
            .expect("text");
        assert_eq!(date, "Sat, 31 Jan 2026 13:00:00 GMT");
        let weak = format!("\"other\", W/{etag}");
        let older = "Sat, 31 Jan 2026 12:59:59 GMT";
        for (headers, status) in [
            (vec![], 200),
            (vec![(header::IF_NONE_MATCH, etag)], 304),
            (vec![(header::IF_NONE_MATCH, weak.as_str())], 304),
            (vec![(header::IF_NONE_MATCH, "*")], 304),
            (vec![(header::IF_NONE_MATCH, "\"other\"")], 200),
            (vec![(header::IF_MODIFIED_SINCE, date)], 304),
            (vec![(header::IF_MODIFIED_SINCE, older)], 200),
            (vec![(header::IF_MODIFIED_SINCE, "yesterday")], 200),
            (
                vec![
                    (header::IF_NONE_MATCH, "\"other\""),
                    (header::IF_MODIFIED_SINCE, date),
                ],
                200,
            ),
        ] {
            assert_eq!(get("/rates.json", 1, &headers), status, "{headers:?}");
        }
        assert_eq!(
            get("/rates.json", 2, &[(header::IF_NONE_MATCH, etag)]),
            StatusCode::OK
        );
    }

    #[test]
    fn other_methods_and_paths_are_refused() {
        let answer = respond(&Method::POST, "/rates.json", &HeaderMap::new(), 1);
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(get("/../etc/passwd", 1, &[]), StatusCode::NOT_FOUND);
        assert_eq!(get("/blocklist.csv", 2, &[]), StatusCode::NOT_FOUND);
    }
}
