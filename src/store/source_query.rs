//! Which sources to read.

use crate::domain::SourceId;

/// Which source to find.
#[derive(Clone, Debug)]
pub enum SourceQuery {
    /// The one with this id, a removed one too.
    Id(SourceId),
    /// The one with this id (one that was removed too), else the one that is not removed and has this name or address.
    Called(String),
    /// What can be read of the one with this id, whose row, or the row of its state, is damaged or lost.
    Parts(SourceId),
}

impl From<SourceId> for SourceQuery {
    fn from(id: SourceId) -> Self {
        Self::Id(id)
    }
}

impl From<&str> for SourceQuery {
    fn from(text: &str) -> Self {
        Self::Called(text.to_owned())
    }
}

/// Which sources to find, one for each text.
#[derive(Clone, Debug)]
pub enum SourcesQuery {
    /// Those that are called so, as [`SourceQuery::Called`].
    Called(Vec<String>),
    /// Those with these addresses that were removed last; none for an address that a source has now.
    Former(Vec<String>),
}

/// What becomes of sources whose rows are damaged or lost, where sources are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DamagedSources {
    /// They are left out, and noted: such a list is for nothing that removes what is not there.
    #[default]
    LeftOut,
    /// The first is an error.
    Refused,
}

/// Which sources to list.
#[derive(Clone, Debug, Default)]
pub struct SourceFilter {
    /// Whether those that were removed are among them.
    pub removed: bool,
    /// Only these.
    pub ids: Option<Vec<SourceId>>,
    /// Only the `.0`th of `.1` equal shares, told apart by id: for reading them side by side. Zero is all of them.
    pub share: (u32, u32),
    /// So many at most, the first by name of those that all the other conditions let through.
    pub limit: Option<usize>,
    /// What becomes of those whose rows are damaged.
    pub damaged: DamagedSources,
}
