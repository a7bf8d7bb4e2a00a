//! The faces: how people and programs reach the use-cases of `app`. A face never imports another; `text` and
//! `standing` are what they share.

pub mod cli;
#[cfg(test)]
mod samples;
mod standing;
mod text;
pub mod tui;
