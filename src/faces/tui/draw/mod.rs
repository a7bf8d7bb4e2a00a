//! Draws the model. Never changes it, but for where lists are scrolled to: that depends on the room there is.

mod ascii;
mod canvas;
mod content;
mod frame;
mod list;
mod log;
mod overlay;
mod plot;
mod source;
pub(crate) mod table;
mod words;

pub(crate) use ascii::to_ascii;
pub(crate) use frame::draw;
