//! Makes the clients, one for each way that requests take: for sources, and others for webhooks. All over the same roots of
//! trust.
//!
//! Never reads the environment: neither its proxy variables nor its
//! certificate variables have a say here; the configuration has taken in what counts.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::{Request, Response};

use super::connector::Connector;
use super::error::NetError;
use super::failure::BoxError;
use super::http_client::HttpClient;
use super::proxy::Proxy;
use super::route::Ways;
use super::tls::tls_config;
use crate::config::{FetchConfig, Secrets};

/// Whether a request may go over a connection that another has used, and leaves its own to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reuse {
    /// For requests that may be repeated.
    Long,
    /// For those that may not: long enough for a burst, and shorter than what servers commonly wait (2 s and more), so that
    /// few requests cross with the server's farewell.
    Short,
    /// For what is asked again after a connection broke.
    Never,
}

impl Reuse {
    /// Returns how long an idle connection is kept.
    fn idle_time(self) -> Duration {
        match self {
            Self::Long => Duration::from_secs(90),
            Self::Short => Duration::from_secs(1),
            Self::Never => Duration::ZERO,
        }
    }
}

/// What a request needs of its client.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClientKind {
    /// Private hosts may be reached.
    pub(super) allow_private: bool,
    /// Through the proxy.
    pub(super) proxied: bool,
    /// The server said that it wants HTTP/1.1.
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

/// A client for each kind, made when it is first needed. Connections are never shared between them, so that one that was
/// made to a private host with permission is not used without.
pub(super) struct Clients {
    config: FetchConfig,
    pub(super) ways: Ways,
    tls: rustls::ClientConfig,
    made: [OnceLock<Box<HttpClient>>; 24],
}

impl Clients {
    /// Reads the certificates, fills in the proxy's secrets, and makes one client to see that the settings are usable.
    pub(super) fn new(config: &FetchConfig, secrets: &Secrets) -> Result<Self, NetError> {
        let clients = Self {
            config: config.clone(),
            ways: Ways::new(config, secrets)?,
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
