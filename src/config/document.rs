//! Walks a TOML document key by key, remembers which keys were asked for, and notes every problem with its line.
//!
//! Never decides what a value means beyond its type; never stops at the first problem.

use std::cell::RefCell;
use std::ops::{Range, RangeInclusive};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Problem;

/// How far a misspelt key may be from the one that was meant: insertions, deletions, changes and swaps.
const MAX_TYPOS: usize = 3;

/// The text of a document and the problems that were found in it.
pub(super) struct Document<'a> {
    text: &'a str,
    problems: RefCell<Vec<Problem>>,
}

impl<'a> Document<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            problems: RefCell::default(),
        }
    }

    /// Notes a problem at a place in the text.
    pub(super) fn problem(&self, at: &Range<usize>, message: impl Into<String>) {
        let line = self.line(at);
        self.problems.borrow_mut().push(Problem {
            line,
            message: message.into(),
        });
    }

    /// Returns the line, from 1, on which a place in the text begins.
    pub(super) fn line(&self, at: &Range<usize>) -> usize {
        let before = self.text.len().min(at.start);
        let lines = self.text.as_bytes()[..before].split(|byte| *byte == b'\n');
        lines.count()
    }

    /// Returns all problems, by line.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| problem.line);
        problems
    }
}

/// One table of the document.
pub(super) struct Section<'a> {
    document: &'a Document<'a>,
    /// What goes before a key in messages: empty, `fetch.`, `verifier.`.
    prefix: String,
    table: &'a DeTable<'a>,
    span: Range<usize>,
    known: Vec<&'static str>,
    /// Its keys are the operator's to choose.
    is_open: bool,
}

/// A value and where it stands.
#[derive(Clone)]
pub(super) struct Field<T> {
    pub(super) value: T,
    pub(super) span: Range<usize>,
}

impl<'a> Section<'a> {
    /// Returns the whole document as a section.
    pub(super) fn root(document: &'a Document<'a>, table: &'a Spanned<DeTable<'a>>) -> Self {
        Self::new(document, String::new(), table.get_ref(), table.span())
    }

    fn new(
        document: &'a Document<'a>,
        prefix: String,
        table: &'a DeTable<'a>,
        span: Range<usize>,
    ) -> Self {
        Self {
            document,
            prefix,
            table,
            span,
            known: Vec::new(),
            is_open: false,
        }
    }

    /// Returns where the section begins.
    pub(super) fn span(&self) -> &Range<usize> {
        &self.span
    }

    /// Returns a key as messages name it, with its section.
    pub(super) fn path(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// Notes a problem with the section as a whole, or with one of its values.
    pub(super) fn problem(&self, at: &Range<usize>, message: impl Into<String>) {
        self.document.problem(at, message);
    }

    /// Returns the line of a place in the text.
    pub(super) fn line(&self, at: &Range<usize>) -> usize {
        self.document.line(at)
    }

    /// Tells whether the key is there, without taking its value.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.iter().any(|(name, _)| name.get_ref() == key)
    }

    /// Notes a problem with each of these keys that is there; tells whether none was.
    pub(super) fn refuse(&self, keys: &[&str], why: &str) -> bool {
        let mut fine = true;
        for key in keys.iter().filter(|key| self.has(key)) {
            let message = format!("`{}{key}` means nothing {why}", self.prefix);
            self.problem(&self.span, message);
            fine = false;
        }
        fine
    }

