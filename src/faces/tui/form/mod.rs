//! Forms: adding sources, changing their settings. Every field is checked as it is typed.

mod field;
#[expect(clippy::module_inception, reason = "a file is named after its type")]
mod form;
mod submit;

pub(crate) use field::Value;
pub(crate) use form::{Form, pasted_lines};
pub(crate) use submit::Submission;
