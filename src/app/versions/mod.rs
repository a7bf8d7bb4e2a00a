//! Kept versions: which one is meant, their contents, their history, and comparing and searching them.

pub(in crate::app) mod bytes_compared;
pub(in crate::app) mod compare;
pub(in crate::app) mod content;
pub(in crate::app) mod grep;
pub(in crate::app) mod queries;
pub(in crate::app) mod version_ref;
