//! Prints the file, without what is at its default.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::read::Values;
use crate::domain::{PublishPolicy, SourceSettings};

#[derive(Serialize)]
struct PrintedFile<'a> {
    source: Vec<PrintedEntry<'a>>,
}

/// What is at its default is left out, except the interval: it is what people look for.
#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the source's switches")]
struct PrintedEntry<'a> {
    name: &'a str,
    address: &'a str,
    interval: String,
    #[serde(skip_serializing_if = "is_true")]
    enabled: bool,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    tags: &'a [String],
    #[serde(skip_serializing_if = "is_false")]
    allow_private: bool,
    #[serde(skip_serializing_if = "is_false")]
    allow_http: bool,
    #[serde(skip_serializing_if = "is_false")]
    allow_empty: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    publish: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_size: Option<String>,
    #[serde(skip_serializing_if = "is_false")]
    literal: bool,
    // A table: TOML wants it after the plain values.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<&'a str, Values>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_true(value: &bool) -> bool {
    *value
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_false(value: &bool) -> bool {
    !*value
}

/// Prints the file that lists `sources`, by name.
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

fn printed(settings: &SourceSettings) -> PrintedEntry<'_> {
    let mut headers: BTreeMap<&str, Values> = BTreeMap::new();
    for (name, value) in &settings.headers {
        let value = match headers.remove(name.as_str()) {
            None => Values::One(value.clone()),
            Some(Values::One(first)) => Values::Many(vec![first, value.clone()]),
            Some(Values::Many(mut values)) => {
                values.push(value.clone());
                Values::Many(values)
            }
        };
        headers.insert(name, value);
    }
    PrintedEntry {
        name: &settings.name,
        address: settings.address.as_str(),
        interval: settings.interval.to_string(),
        enabled: settings.enabled,
        tags: &settings.tags,
        allow_private: settings.allow_private,
        allow_http: settings.allow_http,
        allow_empty: settings.allow_empty,
        publish: (settings.publish != PublishPolicy::default()).then(|| settings.publish.as_str()),
        max_size: settings.max_size_bytes.map(printed_size),
        literal: !settings.address.literal_secrets().is_empty(),
        headers,
    }
}

/// Prints a size exactly, in the largest binary unit that divides it.
fn printed_size(bytes: u64) -> String {
    [("GiB", 30), ("MiB", 20), ("KiB", 10)]
        .into_iter()
        .find(|(_, shift)| bytes.is_multiple_of(1 << shift))
        .map_or_else(
            || format!("{bytes}B"),
            |(unit, shift)| format!("{}{unit}", bytes >> shift),
        )
}
