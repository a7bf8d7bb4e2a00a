//! The JSON of an entry that was imported or refused.

use serde::Serialize;

use crate::domain::{Interval, SourceId};

/// One of `import --json`.
#[derive(Serialize)]
pub(crate) struct ImportedJson<'a> {
    pub(crate) place: &'a str,
    pub(crate) title: &'a str,
    /// The address; `None` where the file has none.
    pub(crate) address: Option<&'a str>,
    /// The new source; `None` with --dry-run and for a refused entry.
    pub(crate) id: Option<SourceId>,
    pub(crate) name: Option<&'a str>,
    /// The interval, tags and whether it is fetched of the new source; `None` for a refused entry.
    pub(crate) interval: Option<Interval>,
    pub(crate) tags: Option<&'a [String]>,
    pub(crate) enabled: Option<bool>,
    pub(crate) without: &'a [String],
    pub(crate) refused: Option<&'a str>,
}
