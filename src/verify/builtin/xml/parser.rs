//! Configuration of the XML parser, and translation of its errors.

use xml::Encoding;
use xml::common::{Position as _, TextPosition};
use xml::reader::{Error, ErrorKind, ParserConfig};

use crate::domain::truncate_line;
use crate::verify::builtin::input::{Damage, RuleFailure};

/// Longest text, attribute and name; and most attributes of an element.
const MAX_TEXT_BYTES: usize = 64 << 20;
const MAX_ATTRIBUTE_BYTES: usize = 16 << 20;
const MAX_NAME_BYTES: usize = 64 << 10;
const MAX_ATTRIBUTES: usize = 4_096;
/// The parser's message for a document beyond these limits; the error has no kind of its own.
const TOO_LARGE: &str = "This document is larger/more complex than allowed";

/// Configures the parser for a stream of UTF-8, whatever encoding the document declares.
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

/// Translates a parser's error: the document is bad, or cannot be judged.
pub(super) fn failure_of(error: &Error) -> RuleFailure {
    let place = place(error.position());
    let why = match error.kind() {
        ErrorKind::Io(error) => {
            let damage = error.get_ref().and_then(|error| error.downcast_ref());
            return match damage {
                Some(Damage(why)) => RuleFailure::Bad(why.clone()),
                None => std::io::Error::new(error.kind(), error.to_string()).into(),
            };
        }
        ErrorKind::Syntax(why) if why.starts_with(TOO_LARGE) => {
            return RuleFailure::Cannot(format!(
                "{place}: a text, a name or an element's attributes are too long"
            ));
        }
        ErrorKind::Syntax(why) => truncate_line(why),
        ErrorKind::Utf8(error) => truncate_line(error),
        ErrorKind::UnexpectedEof => "unexpected end".to_owned(),
        other => truncate_line(&format!("{other:?}")),
    };
    RuleFailure::Bad(format!("{place}: {why}"))
}

/// Prints a position, counted from 1.
pub(super) fn place(position: TextPosition) -> String {
    format!("line {} column {}", position.row + 1, position.column + 1)
}
