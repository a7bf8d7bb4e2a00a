//! What follows from what happened: the only place that changes the model.
//!
//! Pure: it reads no clock and does nothing itself; what is to be done is returned as effects.

mod act;
mod ahead;
mod change;
mod data;
mod filter;
mod input;
mod look;
mod overlay;
mod screen;
mod walk;

pub(crate) use data::update;
