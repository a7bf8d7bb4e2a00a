//! From a rule to a judgement.

use super::guard::guarded;
use super::source::{Case, Finding, Trouble};
use super::{companion, csv, fresh, image, json, not_html, sha256, size, utf8, xml};
use crate::config::{Builtin, Sha256Rule};
use crate::domain::{Judgement, VerdictOutcome};

/// Judges the content by a rule. Blocks; once the case's `stop` is set it gives up at its next read.
pub(in crate::verify) fn judge(rule: &Builtin, case: &Case) -> Judgement {
    let (outcome, detail) = match guarded(|| find(rule, case)) {
        Ok(detail) => (VerdictOutcome::Passed, detail),
        Err(Trouble::Bad(detail)) => (VerdictOutcome::Failed, detail),
        Err(Trouble::Cannot(why)) => return Judgement::error(&why),
    };
    Judgement {
        outcome,
        detail,
        exit_code: None,
        output: String::new(),
    }
}

fn find(rule: &Builtin, case: &Case) -> Finding {
    match rule {
        Builtin::Utf8 => utf8::judge(&mut case.open()?),
        Builtin::Json(rule) => json::judge(rule, case),
        Builtin::Csv(rule) => csv::judge(rule, case),
        Builtin::Xml => xml::judge(case.open()?),
        Builtin::Image(rule) => image::judge(rule, case),
        Builtin::Size(rule) => size::judge(rule, case),
        Builtin::Sha256(Sha256Rule::Digest(digest)) => sha256::judge(&mut case.open()?, *digest),
        Builtin::Sha256(Sha256Rule::Companion(_)) => companion::judge(case),
        Builtin::Fresh(rule) => fresh::judge(rule.max_age, &case.facts),
        Builtin::NotHtml => not_html::judge(case.open()?),
    }
}
