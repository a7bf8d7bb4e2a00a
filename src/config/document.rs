//! Deserializes a TOML document, and reports every problem in it with its line, not only the first.
//!
//! serde stops at the first unreadable value: that problem is recorded, the value is removed, and the rest is read
//! again. Never interprets a value: its type does.

use std::cell::RefCell;
use std::fmt;
use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, Deserializer, Error, ValueDeserializer};

use super::Problem;
use crate::domain::nearest_word;

/// A document, and the problems found in it.
pub(super) struct Document<'a> {
    text: &'a str,
    table: Spanned<DeTable<'a>>,
    problems: RefCell<Vec<Problem>>,
    /// The places of tables with an unreadable value.
    damaged: RefCell<Vec<Range<usize>>>,
}

impl<'a> Document<'a> {
    /// Parses a text. A text with syntax errors becomes an empty table: the values after such an error are guesswork,
    /// and problems with them would distract.
    pub(super) fn parse(text: &'a str) -> Self {
        let (table, errors) = DeTable::parse_recoverable(text);
        let table = match errors[..] {
            [] => table,
            _ => Spanned::new(0..0, DeTable::new()),
        };
        let document = Self {
            text,
            table,
            problems: RefCell::default(),
            damaged: RefCell::default(),
        };
        for error in &errors {
            document.problem(&error.span().unwrap_or(0..0), error.message());
        }
        document
    }

    /// Returns the document as a table.
    pub(super) fn table(&self) -> &Spanned<DeTable<'a>> {
        &self.table
    }

    /// Returns whether no problem was found so far; right after `parse`, whether the text is TOML.
    pub(super) fn is_toml(&self) -> bool {
        self.problems.borrow().is_empty()
    }

    /// Records a problem at a place in the text.
    pub(super) fn problem(&self, at: &Range<usize>, message: impl Into<String>) {
        let line = self.line(at);
        self.problems.borrow_mut().push(Problem {
            line,
            message: message.into(),
        });
    }

    /// Returns the line, from 1, of a place in the text.
    pub(super) fn line(&self, at: &Range<usize>) -> usize {
        let before = self.text.len().min(at.start);
        let lines = self.text.as_bytes()[..before].split(|byte| *byte == b'\n');
        lines.count()
    }

    /// Returns all problems, ordered by line.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| problem.line);
        problems
    }

    /// Deserializes a table: the document's own, or one made of its values. An unreadable value is reported, and its
    /// setting keeps the default.
    pub(super) fn read<T: DeserializeOwned + Default>(&self, mut table: Spanned<DeTable<'a>>) -> T {
        loop {
            let error = match T::deserialize(Deserializer::from(table.clone())) {
                Ok(read) => return read,
                Err(error) => error,
            };
            let at = error.span().unwrap_or_else(|| table.span());
            // The table may lack a value because it was removed as unreadable, which has been reported.
            if !self.is_damaged(&at) {
                self.note::<T>(&error, &at);
            }
            if path_to(table.get_ref(), &at).is_none() {
                return T::default();
            }
            table = Spanned::new(table.span(), self.without(table.into_inner(), &at));
        }
    }

    /// Records a problem with the value of a key; `path` holds the names of its tables and the key.
    pub(super) fn problem_of(&self, path: &[&str], why: impl fmt::Display) {
        let (first, below) = path.split_first().expect("a key");
        let value = self.table.get_ref().get(*first);
        let value = value.and_then(|value| {
            let mut below = below.iter();
            below.try_fold(value, |value, key| value.get_ref().get(*key))
        });
        let at = value.map_or(0..0, Spanned::span);
        self.problem(&at, format!("`{}`: {why}", path.join(".")));
    }

    /// Returns whether a value of the table at this place was unreadable.
    pub(super) fn is_damaged(&self, table: &Range<usize>) -> bool {
        self.damaged.borrow().contains(table)
    }

    /// Returns the tables `[[name]]`, in order.
    pub(super) fn sections<'d>(&'d self, name: &'static str) -> Vec<Section<'d>> {
        let list = self.table.get_ref().get(name);
        let items = list.and_then(|list| list.get_ref().as_array());
        let section = |item: &'d Spanned<DeValue<'a>>| {
            Some(Section {
                document: self,
                name,
                table: item.get_ref().as_table()?,
                span: item.span(),
            })
        };
        items.into_iter().flatten().filter_map(section).collect()
    }

    fn note<T: DeserializeOwned>(&self, error: &Error, at: &Range<usize>) {
        let path = path_to(self.table.get_ref(), at).unwrap_or_default();
        let message = if is_unknown_key(error.message()) {
            let mut names = names_in(error.message());
            names.retain(|name| path.len() > 1 || !is_empty_section::<T>(name));
            unknown_key_or(other_place::<T>(&path), &path, &names)
        } else {
            explained(error.message(), &path)
        };
        self.problem(at, message);
    }

    /// Returns the table without the value or the key at this place.
    fn without(&self, table: DeTable<'a>, at: &Range<usize>) -> DeTable<'a> {
        let kept = table.into_iter().filter_map(|(key, value)| {
            let is_kept = key.span() != *at;
            let value = self.value_without(value, at).filter(|_| is_kept)?;
            Some((key, value))
        });
        kept.collect()
    }

    /// Returns the value without the value at this place; `None` if nothing is left. Marks the tables around as
    /// damaged.
    fn value_without(
        &self,
        value: Spanned<DeValue<'a>>,
        at: &Range<usize>,
    ) -> Option<Spanned<DeValue<'a>>> {
        let span = value.span();
        if span == *at {
            return None;
        }
        let kept = match value.into_inner() {
            DeValue::Table(table) => {
                if path_to(&table, at).is_some() {
                    self.damaged.borrow_mut().push(span.clone());
                }
                DeValue::Table(self.without(table, at))
            }
            DeValue::Array(items) if !items.is_empty() => {
                let items = items.into_iter();
                let mut kept = DeArray::new();
                for item in items.filter_map(|item| self.value_without(item, at)) {
                    kept.push(item);
                }
                // An empty list would be reported as another problem.
                (!kept.is_empty()).then_some(DeValue::Array(kept))?
            }
            other => other,
        };
        Some(Spanned::new(span, kept))
    }
}

