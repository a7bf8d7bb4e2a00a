//! `json` with a JSON Schema: a well-formed text is valid by the schema.

use bytes::Bytes;
use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde::Deserialize as _;
use serde_json::Value;

use super::heavy::alone;
use super::input::{RuleFailure, RuleInput, RuleResult, bad, cannot};
use super::json_shape::Shape;
use crate::config::Schema;
use crate::domain::truncate_line;

/// Longest text.
const MAX_BYTES: u64 = 32 << 20;
/// Most memory for the values of a text.
const MAX_TREE_BYTES: u64 = 512 << 20;
/// A text that needs more memory is judged alone.
const LIGHT_TREE_BYTES: u64 = 16 << 20;
/// Longest text whose errors are counted.
const MAX_LISTED_BYTES: usize = 256 << 10;
/// Errors that the detail shows.
const MAX_SHOWN: usize = 3;

/// Refuses a text that is too long, before any of it is read.
pub(super) fn check_length(input: &RuleInput) -> Result<(), RuleFailure> {
    input.check_length(MAX_BYTES)
}

/// Passes a well-formed text of this shape that is valid by the schema.
pub(super) fn judge(schema: &Schema, shape: &Shape, input: &RuleInput) -> RuleResult {
    check_numbers(schema, shape)?;
    if shape.tree_bytes > MAX_TREE_BYTES {
        return cannot(format!(
            "its values take about {} MiB of memory, more than {} MiB",
            shape.tree_bytes >> 20,
            MAX_TREE_BYTES >> 20
        ));
    }
    let _turn = if shape.tree_bytes > LIGHT_TREE_BYTES {
        Some(alone(&input.stop)?)
    } else {
        None
    };
    let text = with_held_numbers(input.whole(MAX_BYTES)?, shape);
    let mut reader = serde_json::Deserializer::from_slice(&text);
    // The shape has bounded the depth already.
    reader.disable_recursion_limit();
    let value = Value::deserialize(&mut reader);
    let value = value.or_else(|error| cannot(format!("the JSON cannot be held: {error}")))?;
    let size = text.len();
    drop(text);
    input.go_on()?;
    let validator = schema.validator();
    // The library lists all errors at once, for a large text perhaps gigabytes: there, only the first one is taken.
    let errors: Vec<_> = if size > MAX_LISTED_BYTES {
        validator.validate(&value).err().into_iter().collect()
    } else {
        validator.iter_errors(&value).collect()
    };
    input.go_on()?;
    if let Some(error) = errors.iter().find(|error| gave_up(error)) {
        return cannot(truncate_line(error));
    }
    if errors.is_empty() {
        return Ok("JSON that the schema accepts".to_owned());
    }
    bad(listed(&errors))
}

/// Refuses numbers that the library would hold inexactly, where the schema compares numbers.
fn check_numbers(schema: &Schema, shape: &Shape) -> Result<(), RuleFailure> {
    if let Some(number) = schema.rounded() {
        let number = truncate_line(&number);
        return cannot(format!(
            "the number {number} of the schema cannot be compared exactly"
        ));
    }
    match &shape.worst_number {
        Some((exactness, number)) if *exactness > schema.worst_exactness() => cannot(format!(
            "the schema compares numbers, and {number} cannot be compared exactly"
        )),
        _ => Ok(()),
    }
}

/// Replaces the numbers that `f64` cannot hold, where the schema compares none: numbers that are too large by a whole
/// one, fractions that are too small or would become whole by a fraction.
fn with_held_numbers(text: Bytes, shape: &Shape) -> Bytes {
    if shape.unheld.is_empty() {
        return text;
    }
    let mut text = text.to_vec();
    for (range, is_small) in &shape.unheld {
        let number = &mut text[range.clone()];
        number.fill(b' ');
        let held: &[u8] = if *is_small { b"0.5" } else { b"1e9" };
        number[..held.len()].copy_from_slice(held);
    }
    text.into()
}

/// Returns whether the library gave up on a slow pattern, which decides nothing.
fn gave_up(error: &ValidationError<'_>) -> bool {
    matches!(
        error.kind(),
        ValidationErrorKind::BacktrackLimitExceeded { .. }
    )
}

