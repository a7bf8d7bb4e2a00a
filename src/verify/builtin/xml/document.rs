//! The document itself: the parser's checks, and around them the checks that the parser lacks.

use std::io::BufReader;

use xml::common::Position as _;
use xml::reader::{EventReader, XmlEvent};

use super::encoding::Characters;
use super::entities::{Entities, ReferencePlace};
use super::parser::{config, failure_of, place};
use super::prolog;
use super::references::Marked;
use crate::verify::builtin::input::{Input, PIECE_BYTES, RuleFailure, RuleResult, bad, cannot};

/// Deepest nesting of elements.
const MAX_DEPTH: usize = 1_000;

/// Passes one well-formed document.
pub(in crate::verify::builtin) fn judge(input: Input) -> RuleResult {
    let characters = Characters::new(input).map_err(not_well_formed)?;
    let (dtd, stream) = prolog::split_prolog(characters).map_err(not_well_formed)?;
    let mut entities = Entities::new(dtd).map_err(not_well_formed)?;
    let buffered = BufReader::with_capacity(PIECE_BYTES, Marked::new(stream));
    let mut reader = EventReader::new_with_config(buffered, config());
    let (mut depth, mut elements) = (0, 0_u64);
    loop {
        let event = reader.next();
        let event = event.map_err(|error| not_well_formed(failure_of(&error)))?;
        let here = place(reader.position());
        let at_place = |failure| not_well_formed_at(&here, failure);
        match event {
            XmlEvent::StartDocument { standalone, .. } => entities.begin(standalone),
            XmlEvent::StartElement { attributes, .. } => {
                depth += 1;
                elements += 1;
                if depth > MAX_DEPTH {
                    return cannot(format!("{here}: elements are more than {MAX_DEPTH} deep"));
                }
                let mut values = attributes.iter().map(|one| &one.value);
                let place = ReferencePlace::Attribute;
                let taken = values.try_for_each(|value| entities.take(value, place));
                taken.map_err(at_place)?;
            }
            XmlEvent::EndElement { .. } => depth -= 1,
            XmlEvent::Characters(text) => entities
                .take(&text, ReferencePlace::Text)
                .map_err(at_place)?,
            // The declaration before the root was read by `prolog`, and is blank here.
            XmlEvent::Doctype { .. } => {
                return bad("a document type declaration where none may be").map_err(at_place);
            }
            XmlEvent::EndDocument => return Ok(format!("well-formed XML, {elements} elements")),
            _ => {}
        }
    }
}

/// Begins a failure with `not well-formed` and the place.
fn not_well_formed_at(here: &str, failure: RuleFailure) -> RuleFailure {
    match failure {
        RuleFailure::Bad(why) => not_well_formed(RuleFailure::Bad(format!("{here}: {why}"))),
        other @ RuleFailure::Cannot(_) => other,
    }
}

/// Begins a failure with `not well-formed`.
fn not_well_formed(failure: RuleFailure) -> RuleFailure {
    match failure {
        RuleFailure::Bad(why) if !why.starts_with("not well-formed") => {
            RuleFailure::Bad(format!("not well-formed: {why}"))
        }
        other => other,
    }
}
