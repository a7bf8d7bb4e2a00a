//! An origin that sends prepared bytes, whatever it was asked: for framing that no library would send.
//!
//! Never leaves loopback.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::server::{Server, acceptor};

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
        let acceptor = acceptor(&[b"h2", b"http/1.1"]);
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
        let acceptor = tls.then(|| acceptor(&[b"http/1.1"]));
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
