//! The JSON of a search in the versions of a source.

use serde::Serialize;

use super::times::precise;
use crate::app::Occurrences;
use crate::domain::{SourceId, VersionId};

/// One of `grep --json`.
#[derive(Serialize)]
pub(crate) struct OccurrencesJson<'a> {
    id: SourceId,
    name: &'a str,
    /// The number of searched versions.
    searched: usize,
    /// The matching versions, oldest first.
    versions: Vec<MatchJson>,
    /// Versions that could not be read.
    unreadable: Vec<VersionId>,
}

#[derive(Serialize)]
struct MatchJson {
    version_id: VersionId,
    fetched_at: String,
    lines: u64,
}

impl<'a> OccurrencesJson<'a> {
    pub(crate) fn new(found: &'a Occurrences) -> Self {
        let versions = found.versions.iter();
        Self {
            id: found.source.id,
            name: &found.source.settings.name,
            searched: found.searched,
            versions: versions
                .map(|(version, lines)| MatchJson {
                    version_id: version.id,
                    fetched_at: precise(version.fetched_at),
                    lines: *lines,
                })
                .collect(),
            unreadable: found.unreadable.iter().map(|(one, _)| one.id).collect(),
        }
    }
}
