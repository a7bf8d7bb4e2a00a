//! Makes the connections of a client: straight to a server, or through the proxy.
//!
//! Never connects to an address that the guard refuses.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use hyper::http::Extensions;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector, HttpInfo};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsConnector;
use tower_service::Service;

use super::failure::BoxError;
use super::guard::GuardedResolver;
use super::head::Head;
use super::proxy::{Proxy, Stream, bare_host, server_name};
use super::trail::OtherEnd;

/// Makes the connections of a client.
#[derive(Clone)]
pub(super) struct Connector {
    way: Way,
    tls: Arc<rustls::ClientConfig>,
    timeout: Duration,
}

#[derive(Clone)]
enum Way {
    Direct(HttpConnector<GuardedResolver>),
    Proxy(Arc<Proxy>),
}

impl Connector {
    /// Returns one that takes at most `timeout` for a connection, handshake included.
    pub(super) fn new(
        tls: rustls::ClientConfig,
        allow_private: bool,
        proxy: Option<Arc<Proxy>>,
        timeout: Duration,
    ) -> Self {
        let direct = || {
            let resolver = GuardedResolver::new(allow_private);
            let mut tcp = HttpConnector::new_with_resolver(resolver);
            tcp.enforce_http(false);
            tcp.set_nodelay(true);
            // A silent address leaves time for the others.
            tcp.set_connect_timeout(Some(timeout));
            Way::Direct(tcp)
        };
        let way = proxy.map_or_else(direct, Way::Proxy);
        Self {
            way,
            tls: Arc::new(tls),
            timeout,
        }
    }

    /// Returns the proxy that connections go through.
    pub(super) fn proxy(&self) -> Option<Arc<Proxy>> {
        match &self.way {
            Way::Proxy(proxy) => Some(Arc::clone(proxy)),
            Way::Direct(_) => None,
        }
    }

    async fn connect(self, target: Uri) -> Result<TokioIo<Link>, BoxError> {
        let host = bare_host(target.host()).to_owned();
        let is_tls = target.scheme_str() == Some("https");
        let mut peer = None;
        let mut is_proxy = false;
        let is_through_proxy = matches!(self.way, Way::Proxy(_));
        let mut stream: Box<dyn Stream> = match self.way {
            Way::Direct(mut tcp) => {
                let stream = tcp.call(target).await?.into_inner();
                let mut extras = Extensions::new();
                stream.connected().get_extras(&mut extras);
                peer = extras.remove();
                Box::new(stream)
            }
            Way::Proxy(proxy) if !is_tls && proxy.is_http() => {
                is_proxy = true;
                proxy.reach().await?
            }
            Way::Proxy(proxy) => {
                let port = target.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
                proxy.tunnel(&host, port).await?
            }
        };
        let mut other_end = OtherEnd::new(stream.peer(), is_through_proxy);
        let mut is_http2 = false;
        if is_tls {
            let tls = TlsConnector::from(self.tls);
            let secured = tls.connect(server_name(&host)?, stream).await?;
            let session = secured.get_ref().1;
            is_http2 = session.alpn_protocol() == Some(b"h2");
            other_end.note_session(session);
            stream = Box::new(secured);
        }
        Ok(TokioIo::new(Link {
            stream,
            peer,
            other_end: Arc::new(other_end),
            is_proxy,
            is_http2,
            head: Head::default(),
        }))
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Link>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, target: Uri) -> Self::Future {
        let limit = self.timeout;
        let connecting = self.clone().connect(target);
        Box::pin(async move { tokio::time::timeout(limit, connecting).await? })
    }
}

/// A connection to a server, or to the proxy that asks the server itself. It keeps the head of the last answer, for what may
/// have to be said of it.
pub(super) struct Link {
    stream: Box<dyn Stream>,
    /// The address of the server; nothing behind a proxy.
    peer: Option<HttpInfo>,
    /// Goes with every answer that comes over the connection.
    other_end: Arc<OtherEnd>,
    is_proxy: bool,
    is_http2: bool,
    head: Head,
}

impl Connection for Link {
    fn connected(&self) -> Connected {
        let mut connected = Connected::new()
            .proxy(self.is_proxy)
            .extra(self.head.clone())
            .extra(Arc::clone(&self.other_end));
        if let Some(peer) = &self.peer {
            connected = connected.extra(peer.clone());
        }
        if self.is_http2 {
            connected.negotiated_h2()
        } else {
            connected
        }
    }
}

impl AsyncRead for Link {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if !self.is_http2 {
            self.head.add(&buffer.filled()[before..]);
        }
        polled
    }
}

impl AsyncWrite for Link {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        // What comes from here on is the answer to another request.
        self.head.clear();
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
