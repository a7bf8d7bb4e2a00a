//! Sources as code: the TOML file that `apply` reads and `dump --toml` writes.
//!
//! Reads and prints; what a difference to the catalogue means is decided by `app`. Secrets stay `${NAME}`.

use std::collections::{BTreeMap, HashMap};
use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use crate::app::NewSource;
use crate::domain::{Address, Interval, PublishPolicy, SourceSettings, parse_size};

/// What is wrong with a file, and in which line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {reason}")]
pub(crate) struct SourcesFileError {
    /// The file's name as it was given.
    pub(crate) file: String,
    /// The line, from 1.
    pub(crate) line: usize,
    /// What is wrong, with the key or the value.
    pub(crate) reason: String,
}

/// Everything that is wrong with a file, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourcesFileErrors(pub(crate) Vec<SourcesFileError>);

/// More than these are counted.
const MAX_SHOWN: usize = 20;

impl fmt::Display for SourcesFileErrors {
    /// Writes a line each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().take(MAX_SHOWN).enumerate() {
            let before = if index == 0 { "" } else { "\n" };
            write!(f, "{before}{error}")?;
        }
        match self.0.len().saturating_sub(MAX_SHOWN) {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "the source's switches")]
struct Entry {
    name: Option<Spanned<String>>,
    address: Spanned<String>,
    interval: Option<Spanned<String>>,
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    headers: BTreeMap<String, Values>,
    #[serde(default)]
    allow_private: bool,
    #[serde(default)]
    allow_http: bool,
    #[serde(default)]
    allow_empty: bool,
    publish: Option<Spanned<String>>,
    max_size: Option<Spanned<String>>,
    #[serde(default)]
    literal: bool,
}

fn yes() -> bool {
    true
}

/// One header's value, or several.
#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a string or a list of strings")]
enum Values {
    One(String),
    Many(Vec<String>),
}

/// Reads the sources that `text` lists, or finds everything that is wrong with them. `file` is its name for messages.
pub(crate) fn parse(file: &str, text: &str) -> Result<Vec<NewSource>, SourcesFileErrors> {
    let mut reader = Reader {
        file,
        text,
        seen: HashMap::new(),
        errors: Vec::new(),
    };
    let mut sources = Vec::new();
    for entry in reader.entries() {
        sources.extend(reader.source(entry));
    }
    if reader.errors.is_empty() {
        return Ok(sources);
    }
    reader.errors.sort_by_key(|error| error.line);
    Err(SourcesFileErrors(reader.errors))
}

struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    /// Where each address and each name is.
    seen: HashMap<(&'static str, String), usize>,
    errors: Vec<SourcesFileError>,
}

impl<'a> Reader<'a> {
    fn fail(&mut self, offset: usize, reason: impl Into<String>) {
        self.errors.push(SourcesFileError {
            file: self.file.to_owned(),
            line: line_of(self.text, offset),
            reason: reason.into(),
        });
    }

