//! The dashboard: everything on one screen, kept up to date, with the worker in the same process.
//!
//! `update` changes the model by a message and returns effects; `draw` paints the model and changes nothing; `run`
//! calls both on a terminal. The catalogue's events keep the screen up to date, whichever process did the work.

mod change_queue;
mod clipboard;
mod columns;
mod draw;
mod effects;
mod form;
mod format;
mod frame_stats;
mod help;
mod hints;
mod history;
mod keymap;
mod labels;
mod layout;
mod log;
mod message;
mod messages;
mod model;
mod rows;
mod run;
mod scroll;
mod table;
mod terminal;
#[cfg(test)]
mod tests;
mod theme;
mod update;
mod user_action;
mod verdict_lines;
mod viewer;
mod worker_handle;

pub use run::{Dashboard, keys_page, run};
pub use worker_handle::WorkerHandle;
