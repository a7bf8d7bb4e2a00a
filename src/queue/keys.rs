//! The names of the keys.

use crate::domain::Digest;

/// The catalogue whose messages the database holds.
pub(super) const OWNER: &str = "gannet:catalogue";
/// How many messages and bytes wait on all queues (a hash).
pub(super) const TOTALS: &str = "gannet:waiting";
/// How many messages wait on each queue (a hash).
pub(super) const WAITING: &str = "gannet:waiting:messages";
/// How many bytes wait on each queue (a hash).
pub(super) const BYTES: &str = "gannet:waiting:bytes";
/// The units by the ids of their first messages: the id, the entry and the queue (a sorted set).
pub(super) const UNITS: &str = "gannet:units";
/// There for as long as what is counted of the queues need not be looked at again.
pub(super) const MENDED: &str = "gannet:mended";

/// The entries of a queue (a stream).
pub(super) fn stream(queue: &str) -> String {
    format!("gannet:queue:{queue}")
}

/// Who takes from a queue.
pub(super) fn lease(queue: &str) -> String {
    format!("gannet:lease:{queue}")
}

/// How many messages were put on a queue in each slot of ten seconds of the last day (a hash).
pub(super) fn arrivals(queue: &str) -> String {
    format!("gannet:arrivals:{queue}")
}

/// What was sent under a key (a hash).
pub(super) fn sent(key: &Digest) -> String {
    format!("gannet:sent:{key}")
}
