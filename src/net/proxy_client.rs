//! The client for requests that go through the proxy. reqwest's own would give a proxy names only, and knows no literal
//! of IPv6 behind one.
//!
//! Never asks for the server of one host over the connection of another.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use reqwest::header::{ACCEPT, HeaderValue, PROXY_AUTHORIZATION, USER_AGENT};
use reqwest::{Body, Request, Response};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsConnector;
use tower_service::Service;

use super::client::{MAX_FIELD_BYTES, MAX_FIELDS};
use super::error::NetError;
use super::failure::{BoxError, Stopped};
use super::proxy::{Proxy, Stream, server_name};
use crate::config::FetchConfig;

/// How long a connection is kept for the next request.
const IDLE: Duration = Duration::from_secs(90);

/// A client for everything that goes through one proxy.
pub(super) struct ProxyClient {
    client: legacy::Client<Connector, Body>,
    proxy: Arc<Proxy>,
    user_agent: HeaderValue,
}

impl ProxyClient {
    /// Returns one with the protocols that `tls` offers.
    pub(super) fn new(
        config: &FetchConfig,
        tls: rustls::ClientConfig,
        proxy: Proxy,
    ) -> Result<Self, NetError> {
        let proxy = Arc::new(proxy);
        let connector = Connector {
            proxy: Arc::clone(&proxy),
            tls: Arc::new(tls),
        };
        let user_agent = HeaderValue::from_str(&config.user_agent)
            .map_err(|_| NetError::Client("the user agent is not usable".to_owned()))?;
        // As it is for the other clients.
        let client = legacy::Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(config.total)
            .http1_max_headers(MAX_FIELDS)
            .http1_ignore_invalid_headers_in_responses(true)
            .http1_allow_spaces_after_header_name_in_responses(true)
            .http1_allow_obsolete_multiline_headers_in_responses(true)
            .http2_max_header_list_size(MAX_FIELD_BYTES)
            .build(connector);
        Ok(Self {
            client,
            proxy,
            user_agent,
        })
    }

    /// Sends a request and returns the head of its answer.
    pub(super) async fn execute(&self, request: Request) -> Result<Response, BoxError> {
        let mut request = hyper::Request::<Body>::try_from(request)?;
        let is_http = request.uri().scheme_str() == Some("http");
        let host = bare_host(request.uri()).to_owned();
        let fields = request.headers_mut();
        fields
            .entry(USER_AGENT)
            .or_insert_with(|| self.user_agent.clone());
        fields
            .entry(ACCEPT)
            .or_insert(HeaderValue::from_static("*/*"));
        if is_http && self.proxy.is_http() {
            if let Some(authorization) = self.proxy.authorization() {
                fields.entry(PROXY_AUTHORIZATION).or_insert(authorization);
            }
            self.proxy.check_name(&host).await.map_err(Stopped)?;
        }
        let response = self.client.request(request).await?;
        Ok(response.map(Body::wrap).into())
    }
}

/// Makes the connections of a client.
#[derive(Clone)]
struct Connector {
    proxy: Arc<Proxy>,
    tls: Arc<rustls::ClientConfig>,
}

impl Connector {
    async fn connect(self, target: Uri) -> Result<TokioIo<Link>, BoxError> {
        let host = bare_host(&target);
        let is_tls = target.scheme_str() == Some("https");
        let mut link = Link {
            stream: Box::new(tokio::io::empty()),
            is_proxy: false,
            is_http2: false,
        };
        if !is_tls && self.proxy.is_http() {
            link.is_proxy = true;
            link.stream = self.proxy.reach().await?;
            return Ok(TokioIo::new(link));
        }
        let port = target.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        link.stream = self.proxy.tunnel(host, port).await?;
        if is_tls {
            let tls = TlsConnector::from(self.tls);
            let stream = tls.connect(server_name(host)?, link.stream).await?;
            link.is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            link.stream = Box::new(stream);
        }
        Ok(TokioIo::new(link))
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
        let limit = self.proxy.connect_timeout();
        let connecting = self.clone().connect(target);
        Box::pin(async move { tokio::time::timeout(limit, connecting).await? })
    }
}

/// Returns the host of an address without the brackets of a literal.
fn bare_host(url: &Uri) -> &str {
    let host = url.host().unwrap_or_default();
    let literal = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    literal.unwrap_or(host)
}

/// A connection to a server through the proxy, or to the proxy that asks the server itself.
struct Link {
    stream: Box<dyn Stream>,
    is_proxy: bool,
    is_http2: bool,
}

impl Connection for Link {
    fn connected(&self) -> Connected {
        let connected = Connected::new().proxy(self.is_proxy);
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
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Link {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
