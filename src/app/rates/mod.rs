//! Currency rates: the sources that have them, and their answers.

pub(in crate::app) mod additions;
pub(in crate::app) mod ingest;
pub(in crate::app) mod queries;
