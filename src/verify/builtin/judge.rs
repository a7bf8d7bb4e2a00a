//! From a rule to a judgement.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::source::Source;
use super::{json, not_html, sha256, size, utf8};
use crate::config::Builtin;
use crate::domain::{Content, Judgement, VerdictOutcome};

/// Judges the content by a rule. Blocks; once `stop` is set it gives up at its next read.
pub(in crate::verify) fn judge(
    rule: &Builtin,
    content: &Content,
    stop: &Arc<AtomicBool>,
) -> Judgement {
    let open = || Source::open(content, stop);
    let found = match rule {
        Builtin::Utf8 => open().and_then(|mut source| utf8::judge(&mut source)),
        Builtin::Json => open().and_then(|mut source| match utf8::judge(&mut source)? {
            Ok(_) => json::judge(open()?),
            bad => Ok(bad),
        }),
        Builtin::Size { min, max } => Ok(size::judge(content.size_bytes(), *min, *max)),
        Builtin::Sha256(expected) => {
            open().and_then(|mut source| sha256::judge(&mut source, *expected))
        }
        Builtin::NotHtml => open().and_then(not_html::judge),
    };
    let (outcome, detail) = match found {
        Ok(Ok(detail)) => (VerdictOutcome::Passed, detail),
        Ok(Err(detail)) => (VerdictOutcome::Failed, detail),
        Err(error) => (
            VerdictOutcome::Error,
            format!("could not judge: cannot read the content: {error}"),
        ),
    };
    Judgement {
        outcome,
        detail,
        exit_code: None,
        output: String::new(),
    }
}
