//! Parses the file of sources, and reports every problem in it.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::iter::once;
use std::ops::Range;

use serde::Deserialize as _;
use serde::de::DeserializeOwned;
use serde::de::value::MapDeserializer;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use crate::app::{NewSource, check_settings};
use crate::config::{explained, unknown_key};
use crate::domain::{Address, SettingsPatch, masked};
use crate::faces::options::as_keys;

/// A problem in the file, with its line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {reason}")]
pub(crate) struct SourcesFileError {
    /// The file's name as given.
    pub(crate) file: String,
    /// The line number, from 1.
    pub(crate) line: usize,
    /// The problem, with the key or the value.
    pub(crate) reason: String,
}

/// Every problem in a file, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourcesFileErrors(pub(crate) Vec<SourcesFileError>);

/// Further problems are only counted.
const MAX_SHOWN: usize = 20;

impl fmt::Display for SourcesFileErrors {
    /// Writes one line for each problem.
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

/// Parses the sources in `text`, or returns every problem in it. `file` is the name for messages.
///
/// Parses a group of sources at a time: a parsed document takes ten times the memory of its text.
pub(crate) fn parse(file: &str, text: &str) -> Result<Vec<NewSource>, SourcesFileErrors> {
    let groups = groups(text);
    let many = groups.len() > 1;
    match read(file, text, groups, false) {
        // A string or a list held a line that looks like the head of a table: only the whole text can be parsed.
        Err(_) if many => read(file, text, once(0..text.len()), false),
        sources => sources,
    }
}

/// Returns every problem in a file, also those that only adding a source would reveal, such as a secret in an address.
pub(crate) fn problems(file: &str, text: &str) -> SourcesFileErrors {
    let read = read(file, text, once(0..text.len()), true);
    read.err().unwrap_or(SourcesFileErrors(Vec::new()))
}

fn read(
    file: &str,
    text: &str,
    groups: impl IntoIterator<Item = Range<usize>>,
    is_checked: bool,
) -> Result<Vec<NewSource>, SourcesFileErrors> {
    let mut reader = SourcesReader {
        is_checked,
        file,
        text,
        ends_of_lines: OnceCell::new(),
        group: 0..0,
        seen: HashMap::new(),
        errors: Vec::new(),
    };
    let mut sources = Vec::new();
    for group in groups {
        reader.group = group;
        for entry in reader.entries() {
            sources.extend(reader.source(entry));
        }
    }
    if reader.errors.is_empty() {
        return Ok(sources);
    }
    reader.errors.sort_by_key(|error| error.line);
    Err(SourcesFileErrors(reader.errors))
}

/// The number of sources that are parsed together.
const GROUP: usize = 1000;

/// Splits `text` into parts of [`GROUP`] sources, at the lines that begin one; the whole if anything else precedes the
/// first.
///
/// A line within a string or a list may look like such a line; the part before it is then no valid TOML.
fn groups(text: &str) -> Vec<Range<usize>> {
    let head = |line: &str| line.trim_end() == "[[source]]";
    let is_blank = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    let mut starts = vec![0];
    let (mut at, mut heads) = (0, 0);
    for line in text.split_inclusive('\n') {
        if head(line) {
            if heads > 0 && heads % GROUP == 0 {
                starts.push(at);
            }
            heads += 1;
        } else if heads == 0 && !is_blank(line) {
            break;
        }
        at += line.len();
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|(start, end)| *start..end)
        .collect()
}

struct SourcesReader<'a> {
    file: &'a str,
    text: &'a str,
    /// The places of all line feeds, computed at the first error.
    ends_of_lines: OnceCell<Vec<usize>>,
    /// The part of the text that is being parsed; places are relative to its start.
    group: Range<usize>,
    /// Whether each source is checked as if it were to be added.
    is_checked: bool,
    /// The place of each address and each name.
    seen: HashMap<(&'static str, String), usize>,
    errors: Vec<SourcesFileError>,
}

impl<'a> SourcesReader<'a> {
    fn fail(&mut self, offset: usize, reason: impl Into<String>) {
        self.errors.push(SourcesFileError {
            file: self.file.to_owned(),
            line: self.line_of(self.group.start + offset),
            // Messages about options of `add` speak of keys here.
            reason: as_keys(&reason.into()),
        });
    }

    /// Returns the line, from 1, of the byte at `offset`.
    fn line_of(&self, offset: usize) -> usize {
        let ends = self.ends_of_lines.get_or_init(|| {
            let feeds = self.text.match_indices('\n');
            feeds.map(|(at, _)| at).collect()
        });
        ends.partition_point(|end| *end < offset) + 1
    }

