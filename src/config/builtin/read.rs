//! Reads a built-in rule with its parameters.

use std::ops::Range;

use super::Builtin;
use crate::config::document::{Field, Section};
use crate::domain::{Digest, parse_size};

/// Keys that only a rule takes.
pub(in crate::config) const KEYS: &[&str] = &["min", "max", "digest"];
/// Every rule, with the keys that it takes.
const RULES: [(&str, &[&str]); 5] = [
    ("utf8", &[]),
    ("json", &[]),
    ("size", &["min", "max"]),
    ("sha256", &["digest"]),
    ("not-html", &[]),
];
const EXPECTED: &str = "utf8, json, size, sha256 or not-html";

/// Reads `builtin` and its parameters; notes what is wrong. Nothing when there is no `builtin`, too.
pub(in crate::config) fn read(section: &mut Section<'_>) -> Option<Builtin> {
    let builtin = section.text("builtin");
    let min = section.parsed("min", parse_size);
    let max = section.parsed("max", parse_size);
    let digest = section.parsed("digest", |text| {
        text.parse::<Digest>().map_err(|error| error.to_string())
    });
    let builtin = builtin?;
    let fine = no_stray_keys(section, builtin.value);
    let rule = match builtin.value {
        "utf8" => Some(Builtin::Utf8),
        "json" => Some(Builtin::Json),
        "not-html" => Some(Builtin::NotHtml),
        "size" => bounds(section, &builtin.span, min, max),
        "sha256" => {
            if !section.has("digest") {
                section.problem(&builtin.span, "`verifier.builtin`: sha256 needs `digest`, `sha256:` and 64 hexadecimal digits");
            }
            digest.map(|digest| Builtin::Sha256(digest.value))
        }
        other => {
            section.problem(
                &builtin.span,
                format!(
                    "`verifier.builtin`: `{}` is not a rule: expected {EXPECTED}",
                    other.escape_debug()
                ),
            );
            None
        }
    };
    rule.filter(|_| fine)
}

/// Tells whether no key of another rule is there.
fn no_stray_keys(section: &Section<'_>, rule: &str) -> bool {
    let own = RULES.iter().find(|(name, _)| *name == rule);
    let own = own.map_or(KEYS, |(_, keys)| *keys);
    let stray: Vec<_> = KEYS
        .iter()
        .filter(|key| !own.contains(key))
        .copied()
        .collect();
    section.refuse(&stray, "with this builtin")
}

fn bounds(
    section: &Section<'_>,
    at: &Range<usize>,
    min: Option<Field<u64>>,
    max: Option<Field<u64>>,
) -> Option<Builtin> {
    if !section.has("min") && !section.has("max") {
        section.problem(at, r#"`verifier.builtin`: size needs `min`, `max` or both, such as min = "10B", max = "1MiB""#);
        return None;
    }
    let (min, max) = (min.map(|min| min.value), max.map(|max| max.value));
    if let (Some(least), Some(most)) = (min, max)
        && least > most
    {
        section.problem(
            at,
            "`verifier.min` is more than `verifier.max`: no content could pass",
        );
        return None;
    }
    Some(Builtin::Size { min, max })
}
