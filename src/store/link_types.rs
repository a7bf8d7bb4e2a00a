//! Links of verifiers, as the store takes and returns them. Their secrets never get here: only the digests do.

use chrono::{DateTime, Utc};

use crate::domain::{Digest, LinkOpens, VersionId};

/// Links for a verifier that is being asked about a version.
#[derive(Clone, Debug)]
pub struct NewLinks {
    /// The version.
    pub version_id: VersionId,
    /// The verifier's name.
    pub verifier: String,
    /// The digest of the verifier's definition, in hexadecimal.
    pub fingerprint: String,
    /// When the verifier was asked.
    pub created_at: DateTime<Utc>,
    /// The digest of each link's secret, what the link opens, and its end.
    pub links: Vec<(Digest, LinkOpens, DateTime<Utc>)>,
}

/// A link that a verifier was sent. Whether it can still be used follows from its times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierLink {
    /// What it opens.
    pub opens: LinkOpens,
    /// The version, which may be purged since.
    pub version_id: VersionId,
    /// The verifier's name.
    pub verifier: String,
    /// The digest of the definition that the verifier had, in hexadecimal.
    pub fingerprint: String,
    /// When the verifier was asked.
    pub created_at: DateTime<Utc>,
    /// When the link ends by itself.
    pub expires_at: DateTime<Utc>,
    /// When the link was used.
    pub used_at: Option<DateTime<Utc>>,
}

/// A running service on the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceInfo {
    /// The address on which it listens.
    pub address: String,
    /// The address at which verifiers reach it, such as `https://gannet.example.org`; `None` when it is not known.
    pub url: Option<String>,
}
