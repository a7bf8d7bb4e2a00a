//! The verdicts on a version with their outputs, and the form that gives one.

use maud::{Markup, html};

use super::elements::{alert, text, verdict_outcome};
use super::fields::{Fields, FormError};
use super::history_tables::took;
use super::visit::Visit;
use crate::domain::{Source, Verdict, VerdictOutcome, Version, VersionState, last_of_each, lines};
use crate::faces::http::caller::{CallerRole, Right};
use crate::faces::http::problem::Problem;
use crate::faces::text::clean_line;

/// Shows the verdicts on a version, and a form when one may be given.
pub(super) async fn verdicts_section(
    visit: &Visit,
    source: &Source,
    version: &Version,
    refused: Option<(&Fields, &FormError)>,
) -> Result<Markup, Problem> {
    let verdicts = visit.app().verdicts(version.id).await?;
    let mut verifiers = visit.app().verifiers_of(&source.settings).await?;
    if let CallerRole::Verifier(own) = &visit.caller.role {
        verifiers.retain(|one| one == own);
    }
    let owed = owed(&verifiers, version, &verdicts);
    let form = visit.may(Right::Judge) && !verifiers.is_empty();
    Ok(html! {
        section aria-labelledby="verdicts" {
            h2 #verdicts { "Verdicts" }
            @if verdicts.is_empty() { p.dim { "None yet." } }
            ol.verdicts { @for verdict in verdicts.iter().rev() { (item(visit, verdict)) } }
            @if form { (give_form(version, &verifiers, &owed, refused)) }
        }
    })
}

/// Returns the verifiers that owe a verdict: those that promised one, and those without any on a version that waits.
fn owed<'a>(verifiers: &'a [String], version: &Version, verdicts: &[Verdict]) -> Vec<&'a String> {
    let last = last_of_each(verdicts, |one| &one.verdict);
    let owes = |name: &&String| {
        let own = last.iter().find(|one| one.verdict.verifier == **name);
        match own {
            Some(own) => own.verdict.judgement.outcome == VerdictOutcome::Pending,
            None => version.state == VersionState::Pending,
        }
    };
    verifiers.iter().filter(owes).collect()
}

fn item(visit: &Visit, verdict: &Verdict) -> Markup {
    let new = &verdict.verdict;
    let judgement = &new.judgement;
    html! {
        li {
            p {
                (verdict_outcome(judgement.outcome)) " " b { (text(&new.judge_words())) }
                @if !judgement.detail.is_empty() { ": " (text(&judgement.detail)) }
            }
            p.dim {
                (visit.time(Some(new.started_at))) ", " (took(new.duration))
                ", by " (text(&verdict.actor))
                @if let Some(code) = judgement.exit_code { ", exit code " (code) }
                @if let Some(other) = verdict.given_on { ", given on " a href={ "/versions/" (other) } { "v" (other) } }
                ", fingerprint " code { (new.fingerprint.hex.get(..12).unwrap_or(&new.fingerprint.hex)) }
            }
            @if !judgement.output.is_empty() {
                details open[judgement.outcome != VerdictOutcome::Passed] {
                    summary { "Output" }
                    pre.output tabindex="0" { @for line in lines(&judgement.output) { (clean_line(line)) "\n" } }
                }
            }
        }
    }
}

fn give_form(
    version: &Version,
    verifiers: &[String],
    owed: &[&String],
    refused: Option<(&Fields, &FormError)>,
) -> Markup {
    let none = Fields::default();
    let typed = refused.map_or(&none, |(typed, _)| typed);
    let chosen = typed
        .typed("verifier")
        .or(owed.first().map(|one| one.as_str()));
    let outcome = |word: &str, name: &str| {
        let is_chosen = typed.text("outcome") == word;
        html! { label.check { input type="radio" name="outcome" value=(word) required checked[is_chosen]; " " (name) } }
    };
    html! {
        details.form #judge open[refused.is_some() || !owed.is_empty()] {
            summary { @if owed.is_empty() { "Give a verdict by hand" } @else { "A verdict is owed: give it" } }
            (alert(refused.map(|(_, error)| error)))
            form method="post" action={ "/versions/" (version.id) "/verdicts" } {
                div.fields {
                    div {
                        label for="judge-verifier" { "In the name of" }
                        select #judge-verifier name="verifier" {
                            @for name in verifiers {
                                option value=(name) selected[chosen == Some(name.as_str())] {
                                    (text(name)) @if owed.contains(&name) { " (owes one)" }
                                }
                            }
                        }
                    }
                    fieldset.checks {
                        legend { "Verdict" }
                        (outcome("passed", "passed")) (outcome("failed", "failed"))
                    }
                    div.wide {
                        label for="judge-detail" { "Reason" }
                        input #judge-detail name="detail" type="text" autocomplete="off" value=(typed.text("detail"));
                    }
                }
                button.main type="submit" { "Record the verdict" }
            }
        }
    }
}