    fn entries(&mut self) -> Vec<Spanned<DeValue<'a>>> {
        let (table, errors) = DeTable::parse_recoverable(&self.text[self.group.clone()]);
        // The text behind a syntax error is guesswork.
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
                    self.fail(start, unknown_key(&[key], &["source"]));
                }
            }
        }
        entries
    }

    /// Reads one source; `None` after reporting a problem with it.
    fn source(&mut self, entry: Spanned<DeValue<'_>>) -> Option<NewSource> {
        let start = entry.span().start;
        let DeValue::Table(table) = entry.into_inner() else {
            self.fail(start, "expected [[source]], a table for each source");
            return None;
        };
        let before = self.errors.len();
        let mut new = NewSource::default();
        let mut address_at = None;
        for (key, value) in table {
            let at = value.span().start;
            match key.get_ref().as_ref() {
                "address" => {
                    address_at = Some(at);
                    new.address = self.value("address", value).unwrap_or_default();
                }
                "literal" => new.literal = self.value("literal", value).unwrap_or_default(),
                name if SettingsPatch::LABELS.contains(&name) => {
                    let setting = self.setting(name, value).unwrap_or_default();
                    self.check_setting(&setting, at);
                    if let Some(name) = &setting.name {
                        self.once("name", name.clone(), at);
                    }
                    new.settings = new.settings.and_then(setting);
                }
                name => {
                    let accepted = [SettingsPatch::LABELS, &["literal"]].concat();
                    self.fail(key.span().start, unknown_key(&["source", name], &accepted));
                }
            }
        }
        let Some(address_at) = address_at else {
            self.fail(start, "`address` is missing");
            return None;
        };
        self.check(&new, address_at, before);
        (self.errors.len() == before).then_some(new)
    }

    /// Reads one setting.
    fn setting(&mut self, name: &str, value: Spanned<DeValue<'_>>) -> Option<SettingsPatch> {
        let at = value.span().start;
        let entry = once((name, ValueDeserializer::from(value)));
        let setting = SettingsPatch::deserialize(MapDeserializer::new(entry));
        self.or_fail(name, at, setting)
    }

    fn value<T: DeserializeOwned>(&mut self, name: &str, value: Spanned<DeValue<'_>>) -> Option<T> {
        let at = value.span().start;
        self.or_fail(name, at, T::deserialize(ValueDeserializer::from(value)))
    }

    fn or_fail<T>(&mut self, name: &str, at: usize, read: Result<T, toml::de::Error>) -> Option<T> {
        read.map_err(|error| {
            let offset = error.span().map_or(at, |span| span.start);
            self.fail(offset, explained(error.message(), &["source", name]));
        })
        .ok()
    }

    /// Checks one setting on its own, so that every wrong setting of a file is reported.
    fn check_setting(&mut self, setting: &SettingsPatch, at: usize) {
        if self.is_checked
            && let Err(error) = check_settings(setting)
        {
            self.fail(at, error.with_hint());
        }
    }

    /// Checks a source's address, and whether its settings contradict each other; `before` is the number of problems
    /// reported before the source.
    fn check(&mut self, new: &NewSource, address_at: usize, before: usize) {
        let allow_http = new.settings.allow_http.unwrap_or_default();
        let is_address = match Address::parse(&new.address, allow_http) {
            Ok(address) => {
                self.once("address", address.to_string(), address_at);
                true
            }
            Err(error) => {
                self.fail(address_at, error.to_string());
                false
            }
        };
        if !self.is_checked {
            return;
        }
        // If another setting is wrong, which was reported, only the address is checked.
        let checked = if self.errors.len() == before {
            new.check()
        } else {
            new.alone().check()
        };
        if let Err(error) = checked
            && is_address
        {
            let address = masked(&new.address);
            self.fail(address_at, format!("{address}: {}", error.with_hint()));
        }
    }

    /// Records the value of a key and its place; reports a second place with the same value.
    fn once(&mut self, key: &'static str, value: String, offset: usize) {
        match self.seen.entry((key, value)) {
            Entry::Vacant(vacant) => {
                vacant.insert(self.group.start + offset);
            }
            Entry::Occupied(first) => {
                let (at, value) = (*first.get(), first.key().1.clone());
                let line = self.line_of(at);
                let reason = format!("{key} `{value}` is in line {line} already");
                self.fail(offset, reason);
            }
        }
    }
}
