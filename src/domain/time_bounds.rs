//! How far ahead a stored time can lie: what is later was written by a clock that ran ahead, and is not believed.
//!
//! Never reads a clock.

use chrono::TimeDelta;

/// How far stored times may be ahead of the clock, which may have been set back a little.
pub const CLOCK_TOLERANCE: TimeDelta = TimeDelta::hours(1);

/// How long a claim holds without being renewed: a crashed worker's sources are free again after this.
pub const LONGEST_LEASE: TimeDelta = TimeDelta::minutes(5);

/// The longest pause before a notifier that could not be told is tried again: less than the hour between two passes of cron.
pub const LONGEST_RETRY: TimeDelta = TimeDelta::minutes(30);

/// The longest pause that a server may ask for (`Retry-After`).
pub const LONGEST_RETRY_AFTER: TimeDelta = TimeDelta::hours(24);
