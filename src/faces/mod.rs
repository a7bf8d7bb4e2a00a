//! The faces: how people and programs reach the use-cases of `app`. A face never imports another.

pub mod cli;
