//! The result of a pass for one source.

use crate::domain::{AttemptOutcome, FailureKind, SourceId, VersionId};

/// The result of a pass for one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceResult {
    /// The source.
    pub id: SourceId,
    /// The outcome.
    pub outcome: SourceOutcome,
    /// The version that it brought or found unchanged.
    pub version_id: Option<VersionId>,
    /// The kind of failure, if it failed.
    pub error_kind: Option<FailureKind>,
    /// Why it failed, was dropped or was not tried, in words.
    pub error: Option<String>,
    /// Whether its published file was put back after somebody had changed or removed it.
    pub put_back: bool,
}

/// What a pass did with one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceOutcome {
    /// It was fetched.
    Fetched(AttemptOutcome),
    /// Another worker holds its claim.
    Busy,
    /// Fetched, but not recorded: the source was changed meanwhile, another worker took it over, or this machine could
    /// not keep the content.
    Dropped,
    /// The pass could not begin, or ended before its turn.
    Untried,
}

impl SourceOutcome {
    /// Returns the outcome's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fetched(outcome) => outcome.as_str(),
            Self::Busy => "busy",
            Self::Dropped => "dropped",
            Self::Untried => "untried",
        }
    }
}

impl SourceResult {
    /// Returns the result of an attempt that did not fail.
    pub fn fetched(id: SourceId, outcome: AttemptOutcome, version_id: Option<VersionId>) -> Self {
        Self {
            id,
            outcome: SourceOutcome::Fetched(outcome),
            version_id,
            error_kind: None,
            error: None,
            put_back: false,
        }
    }

    /// Returns the result of an attempt that failed.
    pub fn failed(id: SourceId, kind: FailureKind, error: String) -> Self {
        Self {
            error_kind: Some(kind),
            error: Some(error),
            ..Self::fetched(id, AttemptOutcome::Failed, None)
        }
    }

    /// Returns the result for a source that another worker holds.
    pub fn busy(id: SourceId) -> Self {
        Self {
            outcome: SourceOutcome::Busy,
            error: Some("another worker is at it".to_owned()),
            ..Self::fetched(id, AttemptOutcome::Failed, None)
        }
    }

    /// Returns the result of an attempt that was not recorded.
    pub fn dropped(id: SourceId, why: &str) -> Self {
        Self {
            outcome: SourceOutcome::Dropped,
            error: Some(why.to_owned()),
            ..Self::fetched(id, AttemptOutcome::Failed, None)
        }
    }

    /// Returns the result for a source that was not tried.
    pub fn untried(id: SourceId, why: &str) -> Self {
        Self {
            outcome: SourceOutcome::Untried,
            error: Some(why.to_owned()),
            ..Self::fetched(id, AttemptOutcome::Failed, None)
        }
    }
}
