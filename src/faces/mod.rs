//! The faces: how people and programs reach the use-cases of `app`. Faces never import each other; they share `text`,
//! `state_word`, `publication`, `set_words`, `file_change`, `folder_change`, `filtering`, `version_diff`, `json`, `csv`,
//! `indent`, `json_tokens`, `options`, `queue_words` and `remote_words`.

pub mod cli;
mod csv;
mod file_change;
mod filtering;
#[cfg(test)]
mod fixtures;
mod folder_change;
pub mod http;
mod indent;
mod json;
mod json_tokens;
mod options;
mod publication;
mod queue_words;
mod remote_words;
mod set_words;
mod source_facts;
mod state_word;
mod text;
pub mod tui;
mod version_diff;
