//! `xml`: one well-formed document (XML 1.0, with namespaces). Never reads an external entity.

use std::io::{self, BufReader};

use xml::common::{Position as _, TextPosition};
use xml::reader::{Error, ErrorKind, EventReader, ParserConfig, XmlEvent};

use super::source::{Finding, PIECE_BYTES, Source, Trouble, cannot};
use crate::domain::in_short;

/// How deep elements may be in one another.
const MAX_DEPTH: usize = 1_000;
/// How long the text of entities may become, and how often an entity may stand in another.
const MAX_ENTITY_BYTES: usize = 1 << 20;
const MAX_ENTITY_DEPTH: u8 = 8;
/// How long one text, one attribute and one name may be, and how many attributes an element may have.
const MAX_TEXT_BYTES: usize = 64 << 20;
const MAX_ATTRIBUTE_BYTES: usize = 16 << 20;
const MAX_NAME_BYTES: usize = 64 << 10;
const MAX_ATTRIBUTES: usize = 4_096;
/// What the parser says of a document beyond these; it has no kind of its own.
const TOO_LARGE: &str = "This document is larger/more complex than allowed";

/// One well-formed document.
pub(super) fn judge(source: Source) -> Finding {
    let config = ParserConfig::new()
        .ignore_comments(true)
        .allow_multiple_root_elements(false)
        .max_entity_expansion_length(MAX_ENTITY_BYTES)
        .max_entity_expansion_depth(MAX_ENTITY_DEPTH)
        .max_data_length(MAX_TEXT_BYTES)
        .max_attribute_length(MAX_ATTRIBUTE_BYTES)
        .max_name_length(MAX_NAME_BYTES)
        .max_attributes(MAX_ATTRIBUTES);
    let buffered = BufReader::with_capacity(PIECE_BYTES, source);
    let mut reader = EventReader::new_with_config(buffered, config);
    let mut depth = 0;
    let mut elements: u64 = 0;
    loop {
        match reader.next() {
            Ok(XmlEvent::StartElement { .. }) => {
                depth += 1;
                elements += 1;
                if depth > MAX_DEPTH {
                    let place = place(reader.position());
                    return cannot(format!("{place}: elements are more than {MAX_DEPTH} deep"));
                }
            }
            Ok(XmlEvent::EndElement { .. }) => depth -= 1,
            Ok(XmlEvent::EndDocument) => {
                return Ok(format!("well-formed XML, {elements} elements"));
            }
            Ok(_) => {}
            Err(error) => return Err(trouble(&error, reader.source().get_ref().is_broken())),
        }
    }
}

/// `unread`: the bytes did not come, so that nothing can be said of them.
fn trouble(error: &Error, unread: bool) -> Trouble {
    let place = place(error.position());
    let why = match error.kind() {
        ErrorKind::Io(error) if unread => {
            return io::Error::new(error.kind(), error.to_string()).into();
        }
        ErrorKind::Syntax(why) if why.starts_with(TOO_LARGE) => {
            return Trouble::Cannot(format!(
                "{place}: a text, a name or an element's attributes are too long"
            ));
        }
        ErrorKind::Syntax(why) => in_short(why),
        ErrorKind::Io(error) => in_short(error),
        ErrorKind::Utf8(error) => in_short(error),
        ErrorKind::UnexpectedEof => "unexpected end".to_owned(),
        other => in_short(&format!("{other:?}")),
    };
    Trouble::Bad(format!("not well-formed: {place}: {why}"))
}

