//! The client for everything that is asked over HTTP, straight or through the proxy. reqwest's own would give a proxy names
//! only, knows no literal of IPv6 behind one, and keeps the head of an answer to itself that it cannot read.
//!
//! Never asks for the server of one host over the connection of another.

use std::sync::Arc;
use std::time::Duration;

use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use reqwest::header::{ACCEPT, HeaderValue, PROXY_AUTHORIZATION, USER_AGENT};
use reqwest::{Body, Request, Response};

use super::connector::Connector;
use super::error::NetError;
use super::failure::{BoxError, Stopped};
use super::head::Head;
use super::proxy::{Proxy, bare_host};

/// The most header fields that are taken of an answer over HTTP/1.1 (room for them is made for each one), and their length over
/// HTTP/2.
const MAX_FIELDS: usize = 256;
const MAX_FIELD_BYTES: u32 = 256 << 10;

/// A client for everything that goes one way.
pub(super) struct HttpClient {
    client: legacy::Client<Connector, Body>,
    proxy: Option<Arc<Proxy>>,
    user_agent: HeaderValue,
}

impl HttpClient {
    /// Returns one that keeps so many idle connections to a host for the next requests, each for this time; with none, each
    /// request makes its own.
    pub(super) fn new(
        connector: Connector,
        most_idle: usize,
        idle: Duration,
        user_agent: &str,
    ) -> Result<Self, NetError> {
        let proxy = connector.proxy();
        let user_agent = HeaderValue::from_str(user_agent)
            .map_err(|_| NetError::Client("the user agent is not usable".to_owned()))?;
        // Heads that are not quite right, as curl and browsers take them. What decides how long a body is stays strict.
        let client = legacy::Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(idle)
            .pool_max_idle_per_host(most_idle)
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
        let host = bare_host(request.uri().host()).to_owned();
        let fields = request.headers_mut();
        fields
            .entry(USER_AGENT)
            .or_insert_with(|| self.user_agent.clone());
        fields
            .entry(ACCEPT)
            .or_insert(HeaderValue::from_static("*/*"));
        let asked = self
            .proxy
            .as_ref()
            .filter(|proxy| is_http && proxy.is_http());
        if let Some(proxy) = asked {
            if let Some(authorization) = proxy.authorization() {
                fields.entry(PROXY_AUTHORIZATION).or_insert(authorization);
            }
            proxy.check_name(&host).await.map_err(Stopped)?;
        }
        let response = self.client.request(request).await?;
        if let Some(head) = response.extensions().get::<Head>() {
            head.note_answer();
        }
        Ok(response.map(Body::wrap).into())
    }
}
