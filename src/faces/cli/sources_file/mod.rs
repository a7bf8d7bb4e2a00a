//! Sources as code: the TOML file that `apply` reads and `dump --toml` writes.
//!
//! Parses and prints; `app` decides what a difference to the catalogue means. Secrets stay `${NAME}`.

mod print;
mod read;
#[cfg(test)]
mod tests;

pub(crate) use print::print;
pub(crate) use read::{parse, problems};
