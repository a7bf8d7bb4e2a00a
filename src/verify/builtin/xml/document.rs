//! The document itself, by the parser; what the parser does not look at is looked at around it.

use std::io::BufReader;

use xml::common::Position as _;
use xml::reader::{EventReader, XmlEvent};

use super::encoding::Characters;
use super::entities::{Entities, Spot};
use super::parser::{config, place, trouble};
use super::prolog;
use super::references::Marked;
use crate::verify::builtin::source::{Finding, PIECE_BYTES, Source, Trouble, cannot};

/// How deep elements may be in one another.
const MAX_DEPTH: usize = 1_000;

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