/// Returns the keys that lead to a place.
fn path_to<'t>(table: &'t DeTable<'_>, at: &Range<usize>) -> Option<Vec<&'t str>> {
    table.iter().find_map(|(key, value)| {
        let below = if key.span() == *at {
            Vec::new()
        } else {
            path_within(value, at)?
        };
        Some([vec![key.get_ref().as_ref()], below].concat())
    })
}

fn path_within<'t>(value: &'t Spanned<DeValue<'_>>, at: &Range<usize>) -> Option<Vec<&'t str>> {
    match value.get_ref() {
        _ if value.span() == *at => Some(Vec::new()),
        DeValue::Table(table) => path_to(table, at),
        DeValue::Array(items) => items.iter().find_map(|item| path_within(item, at)),
        _ => None,
    }
}

/// Rephrases an error of serde: with the key, and what is accepted.
pub(crate) fn explained(message: &str, path: &[&str]) -> String {
    let key = path.join(".");
    if is_unknown_key(message) {
        return unknown_key(path, &names_in(message));
    }
    let types = message.strip_prefix("invalid type: ");
    match types.and_then(|types| types.rsplit_once(", expected ")) {
        Some((found, expected)) => {
            let (expected, found) = (expected_as(expected, &key), found_as(found));
            format!("`{key}`: expected {expected}, found {found}")
        }
        None => format!("`{key}`: {message}"),
    }
}

fn is_unknown_key(message: &str) -> bool {
    message.starts_with("unknown field `")
}

/// Returns the names that serde's error lists as accepted.
fn names_in(message: &str) -> Vec<&str> {
    let (_, list) = message.rsplit_once("`, expected ").unwrap_or_default();
    list.split('`').skip(1).step_by(2).collect()
}

/// Returns the names that serde accepts in place of the empty one in `table`.
pub(super) fn accepted<T: DeserializeOwned>(table: &str) -> Vec<String> {
    let read = ValueDeserializer::parse(table).and_then(T::deserialize);
    let error = read.err().map(|error| error.message().to_owned());
    let names = error.as_deref().map(names_in).unwrap_or_default();
    names.into_iter().map(str::to_owned).collect()
}

/// Returns whether this key of a document is a section in which no key is accepted.
fn is_empty_section<T: DeserializeOwned>(name: &str) -> bool {
    let empty = ValueDeserializer::parse(&format!("{{ {name} = {{}} }}")).and_then(T::deserialize);
    empty.is_ok() && accepted::<T>(&format!("{{ {name} = {{ \"\" = 0 }} }}")).is_empty()
}

