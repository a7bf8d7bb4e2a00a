//! The built-in rules, one a file. Large content is read in pieces; never changes anything.

mod json;
mod judge;
mod not_html;
mod sha256;
mod size;
mod source;
#[cfg(test)]
mod tests;
mod utf8;

pub(super) use judge::judge;
