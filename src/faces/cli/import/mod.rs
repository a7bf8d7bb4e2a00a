//! Reads files of other programs that watch addresses: urlwatch and webchanges, changedetection.io, plain lists.
//!
//! Never adds a source: the use-cases do.

mod changedetection;
mod entry;
mod format;
mod list;
mod urlwatch;

pub(crate) use entry::ImportEntry;
pub use format::ImportFormat;
pub(crate) use format::{guess, read};
