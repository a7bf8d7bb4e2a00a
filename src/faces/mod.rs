//! The faces: how people and programs reach the use-cases of `app`. A face never imports another; `text`,
//! `standing`, `file_change` and `options` are what they share.

pub mod cli;
mod file_change;
mod options;
#[cfg(test)]
mod samples;
mod standing;
mod text;
pub mod tui;
