//! Workers: which one holds a claim, where it runs, and for how long it is believed to live.
//!
//! Never looks at a process.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{CLOCK_TOLERANCE, LEASE};

/// Names one worker: random, so that no other one anywhere has the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WorkerId(pub Arc<str>);

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A worker, and by what another process of the same machine can tell that its process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerInfo {
    /// Its id.
    pub id: WorkerId,
    /// The name of the machine that it runs on.
    pub host: String,
    /// Which start of that machine's system it is; empty where the system does not say.
    pub boot: String,
    /// The folder of its process in `tmp/` there.
    pub folder: String,
    /// The number of its process there.
    pub pid: u32,
}

/// Returns the times between which a worker was seen last that counts as living: later than the first, and not later
/// than the second, which only a clock that ran ahead can have given.
pub fn seen_while_living(now: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
    (now - LEASE, now + CLOCK_TOLERANCE)
}
