//! The document type declaration: its internal part, checked as strictly as the rest (XML 1.0 §2.8, §3.2, §3.3,
//! §4.2, §4.7).
//!
//! Never reads anything outside of the document.

use std::collections::HashMap;

use super::cursor::Cursor;
use super::refusal::{Parsed, Refusal, wrong};

/// Deepest nesting of parameter entities; and most bytes of their text, all expansions together.
const MAX_DEPTH: usize = 16;
const MAX_READ_BYTES: usize = 1 << 20;

/// A general entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entity {
    /// The replacement text.
    Internal(String),
    /// An entity outside of the document.
    External { is_parsed: bool },
}

/// The declarations of a document type declaration.
#[derive(Debug, Default)]
pub(super) struct Dtd {
    pub(super) entities: HashMap<String, Entity>,
    /// Parameter entities; `None` for those outside of the document.
    parameters: HashMap<String, Option<String>>,
    /// Set when more may be declared outside of the document.
    pub(super) is_open: bool,
    /// Entities that default values of attributes refer to.
    pub(super) in_defaults: Vec<String>,
    read_bytes: usize,
}

impl Dtd {
    /// Reads the text between `<!DOCTYPE` and its `>`.
    pub(super) fn read(text: &str) -> Parsed<Self> {
        let mut dtd = Self::default();
        let mut at = Cursor::new(text);
        at.space()?;
        at.name()?;
        if at.skip_space() && (at.is_at("SYSTEM") || at.is_at("PUBLIC")) {
            at.external_id(false)?;
            dtd.is_open = true;
            at.skip_space();
        }
        if at.take("[") {
            let Some(end) = at.rest().rfind(']') else {
                return wrong("a document type declaration without an end");
            };
            let (inner, behind) = at.rest().split_at(end);
            dtd.declarations(inner, 0)?;
            at = Cursor::new(&behind[1..]);
            at.skip_space();
        }
        if at.rest().is_empty() {
            Ok(dtd)
        } else {
            at.unexpected("the end of the document type declaration")
        }
    }

    fn declarations(&mut self, text: &str, depth: usize) -> Parsed<()> {
        self.read_bytes += text.len();
        if depth > MAX_DEPTH || self.read_bytes > MAX_READ_BYTES {
            return Err(Refusal::TooMuch(
                "its declarations unfold too far".to_owned(),
            ));
        }
        let mut at = Cursor::new(text);
        loop {
            at.skip_space();
            if at.rest().is_empty() {
                return Ok(());
            }
            if at.take("<!--") {
                at.comment()?;
            } else if at.take("<?") {
                at.instruction()?;
            } else if at.take("%") {
                let name = at.name()?;
                at.expect(";")?;
                self.parameter(&name, depth)?;
            } else if at.take("<!ELEMENT") {
                at.element()?;
            } else if at.take("<!ATTLIST") {
                at.attributes(&mut self.in_defaults)?;
            } else if at.take("<!ENTITY") {
                self.entity(&mut at)?;
            } else if at.take("<!NOTATION") {
                at.notation()?;
            } else {
                return at.unexpected("a declaration");
            }
        }
    }

    fn parameter(&mut self, name: &str, depth: usize) -> Parsed<()> {
        match self.parameters.get(name).cloned() {
            Some(Some(_)) if depth >= MAX_DEPTH => {
                wrong(format!("the parameter entity `{name}` stands in itself"))
            }
            Some(Some(text)) => {
                // From here on, an entity may be declared elsewhere (§4.1, WFC: Entity Declared).
                self.is_open = true;
                self.declarations(&text, depth + 1)
            }
            Some(None) => {
                self.is_open = true;
                Ok(())
            }
            None if self.is_open => Ok(()),
            None => wrong(format!("the parameter entity `{name}` is not declared")),
        }
    }

