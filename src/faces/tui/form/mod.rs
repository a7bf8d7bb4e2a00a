//! Forms: adding sources, changing their settings. Every field is checked as it is typed.

mod field;
mod open;
mod submit;

pub(crate) use field::Value;
pub(crate) use open::{Form, pasted_lines};
pub(crate) use submit::Wanted;
