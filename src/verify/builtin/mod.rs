//! The built-in rules, one a file. Rules read large content in pieces where they can, and never change anything.

mod companion;
mod csv;
mod csv_quotes;
mod fresh;
mod guard;
mod heavy;
mod image;
mod image_container;
mod image_frames;
mod input;
mod jpeg;
mod json;
mod json_shape;
mod judge;
mod not_html;
mod picture_formats;
mod rates;
mod schema;
mod sha256;
mod size;
mod stoppable;
mod sums;
mod sums_text;
#[cfg(test)]
mod tests;
mod utf8;
mod xml;

pub(super) use input::RuleInput;
pub(super) use judge::judge;
