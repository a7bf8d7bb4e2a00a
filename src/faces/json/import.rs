//! The JSON of an entry that was imported or refused.

use serde::Serialize;

use crate::domain::SourceId;

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
    pub(crate) without: &'a [String],
    pub(crate) refused: Option<&'a str>,
}
