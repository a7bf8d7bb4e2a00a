//! What a verifier is told of the version that it judges. Never a secret: addresses are as stored.

use chrono::{DateTime, SecondsFormat, Utc};

use crate::domain::{Digest, LastModified, SourceId, VersionId};

/// What a verifier is told of the version (`GANNET_*` for a program).
#[derive(Clone, Debug)]
pub struct Facts {
    /// Of which source.
    pub source_id: SourceId,
    /// What people call the source.
    pub source_name: String,
    /// With secrets by name, as stored.
    pub address: String,
    /// Which version.
    pub version_id: VersionId,
    /// The digest of the content.
    pub digest: Digest,
    /// The length of the content.
    pub size_bytes: u64,
    /// The file's name.
    pub name: String,
    /// The media type that the server gave.
    pub media_type: Option<String>,
    /// When it was fetched.
    pub fetched_at: DateTime<Utc>,
    /// The server's own word for its time.
    pub last_modified: Option<LastModified>,
}

impl Facts {
    /// Returns the header fields that an HTTP verifier gets: `Gannet-Source-Name` for `GANNET_SOURCE_NAME`, and so on, and
    /// its own name as `Gannet-Verifier`, under which it may give its verdict later.
    pub fn headers(&self, verifier: &str) -> Vec<(&'static str, String)> {
        let mut headers: Vec<_> = self
            .variables()
            .into_iter()
            .filter_map(|(variable, value)| Some((header_name(variable)?, value)))
            .collect();
        headers.push(("Gannet-Verifier", verifier.to_owned()));
        headers
    }

    /// Returns the variables that a program gets; a fact that is not known has none. Times are RFC 3339 in UTC.
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
            // A NUL cannot be in a variable, and a line break would let one fact pass for two in a program's log.
            value.retain(|c| !c.is_control());
        }
        variables
    }
}

/// Returns the name of the header that says what a variable says; the media type has a header of its own already.
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
