//! The only place that changes the model: one message in, effects out.
//!
//! Pure: reads no clock, does no I/O; work outside of the model is returned as effects.

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
