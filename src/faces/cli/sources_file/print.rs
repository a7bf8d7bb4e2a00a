//! Prints the file of sources, without settings at their default.

use std::fmt::Write as _;

use serde::Serialize;

use crate::domain::{SettingsPatch, SourceSettings};

#[derive(Serialize)]
struct PrintedFile {
    source: Vec<PrintedEntry>,
}

#[derive(Serialize)]
struct PrintedEntry {
    #[serde(skip_serializing_if = "Option::is_none")]
    literal: Option<bool>,
    #[serde(flatten)]
    settings: SettingsPatch,
}

/// Prints the file with these `sources`, ordered by name.
pub(crate) fn print<'a>(sources: impl IntoIterator<Item = &'a SourceSettings>) -> String {
    let mut sources: Vec<_> = sources.into_iter().collect();
    sources.sort_by(|one, other| one.name.cmp(&other.name));
    let file = PrintedFile {
        source: sources.into_iter().map(printed).collect(),
    };
    let mut text =
        String::from("# Sources of gannet; `gannet apply FILE` makes the catalogue so.\n");
    if !file.source.is_empty() {
        let tables = toml::to_string(&file).expect("strings, numbers and lists are all TOML");
        let _ = write!(text, "\n{tables}");
    }
    text
}

/// Returns the settings that differ from their default, and always the interval, which people look for.
fn printed(settings: &SourceSettings) -> PrintedEntry {
    let literal = !settings.address.literal_secrets().is_empty();
    PrintedEntry {
        literal: literal.then_some(true),
        settings: SettingsPatch {
            name: Some(settings.name.clone()),
            address: Some(settings.address.clone()),
            interval: Some(settings.interval),
            ..settings.beyond_defaults()
        },
    }
}
