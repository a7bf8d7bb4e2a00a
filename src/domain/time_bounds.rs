//! Upper bounds for stored times. A later time was written while the clock ran ahead, and is not believed.
//!
//! Never reads a clock.

use chrono::TimeDelta;

/// How far a stored time may be ahead of the clock, which may have been set back a little.
pub const CLOCK_TOLERANCE: TimeDelta = TimeDelta::hours(1);

/// How long the claims of a worker hold after it was last seen: the sources of a crashed worker are free again after
/// it.
pub const LEASE: TimeDelta = TimeDelta::minutes(5);

/// The longest pause before a failed notice is tried again: less than the hour between two passes of cron.
pub const LONGEST_RETRY: TimeDelta = TimeDelta::minutes(30);

/// The longest pause that a server may demand (`Retry-After`).
pub const LONGEST_RETRY_AFTER: TimeDelta = TimeDelta::hours(24);