    fn entries(&mut self) -> Vec<Spanned<DeValue<'a>>> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        // What follows a syntax error is guesswork.
        if let Some(error) = errors.first() {
            let offset = error.span().map_or(0, |span| span.start);
            let reason = error.message().trim_end().replace('\n', ", ");
            self.fail(offset, format!("not TOML: {reason}"));
            return Vec::new();
        }
        let mut entries = Vec::new();
        for (key, value) in table.into_inner() {
            let start = key.span().start;
            match value.into_inner() {
                DeValue::Array(sources) if key.get_ref() == "source" => entries.extend(sources),
                _ if key.get_ref() == "source" => {
                    self.fail(start, "expected [[source]], a table for each source");
                }
                _ => {
                    let key = key.get_ref();
                    self.fail(start, format!("unknown key `{key}`: expected [[source]]"));
                }
            }
        }
        entries
    }

    /// Reads one source; nothing when something is wrong with it.
    fn source(&mut self, entry: Spanned<DeValue<'_>>) -> Option<NewSource> {
        let start = entry.span().start;
        let entry = match Entry::deserialize(ValueDeserializer::from(entry)) {
            Ok(entry) => entry,
            Err(error) => {
                let offset = error.span().map_or(start, |span| span.start);
                self.fail(offset, error.message().trim_end().replace('\n', ", "));
                return None;
            }
        };
        let before = self.errors.len();
        match Address::parse(entry.address.get_ref(), entry.allow_http) {
            Ok(address) => self.once("address", address.to_string(), entry.address.span().start),
            Err(error) => self.fail(entry.address.span().start, error.to_string()),
        }
        if let Some(name) = &entry.name {
            self.once("name", name.get_ref().clone(), name.span().start);
        }
        let new = self.new_source(entry);
        (self.errors.len() == before).then_some(new)
    }

    /// Notes where a key has its value; another place that has the same is wrong.
    fn once(&mut self, key: &'static str, value: String, offset: usize) {
        if let Some(first) = self.seen.get(&(key, value.clone())) {
            let line = line_of(self.text, *first);
            self.fail(offset, format!("{key} `{value}` is in line {line} already"));
        } else {
            self.seen.insert((key, value), offset);
        }
    }

    fn new_source(&mut self, entry: Entry) -> NewSource {
        let interval = self.read(entry.interval, |text| {
            text.parse::<Interval>().map_err(|error| error.to_string())
        });
        let publish = self.read(entry.publish, str::parse::<PublishPolicy>);
        let max_size_bytes = self.read(entry.max_size, parse_size);
        let headers = entry.headers.into_iter().flat_map(|(name, values)| {
            let values = match values {
                Values::One(value) => vec![value],
                Values::Many(values) => values,
            };
            values.into_iter().map(move |value| (name.clone(), value))
        });
        NewSource {
            address: entry.address.into_inner(),
            interval,
            name: entry.name.map(Spanned::into_inner),
            tags: entry.tags,
            headers: headers.collect(),
            allow_private: entry.allow_private,
            allow_http: entry.allow_http,
            allow_empty: entry.allow_empty,
            publish: publish.unwrap_or_default(),
            max_size_bytes,
            disabled: !entry.enabled,
            literal: entry.literal,
        }
    }

    fn read<T>(
        &mut self,
        value: Option<Spanned<String>>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = value?;
        match parse(text.get_ref()) {
            Ok(value) => Some(value),
            Err(reason) => {
                self.fail(text.span().start, reason);
                None
            }
        }
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    // As bytes: a span may, in principle, end inside a character.
    let before = &text.as_bytes()[..offset.min(text.len())];
    before.split(|byte| *byte == b'\n').count()
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FILE: &str = r#"
[[source]]
name = "prices"
address = "https://example.org/prices.csv"
interval = "6h"
enabled = false
tags = ["eu", "prices"]
headers = { Authorization = "Bearer ${TOKEN}", Accept = ["text/csv", "text/plain"] }
allow_private = true
publish = "newest"
max_size = "256MiB"

[[source]]
address = "http://example.org/rates"
allow_http = true
"#;

    #[test]
    fn reads_a_file() {
        let sources = parse("sources.toml", FILE).expect("a good file");
        let [prices, rates] = sources.as_slice() else {
            panic!("two sources: {sources:?}");
        };
        assert_eq!(prices.name.as_deref(), Some("prices"));
        assert_eq!(prices.interval.map(Interval::hours), Some(6));
        assert_eq!(prices.max_size_bytes, Some(256 << 20));
        assert_eq!(prices.publish, PublishPolicy::Newest);
        assert!(prices.disabled && prices.allow_private && !prices.allow_empty);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            prices.headers,
            [
                pair("Accept", "text/csv"),
                pair("Accept", "text/plain"),
                pair("Authorization", "Bearer ${TOKEN}")
            ]
        );
        assert_eq!(rates.address, "http://example.org/rates");
        assert!(rates.allow_http && rates.interval.is_none() && !rates.disabled);
        assert!(parse("empty", "").expect("an empty file").is_empty());
    }

    #[test]
    fn names_file_line_and_key() {
        let entry = "[[source]]\naddress = \"https://example.org/a\"\n";
        for (text, line, part) in [
            (format!("{entry}intervall = \"1h\"\n"), 3, "intervall"),
            ("[[sources]]\n".to_owned(), 1, "sources"),
            ("[[source]]\nname = \"a\"\n".to_owned(), 1, "address"),
            (
                format!("{entry}interval = \"30m\"\n"),
                3,
                "1h, 12h, 1d or 7d",
            ),
            (format!("{entry}interval = 1\n"), 3, "expected a string"),
            (
                format!("{entry}enabled = \"yes\"\n"),
                3,
                "expected a boolean",
            ),
            (format!("{entry}publish = \"all\"\n"), 3, "passed or newest"),
            (format!("{entry}max_size = \"big\"\n"), 3, "is not a size"),
            (
                format!("{entry}headers = {{ A = 1 }}\n"),
                3,
                "list of strings",
            ),
            (format!("{entry}name = \"a\n"), 3, ""),
            (
                "[[source]]\naddress = \"ftp://h/a\"\n".to_owned(),
                2,
                "only https",
            ),
            (format!("{entry}\n{entry}"), 5, "is in line 2 already"),
            (
                format!(
                    "{entry}name = \"x\"\n[[source]]\naddress = \"https://h/b\"\nname = \"x\"\n"
                ),
                6,
                "name `x` is in line 3 already",
            ),
        ] {
            let errors = parse("sources.toml", &text).expect_err(&text).0;
            let error = &errors[0];
            assert_eq!(error.line, line, "{error}");
            assert!(
                error
                    .to_string()
                    .starts_with(&format!("sources.toml:{line}: "))
            );
            assert!(error.reason.contains(part), "{error}");
        }
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let text = "[[source]]\naddress = \"ftp://h/a\"\ninterval = \"1x\"\n[[source]]\nname = \"b\"\n\
                    [[source]]\naddress = \"https://h/c\"\npublish = \"all\"\n[sources]\n";
        let errors = parse("f", text).expect_err("bad").0;
        let lines: Vec<_> = errors.iter().map(|error| error.line).collect();
        assert_eq!(lines, [2, 3, 4, 8, 9]);
        for text in ["sources:\n  - address: x\n", "{\"source\": []}"] {
            let errors = parse("f", text).expect_err("not TOML").0;
            assert!(
                errors.len() == 1 && errors[0].reason.starts_with("not TOML: "),
                "{errors:?}"
            );
        }
        let many = "[[source]]\n".repeat(25);
        let text = parse("f", &many).expect_err("bad").to_string();
        assert!(
            text.lines().count() == 21 && text.ends_with("and 5 more"),
            "{text}"
        );
    }

    #[test]
    fn prints_what_is_not_the_default() {
        let plain = settings("b", 24);
        let mut full = settings("a", 6);
        full.enabled = false;
        full.tags = vec!["eu".to_owned(), "prices".to_owned()];
        full.headers = vec![("Authorization".to_owned(), "Bearer ${TOKEN}".to_owned())];
        full.max_size_bytes = Some(3 << 20);
        insta::assert_snapshot!(print([&plain, &full]), @r#"
        # Sources of gannet; `gannet apply FILE` makes the catalogue so.

        [[source]]
        name = "a"
        address = "https://example.org/a"
        interval = "6h"
        enabled = false
        tags = ["eu", "prices"]
        max_size = "3MiB"

        [source.headers]
        Authorization = "Bearer ${TOKEN}"

        [[source]]
        name = "b"
        address = "https://example.org/b"
        interval = "1d"
        "#);
    }

    fn settings(name: &str, hours: u32) -> SourceSettings {
        SourceSettings {
            name: name.to_owned(),
            address: Address::parse(&format!("https://example.org/{name}"), false)
                .expect("an address"),
            interval: Interval::from_hours(hours).expect("in range"),
            enabled: true,
            tags: Vec::new(),
            headers: Vec::new(),
            allow_private: false,
            allow_http: false,
            allow_empty: false,
            publish: PublishPolicy::Passed,
            max_size_bytes: None,
        }
    }

    prop_compose! {
        fn any_settings(index: usize)(
            name in ".{1,12}", hours in 1..=Interval::MAX_HOURS, enabled: bool,
            tags in prop::collection::vec("[a-z\"é]{1,6}", 0..3),
            values in prop::collection::vec(("[A-Za-z-]{1,3}", ".{0,8}"), 0..5),
            switches: [bool; 4], size in prop::option::of(1..=i64::MAX.unsigned_abs()),
        ) -> SourceSettings {
            let mut headers = values;
            // Only the order among values of one header means anything (RFC 9110 §5.3).
            headers.sort_by(|one, other| one.0.cmp(&other.0));
            SourceSettings {
                name: format!("{name}{index}"),
                enabled,
                tags,
                headers,
                allow_private: switches[0],
                allow_http: switches[1],
                allow_empty: switches[2],
                publish: if switches[3] { PublishPolicy::Newest } else { PublishPolicy::Passed },
                max_size_bytes: size,
                ..settings(&index.to_string(), hours)
            }
        }
    }

    proptest! {
        #[test]
        fn reads_what_it_prints(one in any_settings(1), two in any_settings(2)) {
            let mut expected = vec![one, two];
            expected.sort_by(|one, other| one.name.cmp(&other.name));
            let sources = parse("f", &print(&expected)).expect("its own output");
            prop_assert_eq!(sources.len(), expected.len());
            for (source, settings) in sources.into_iter().zip(expected) {
                prop_assert_eq!(source.name.as_ref(), Some(&settings.name));
                prop_assert_eq!(source.address.as_str(), settings.address.as_str());
                prop_assert_eq!(source.interval, Some(settings.interval));
                prop_assert_eq!(source.disabled, !settings.enabled);
                prop_assert_eq!(source.tags, settings.tags);
                prop_assert_eq!(source.headers, settings.headers);
                prop_assert_eq!(source.allow_private, settings.allow_private);
                prop_assert_eq!(source.allow_http, settings.allow_http);
                prop_assert_eq!(source.allow_empty, settings.allow_empty);
                prop_assert_eq!(source.publish, settings.publish);
                prop_assert_eq!(source.max_size_bytes, settings.max_size_bytes);
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".*") {
            let _ = parse("f", &text);
        }
    }
}
