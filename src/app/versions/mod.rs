//! Kept versions: references to them, their contents, their history, comparison and search.

pub(in crate::app) mod bytes_compared;
pub(in crate::app) mod compare;
pub(in crate::app) mod content;
pub(in crate::app) mod grep;
pub(in crate::app) mod queries;
pub(in crate::app) mod thumbnail;
pub(in crate::app) mod version_ref;
