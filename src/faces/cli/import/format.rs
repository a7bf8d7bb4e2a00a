//! The formats of imported files: recognises and reads them.

use std::fmt;

use clap::ValueEnum;

use super::entry::ImportEntry;
use super::{changedetection, list, urlwatch};
use crate::domain::lines;

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ImportFormat {
    /// YAML jobs of urlwatch or webchanges
    Urlwatch,
    /// `url-watches.json` of changedetection.io
    Changedetection,
    /// An address a line, with an interval or tags behind it
    List,
}

impl fmt::Display for ImportFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value();
        f.write_str(value.as_ref().map_or("", |value| value.get_name()))
    }
}

/// Guesses the format of a file from its text and name.
pub(crate) fn guess(text: &str, name: &str) -> ImportFormat {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    let is_yaml_name = [".yaml", ".yml"].iter().any(|end| name.ends_with(end));
    let is_job = |line: &str| {
        ["url:", "navigate:", "command:", "kind:", "name:"]
            .iter()
            .any(|key| line.trim_start_matches("- ").starts_with(key))
    };
    if start.starts_with('{') {
        ImportFormat::Changedetection
    } else if is_yaml_name || start.starts_with("---") || lines(start).any(is_job) {
        ImportFormat::Urlwatch
    } else {
        ImportFormat::List
    }
}

/// Reads every entry of a file; fails if the file does not have the format.
pub(crate) fn read(text: &str, format: ImportFormat) -> Result<Vec<ImportEntry>, String> {
    let text = text.trim_start_matches('\u{feff}');
    let mut entries = match format {
        ImportFormat::Urlwatch => urlwatch::read(text)?,
        ImportFormat::Changedetection => changedetection::read(text)?,
        ImportFormat::List => list::read(text),
    };
    for entry in &mut entries {
        entry.mask();
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_apart() {
        for (text, name, expected) in [
            ("{\"watching\": {}}", "x", ImportFormat::Changedetection),
            ("\u{feff} {}", "x.json", ImportFormat::Changedetection),
            ("name: a\nurl: https://a/\n", "x", ImportFormat::Urlwatch),
            ("---\nurl: https://a/\n", "x", ImportFormat::Urlwatch),
            ("https://a/ 1h\n", "jobs.yaml", ImportFormat::Urlwatch),
            ("https://a/ 1h\n# url: no\n", "x", ImportFormat::List),
            ("", "x", ImportFormat::List),
        ] {
            assert_eq!(guess(text, name), expected, "{text:?} {name}");
        }
    }
}
