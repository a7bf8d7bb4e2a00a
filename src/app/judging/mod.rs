//! Judging versions: asking the verifiers that apply, recording verdicts, and judging again by newer verifiers.

pub(in crate::app) mod ask;
pub(in crate::app) mod companion;
pub(in crate::app) mod death;
pub(in crate::app) mod earlier;
pub(in crate::app) mod judge;
pub(in crate::app) mod links;
pub(in crate::app) mod message;
pub(in crate::app) mod notes;
pub(in crate::app) mod outside_verdict;
pub(in crate::app) mod redact;
pub(in crate::app) mod redactors;
pub(in crate::app) mod rule_context;
pub(in crate::app) mod stale;
pub(in crate::app) mod step;
pub(in crate::app) mod unasked;
