//! The built-in rules, one a file. Large content is read in pieces where the rule allows; never changes anything.

mod companion;
mod csv;
mod fresh;
mod image;
mod image_ends;
mod json;
mod judge;
mod not_html;
mod schema;
mod sha256;
mod size;
mod source;
mod sums;
#[cfg(test)]
mod tests;
mod utf8;
mod xml;

pub(super) use judge::judge;
pub(super) use source::Case;
