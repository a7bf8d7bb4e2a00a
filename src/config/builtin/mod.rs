//! The built-in rules: what they are, and how they are read from the configuration.

mod number;
mod percent;
mod read;
mod rule;
mod schema;

pub use number::{Exactness, exactness_of};
pub use percent::Percent;
pub(super) use read::nest_parameters;
// Whatever a rule takes is public with the rule.
pub use rule::*;
pub use schema::Schema;
