//! The entities of a document: each that is used has to be declared, well-formed by itself, and not too long.

use std::collections::{BTreeSet, HashMap};

use xml::reader::{EventReader, XmlEvent};

use super::cursor::{is_in_name, references};
use super::dtd::{Dtd, Entity};
use super::parser::{config, trouble};
use super::references::{Marked, marked};
use super::refusal::Refusal;
use crate::domain::truncate_line;
use crate::verify::builtin::source::{Trouble, bad, cannot};

/// How long the text of entities may become, and how often an entity may stand in another.
pub(super) const MAX_BYTES: usize = 1 << 20;
const MAX_DEPTH: usize = 8;

/// Where a reference stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Spot {
    Text,
    Attribute,
}

pub(super) struct Entities {
    dtd: Dtd,
    /// Undeclared ones may be declared outside of the document.
    is_open: bool,
    /// How long each that was looked at becomes.
    known: HashMap<(String, Spot), usize>,
    total: usize,
}

impl Entities {
    pub(super) fn new(dtd: Dtd) -> Result<Self, Trouble> {
        if let Some(name) = recursive(&dtd) {
            return bad(format!(
                "not well-formed: the entity `{}` stands in itself",
                truncate_line(&name)
            ));
        }
        let in_defaults = dtd.in_defaults.clone();
        let mut entities = Self {
            is_open: dtd.is_open,
            dtd,
            known: HashMap::new(),
            total: 0,
        };
        for name in in_defaults.iter().filter(|name| !is_predefined(name)) {
            entities.refer(name, Spot::Attribute)?;
        }
        Ok(entities)
    }

    /// Notes that the document says that it stands alone: nothing is declared outside of it.
    pub(super) fn close(&mut self) {
        self.is_open = false;
    }

    /// Takes all references of a text or an attribute.
    pub(super) fn take(&mut self, text: &str, spot: Spot) -> Result<(), Trouble> {
        for name in marked(text) {
            self.refer(name, spot)?;
        }
        Ok(())
    }

    fn refer(&mut self, name: &str, spot: Spot) -> Result<(), Trouble> {
        let length = self.length(name, spot, 0)?;
        self.total = self.total.saturating_add(length);
        if self.total > MAX_BYTES {
            return cannot(format!(
                "its entities become longer than {} MiB",
                MAX_BYTES >> 20
            ));
        }
        Ok(())
    }

    /// Looks at an entity, and returns how long it becomes.
    fn length(&mut self, name: &str, spot: Spot, depth: usize) -> Result<usize, Trouble> {
        let key = (name.to_owned(), spot);
        if let Some(length) = self.known.get(&key) {
            return Ok(*length);
        }
        if depth > MAX_DEPTH {
            return cannot(format!(
                "its entities stand in one another more than {MAX_DEPTH} deep"
            ));
        }
        let shown = truncate_line(&name);
        let text = match self.dtd.entities.get(name) {
            Some(Entity::Internal(text)) => text.clone(),
            Some(Entity::External { is_parsed: true }) if spot == Spot::Text => return Ok(0),
            Some(Entity::External { .. }) => {
                return bad(format!(
                    "the entity `{shown}` is outside of the document, and may not stand here"
                ));
            }
            None if self.is_open => return Ok(0),
            None => return bad(format!("the entity `{shown}` is not declared")),
        };
        if spot == Spot::Attribute && text.contains('<') {
            return bad(format!("`<` of the entity `{shown}` in an attribute"));
        }
        let inner = match spot {
            Spot::Text => content(&text, &shown)?,
            Spot::Attribute => names(&text, Spot::Attribute)?,
        };
        let mut length = text.len();
        for (name, spot) in inner {
            length = length.saturating_add(self.length(&name, spot, depth + 1)?);
        }
        self.known.insert(key, length);
        Ok(length)
    }
}

fn is_predefined(name: &str) -> bool {
    matches!(name, "amp" | "apos" | "gt" | "lt" | "quot")
}

fn names(text: &str, spot: Spot) -> Result<Vec<(String, Spot)>, Trouble> {
    let names = references(text).map_err(|refusal| match refusal {
        Refusal::Bad(why) | Refusal::TooMuch(why) => {
            Trouble::Bad(format!("not well-formed: {why}"))
        }
    })?;
    let others = names.into_iter().filter(|name| !is_predefined(name));
    Ok(others.map(|name| (name, spot)).collect())
}

/// Reads a replacement text as the content of an element (XML 1.0 §4.3.2), and returns what it refers to.
fn content(text: &str, name: &str) -> Result<Vec<(String, Spot)>, Trouble> {
    // Prefixes are bound where the entity stands.
    let tokens = text
        .split(|c| !is_in_name(c))
        .filter_map(|token| token.split_once(':'));
    let mut prefixes: Vec<&str> = tokens.map(|(prefix, _)| prefix).collect();
    prefixes.sort_unstable();
    prefixes.dedup();
    prefixes.retain(|prefix| !prefix.is_empty() && !matches!(*prefix, "xml" | "xmlns"));
    let bound = prefixes.iter().fold(String::new(), |bound, prefix| {
        bound + &format!(" xmlns:{prefix}='urn:x'")
    });
    let document = format!("<x{bound}>{text}</x>");
    let mut reader = EventReader::new_with_config(Marked::new(document.as_bytes()), config());
    let mut inner = Vec::new();
    loop {
        match reader.next() {
            Ok(XmlEvent::EndDocument) => return Ok(inner),
            Ok(XmlEvent::Characters(text)) => {
                inner.extend(marked(&text).map(|name| (name.to_owned(), Spot::Text)));
            }
            Ok(XmlEvent::StartElement { attributes, .. }) => {
                for attribute in attributes {
                    let names = marked(&attribute.value);
                    inner.extend(names.map(|name| (name.to_owned(), Spot::Attribute)));
                }
            }
            Ok(_) => {}
            Err(error) => {
                return match trouble(&error) {
                    Trouble::Bad(why) => bad(format!("the text of the entity `{name}`: {why}")),
                    other @ Trouble::Cannot(_) => Err(other),
                };
            }
        }
    }
}

/// Returns an entity that stands in itself, by whatever way.
fn recursive(dtd: &Dtd) -> Option<String> {
    let inner = |name: &str| match dtd.entities.get(name) {
        Some(Entity::Internal(text)) => references(text).unwrap_or_default(),
        _ => Vec::new(),
    };
    // `true`: all of it has been looked at.
    let mut seen: HashMap<String, bool> = HashMap::new();
    let mut names: Vec<_> = dtd.entities.keys().collect();
    names.sort_unstable();
    for name in names {
        let mut stack = vec![(name.clone(), false)];
        while let Some((name, is_done)) = stack.pop() {
            if is_done {
                seen.insert(name, true);
                continue;
            }
            match seen.get(&name) {
                Some(true) => continue,
                Some(false) => return Some(name),
                None => {}
            }
            let inner = inner(&name);
            seen.insert(name.clone(), false);
            stack.push((name, true));
            // One that is listed twice is looked at once.
            let inner: BTreeSet<String> = inner.into_iter().collect();
            stack.extend(inner.into_iter().map(|name| (name, false)));
        }
    }
    None
}
