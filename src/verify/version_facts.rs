//! Facts about the judged version, as its verifiers get them. Never a secret: addresses are as stored.

use chrono::{DateTime, SecondsFormat, Utc};

use crate::domain::{Digest, LastModified, SourceId, VersionId};

/// Facts about the judged version (`GANNET_*` for a program).
#[derive(Clone, Debug)]
pub struct VersionFacts {
    /// The source.
    pub source_id: SourceId,
    /// The name of the source.
    pub source_name: String,
    /// The address as stored, with placeholders for secrets.
    pub address: String,
    /// The judged version.
    pub version_id: VersionId,
    /// The digest of the content.
    pub digest: Digest,
    /// The length of the content.
    pub size_bytes: u64,
    /// The file name of the version.
    pub name: String,
    /// The media type from the server's response.
    pub media_type: Option<String>,
    /// The time of the fetch.
    pub fetched_at: DateTime<Utc>,
    /// `Last-Modified` from the server's response.
    pub last_modified: Option<LastModified>,
}

impl VersionFacts {
    /// Returns the header fields for an HTTP verifier: `Gannet-Source-Name` for `GANNET_SOURCE_NAME`, and so on.
    /// `Gannet-Verifier` is the verifier's own name, for a later verdict.
    pub fn headers(&self, verifier: &str) -> Vec<(&'static str, String)> {
        let mut headers: Vec<_> = self
            .variables()
            .into_iter()
            .filter_map(|(variable, value)| Some((header_name(variable)?, value)))
            .collect();
        headers.push(("Gannet-Verifier", verifier.to_owned()));
        headers
    }

    /// Returns the environment variables for a program; an unknown fact has none. Times are RFC 3339 in UTC.
    pub(super) fn variables(&self) -> Vec<(&'static str, String)> {
        let time = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        let mut variables = vec![
            ("GANNET_SOURCE_ID", self.source_id.to_string()),
            ("GANNET_SOURCE_NAME", self.source_name.clone()),
            ("GANNET_ADDRESS", self.address.clone()),
            ("GANNET_VERSION_ID", self.version_id.to_string()),
            ("GANNET_DIGEST", self.digest.to_string()),
            ("GANNET_SIZE_BYTES", self.size_bytes.to_string()),
            ("GANNET_FILE_NAME", self.name.clone()),
            ("GANNET_FETCHED_AT", time(self.fetched_at)),
        ];
        variables.extend(
            self.media_type
                .clone()
                .map(|media_type| ("GANNET_MEDIA_TYPE", media_type)),
        );
        variables.extend(
            self.last_modified
                .as_ref()
                .and_then(LastModified::time)
                .map(|at| ("GANNET_LAST_MODIFIED", time(at))),
        );
        for (_, value) in &mut variables {
            // A variable cannot hold a NUL, and a line break could forge a second fact in a program's log.
            value.retain(|c| !c.is_control());
        }
        variables
    }
}

/// Returns the header name for a variable; `None` for the media type, which HTTP sends as `Content-Type`.
fn header_name(variable: &str) -> Option<&'static str> {
    const NAMES: [(&str, &str); 9] = [
        ("GANNET_SOURCE_ID", "Gannet-Source-Id"),
        ("GANNET_SOURCE_NAME", "Gannet-Source-Name"),
        ("GANNET_ADDRESS", "Gannet-Address"),
        ("GANNET_VERSION_ID", "Gannet-Version-Id"),
        ("GANNET_DIGEST", "Gannet-Digest"),
        ("GANNET_SIZE_BYTES", "Gannet-Size-Bytes"),
        ("GANNET_FILE_NAME", "Gannet-File-Name"),
        ("GANNET_FETCHED_AT", "Gannet-Fetched-At"),
        ("GANNET_LAST_MODIFIED", "Gannet-Last-Modified"),
    ];
    let found = NAMES.iter().find(|(name, _)| *name == variable);
    found.map(|(_, header)| *header)
}
