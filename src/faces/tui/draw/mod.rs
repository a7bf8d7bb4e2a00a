//! Paints the model onto a buffer. Never changes the model: `update` has scrolled its lists to where they belong.

mod ascii;
mod content;
mod frame;
mod list;
mod log;
mod messages;
mod overlay;
mod paint;
mod plot;
mod queues;
mod source;
pub(crate) mod table;

pub(crate) use ascii::to_ascii;
pub(crate) use frame::draw;
