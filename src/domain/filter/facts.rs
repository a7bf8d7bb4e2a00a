//! The facts of a source that filters ask for.

use chrono::{DateTime, Utc};

use crate::domain::{Source, StateWord};

/// The facts of a source, as the caller knows them.
#[derive(Clone, Copy, Debug)]
pub struct FilterFacts<'a> {
    /// The source.
    pub source: &'a Source,
    /// Its state: [`StateWord::of`] the source.
    pub state: StateWord,
    /// Whether it has a problem; `false` will do unless [`super::Filter::asks_failing`].
    pub is_failing: bool,
    /// Whether a required verifier never judged its published version; `false` will do unless
    /// [`super::Filter::asks_unjudged`].
    pub is_unjudged: bool,
    /// The names of the verifiers in force that judge it; none will do unless [`super::Filter::asks_verifiers`].
    pub verifiers: &'a [&'a str],
    /// When its newest version was fetched; `None` will do unless [`super::Filter::asks_changes`].
    pub changed_at: Option<DateTime<Utc>>,
    /// The present time.
    pub now: DateTime<Utc>,
}
