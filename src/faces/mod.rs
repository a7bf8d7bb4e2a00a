//! The faces: how people and programs reach the use-cases of `app`. A face never imports another; `text` is what they
//! share.

pub mod cli;
#[cfg(test)]
mod samples;
mod text;
pub mod tui;
