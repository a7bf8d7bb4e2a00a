//! What follows from what happened: the only place that changes the model.
//!
//! Pure: it reads no clock and does nothing itself; what is to be done is returned as effects.

mod actions;
mod dispatch;
mod filter;
mod input;
mod input_queue;
mod navigation;
mod overlay;
mod pages;
mod screen;
mod source_actions;

pub(crate) use dispatch::update;
