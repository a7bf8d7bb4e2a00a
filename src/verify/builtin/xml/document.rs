//! The document itself, by the parser; what the parser does not look at is looked at around it.

use std::io::BufReader;

use xml::Encoding;
use xml::common::{Position as _, TextPosition};
use xml::reader::{Error, ErrorKind, EventReader, ParserConfig, XmlEvent};

use super::encoding::Characters;
use super::entities::{Entities, Spot};
use super::prolog;
use super::references::Marked;
use crate::domain::in_short;
use crate::verify::builtin::source::{Damage, Finding, PIECE_BYTES, Source, Trouble, cannot};

/// How deep elements may be in one another.
const MAX_DEPTH: usize = 1_000;
/// How long one text, one attribute and one name may be, and how many attributes an element may have.
const MAX_TEXT_BYTES: usize = 64 << 20;
const MAX_ATTRIBUTE_BYTES: usize = 16 << 20;
const MAX_NAME_BYTES: usize = 64 << 10;
const MAX_ATTRIBUTES: usize = 4_096;
/// What the parser says of a document beyond these; it has no kind of its own.
const TOO_LARGE: &str = "This document is larger/more complex than allowed";

/// What the parser is to do, of a stream that is UTF-8 whatever the document says.
pub(super) fn config() -> ParserConfig {
    ParserConfig::new()
        .ignore_comments(true)
        .allow_multiple_root_elements(false)
        .override_encoding(Some(Encoding::Utf8))
        .ignore_invalid_encoding_declarations(true)
        .max_data_length(MAX_TEXT_BYTES)
        .max_attribute_length(MAX_ATTRIBUTE_BYTES)
        .max_name_length(MAX_NAME_BYTES)
        .max_attributes(MAX_ATTRIBUTES)
}

/// One well-formed document.
pub(in crate::verify::builtin) fn judge(source: Source) -> Finding {
    let characters = Characters::new(source).map_err(not_well_formed)?;
    let (dtd, stream) = prolog::part(characters).map_err(not_well_formed)?;
    let mut entities = Entities::new(dtd).map_err(not_well_formed)?;
    let buffered = BufReader::with_capacity(PIECE_BYTES, Marked::new(stream));
    let mut reader = EventReader::new_with_config(buffered, config());
    let mut depth = 0;
    let mut elements: u64 = 0;
    loop {
        let event = reader
            .next()
            .map_err(|error| trouble(&error))
            .map_err(not_well_formed)?;
        let here = place(reader.position());
        let at_place = |trouble| match trouble {
            Trouble::Bad(why) => not_well_formed(Trouble::Bad(format!("{here}: {why}"))),
            other @ Trouble::Cannot(_) => other,
        };
        match event {
            XmlEvent::StartDocument {
                standalone: Some(true),
                ..
            } => entities.close(),
            XmlEvent::StartElement { attributes, .. } => {
                depth += 1;
                elements += 1;
                if depth > MAX_DEPTH {
                    return cannot(format!("{here}: elements are more than {MAX_DEPTH} deep"));
                }
                for attribute in attributes {
                    let taken = entities.take(&attribute.value, Spot::Attribute);
                    taken.map_err(at_place)?;
                }
            }
            XmlEvent::EndElement { .. } => depth -= 1,
            XmlEvent::Characters(text) => entities.take(&text, Spot::Text).map_err(at_place)?,
            // The one that may be there was read before, and is blank.
            XmlEvent::Doctype { .. } => {
                let why = "a document type declaration where none may be";
                return Err(at_place(Trouble::Bad(why.to_owned())));
            }
            XmlEvent::EndDocument => return Ok(format!("well-formed XML, {elements} elements")),
            _ => {}
        }
    }
}

/// Says first what the rule is about.
fn not_well_formed(trouble: Trouble) -> Trouble {
    match trouble {
        Trouble::Bad(why) if !why.starts_with("not well-formed") => {
            Trouble::Bad(format!("not well-formed: {why}"))
        }
        other => other,
    }
}

/// Turns what the parser says into what it means for the document.
pub(super) fn trouble(error: &Error) -> Trouble {
    let place = place(error.position());
    let why = match error.kind() {
        ErrorKind::Io(error) => {
            let damage = error.get_ref().and_then(|error| error.downcast_ref());
            return match damage {
                Some(Damage(why)) => Trouble::Bad(why.clone()),
                None => std::io::Error::new(error.kind(), error.to_string()).into(),
            };
        }
        ErrorKind::Syntax(why) if why.starts_with(TOO_LARGE) => {
            return Trouble::Cannot(format!(
                "{place}: a text, a name or an element's attributes are too long"
            ));
        }
        ErrorKind::Syntax(why) => in_short(why),
        ErrorKind::Utf8(error) => in_short(error),
        ErrorKind::UnexpectedEof => "unexpected end".to_owned(),
        other => in_short(&format!("{other:?}")),
    };
    Trouble::Bad(format!("{place}: {why}"))
}

/// Prints a place as people count, from 1.
fn place(position: TextPosition) -> String {
    format!("line {} column {}", position.row + 1, position.column + 1)
}
