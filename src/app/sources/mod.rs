//! What operators do with sources: adding, changing, removing, restoring, undoing, and describing them in a file.

pub(in crate::app) mod additions;
pub(in crate::app) mod apply;
pub(in crate::app) mod change;
mod days;
pub(in crate::app) mod purge;
pub(in crate::app) mod removal;
pub(in crate::app) mod select;
pub(in crate::app) mod settings;
pub(in crate::app) mod suggest;
pub(in crate::app) mod undo;
pub(in crate::app) mod unusable_secrets;
