//! The built-in rules: their types, and how the configuration file spells them.

mod number;
mod percent;
mod read;
mod rule;
mod schema;

pub use number::{Exactness, exactness_of};
pub use percent::Percent;
pub(super) use read::nest_parameters;
// The parameters of each rule are public too.
pub use rule::*;
pub use schema::Schema;
pub(super) use schema::unusable;
