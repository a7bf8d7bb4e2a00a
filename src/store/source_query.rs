//! Which sources to find or to list.

use crate::domain::SourceId;

/// Which source to find.
#[derive(Clone, Debug)]
pub enum SourceQuery {
    /// The source with this id, removed or not.
    Id(SourceId),
    /// The source with this id, removed or not; else the present source with this name or address.
    Called(String),
    /// The readable parts of the source with this id, whose row, or the row of its state, is damaged or lost.
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
    /// The source that [`SourceQuery::Called`] finds.
    Called(Vec<String>),
    /// Of the removed sources with this address the last one; `None` for an address that a present source has.
    Former(Vec<String>),
}

/// How a list treats sources whose rows are damaged or lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DamagedSources {
    /// They are left out and noted: never remove what such a list misses.
    #[default]
    LeftOut,
    /// The first one is an error.
    Refused,
}

/// Which days a list has. They are sources, thousands perhaps, and a list is of what an operator added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ListedDays {
    /// None: their dated sources stand for them.
    #[default]
    None,
    /// The days of this dated source, and no other source.
    Of(SourceId),
    /// All, besides all other sources.
    All,
}

/// Which sources to list.
#[derive(Clone, Debug, Default)]
pub struct SourceFilter {
    /// Whether removed sources are listed, too.
    pub removed: bool,
    /// Which days of dated sources are listed, too; with `ids`, all among them.
    pub days: ListedDays,
    /// Only the sources with these ids.
    pub ids: Option<Vec<SourceId>>,
    /// Only the `.0`th of `.1` equal shares by id, for reading shares side by side. Of zero shares, all sources.
    pub share: (u32, u32),
    /// Only sources behind this name and id, in the order of names.
    pub after: Option<(String, SourceId)>,
    /// At most so many of those that the other conditions let through, the first by name.
    pub limit: Option<usize>,
    /// How sources with damaged rows are treated.
    pub damaged: DamagedSources,
}

impl SourceFilter {
    /// Returns the filter that lets every present source through, days too.
    pub fn with_days() -> Self {
        Self {
            days: ListedDays::All,
            ..Self::default()
        }
    }
}
