//! Sets: judging their members together, publishing them as one folder, and showing their state.

pub(in crate::app) mod judge;
pub(in crate::app) mod publish;
pub(in crate::app) mod queries;
pub(in crate::app) mod report;
pub(in crate::app) mod requests;
pub(in crate::app) mod stale;
