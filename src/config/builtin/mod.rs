//! The built-in rules: what they are, and how they are read from the configuration.

mod read;
mod rule;

pub(super) use read::{KEYS, read};
pub use rule::Builtin;