fn listed(errors: &[ValidationError<'_>]) -> String {
    let told = errors.iter().take(MAX_SHOWN).map(|error| {
        let place = error.instance_path().to_string();
        let place = if place.is_empty() { "/" } else { &place };
        format!("{}: {}", truncate_line(&place), truncate_line(error))
    });
    let told = told.collect::<Vec<_>>().join("; ");
    match errors.len().saturating_sub(MAX_SHOWN) {
        0 => told,
        more => format!("{told}; and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Builtin;
    use crate::verify::builtin::tests::{assert_cannot, assert_fails, assert_passes};

    fn rule(schema: &str) -> Builtin {
        Builtin::Json(
            Schema::compile(schema.as_bytes(), false)
                .expect("a schema")
                .into(),
        )
    }

    #[test]
    fn the_schema_decides() {
        let prices = rule(
            r##"{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "required": ["items"],
                "properties": {"items": {"type": "array", "items": {"$ref": "#/$defs/item"}}},
                "$defs": {"item": {"properties": {"price": {"type": "number", "minimum": 0}}}}}"##,
        );
        for good in ["{\"items\": []}", " {\"items\": [{\"price\": 0.5}, {}]}\n"] {
            assert_passes(&prices, good.as_bytes());
        }
        for (bad, expected) in [
            ("{}", "/: \"items\" is a required property"),
            ("[]", "/: [] is not of type \"object\""),
            (
                "{\"items\": [{}, {\"price\": -1}]}",
                "/items/1/price: -1 is less than the minimum of 0",
            ),
            ("{\"items\": [", "not JSON: it ends in the middle"),
            ("{\"items\": []} x", "not JSON: more behind the end"),
        ] {
            assert_fails(&prices, bad.as_bytes(), expected);
        }
        assert_fails(&prices, b"\"\xFF\"", "not UTF-8");
    }

    #[test]
    fn the_first_errors_are_told_and_the_rest_counted() {
        let rule = rule(r#"{"items": {"minimum": 0}}"#);
        let three = "/0: -1 is less than the minimum of 0; /1: -2 is less than the minimum of 0; /2: -3 is less than the minimum of 0";
        assert_fails(&rule, b"[-1, -2, -3]", three);
        assert_fails(
            &rule,
            b"[-1, -2, -3, -4, 5, -6]",
            &format!("{three}; and 2 more"),
        );
    }

    #[test]
    fn numbers_are_compared_exactly_or_not_at_all() {
        for (schema, good, bad, unknown) in [
            (
                r#"{"enum": [0.1, 9007199254740993]}"#,
                &["0.1", "0.10", "1e-1", "9007199254740993"][..],
                &["0.2", "9007199254740992", "9007199254740994"][..],
                &["0.10000000000000001", "12345678901234567890123", "1e400"][..],
            ),
            (
                r#"{"uniqueItems": true}"#,
                &["[1, 2.5, 9007199254740992]"],
                &["[1, 1.0]", "[100, 1e2]"],
                &[
                    "[9007199254740992, 9007199254740993]",
                    "[{\"a\": 12345678901234567890123}, {\"a\": 12345678901234567890124}]",
                ],
            ),
            (
                r#"{"items": {"maximum": 9007199254740992}}"#,
                &["[9007199254740992]"],
                &["[9007199254740993]"],
                &["[9007199254740992.5]", "[1e400]"],
            ),
            (
                r#"{"items": {"type": "integer"}}"#,
                &[
                    "[12345678901234567890123, 1.0, 1e2, 1e400, 9007199254740993]",
                    "[9007199254740993.0, 12345678901234567890123.50e1, 100e-2, 0e-5, -0.0]",
                ],
                &[
                    "[1.5]",
                    "[1e-400]",
                    "[9007199254740993.5]",
                    "[12345678901234567890123.5]",
                    "[-0.99999999999999999999]",
                    "[123456789012345678901.5e1, 1234567890123456789015e-1]",
                ],
                &[],
            ),
            (
                r#"{"const": 12345678901234567890123}"#,
                &[],
                &[],
                &["12345678901234567890123", "1"],
            ),
        ] {
            for text in good {
                assert_passes(&rule(schema), text.as_bytes());
            }
            for text in bad {
                assert_fails(&rule(schema), text.as_bytes(), "/");
            }
            for text in unknown {
                assert_cannot(&rule(schema), text.as_bytes(), "cannot be compared exactly");
            }
        }
    }

    #[test]
    fn formats_are_asserted_when_asked_for() {
        for (format, good, bad) in [
            ("date", "2026-01-31", "2026-02-31"),
            ("date-time", "2026-01-31T00:00:00Z", "yesterday"),
            ("email", "a@example.org", "nobody"),
            ("ipv4", "192.0.2.1", "192.0.2.256"),
            ("uri", "https://example.org/", "no uri"),
        ] {
            let schema = format!(
                r#"{{"$schema": "https://json-schema.org/draft/2020-12/schema", "format": "{format}"}}"#
            );
            let asserted = Schema::compile(schema.as_bytes(), true).expect("a schema");
            let asserted = Builtin::Json(asserted.into());
            assert_passes(&asserted, format!("\"{good}\"").as_bytes());
            let bad = format!("\"{bad}\"");
            assert_fails(&asserted, bad.as_bytes(), format);
            assert_passes(&rule(&schema), bad.as_bytes());
        }
    }

    #[test]
    fn what_is_told_stays_short() {
        let long = format!("[\"{}\", \"a\\nb\"]", "x".repeat(100_000));
        let (_, detail) = crate::verify::builtin::tests::Fixture::default()
            .judged(&rule(r#"{"items": {"type": "number"}}"#), long.as_bytes());
        assert!(detail.len() < 500 && !detail.contains('\n'), "{detail}");
    }

    #[test]
    fn what_cannot_be_held_is_not_judged() {
        // Small objects and arrays, which take many times the memory of their text.
        for (item, count) in [("{\"\":0}", 1 << 20), ("[0]", 1 << 20), ("[[]]", 1 << 20)] {
            let hostile = format!("[{}{item}]", format!("{item},").repeat(count));
            assert_cannot(&rule("{}"), hostile.as_bytes(), "more than 512 MiB");
        }
        let large = vec![b' '; 1 + (32 << 20)];
        assert_cannot(
            &rule("{}"),
            &large,
            "is more than the 33554432 B (32.0 MiB) that this rule reads",
        );
        let slow = rule(r#"{"pattern": "^(a|a|b(?=c))*$"}"#);
        assert_cannot(
            &slow,
            format!("\"{}!\"", "a".repeat(60)).as_bytes(),
            "acktrack",
        );
    }
}
