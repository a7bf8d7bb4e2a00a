//! The trail of an attempt: the addresses requested and the peers that responded.
//!
//! Never prints an address: the caller knows the secrets in it.

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::Response;
use rustls::{ClientConnection, ProtocolVersion};
use url::Url;

use super::secret::Scrubber;
use crate::domain::{Digest, Peer, Provenance, Redirect, Request};

pub(super) struct ConnectionPeer {
    /// The address of the server, or of the proxy.
    address: Option<SocketAddr>,
    is_through_proxy: bool,
    /// The TLS version spoken with the server.
    tls: Option<&'static str>,
    certificate: Option<Digest>,
}

impl ConnectionPeer {
    /// Returns the peer of a connection before any handshake with the server.
    pub(super) fn new(address: Option<SocketAddr>, is_through_proxy: bool) -> Self {
        Self {
            address,
            is_through_proxy,
            tls: None,
            certificate: None,
        }
    }

    /// Records the TLS version and the certificate of a handshake.
    pub(super) fn record_session(&mut self, session: &ClientConnection) {
        self.tls = match session.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => Some("1.2"),
            Some(ProtocolVersion::TLSv1_3) => Some("1.3"),
            other => other.and_then(|version| version.as_str()),
        };
        let certificates = session.peer_certificates().unwrap_or_default();
        self.certificate = certificates.first().map(|leaf| Digest::of(leaf));
    }

    /// Returns the stored form. `proxy` names the configured proxy.
    fn to_peer(&self, proxy: Option<&str>, scrubber: &Scrubber) -> Option<Peer> {
        Some(Peer {
            address: scrubber.scrub(self.address?.to_string()),
            proxy: proxy.filter(|_| self.is_through_proxy).map(str::to_owned),
            tls: self.tls.map(str::to_owned),
            certificate: self.certificate,
        })
    }
}

pub(super) struct SentRequest {
    pub(super) url: Url,
    /// The status of its response, and the peer.
    answer: Option<(u16, Option<Arc<ConnectionPeer>>)>,
}

/// The facts about an attempt, however it ends.
#[derive(Default)]
pub(super) struct Trail {
    pub(super) tries: u32,
    pub(super) http_status: Option<u16>,
    /// The requests of the present or last try.
    asked: Vec<SentRequest>,
    /// The requests of an earlier try that got a response, if no later try got one.
    answered: Vec<SentRequest>,
}

impl Trail {
    pub(super) fn begin_try(&mut self) {
        self.tries += 1;
        let before = std::mem::take(&mut self.asked);
        if before.first().is_some_and(|first| first.answer.is_some()) {
            self.answered = before;
        }
    }

    /// Adds a request that is about to be made.
    pub(super) fn ask(&mut self, url: Url) {
        self.asked.push(SentRequest { url, answer: None });
    }

    /// Adds the response to the last request.
    pub(super) fn record_response(&mut self, response: &Response) {
        let status = response.status().as_u16();
        self.http_status = Some(status);
        if let Some(asked) = self.asked.last_mut() {
            let peer_info = response.extensions().get::<Arc<ConnectionPeer>>();
            asked.answer = Some((status, peer_info.cloned()));
        }
    }

    /// Returns the requests of the present try.
    pub(super) fn visited(&self) -> &[SentRequest] {
        &self.asked
    }

    /// Ends the trail and returns its stored form; `None` when no request was made. `shown` prints an address without
    /// secrets; `proxy` names the configured proxy.
    pub(super) fn provenance(
        &mut self,
        shown: impl Fn(&Url) -> String,
        proxy: Option<&str>,
        scrubber: &Scrubber,
    ) -> Option<Provenance> {
        let is_answered = self
            .asked
            .first()
            .is_some_and(|first| first.answer.is_some());
        let mut asked = if is_answered || self.answered.is_empty() {
            std::mem::take(&mut self.asked)
        } else {
            std::mem::take(&mut self.answered)
        };
        let request = |asked: &SentRequest| {
            let peer_info = asked.answer.as_ref().and_then(|(_, end)| end.as_ref());
            Request {
                address: shown(&asked.url),
                peer: peer_info.and_then(|end| end.to_peer(proxy, scrubber)),
            }
        };
        let last = request(&asked.pop()?);
        let redirects = asked.iter().filter_map(|asked| {
            let (status, _) = asked.answer.as_ref()?;
            Some(Redirect {
                status: *status,
                request: request(asked),
            })
        });
        Some(Provenance {
            redirects: redirects.collect(),
            last,
        })
    }
}
