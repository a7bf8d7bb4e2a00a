//! The trail of an attempt: which addresses were asked, and who answered, as far as it got.
//!
//! Never shows an address by itself: whoever knows the secrets in it does.

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::Response;
use rustls::{ClientConnection, ProtocolVersion};
use url::Url;

use super::secret::Scrubber;
use crate::domain::{Digest, Peer, Provenance, Redirect, Request};

/// The other end of a connection, as it is known once the connection stands.
pub(super) struct OtherEnd {
    /// Of the server, or of the proxy.
    address: Option<SocketAddr>,
    is_through_proxy: bool,
    /// The version of TLS that is spoken with the server.
    tls: Option<&'static str>,
    certificate: Option<Digest>,
}

impl OtherEnd {
    /// Returns the end of a connection before any handshake with the server.
    pub(super) fn new(address: Option<SocketAddr>, is_through_proxy: bool) -> Self {
        Self {
            address,
            is_through_proxy,
            tls: None,
            certificate: None,
        }
    }

    /// Notes what the handshake with the server showed.
    pub(super) fn note_session(&mut self, session: &ClientConnection) {
        self.tls = match session.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => Some("1.2"),
            Some(ProtocolVersion::TLSv1_3) => Some("1.3"),
            other => other.and_then(|version| version.as_str()),
        };
        let certificates = session.peer_certificates().unwrap_or_default();
        self.certificate = certificates.first().map(|leaf| Digest::of(leaf));
    }

    /// `proxy` names the one that the configuration knows.
    fn to_peer(&self, proxy: Option<&str>, scrubber: &Scrubber) -> Option<Peer> {
        Some(Peer {
            address: scrubber.scrub(self.address?.to_string()),
            proxy: proxy.filter(|_| self.is_through_proxy).map(str::to_owned),
            tls: self.tls.map(str::to_owned),
            certificate: self.certificate,
        })
    }
}

/// A request that was made.
pub(super) struct Asked {
    pub(super) url: Url,
    /// The status of its answer, and who gave it.
    answer: Option<(u16, Option<Arc<OtherEnd>>)>,
}

/// What is known of an attempt whatever its end.
#[derive(Default)]
pub(super) struct Trail {
    /// How many tries were made.
    pub(super) tries: u32,
    /// The status of the last answer.
    pub(super) http_status: Option<u16>,
    /// The requests of the present try, or of the last one.
    asked: Vec<Asked>,
    /// Those of an earlier try, when it was answered and no later one was.
    answered: Vec<Asked>,
}

impl Trail {
    /// Begins another try.
    pub(super) fn begin_try(&mut self) {
        self.tries += 1;
        let before = std::mem::take(&mut self.asked);
        if before.first().is_some_and(|first| first.answer.is_some()) {
            self.answered = before;
        }
    }

    /// Adds a request that is made now.
    pub(super) fn ask(&mut self, url: Url) {
        self.asked.push(Asked { url, answer: None });
    }

    /// Adds the answer to the last request.
    pub(super) fn note_answer(&mut self, response: &Response) {
        let status = response.status().as_u16();
        self.http_status = Some(status);
        if let Some(asked) = self.asked.last_mut() {
            let other_end = response.extensions().get::<Arc<OtherEnd>>();
            asked.answer = Some((status, other_end.cloned()));
        }
    }

    /// Returns the requests of the present try.
    pub(super) fn visited(&self) -> &[Asked] {
        &self.asked
    }

    /// Ends the trail, and returns what is kept of it; nothing when nothing was asked. `shown` returns an address without its secrets, `proxy` names
    /// the proxy of the configuration.
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
        let request = |asked: &Asked| {
            let other_end = asked.answer.as_ref().and_then(|(_, end)| end.as_ref());
            Request {
                address: shown(&asked.url),
                peer: other_end.and_then(|end| end.to_peer(proxy, scrubber)),
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
