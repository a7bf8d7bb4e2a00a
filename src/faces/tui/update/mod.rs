//! The only place that changes the model: one message in, effects out.
//!
//! Pure: reads no clock and does no I/O; returns work outside of the model as effects.

mod actions;
mod dispatch;
mod filter;
mod input;
mod input_queue;
mod messages;
mod navigation;
mod overlay;
mod pages;
mod screen;
mod source_actions;
mod step;

pub(crate) use dispatch::update;
