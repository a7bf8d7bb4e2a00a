//! Files of other programs that watch addresses, as sources: urlwatch and webchanges, changedetection.io, plain lists.
//!
//! Never adds anything: what is read goes to the use-cases.

mod changedetection;
mod entry;
mod list;
mod urlwatch;

pub use entry::ImportFormat;
pub(crate) use entry::{Entry, guess, read};
