//! What the rules' tests share, and what holds for all of them.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bytes::Bytes;

use super::judge;
use crate::config::Builtin;
use crate::domain::{Content, Digest, VerdictOutcome};

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

/// Judges the same bytes in memory and in a file: both must agree.
pub(super) fn judged(rule: &Builtin, bytes: &[u8]) -> (VerdictOutcome, String) {
    let stop = Arc::default();
    let judgement = judge(rule, &memory(bytes), &stop);
    assert_eq!(judgement, judge(rule, &file(bytes), &stop));
    (judgement.outcome, judgement.detail)
}

pub(super) fn assert_passes(rule: &Builtin, bytes: &[u8]) {
    let (outcome, detail) = judged(rule, bytes);
    assert_eq!(outcome, VerdictOutcome::Passed, "{detail}");
}

pub(super) fn assert_fails(rule: &Builtin, bytes: &[u8], expected: &str) {
    let (outcome, detail) = judged(rule, bytes);
    assert_eq!(outcome, VerdictOutcome::Failed, "{detail}");
    assert!(detail.contains(expected), "{detail}");
}

#[test]
fn content_that_cannot_be_read_is_not_judged() {
    let content = file(b"{}");
    std::fs::remove_file(content.as_file().expect("a file")).expect("a removal");
    for rule in [
        Builtin::Utf8,
        Builtin::Json,
        Builtin::NotHtml,
        Builtin::Sha256(Digest::of(b"")),
    ] {
        assert_eq!(
            judge(&rule, &content, &Arc::default()).outcome,
            VerdictOutcome::Error
        );
    }
    let stopped = Arc::new(AtomicBool::new(true));
    assert_eq!(
        judge(&Builtin::Json, &memory(b"{}"), &stopped).outcome,
        VerdictOutcome::Error
    );
}
