//! Makes the HTTP clients, one for each kind of request: for sources, and others for webhooks. All trust the same
//! certificates.
//!
//! Never reads the environment (its proxy or certificate variables): the configuration holds the settings.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::{Request, Response};

use super::connector::Connector;
use super::error::NetError;
use super::failure::BoxError;
use super::http_client::HttpClient;
use super::proxy::Proxy;
use super::route::Routes;
use super::tls::tls_config;
use crate::config::{FetchConfig, Secrets};

/// Whether a request may use an idle connection, and leaves its own to later requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reuse {
    /// For requests that may be repeated.
    Long,
    /// For requests that may not be repeated: long enough for a burst, and shorter than servers commonly wait before
    /// they close (2 s and more), so that few requests cross with a close.
    Short,
    /// For a repetition after a connection broke.
    Never,
}

impl Reuse {
    /// Returns how long an idle connection is held.
    fn idle_time(self) -> Duration {
        match self {
            Self::Long => Duration::from_secs(90),
            Self::Short => Duration::from_secs(1),
            Self::Never => Duration::ZERO,
        }
    }
}

/// The properties of a request that select its client.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClientKind {
    pub(super) allow_private: bool,
    pub(super) proxied: bool,
    pub(super) http1_only: bool,
    pub(super) reuse: Reuse,
}

impl ClientKind {
    fn index(self) -> usize {
        usize::from(self.allow_private)
            + 2 * usize::from(self.proxied)
            + 4 * usize::from(self.http1_only)
            + 8 * self.reuse as usize
    }
}

/// One client for each kind, made on first use. Clients share no connections: a connection to a private host, made with
/// permission, is never used by a request without.
pub(super) struct Clients {
    config: FetchConfig,
    pub(super) ways: Routes,
    tls: rustls::ClientConfig,
    made: [OnceLock<Box<HttpClient>>; 24],
}

impl Clients {
    /// Loads the certificates, fills in the proxy's secrets, and makes one client to check the settings.
    pub(super) fn new(config: &FetchConfig, secrets: &Secrets) -> Result<Self, NetError> {
        let clients = Self {
            config: config.clone(),
            ways: Routes::new(config, secrets)?,
            tls: tls_config(&config.ca_files)?,
            made: Default::default(),
        };
        let kind = ClientKind {
            allow_private: false,
            proxied: clients.ways.proxy().is_some(),
            http1_only: false,
            reuse: Reuse::Long,
        };
        let _ = clients.made[kind.index()].set(clients.make(kind)?);
        Ok(clients)
    }

    /// Sends a request by the client of this kind. Returns the head of the response.
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
        let proxy = self.ways.proxy().filter(|_| kind.proxied);
        let proxy = proxy.map(|url| {
            Proxy::new(
                url,
                self.ways.login(),
                &self.config.user_agent,
                tls.clone(),
                kind.allow_private,
                self.config.connect_timeout,
            )
        });
        let connector = Connector::new(
            tls,
            kind.allow_private,
            proxy.transpose()?.map(Arc::new),
            self.config.connect_timeout,
        );
        let most_idle = match kind.reuse {
            Reuse::Never => 0,
            Reuse::Long | Reuse::Short => self.config.total,
        };
        let (idle, user_agent) = (kind.reuse.idle_time(), &self.config.user_agent);
        HttpClient::new(connector, most_idle, idle, user_agent).map(Box::new)
    }
}
