//! The faces: how people and programs reach the use-cases of `app`. A face never imports another; `text`,
//! `standing`, `publication`, `set_words`, `file_change`, `json` and `options` are what they share.

pub mod cli;
mod file_change;
mod json;
mod options;
mod publication;
#[cfg(test)]
mod samples;
mod set_words;
mod standing;
mod text;
pub mod tui;