/// Prints a place as people count, from 1.
fn place(position: TextPosition) -> String {
    format!("line {} column {}", position.row + 1, position.column + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Builtin;
    use crate::verify::builtin::tests::{assert_cannot, assert_fails, assert_passes};

    #[test]
    fn well_formed_documents_pass() {
        let deep = "<a>".repeat(1_000) + &"</a>".repeat(1_000);
        for good in [
            "<a/>",
            "\u{FEFF}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a b='1'>x &amp; &#233; <!-- c --><![CDATA[<]]></a>\n",
            "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY e \"x\"><!ELEMENT a ANY>]><a>&e;</a>",
            "<!DOCTYPE a SYSTEM \"https://example.org/a.dtd\"><a/>",
            // Well-formed for who does not read external entities (XML 1.0 §4.1): nobody does here.
            "<!DOCTYPE a [<!ENTITY e SYSTEM \"file:///no/such/file\">]><a>&e;</a>",
            "<x:a xmlns:x='urn:x'><?pi d?><x:b/></x:a>",
            &deep,
        ] {
            assert_passes(&Builtin::Xml, good.as_bytes());
        }
        let latin = b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xE9</a>";
        assert_passes(&Builtin::Xml, latin);
        let wide: Vec<u8> = "\u{FEFF}<a>é</a>"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_passes(&Builtin::Xml, &wide);
    }

    #[test]
    fn what_is_not_well_formed_fails_with_its_place() {
        for (bad, expected) in [
            ("", "no root element"),
            ("text", "line 1 column"),
            ("<a>\n  <b>\n</a>", "line 3 column"),
            ("<a><b></b>", "line 1 column"),
            ("<a/><b/>", "line 1 column"),
            ("<a/>x", "line 1 column"),
            ("<a b='1' b='2'/>", "'b' is redefined"),
            ("<a b=1/>", "line 1 column"),
            ("<a>&unknown;</a>", "unknown"),
            ("<a>&#0;</a>", "line 1 column"),
            ("<x:a/>", "prefix is unbound"),
            ("<a><!-- -- --></a>", "line 1 column"),
            ("{\"a\": 1}", "line 1 column"),
        ] {
            assert_fails(&Builtin::Xml, bad.as_bytes(), expected);
        }
        let deep = "<a>".repeat(1_001) + &"</a>".repeat(1_001);
        let why = ": elements are more than 1000 deep";
        assert_cannot(&Builtin::Xml, deep.as_bytes(), why);
        assert_fails(&Builtin::Xml, b"<a>\xFF</a>", "line 1 column");
        assert_fails(
            &Builtin::Xml,
            b"<?xml version='1.0' encoding='us-ascii'?><a>\xE9</a>",
            "line 1 column",
        );
    }

    #[test]
    fn entities_do_not_explode() {
        let laughs: String = (1..10).fold(String::from("<!ENTITY l0 \"lol\">"), |text, n| {
            let inner = format!("&l{};", n - 1).repeat(10);
            text + &format!("<!ENTITY l{n} \"{inner}\">")
        });
        let bomb = format!("<!DOCTYPE a [{laughs}]><a>&l9;</a>");
        assert_fails(
            &Builtin::Xml,
            bomb.as_bytes(),
            "not well-formed: line 1 column",
        );
        let itself = "<!DOCTYPE a [<!ENTITY e \"&f;\"><!ENTITY f \"&e;\">]><a>&e;</a>";
        assert_fails(
            &Builtin::Xml,
            itself.as_bytes(),
            "not well-formed: line 1 column",
        );
        // One long entity, often: quadratic.
        let quadratic = format!(
            "<!DOCTYPE a [<!ENTITY e \"{}\">]><a>{}</a>",
            "x".repeat(100_000),
            "&e;".repeat(100_000)
        );
        let (outcome, detail) = crate::verify::builtin::tests::Known::default()
            .judged(&Builtin::Xml, quadratic.as_bytes());
        assert_ne!(outcome, crate::domain::VerdictOutcome::Passed, "{detail}");
    }

    #[test]
    fn what_is_too_long_is_not_judged() {
        let name = format!("<{}/>", "a".repeat(2 * MAX_NAME_BYTES));
        let attribute = format!("<a b='{}'/>", "x".repeat(MAX_ATTRIBUTE_BYTES + 100));
        let attributes = (0..2 * MAX_ATTRIBUTES).fold(String::new(), |text, number| {
            text + &format!(" a{number}=''")
        });
        for text in [name, attribute, format!("<a{attributes}/>")] {
            assert_cannot(&Builtin::Xml, text.as_bytes(), "too long");
        }
    }
}
