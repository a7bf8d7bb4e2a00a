//! Fixtures of the rules' tests, and tests of all rules.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bytes::Bytes;

use super::input::RuleInput;
use crate::config::{Builtin, CsvRule, ImageRule, JsonRule, RatesRule, Schema, Sha256Rule};
use crate::domain::{Content, Digest, Provider, SourceId, VerdictOutcome, VersionId};
use crate::verify::{Companion, Previous, RuleContext, VersionFacts};

pub(super) fn memory(bytes: &[u8]) -> Content {
    Content::Memory(Bytes::copy_from_slice(bytes))
}

pub(super) fn file(bytes: &[u8]) -> Content {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(bytes).expect("room");
    let path = Arc::new(file.into_temp_path());
    Content::File {
        path,
        size_bytes: bytes.len() as u64,
    }
}

/// Facts and context of a rule's input: usual facts, an empty context.
pub(super) struct Fixture {
    pub(super) facts: VersionFacts,
    pub(super) context: RuleContext,
}

impl Default for Fixture {
    fn default() -> Self {
        let facts = VersionFacts {
            source_id: SourceId(1),
            source_name: "prices".to_owned(),
            address: "https://example.org/files/p%20x.csv?key=${KEY}".to_owned(),
            version_id: VersionId(2),
            digest: Digest::of(b""),
            size_bytes: 0,
            name: "prices.csv".to_owned(),
            media_type: None,
            fetched_at: "2026-01-31T12:00:00Z".parse().expect("a time"),
            last_modified: None,
        };
        Self {
            facts,
            context: RuleContext::default(),
        }
    }
}

impl Fixture {
    /// With an earlier good version.
    pub(super) fn after(bytes: &[u8]) -> Self {
        let mut fixture = Self::default();
        fixture.context.previous = Ok(Some(Previous {
            size_bytes: bytes.len() as u64,
            content: Some(memory(bytes)),
        }));
        fixture
    }

    /// With an earlier version that cannot be read.
    pub(super) fn unreadable() -> Self {
        let mut fixture = Self::default();
        fixture.context.previous = Err("the last good version is damaged".to_owned());
        fixture
    }

    /// With a list of digests, checked so many milliseconds after the judged content was fetched.
    pub(super) fn beside(list: &[u8], later_ms: i64) -> Self {
        let mut fixture = Self::default();
        fixture.context.companion = Ok(Companion {
            name: "SHA256SUMS".to_owned(),
            newest: crate::domain::VersionId(1),
            lists: vec![memory(list)],
            checked_at: fixture.facts.fetched_at + chrono::TimeDelta::milliseconds(later_ms),
        });
        fixture
    }

    pub(super) fn input(&self, content: Content) -> RuleInput {
        RuleInput {
            content,
            facts: Some(self.facts.clone()),
            context: self.context.clone(),
            stop: Arc::default(),
        }
    }

    /// Judges the same bytes in memory and in a file; both must agree.
    pub(super) fn judged(&self, rule: &Builtin, bytes: &[u8]) -> (VerdictOutcome, String) {
        let judgement = super::judge(rule, &self.input(memory(bytes)));
        assert_eq!(judgement, super::judge(rule, &self.input(file(bytes))));
        (judgement.outcome, judgement.detail)
    }
}

pub(super) fn assert_passes(rule: &Builtin, bytes: &[u8]) {
    let (outcome, detail) = Fixture::default().judged(rule, bytes);
    assert_eq!(outcome, VerdictOutcome::Passed, "{detail}");
}

pub(super) fn assert_fails(rule: &Builtin, bytes: &[u8], expected: &str) {
    let (outcome, detail) = Fixture::default().judged(rule, bytes);
    assert_eq!(outcome, VerdictOutcome::Failed, "{detail}");
    assert!(detail.contains(expected), "{detail}");
}

pub(super) fn assert_cannot(rule: &Builtin, bytes: &[u8], expected: &str) {
    let (outcome, detail) = Fixture::default().judged(rule, bytes);
    assert_eq!(outcome, VerdictOutcome::Error, "{detail}");
    assert!(detail.contains(expected), "{detail}");
}

fn rules_that_read() -> Vec<Builtin> {
    vec![
        Builtin::Utf8,
        Builtin::Json(JsonRule::default()),
        Builtin::Json(Schema::compile(b"{}", false).expect("a schema").into()),
        Builtin::Csv(CsvRule::default()),
        Builtin::Xml,
        Builtin::Image(ImageRule::default()),
        Builtin::NotHtml,
        Builtin::Sha256(Sha256Rule::Digest(Digest::of(b""))),
        Builtin::Sha256(Sha256Rule::Companion("SHA256SUMS".to_owned())),
        Builtin::Rates(RatesRule {
            provider: Provider::Ecb,
        }),
    ]
}

#[test]
fn content_that_cannot_be_read_is_not_judged() {
    let content = file(b"{}");
    std::fs::remove_file(content.as_file().expect("a file")).expect("a removal");
    for rule in rules_that_read() {
        let judgement = super::judge(&rule, &Fixture::beside(b"", 0).input(content.clone()));
        assert_eq!(judgement.outcome, VerdictOutcome::Error, "{rule:?}");
        assert!(
            judgement.detail.contains("No such file"),
            "{rule:?}: {judgement:?}"
        );
    }
}

#[test]
fn a_rule_that_is_stopped_says_nothing() {
    for rule in rules_that_read() {
        // Good and bad content for each rule.
        for bytes in [&b"{}"[..], b"<a", b"\xFF"] {
            for content in [memory(bytes), file(bytes)] {
                let mut input = Fixture::beside(b"", 0).input(content);
                input.stop = Arc::new(AtomicBool::new(true));
                let judgement = super::judge(&rule, &input);
                assert_eq!(judgement.outcome, VerdictOutcome::Error, "{rule:?}");
                assert!(
                    judgement.detail.contains("stopped"),
                    "{rule:?}: {judgement:?}"
                );
            }
        }
    }
}
