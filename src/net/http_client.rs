//! The HTTP client for direct and proxied requests. Replaces reqwest's own, which gives a proxy names only, accepts no
//! IPv6 literal behind a proxy, and does not expose the head of a response that it cannot parse.
//!
//! Never sends a request for one host over a connection to another.

use std::sync::Arc;
use std::time::Duration;

use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use reqwest::header::{ACCEPT, HeaderValue, PROXY_AUTHORIZATION, USER_AGENT};
use reqwest::{Body, Request, Response};

use super::connector::Connector;
use super::error::NetError;
use super::failure::{BoxError, CarriedFailure};
use super::proxy::{Proxy, bare_host};
use super::raw_head::RawHead;

/// Most header fields of an HTTP/1.1 response (room for them is allocated for each response), and their size over
/// HTTP/2.
const MAX_FIELDS: usize = 256;
const MAX_FIELD_BYTES: u32 = 256 << 10;

pub(super) struct HttpClient {
    client: legacy::Client<Connector, Body>,
    proxy: Option<Arc<Proxy>>,
    user_agent: HeaderValue,
}

impl HttpClient {
    /// Returns a client that holds up to `most_idle` connections to each host for reuse, each for the time `idle`; with
    /// none, every request makes its own connection.
    pub(super) fn new(
        connector: Connector,
        most_idle: usize,
        idle: Duration,
        user_agent: &str,
    ) -> Result<Self, NetError> {
        let proxy = connector.proxy();
        let user_agent = HeaderValue::from_str(user_agent)
            .map_err(|_| NetError::Client("the user agent is not usable".to_owned()))?;
        // Tolerates the malformed heads that curl and browsers tolerate. Fields that decide the length of a body stay
        // strict.
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

    /// Sends a request. Returns the head of the response.
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
            proxy.check_name(&host).await.map_err(CarriedFailure)?;
        }
        let response = self.client.request(request).await?;
        if let Some(head) = response.extensions().get::<RawHead>() {
            head.record_response();
        }
        Ok(response.map(Body::wrap).into())
    }
}