/// Returns the question for the place in a document where the last key of this path is known: at the top, or in a
/// section.
fn other_place<T: DeserializeOwned>(path: &[&str]) -> Option<String> {
    let key = *path.last()?;
    let top = accepted::<T>("{ \"\" = 0 }");
    if path.len() > 1 && top.iter().any(|name| name == key) {
        return Some(format!(", did you mean `{key}`, above the first section?"));
    }
    top.iter().find_map(|name| {
        let forms = [
            ("{ \"\" = 0 }", format!("[{name}]")),
            ("[{ \"\" = 0 }]", format!("[[{name}]]")),
        ];
        let is_in = |form: &str| {
            let known = accepted::<T>(&format!("{{ {name} = {form} }}"));
            known.iter().any(|one| one == key)
        };
        let (_, heading) = forms.into_iter().find(|(form, _)| is_in(form))?;
        Some(format!(
            ", did you mean `{name}.{key}`, in the section {heading}?"
        ))
    })
}

fn expected_as(expected: &str, key: &str) -> String {
    match expected {
        "a string" | "path string" => "a text in quotes".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "i128" => "a whole number".to_owned(),
        "a sequence" if !key.contains('.') => format!("sections [[{key}]]"),
        "a sequence" => "a list of texts in quotes".to_owned(),
        "a map" => format!("a section [{key}]"),
        table if table.starts_with("struct ") => format!("a section [{key}]"),
        other => other.to_owned(),
    }
}

fn found_as(found: &str) -> &str {
    match found.split(' ').next() {
        Some("floating") => "float",
        Some("sequence") => "array",
        Some("map") => "table",
        // The message leaves out the value, which may be a secret.
        word => word.unwrap_or_default(),
    }
}

/// Returns the message for an unknown key, with the nearest known one.
pub(crate) fn unknown_key(path: &[&str], accepted: &[&str]) -> String {
    unknown_key_or(None, path, accepted)
}

fn unknown_key_or(meant: Option<String>, path: &[&str], accepted: &[&str]) -> String {
    let key = path.last().copied().unwrap_or_default();
    let meant = meant.unwrap_or_else(|| suggestion(", ", key, accepted));
    let path = path.join(".");
    if accepted.is_empty() {
        return format!("unknown key `{path}` (no key is accepted here)");
    }
    let accepted = accepted.join(", ");
    format!("unknown key `{path}`{meant} (accepted here: {accepted})")
}

/// Returns, behind `lead`, the question for the nearest known name; an empty text if none is near.
pub(super) fn suggestion(lead: &str, name: &str, known: &[&str]) -> String {
    let meant = nearest_word(name, known).map(|meant| format!("{lead}did you mean `{meant}`?"));
    meant.unwrap_or_default()
}

/// One table of a list as it stands in the text. Other than its values, it knows the keys that are present and their
/// lines.
pub(super) struct Section<'d> {
    document: &'d Document<'d>,
    /// The prefix of keys in messages: `verifier`.
    name: &'static str,
    table: &'d DeTable<'d>,
    span: Range<usize>,
}

impl Section<'_> {
    /// Returns whether the key is present.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Returns the key with its section, as messages name it.
    pub(super) fn path(&self, key: &str) -> String {
        format!("{}.{key}", self.name)
    }

    /// Returns the line of the key; the section's line if the key is missing.
    pub(super) fn line(&self, key: &str) -> usize {
        self.document.line(&self.span_of(key))
    }

    /// Records a problem at the key; at the section if the key is missing.
    pub(super) fn problem(&self, key: &str, message: impl Into<String>) {
        self.document.problem(&self.span_of(key), message);
    }

    /// Records a problem at a place in the text.
    pub(super) fn problem_at(&self, at: &Range<usize>, message: impl Into<String>) {
        self.document.problem(at, message);
    }

    /// Records a problem with each of these keys that is present; returns whether none was.
    pub(super) fn refuse(&self, keys: &[&str], why: &str) -> bool {
        let stray: Vec<_> = keys.iter().filter(|key| self.has(key)).collect();
        for key in &stray {
            self.problem(key, format!("`{}` means nothing {why}", self.path(key)));
        }
        stray.is_empty()
    }

    fn span_of(&self, key: &str) -> Range<usize> {
        let value = self.table.get(key);
        value.map_or_else(|| self.span.clone(), Spanned::span)
    }
}
