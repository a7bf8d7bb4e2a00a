//! The manual inside the program: topics written in a small part of Markdown, shown by `gannet help TOPIC` and made into
//! pages for `man`.
//!
//! `assets/manual/` holds the texts, `assets/config.toml` what is said of each setting. Never reads a file at run time.

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
