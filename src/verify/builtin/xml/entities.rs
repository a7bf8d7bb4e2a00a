//! The entities of a document: each one in use must be declared, well-formed and not too long.

use std::collections::{BTreeSet, HashMap};

use xml::reader::{EventReader, XmlEvent};

use super::cursor::{is_in_name, references};
use super::dtd::{Dtd, Entity};
use super::parser::{config, failure_of};
use super::references::{Marked, marked};
use super::refusal::Refusal;
use crate::domain::truncate_line;
use crate::verify::builtin::input::{RuleFailure, bad, cannot};

/// Most bytes of all expanded entities, and deepest nesting of entities.
pub(super) const MAX_BYTES: usize = 1 << 20;
const MAX_DEPTH: usize = 8;

/// Place of a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum ReferencePlace {
    Text,
    Attribute,
}

pub(super) struct Entities {
    dtd: Dtd,
    /// Set when undeclared entities may be declared outside of the document.
    is_open: bool,
    /// Expanded length of the entities that were checked.
    known: HashMap<(String, ReferencePlace), usize>,
    total: usize,
}

impl Entities {
    pub(super) fn new(dtd: Dtd) -> Result<Self, RuleFailure> {
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
            entities.refer(name, ReferencePlace::Attribute)?;
        }
        Ok(entities)
    }

    /// Begins a document, which may state that nothing is declared outside of it (`standalone`).
    pub(super) fn begin(&mut self, standalone: Option<bool>) {
        self.is_open &= standalone != Some(true);
    }

    /// Checks all references of a text or an attribute.
    pub(super) fn take(&mut self, text: &str, place: ReferencePlace) -> Result<(), RuleFailure> {
        for name in marked(text) {
            self.refer(name, place)?;
        }
        Ok(())
    }

    fn refer(&mut self, name: &str, place: ReferencePlace) -> Result<(), RuleFailure> {
        let length = self.length(name, place, 0)?;
        self.total = self.total.saturating_add(length);
        if self.total > MAX_BYTES {
            return cannot(format!(
                "its entities become longer than {} MiB",
                MAX_BYTES >> 20
            ));
        }
        Ok(())
    }

    /// Checks an entity, and returns its expanded length.
    fn length(
        &mut self,
        name: &str,
        place: ReferencePlace,
        depth: usize,
    ) -> Result<usize, RuleFailure> {
        let key = (name.to_owned(), place);
        if let Some(length) = self.known.get(&key) {
            return Ok(*length);
        }
        if depth > MAX_DEPTH {
            return cannot(format!(
                "its entities stand in one another more than {MAX_DEPTH} deep"
            ));
        }
        let shown = truncate_line(&name);
        let Some(text) = self.replacement(name, &shown, place)? else {
            return Ok(0);
        };
        if place == ReferencePlace::Attribute && text.contains('<') {
            return bad(format!("`<` of the entity `{shown}` in an attribute"));
        }
        let inner = match place {
            ReferencePlace::Text => content(&text, &shown)?,
            ReferencePlace::Attribute => names(&text, ReferencePlace::Attribute)?,
        };
        let mut length = text.len();
        for (name, place) in inner {
            length = length.saturating_add(self.length(&name, place, depth + 1)?);
        }
        self.known.insert(key, length);
        Ok(length)
    }

    /// Returns the replacement text of an entity; `None` for one that is not read here.
    fn replacement(
        &self,
        name: &str,
        shown: &str,
        place: ReferencePlace,
    ) -> Result<Option<String>, RuleFailure> {
        match self.dtd.entities.get(name) {
            Some(Entity::Internal(text)) => Ok(Some(text.clone())),
            Some(Entity::External { is_parsed: true }) if place == ReferencePlace::Text => Ok(None),
            Some(Entity::External { .. }) => bad(format!(
                "the entity `{shown}` is outside of the document, and may not stand here"
            )),
            None if self.is_open => Ok(None),
            None => bad(format!("the entity `{shown}` is not declared")),
        }
    }
}

fn is_predefined(name: &str) -> bool {
    matches!(name, "amp" | "apos" | "gt" | "lt" | "quot")
}

fn names(text: &str, place: ReferencePlace) -> Result<Vec<(String, ReferencePlace)>, RuleFailure> {
    let names = references(text).map_err(|refusal| match refusal {
        Refusal::Bad(why) | Refusal::TooMuch(why) => {
            RuleFailure::Bad(format!("not well-formed: {why}"))
        }
    })?;
    let others = names.into_iter().filter(|name| !is_predefined(name));
    Ok(others.map(|name| (name, place)).collect())
}

/// Checks a replacement text as the content of an element (XML 1.0 §4.3.2), and returns its references.
fn content(text: &str, name: &str) -> Result<Vec<(String, ReferencePlace)>, RuleFailure> {
    // Namespace prefixes are bound at the place of the reference.
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
                inner.extend(marked(&text).map(|name| (name.to_owned(), ReferencePlace::Text)));
            }
            Ok(XmlEvent::StartElement { attributes, .. }) => {
                for attribute in attributes {
                    let names = marked(&attribute.value);
                    inner.extend(names.map(|name| (name.to_owned(), ReferencePlace::Attribute)));
                }
            }
            Ok(_) => {}
            Err(error) => {
                return match failure_of(&error) {
                    RuleFailure::Bad(why) => bad(format!("the text of the entity `{name}`: {why}")),
                    other @ RuleFailure::Cannot(_) => Err(other),
                };
            }
        }
    }
}

/// Returns an entity that contains itself, directly or through others.
fn recursive(dtd: &Dtd) -> Option<String> {
    let inner = |name: &str| match dtd.entities.get(name) {
        Some(Entity::Internal(text)) => references(text).unwrap_or_default(),
        _ => Vec::new(),
    };
    // `true`: checked completely.
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
            // A repeated reference is checked once.
            let inner: BTreeSet<String> = inner.into_iter().collect();
            stack.extend(inner.into_iter().map(|name| (name, false)));
        }
    }
    None
}
