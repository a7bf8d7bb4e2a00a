//! Files of other programs that watch addresses, as sources: urlwatch and webchanges, changedetection.io, plain lists.
//!
//! Never adds anything: what is read goes to the use-cases.

mod changedetection;
mod entry;
mod format;
mod list;
mod urlwatch;

pub(crate) use entry::Entry;
pub use format::ImportFormat;
pub(crate) use format::{guess, read};
