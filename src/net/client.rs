//! Makes the clients: for sources, one for each way that requests take; for webhooks, one of its own. All over the same
//! roots of trust.
//!
//! Never reads the environment: neither its proxy variables nor its
//! certificate variables have a say here; the configuration has taken in what counts.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::{Request, Response, redirect};

use super::error::NetError;
use super::failure::BoxError;
use super::guard::GuardedResolver;
use super::http_client::HttpClient;
use super::proxy::Proxy;
use super::tls::tls_config;
use crate::config::FetchConfig;

/// How long a webhook's connection is kept for the next one: long enough for a burst, and shorter than what servers
/// commonly wait (2 s and more). A request that crosses with the server's farewell would be lost.
const WEBHOOK_IDLE: Duration = Duration::from_secs(1);

/// The most header fields that are taken of an answer over HTTP/1.1 (room for them is made for each one), and their length over
/// HTTP/2.
pub(super) const MAX_FIELDS: usize = 256;
pub(super) const MAX_FIELD_BYTES: u32 = 256 << 10;

/// What a request needs of its client.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClientKind {
    /// Private hosts may be reached.
    pub(super) allow_private: bool,
    /// Through the proxy.
    pub(super) proxied: bool,
    /// The server said that it wants HTTP/1.1.
    pub(super) http1_only: bool,
}

impl ClientKind {
    fn index(self) -> usize {
        usize::from(self.allow_private)
            + 2 * usize::from(self.proxied)
            + 4 * usize::from(self.http1_only)
    }
}

/// A client for each kind, made when it is first needed. Connections are never shared between them, so that one that was
/// made to a private host with permission is not used without.
pub(super) struct Clients {
    config: FetchConfig,
    tls: rustls::ClientConfig,
    made: [OnceLock<Box<HttpClient>>; 8],
}

impl Clients {
    /// Reads the certificates, and makes one client to see that the settings are usable.
    pub(super) fn new(config: &FetchConfig) -> Result<Self, NetError> {
        let clients = Self {
            config: config.clone(),
            tls: tls_config(&config.ca_files)?,
            made: Default::default(),
        };
        let kind = ClientKind {
            allow_private: false,
            proxied: config.proxy.is_some(),
            http1_only: false,
        };
        let _ = clients.made[kind.index()].set(clients.make(kind)?);
        Ok(clients)
    }

    /// Sends a request by the client of this kind, and returns the head of its answer.
    pub(super) async fn execute(
        &self,
        kind: ClientKind,
        request: Request,
    ) -> Result<Response, BoxError> {
        let client = self.made[kind.index()].get_or_init(|| {
            let made = self.make(kind);
            made.expect("settings that made one client make another")
        });
        client.execute(request).await
    }

    fn make(&self, kind: ClientKind) -> Result<Box<HttpClient>, NetError> {
        let mut tls = self.tls.clone();
        if kind.http1_only {
            tls.alpn_protocols.retain(|protocol| protocol != b"h2");
        }
        let proxy = self.config.proxy.as_ref().filter(|_| kind.proxied);
        let proxy = proxy.map(|url| {
            Proxy::new(
                url,
                &self.config.user_agent,
                tls.clone(),
                kind.allow_private,
                self.config.connect_timeout,
            )
        });
        HttpClient::new(&self.config, tls, kind.allow_private, proxy.transpose()?).map(Box::new)
    }
}

/// Makes the client for webhooks, whose addresses are the operator's own: private hosts are allowed, and what no one
/// may reach stays out of reach. Never through a proxy.
pub(super) fn webhook_client(config: &FetchConfig) -> Result<reqwest::Client, NetError> {
    let tls = tls_config(&config.ca_files)?;
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(redirect::Policy::none())
        .referer(false)
        .user_agent(&config.user_agent)
        .connect_timeout(config.connect_timeout)
        .pool_max_idle_per_host(config.total)
        .pool_idle_timeout(WEBHOOK_IDLE)
        .dns_resolver(Arc::new(GuardedResolver::new(true)))
        .no_proxy()
        .http1_max_headers(MAX_FIELDS)
        .http1_ignore_invalid_headers_in_responses(true)
        .http1_allow_spaces_after_header_name_in_responses(true)
        .http1_allow_obsolete_multiline_headers_in_responses(true)
        .http2_max_header_list_size(MAX_FIELD_BYTES)
        .build()
        .map_err(|_| NetError::Client("its settings (user agent or TLS) are not usable".to_owned()))
}