    /// Reads a text.
    pub(super) fn text(&mut self, key: &'static str) -> Option<Field<&'a str>> {
        self.read(key, "a text in quotes", |value| {
            value.as_str().ok_or_else(String::new)
        })
    }

    /// Reads a text that `parse` understands.
    pub(super) fn parsed<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<Field<T>> {
        self.read(key, "a text in quotes", |value| {
            parse(value.as_str().ok_or_else(String::new)?)
        })
    }

    /// Reads `true` or `false`.
    pub(super) fn switch(&mut self, key: &'static str) -> Option<bool> {
        self.read(key, "true or false", |value| {
            value.as_bool().ok_or_else(String::new)
        })
        .map(|field| field.value)
    }

    /// Reads a whole number within bounds.
    pub(super) fn number(&mut self, key: &'static str, bounds: RangeInclusive<u32>) -> Option<u32> {
        let (least, most) = (*bounds.start(), *bounds.end());
        self.read(key, "a whole number", |value| {
            integer(value)?
                .filter(|number| bounds.contains(number))
                .ok_or_else(|| format!("expected a whole number from {least} to {most}"))
        })
        .map(|field| field.value)
    }

    /// Reads a list of texts.
    pub(super) fn texts(&mut self, key: &'static str) -> Option<Field<Vec<Field<&'a str>>>> {
        self.list(key, "a list of texts in quotes", |value| value.as_str())
    }

    /// Reads a list of whole numbers; one that is negative or beyond 32 bits reads as `None`.
    pub(super) fn numbers(&mut self, key: &'static str) -> Option<Field<Vec<Field<Option<u32>>>>> {
        self.list(key, "a list of whole numbers", |value| integer(value).ok())
    }

    fn list<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        item: impl Fn(&'a DeValue<'a>) -> Option<T>,
    ) -> Option<Field<Vec<Field<T>>>> {
        self.read(key, expected, |value| {
            let items = value.as_array().ok_or_else(String::new)?;
            items
                .iter()
                .map(|spanned| {
                    let value = item(spanned.get_ref())?;
                    Some(Field {
                        value,
                        span: spanned.span(),
                    })
                })
                .collect::<Option<Vec<_>>>()
                .ok_or_else(String::new)
        })
    }

    /// Returns the section `[key]`, when it is there.
    pub(super) fn section(&mut self, key: &'static str) -> Option<Section<'a>> {
        let table = self.read(key, &format!("a section [{key}]"), |value| {
            value.as_table().ok_or_else(String::new)
        })?;
        Some(Section::new(
            self.document,
            format!("{}{key}.", self.prefix),
            table.value,
            table.span,
        ))
    }

    /// Returns the sections `[[key]]`, in order.
    pub(super) fn sections(&mut self, key: &'static str) -> Vec<Section<'a>> {
        let found = self.list(key, &format!("sections [[{key}]]"), |value| {
            value.as_table()
        });
        found
            .map(|found| found.value)
            .unwrap_or_default()
            .into_iter()
            .map(|item| Section::new(self.document, format!("{key}."), item.value, item.span))
            .collect()
    }

    /// Reads a section whose keys are names: each has a text or a list of texts. Returns them by line.
    pub(super) fn named_texts(&mut self) -> Vec<(Field<&'a str>, Vec<&'a str>)> {
        self.is_open = true;
        let mut found = Vec::new();
        for (name, spanned) in self.table {
            let value = spanned.get_ref();
            let texts = match value.as_array() {
                Some(items) => items.iter().map(|item| item.get_ref().as_str()).collect(),
                None => value.as_str().map(|text| vec![text]),
            };
            match texts {
                Some(texts) => found.push((
                    Field {
                        value: name.get_ref().as_ref(),
                        span: name.span(),
                    },
                    texts,
                )),
                None => self.problem(
                    &spanned.span(),
                    format!(
                        "`{}{}`: expected a text in quotes or a list of them",
                        self.prefix,
                        name.get_ref()
                    ),
                ),
            }
        }
        found.sort_by_key(|(name, _)| name.span.start);
        found
    }

    /// Finds a key and reads its value; notes a problem when `read` refuses. An empty refusal means the wrong type.
    fn read<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl FnOnce(&'a DeValue<'a>) -> Result<T, String>,
    ) -> Option<Field<T>> {
        self.known.push(key);
        let (_, spanned) = self.table.iter().find(|(name, _)| name.get_ref() == key)?;
        match read(spanned.get_ref()) {
            Ok(value) => Some(Field {
                value,
                span: spanned.span(),
            }),
            Err(message) => {
                let message = if message.is_empty() {
                    format!(
                        "expected {expected}, found {}",
                        spanned.get_ref().type_str()
                    )
                } else {
                    message
                };
                let key = self.path(key);
                self.problem(&spanned.span(), format!("`{key}`: {message}"));
                None
            }
        }
    }

    /// Notes every key that was never asked for, with the nearest that was.
    pub(super) fn finish(self) {
        if self.is_open {
            return;
        }
        for name in self.table.keys() {
            let key = name.get_ref().as_ref();
            if self.known.contains(&key) {
                continue;
            }
            let meant = nearest(key, &self.known)
                .map(|meant| format!(", did you mean `{meant}`?"))
                .unwrap_or_default();
            let accepted = self.known.join(", ");
            let message = format!(
                "unknown key `{}{key}`{meant} (accepted here: {accepted})",
                self.prefix
            );
            self.problem(&name.span(), message);
        }
    }
}

/// Reads a whole number: `Err` for another type, `None` for one that is negative or beyond 32 bits.
fn integer(value: &DeValue<'_>) -> Result<Option<u32>, String> {
    let number = value.as_integer().ok_or_else(String::new)?;
    Ok(u32::from_str_radix(number.as_str(), number.radix()).ok())
}

fn nearest(key: &str, known: &[&'static str]) -> Option<&'static str> {
    known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(key, name), *name))
        .filter(|(typos, name)| *typos <= MAX_TYPOS.min(name.len() / 2))
        .min()
        .map(|(_, name)| name)
}
