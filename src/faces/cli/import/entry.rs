//! What a file of another program says of one address, and how its format is told.

use clap::ValueEnum;

use crate::app::NewSource;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ImportFormat {
    /// YAML jobs of urlwatch or webchanges
    Urlwatch,
    /// `url-watches.json` of changedetection.io
    Changedetection,
    /// An address a line, with an interval or tags behind it
    List,
}

/// What a file says of one address.
#[derive(Debug, PartialEq)]
pub(crate) struct Entry {
    /// Where it stands, for people: `job 3`, `line 7`.
    pub(crate) place: String,
    /// What it is called or watches there, for people.
    pub(crate) title: String,
    /// The source, or why there can be none.
    pub(crate) source: Result<NewSource, String>,
    /// What of it gannet does not do: the source is made without.
    pub(crate) without: Vec<String>,
}

impl Entry {
    pub(super) fn refused(place: String, title: String, why: impl Into<String>) -> Self {
        Self {
            place,
            title,
            source: Err(why.into()),
            without: Vec::new(),
        }
    }
}

/// Returns the format of a file that looks so.
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
    } else if is_yaml_name || start.starts_with("---") || start.lines().any(is_job) {
        ImportFormat::Urlwatch
    } else {
        ImportFormat::List
    }
}

/// Reads every entry of a file; the error is why it is not of that format at all.
pub(crate) fn read(text: &str, format: ImportFormat) -> Result<Vec<Entry>, String> {
    let text = text.trim_start_matches('\u{feff}');
    match format {
        ImportFormat::Urlwatch => super::urlwatch::read(text),
        ImportFormat::Changedetection => super::changedetection::read(text),
        ImportFormat::List => Ok(super::list::read(text)),
    }
}

/// Returns a tag that is like `text`: letters, digits and `-_./` stay, all else becomes `-`. Nothing when nothing is left.
pub(super) fn tag(text: &str) -> Option<String> {
    let kept = |c: char| {
        if c.is_alphanumeric() || "-_./".contains(c) {
            c
        } else {
            '-'
        }
    };
    let tag: String = text.trim().chars().map(kept).take(32).collect();
    let tag = tag.trim_matches('-').to_owned();
    (!tag.is_empty()).then_some(tag)
}

/// Returns the tags that a list of words, or one text with commas, names; `name` says what a word of the list is called.
pub(super) fn tags<'a>(
    value: Option<&'a serde_json::Value>,
    name: impl Fn(&'a str) -> &'a str,
) -> Vec<String> {
    match value {
        Some(serde_json::Value::Array(words)) => words
            .iter()
            .filter_map(serde_json::Value::as_str)
            .filter_map(|word| tag(name(word)))
            .collect(),
        Some(serde_json::Value::String(names)) => names.split(',').filter_map(tag).collect(),
        _ => Vec::new(),
    }
}

/// Returns the keys whose values change what is compared or how it is fetched, in a way that gannet has no setting for.
pub(super) fn left_out<'a>(
    object: &'a serde_json::Map<String, serde_json::Value>,
    known: &[&str],
) -> impl Iterator<Item = String> + use<'a> {
    let known: Vec<String> = known.iter().map(|key| (*key).to_owned()).collect();
    object
        .iter()
        .filter(move |(key, value)| !known.contains(key) && says_something(value))
        .map(|(key, _)| key.clone())
}

pub(super) fn says_something(value: &serde_json::Value) -> bool {
    use serde_json::Value;
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(items) => !items.is_empty(),
        Value::Bool(true) | Value::Number(_) => true,
    }
}

/// Returns header fields of an object of texts.
pub(super) fn headers(value: Option<&serde_json::Value>) -> Vec<(String, String)> {
    let fields = value.and_then(serde_json::Value::as_object);
    fields
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| {
            let value = match value {
                serde_json::Value::String(text) => text.clone(),
                serde_json::Value::Number(number) => number.to_string(),
                _ => return None,
            };
            Some((name.clone(), value))
        })
        .collect()
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

    #[test]
    fn tags_are_made_of_what_can_stand_in_one() {
        for (text, expected) in [
            ("Price lists", Some("Price-lists")),
            (" a/b ", Some("a/b")),
            ("«»", None),
        ] {
            assert_eq!(tag(text).as_deref(), expected);
        }
    }
}
