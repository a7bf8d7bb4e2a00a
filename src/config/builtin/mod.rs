//! The built-in rules: what they are, and how they are read from the configuration.

mod number;
mod percent;
mod read;
mod rule;
mod schema;

pub use number::{Exactness, exactness_of};
pub use percent::Percent;
pub(super) use read::{keys, read};
pub use rule::{Builtin, CsvRule, ImageFormat, ImageRule, JsonRule, PreviousNeed, SizeRule};
pub use schema::Schema;
