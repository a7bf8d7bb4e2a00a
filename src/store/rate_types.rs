//! What is asked about currency rates, and what comes back.

use chrono::{DateTime, NaiveDate, Utc};

use crate::domain::{DayRates, SourceId, VersionId};

/// The days of a source's rates that are wanted, and the state of knowledge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RatesOf {
    /// The source.
    pub source: SourceId,
    /// The first day.
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
    /// What was known at this time; without, what is known now.
    pub as_of: Option<DateTime<Utc>>,
}

/// The rates of one day, and where they come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateDay {
    /// The rates.
    pub rates: DayRates,
    /// The version that said so first.
    pub version: VersionId,
    /// When that version was fetched.
    pub retrieved_at: DateTime<Utc>,
    /// When that version was published.
    pub known_at: DateTime<Utc>,
    /// Whether other rates were in force for the day before.
    pub is_correction: bool,
}
