//! Makes the connections of a client: directly to a server, or through the proxy.
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
use super::proxy::{Proxy, Stream, bare_host, server_name};
use super::raw_head::RawHead;
use super::trail::ConnectionPeer;

#[derive(Clone)]
pub(super) struct Connector {
    transport: Transport,
    tls: Arc<rustls::ClientConfig>,
    timeout: Duration,
}

#[derive(Clone)]
enum Transport {
    Direct(HttpConnector<GuardedResolver>),
    Proxy(Arc<Proxy>),
}

impl Connector {
    /// Returns a connector that takes at most `timeout` for a connection, handshake included.
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
            // A silent address leaves time for the host's other addresses.
            tcp.set_connect_timeout(Some(timeout));
            Transport::Direct(tcp)
        };
        let transport = proxy.map_or_else(direct, Transport::Proxy);
        Self {
            transport,
            tls: Arc::new(tls),
            timeout,
        }
    }

    pub(super) fn proxy(&self) -> Option<Arc<Proxy>> {
        match &self.transport {
            Transport::Proxy(proxy) => Some(Arc::clone(proxy)),
            Transport::Direct(_) => None,
        }
    }

    async fn connect(self, target: Uri) -> Result<TokioIo<ServerConnection>, BoxError> {
        let host = bare_host(target.host()).to_owned();
        let is_tls = target.scheme_str() == Some("https");
        let is_through_proxy = matches!(self.transport, Transport::Proxy(_));
        // Such a proxy forwards plain http; any other makes a tunnel.
        let is_proxy =
            matches!(&self.transport, Transport::Proxy(proxy) if !is_tls && proxy.is_http());
        let mut peer = None;
        let mut stream: Box<dyn Stream> = match self.transport {
            Transport::Direct(mut tcp) => {
                let stream = tcp.call(target).await?.into_inner();
                peer = address_of(&stream);
                Box::new(stream)
            }
            Transport::Proxy(proxy) if is_proxy => proxy.reach().await?,
            Transport::Proxy(proxy) => {
                let port = target.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
                proxy.tunnel(&host, port).await?
            }
        };
        let mut peer_info = ConnectionPeer::new(stream.peer(), is_through_proxy);
        let mut is_http2 = false;
        if is_tls {
            let tls = TlsConnector::from(self.tls);
            let secured = tls.connect(server_name(&host)?, stream).await?;
            let session = secured.get_ref().1;
            is_http2 = session.alpn_protocol() == Some(b"h2");
            peer_info.record_session(session);
            stream = Box::new(secured);
        }
        Ok(TokioIo::new(ServerConnection {
            stream,
            peer,
            peer_info: Arc::new(peer_info),
            is_proxy,
            is_http2,
            head: RawHead::default(),
        }))
    }
}

/// Returns the address of a connection's other end.
fn address_of(stream: &impl Connection) -> Option<HttpInfo> {
    let mut extras = Extensions::new();
    stream.connected().get_extras(&mut extras);
    extras.remove()
}

impl Service<Uri> for Connector {
    type Response = TokioIo<ServerConnection>;
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

/// A connection to a server, or to a proxy that forwards plain http. Holds the head of the last response, for error
/// messages.
pub(super) struct ServerConnection {
    stream: Box<dyn Stream>,
    /// The address of the server; `None` behind a proxy.
    peer: Option<HttpInfo>,
    /// Attached to every response of the connection.
    peer_info: Arc<ConnectionPeer>,
    is_proxy: bool,
    is_http2: bool,
    head: RawHead,
}

impl Connection for ServerConnection {
    fn connected(&self) -> Connected {
        let mut connected = Connected::new()
            .proxy(self.is_proxy)
            .extra(self.head.clone())
            .extra(Arc::clone(&self.peer_info));
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

impl AsyncRead for ServerConnection {
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

impl AsyncWrite for ServerConnection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        // From here on, the bytes belong to the response to another request.
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
