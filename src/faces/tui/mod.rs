//! The dashboard: everything on one screen, kept up to date, with the worker in the same process.
//!
//! `update` changes the model by what happened and asks for effects; `draw` draws the model; `run` carries both out on a
//! terminal. The catalogue's log of events is what keeps the screen up to date, whichever process did the work.

mod action;
mod change_queue;
mod clipboard;
mod diff;
mod draw;
mod effects;
mod form;
mod frame_stats;
mod hints;
mod history;
mod keymap;
mod layout;
mod log;
mod message;
mod model;
mod rows;
mod run;
mod table;
mod terminal;
#[cfg(test)]
mod tests;
mod theme;
mod update;
mod viewer;
mod worker_handle;

pub use run::{Dashboard, keys_page, run};
pub use worker_handle::WorkerHandle;
