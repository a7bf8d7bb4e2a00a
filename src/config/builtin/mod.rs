//! The built-in rules: what they are, and how they are read from the configuration.

mod percent;
mod read;
mod rule;
mod schema;

pub use percent::Percent;
pub(super) use read::{keys, read};
pub use rule::{Builtin, CsvRule, ImageFormat, ImageRule, PreviousNeed, SizeRule};
pub use schema::Schema;
