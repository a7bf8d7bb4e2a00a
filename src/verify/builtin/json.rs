//! `json`: one well-formed text, valid by the schema if the rule has one.

use std::io::{self, BufReader, Read as _};

use serde::de::IgnoredAny;

use super::input::{PIECE_BYTES, RuleFailure, RuleInput, RuleResult, bad};
use super::json_shape::Shape;
use super::{schema, utf8};
use crate::config::JsonRule;

/// The byte order mark of UTF-8, which some editors write.
const BYTE_ORDER_MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// Passes one JSON text (RFC 8259) with nothing behind it.
pub(super) fn judge(rule: &JsonRule, input: &RuleInput) -> RuleResult {
    if rule.schema.is_some() {
        schema::check_length(input)?;
    }
    let shape = well_formed(rule, input)?;
    match &rule.schema {
        Some(schema) => schema::judge(schema, &shape, input),
        None => Ok("well-formed JSON".to_owned()),
    }
}

/// Reads the text, which must be well-formed and not too deep.
fn well_formed(rule: &JsonRule, input: &RuleInput) -> Result<Shape, RuleFailure> {
    utf8::judge(&mut input.open()?)?;
    let mut start = Vec::new();
    input
        .open()?
        .take(BYTE_ORDER_MARK.len() as u64)
        .read_to_end(&mut start)?;
    if start == BYTE_ORDER_MARK {
        return bad("not JSON: begins with a byte order mark, which JSON may not (RFC 8259 §8.1)");
    }
    let buffered = BufReader::with_capacity(PIECE_BYTES, input.open()?);
    let mut reader = serde_json::Deserializer::from_reader(buffered);
    let read = serde::Deserialize::deserialize(&mut reader).and_then(|IgnoredAny| reader.end());
    match read {
        Ok(()) => {}
        Err(error) if error.is_io() => return Err(io::Error::from(error).into()),
        Err(error) => return bad(format!("not JSON: {}", describe_error(&error))),
    }
    let mut shape = Shape::new(rule.unique_keys);
    let found = input.open()?.pieces(|piece| shape.push(piece).err())?;
    if let Some(failure) = found {
        return Err(failure);
    }
    shape.finish()?;
    Ok(shape)
}

/// Describes a parser's error and its place.
fn describe_error(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let (line, column) = (error.line(), error.column());
    if error.is_eof() && (line, column) <= (1, 0) {
        return "there is no value in it".to_owned();
    }
    let place = format!(" at line {line} column {column}");
    let why = text.strip_suffix(&place).unwrap_or(&text);
    let why = match why {
        "expected value" => "no value where one has to be",
        "trailing characters" => "more behind the end of the text",
        "expected `,` or `]`" => "neither a comma nor the end of the array behind a value",
        "expected `,` or `}`" => "neither a comma nor the end of the object behind a value",
        "key must be a string" => "a key that is not in quotes",
        why if why.starts_with("EOF while parsing") => "it ends in the middle",
        why => why,
    };
    format!("{why}{place}")
}

#[cfg(test)]
mod tests {
    use crate::config::{Builtin, JsonRule, Schema};
    use crate::domain::VerdictOutcome;
    use crate::verify::builtin::json_shape::MAX_DEPTH;
    use crate::verify::builtin::tests::{Fixture, assert_cannot, assert_fails, assert_passes};

    fn any() -> Builtin {
        Builtin::Json(JsonRule::default())
    }

    fn with_schema() -> Builtin {
        let schema = Schema::compile(b"{}", false).expect("a schema");
        Builtin::Json(schema.into())
    }

    fn nested(depth: usize) -> String {
        "[".repeat(depth) + &"]".repeat(depth)
    }

    #[test]
    fn json_is_one_text_with_and_without_a_schema() {
        for rule in [any(), with_schema()] {
            for good in [
                "{}",
                " [1, 2.5e-3, \"\\u00e9\", null] \n",
                "3",
                "\"x\"",
                "1e400",
                "[12345678901234567890123, 1e-400]",
                "{\"a\": 1, \"a\": 2}",
                "\"\\ud83d\\ude00\"",
                "\"\\uD83D\\uDE00\\uD83D\\uDE00\\\\ud800\\ue000\"",
                &nested(200),
                &nested(MAX_DEPTH),
            ] {
                assert_passes(&rule, good.as_bytes());
            }
            for (bad, place) in [
                ("", "no value in it"),
                ("  \n", "it ends in the middle"),
                ("{\"a\": 1,\n \"b\" 2}", "line 2 column 6"),
                (
                    "{} {}",
                    "more behind the end of the text at line 1 column 4",
                ),
                ("[1,]", "line 1 column 4"),
                ("{\"a\": 1", "it ends in the middle"),
                ("NaN", "line 1"),
                ("01", "line 1"),
                ("'x'", "no value where one has to be at line 1"),
                ("{a: 1}", "a key that is not in quotes"),
                ("\"a\nb\"", "control character"),
                ("<html>", "line 1 column 1"),
                ("\u{FEFF}{}", "begins with a byte order mark"),
            ] {
                assert_fails(&rule, bad.as_bytes(), place);
            }
            assert_fails(&rule, b"\"\xFF\"", "not UTF-8: the byte at offset 1");
            let deep = nested(MAX_DEPTH + 1);
            assert_cannot(&rule, deep.as_bytes(), "values are more than 500 deep");
            for half in [
                "\"\\ud800\"",
                "\"\\uDFFF\"",
                "\"\\ud800x\"",
                "\"\\ud800\\n\"",
                "\"\\ud800\\u0041\"",
                "\"\\ud800\\ud800\\udc00\"",
                "\"\\ud800\\udc00\\udc00\"",
                "{\"\\udc00\\ud800\": 1}",
            ] {
                let text = format!("[1,\n{half}]");
                let expected = "line 2: half a surrogate pair in a text, which is no character";
                assert_cannot(&rule, text.as_bytes(), expected);
            }
        }
    }

    #[test]
    fn a_key_that_stands_twice_may_be_refused() {
        for schema in [None, Some(Schema::compile(b"{}", false).expect("a schema"))] {
            let rule = Builtin::Json(JsonRule {
                schema,
                unique_keys: true,
            });
            for good in [
                "{\"a\": 1, \"b\": {\"a\": [{\"a\": 1}, {\"a\": \"a\"}]}}",
                "{\"a\": \"a\", \"A\": \"a\"}",
                "[\"a\", \"a\"]",
            ] {
                assert_passes(&rule, good.as_bytes());
            }
            for bad in [
                "{\"a\": 1,\n\"a\": 2}",
                "[{}, {\"x\": [{\"a\": 0}],\n \"b\": 1, \"a\": 1, \"\\u0061\": 1}]",
                "{\"\": {\"a\": {},\n\"a\": {}}}",
            ] {
                let twice = "line 2: the key `a` stands twice in one object";
                assert_fails(&rule, bad.as_bytes(), twice);
                let (outcome, _) = Fixture::default().judged(&any(), bad.as_bytes());
                assert_eq!(outcome, VerdictOutcome::Passed, "{bad}");
            }
        }
    }
}
