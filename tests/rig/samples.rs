//! Samples: sections of a configuration as an operator writes them, sources, contents, and readings of the log.

use std::path::Path;

use chrono::{DateTime, Utc};
use gannet::app::NewSource;
use serde_json::Value;

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

/// Returns the section by which an origin is trusted and asked once an attempt; more keys of it may follow.
pub(crate) fn fetch_section(ca_file: &Path) -> String {
    let ca_file = ca_file.display().to_string();
    format!("[fetch]\nca_file = {ca_file:?}\nmax_tries = 1\n")
}

/// Returns the section of a verifier of all sources: `what` is its kind, with more keys if there are any.
pub(crate) fn verifier(name: &str, what: &str) -> String {
    format!("[[verifier]]\nname = {name:?}\nsources = [\"*\"]\n{what}\n")
}

/// A source of an origin on loopback, to be fetched every hour.
pub(crate) fn hourly(name: &str, address: String) -> NewSource {
    let mut new = NewSource::at(address);
    new.settings.name = Some(name.to_owned());
    new.settings.interval = Some("1h".parse().expect("an interval"));
    new.settings.allow_private = Some(true);
    new
}

/// Returns bytes that do not compress, the same in every run.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed;
    std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    })
    .take(length)
    .collect()
}

/// Reads a log as `log --json` prints it; returns the events of one action.
pub(crate) fn events_of(action: &str, log: &str) -> Vec<Value> {
    let events = log.lines().map(|line| {
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"))
    });
    events.filter(|event| event["action"] == action).collect()
}

/// Verifiers that pass everything of the sources `a` and `m`, and of the set `eu`.
pub(crate) const PASS_ALL: &str = r#"
[[verifier]]
name = "look"
sources = ["a", "m"]
command = ["true"]

[[verifier]]
name = "whole"
scope = "set"
sources = ["tag:eu"]
command = ["true"]
"#;
