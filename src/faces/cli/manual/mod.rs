//! The manual in the program: topics in a subset of Markdown, for `gannet help TOPIC` and as pages for `man`.
//!
//! `assets/manual/` holds the texts, `assets/config.toml` the description of each setting. Reads no file at run time.

mod commands;
mod markdown;
mod pages;
mod roff;
mod settings;
mod text;
mod topics;

pub(crate) use commands::program_page;
pub(crate) use pages::pages;
pub use settings::TEMPLATE;
pub(crate) use text::render;
pub(crate) use topics::{TOPICS, Topic};
