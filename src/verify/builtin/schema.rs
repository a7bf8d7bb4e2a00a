//! `json` with a JSON Schema: one well-formed text that the schema accepts.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;

use super::json;
use super::source::{Case, Finding, bad, cannot};
use crate::config::Schema;
use crate::domain::in_short;

/// The largest text: its values take up to some twenty times as much memory.
const MAX_BYTES: u64 = 32 << 20;
/// Up to this length all that is wrong is counted.
const MAX_LISTED_BYTES: usize = 256 << 10;
/// How many things that are wrong are told.
const TOLD: usize = 3;

/// One JSON text that the schema accepts.
pub(super) fn judge(schema: &Schema, case: &Case) -> Finding {
    let text = case.whole(MAX_BYTES)?;
    json::judge(case)?;
    let value: Value = match serde_json::from_slice(&text) {
        Ok(value) => value,
        // It is JSON, but nested too deeply or with a number beyond all bounds.
        Err(error) => return cannot(format!("the JSON cannot be held: {error}")),
    };
    let size = text.len();
    drop(text);
    case.go_on()?;
    // The library lists all errors at once: of a large text that may be gigabytes, so there the first one has to do.
    let errors: Vec<_> = if size > MAX_LISTED_BYTES {
        schema
            .validator()
            .validate(&value)
            .err()
            .into_iter()
            .collect()
    } else {
        schema.validator().iter_errors(&value).collect()
    };
    case.go_on()?;
    if let Some(error) = errors.iter().find(|error| gave_up(error)) {
        return cannot(in_short(error));
    }
    if errors.is_empty() {
        return Ok("JSON that the schema accepts".to_owned());
    }
    bad(listed(&errors))
}

/// Tells whether a pattern took so long that nothing was found out.
fn gave_up(error: &ValidationError<'_>) -> bool {
    matches!(
        error.kind(),
        ValidationErrorKind::BacktrackLimitExceeded { .. }
    )
}

fn listed(errors: &[ValidationError<'_>]) -> String {
    let told = errors.iter().take(TOLD).map(|error| {
        let place = error.instance_path().to_string();
        let place = if place.is_empty() { "/" } else { &place };
        format!("{}: {}", in_short(&place), in_short(error))
    });
    let told = told.collect::<Vec<_>>().join("; ");
    match errors.len().saturating_sub(TOLD) {
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
        Builtin::JsonSchema(Schema::compile(schema.as_bytes()).expect("a schema"))
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
            ("{\"items\": [", "not JSON: EOF"),
            ("{\"items\": []} x", "not JSON: trailing characters"),
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
    fn what_is_told_stays_short() {
        let long = format!("[\"{}\", \"a\\nb\"]", "x".repeat(100_000));
        let (_, detail) = crate::verify::builtin::tests::Known::default()
            .judged(&rule(r#"{"items": {"type": "number"}}"#), long.as_bytes());
        assert!(detail.len() < 500 && !detail.contains('\n'), "{detail}");
    }

    #[test]
    fn what_cannot_be_held_is_not_judged() {
        let deep = "[".repeat(1_000) + &"]".repeat(1_000);
        assert_cannot(&rule("{}"), deep.as_bytes(), "recursion limit exceeded");
        assert_cannot(&rule("{}"), b"1e999", "number out of range");
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