    fn entity(&mut self, at: &mut Cursor<'_>) -> Parsed<()> {
        at.space()?;
        let is_parameter = at.take("%");
        if is_parameter {
            at.space()?;
        }
        let name = at.name()?;
        at.space()?;
        let entity = if at.is_at("SYSTEM") || at.is_at("PUBLIC") {
            at.external_id(false)?;
            let had_space = at.skip_space();
            let is_parsed = is_parameter || !at.take("NDATA");
            if !is_parsed {
                if !had_space {
                    return at.unexpected("a blank");
                }
                at.space()?;
                at.name()?;
            }
            Entity::External { is_parsed }
        } else {
            Entity::Internal(at.entity_value()?)
        };
        at.skip_space();
        at.expect(">")?;
        // The first declaration counts (XML 1.0 §4.2).
        if is_parameter {
            let text = match entity {
                Entity::Internal(text) => Some(text),
                Entity::External { .. } => None,
            };
            self.parameters.entry(name).or_insert(text);
        } else {
            self.entities.entry(name).or_insert(entity);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_formed_declarations_are_read() {
        for good in [
            " a",
            " a SYSTEM 'x.dtd'",
            " a PUBLIC \"-//W3C//DTD XHTML 1.0//EN\" \"x.dtd\" [ ]",
            " a [<!ELEMENT a EMPTY><!ELEMENT b ANY><!ELEMENT c (#PCDATA)><!ELEMENT d (#PCDATA | a|b )*>]",
            " a [<!ELEMENT a (b, (c | d)*, e+, f?)><!ELEMENT b ((c))>]",
            " a [<!ATTLIST a b CDATA #IMPLIED c (x|y) 'x' d NOTATION (n) #REQUIRED e ID #FIXED \"1\"><!ATTLIST a>]",
            " a [<!ENTITY e 'x'><!ENTITY % p \"<!ENTITY f '1'>\"> %p; <!ENTITY g SYSTEM 'x' NDATA n>]",
            " a [<!NOTATION n PUBLIC 'x'><!NOTATION m SYSTEM \"y\"><!-- c --><?pi x?>]  ",
            " a [<!ENTITY e '&#38;#60; &f; &amp;'>]",
        ] {
            assert!(Dtd::read(good).is_ok(), "{good}: {:?}", Dtd::read(good));
        }
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        for bad in [
            "a",
            " ",
            " a b",
            " a SYSTEM",
            " a PUBLIC 'x'",
            " a PUBLIC 'ä' 'x'",
            " a [<!ELEMENT a junk>]",
            " a [<!ELEMENT a>]",
            " a [<!ELEMENT a (b,c|d)>]",
            " a [<!ELEMENT a (b]",
            " a [<!ELEMENT a ()>]",
            " a [<!ELEMENT a (#PCDATA|b)>]",
            " a [<!ELEMENT a (b,#PCDATA)>]",
            " a [<!ELEMENT a(b)>]",
            " a [<!ELEMENT a (b) junk>]",
            " a [<!ATTLIST a b>]",
            " a [<!ATTLIST a b CDATA>]",
            " a [<!ATTLIST a b JUNK #IMPLIED>]",
            " a [<!ATTLIST a b CDATA '<'>]",
            " a [<!ATTLIST a b CDATA #FIXED>]",
            " a [<!ATTLIST a b (x,y) 'x'>]",
            " a [<!ENTITY e x>]",
            " a [<!ENTITY e 'x]",
            " a [<!ENTITY e '&'>]",
            " a [<!ENTITY e '&f'>]",
            " a [<!ENTITY e '&#0;'>]",
            " a [<!ENTITY e '%p;'>]",
            " a [<!ENTITY % p 'x'> <!ELEMENT a %p;>]",
            " a [<!ENTITY % p 'x'> %p;]",
            " a [%p;]",
            " a [<!ENTITY % p '&#37;p;'> %p;]",
            " a [<!NOTATION n>]",
            " a [<!-- a -- b -->]",
            " a [<?xml version='1.0'?>]",
            " a [<![INCLUDE[<!ELEMENT a ANY>]]>]",
            " a [text]",
            " a [<!JUNK a>]",
            " a [] b",
        ] {
            assert!(Dtd::read(bad).is_err(), "{bad}");
        }
    }
}
