//! Runs the configured rule and turns its result into a judgement.

use super::guard::guarded;
use super::input::{RuleFailure, RuleInput, RuleResult};
use super::{companion, csv, fresh, image, json, not_html, rates, sha256, size, utf8, xml};
use crate::config::{Builtin, Sha256Rule};
use crate::domain::{Judgement, VerdictOutcome};

/// Judges the content by a rule. Blocks; once `input.stop` is set, the rule fails at its next read.
pub(in crate::verify) fn judge(rule: &Builtin, input: &RuleInput) -> Judgement {
    let (outcome, detail) = match guarded(|| find(rule, input)) {
        Ok(detail) => (VerdictOutcome::Passed, detail),
        Err(RuleFailure::Bad(detail)) => (VerdictOutcome::Failed, detail),
        Err(RuleFailure::Cannot(why)) => return Judgement::error(&why),
    };
    Judgement::new(outcome, detail)
}

fn find(rule: &Builtin, input: &RuleInput) -> RuleResult {
    match rule {
        Builtin::Utf8 => utf8::judge(&mut input.open()?),
        Builtin::Json(rule) => json::judge(rule, input),
        Builtin::Csv(rule) => csv::judge(rule, input),
        Builtin::Xml => xml::judge(input.open()?),
        Builtin::Image(rule) => image::judge(rule, input),
        Builtin::Size(rule) => size::judge(rule, input),
        Builtin::Sha256(Sha256Rule::Digest(digest)) => sha256::judge(&mut input.open()?, *digest),
        Builtin::Sha256(Sha256Rule::Companion(_)) => companion::judge(input),
        Builtin::Fresh(rule) => fresh::judge(rule.max_age, input.facts()?),
        Builtin::NotHtml => not_html::judge(input.open()?),
        Builtin::Rates(rule) => rates::judge(rule.provider, input),
    }
}
