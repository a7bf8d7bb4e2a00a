//! Sources as code: the TOML file that `apply` reads and `dump --toml` writes.
//!
//! Reads and prints; what a difference to the catalogue means is decided by `app`. Secrets stay `${NAME}`.

mod print;
mod read;
#[cfg(test)]
mod tests;

pub(crate) use print::print;
pub(crate) use read::{parse, problems};
