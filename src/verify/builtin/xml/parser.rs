//! What the parser is to do, and what it says.

use xml::Encoding;
use xml::common::{Position as _, TextPosition};
use xml::reader::{Error, ErrorKind, ParserConfig};

use crate::domain::truncate_line;
use crate::verify::builtin::source::{Damage, Trouble};

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
        ErrorKind::Syntax(why) => truncate_line(why),
        ErrorKind::Utf8(error) => truncate_line(error),
        ErrorKind::UnexpectedEof => "unexpected end".to_owned(),
        other => truncate_line(&format!("{other:?}")),
    };
    Trouble::Bad(format!("{place}: {why}"))
}

/// Prints a place as people count, from 1.
pub(super) fn place(position: TextPosition) -> String {
    format!("line {} column {}", position.row + 1, position.column + 1)
}
