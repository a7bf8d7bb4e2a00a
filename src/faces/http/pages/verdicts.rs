//! The verdicts on a version with their outputs, and the form that gives one.

use maud::{Markup, html};

use super::elements::{alert, text, verdict_outcome};
use super::fields::{Fields, FormError};
use super::history_tables::took;
use super::visit::Visit;
use crate::domain::{
    NewVerdict, Source, Verdict, VerdictOutcome, Version, VersionId, VersionState, last_of_each,
    lines,
};
use crate::faces::http::caller::{CallerRole, Right};
use crate::faces::http::problem::Problem;
use crate::faces::text::clean_line;

/// A verdict as it is shown: on a version, or on an edition of a set.
pub(super) struct Shown<'a> {
    pub(super) verdict: &'a NewVerdict,
    pub(super) actor: &'a str,
    /// The version of the same contents for which the verdict was given.
    pub(super) given_on: Option<VersionId>,
}

/// Shows the verdicts on a version, and a form when one may be given.
pub(super) async fn verdicts_section(
    visit: &Visit,
    source: &Source,
    version: &Version,
    refused: Option<(&Fields, &FormError)>,
) -> Result<Markup, Problem> {
    let verdicts = visit.app().verdicts(version.id).await?;
    let mut verifiers = visit.app().verifiers_of(&source.settings).await?;
    let shown = verdicts.iter().map(|one| Shown {
        verdict: &one.verdict,
        actor: &one.actor,
        given_on: one.given_on,
    });
    let list = verdict_lists(visit, &shown.collect::<Vec<_>>(), &verifiers);
    let owing: Vec<String> = owed(&verifiers, version, &verdicts)
        .into_iter()
        .cloned()
        .collect();
    if let CallerRole::Verifier(own) = &visit.caller.role {
        verifiers.retain(|one| one == own);
    }
    let form = visit.may(Right::Judge) && !verifiers.is_empty();
    Ok(html! {
        section aria-labelledby="verdicts" {
            h2 #verdicts { "Verdicts" }
            @if !owing.is_empty() {
                p.state.warn {
                    (text(&owing.join(", "))) @if owing.len() == 1 { " owes a verdict" } @else { " owe verdicts" }
                    @if form { ": " a href="#judge" { "give it" } }
                }
            }
            (list)
            @if form { (give_form(version, &verifiers, &owing, refused)) }
        }
    })
}

/// Shows verdicts, oldest first in the list: those that count apart from those that no longer do.
pub(super) fn verdict_lists(
    visit: &Visit,
    oldest_first: &[Shown<'_>],
    verifiers: &[String],
) -> Markup {
    let last = last_of_each(oldest_first, |one| one.verdict);
    let counts = |one: &&Shown<'_>| {
        let is_last = last.iter().any(|other| std::ptr::eq(*other, *one));
        is_last && verifiers.contains(&one.verdict.verifier)
    };
    let (counting, old): (Vec<_>, Vec<_>) = oldest_first.iter().rev().partition(counts);
    let why_old = |one: &Shown<'_>| {
        if verifiers.contains(&one.verdict.verifier) {
            "replaced by a later verdict"
        } else {
            "its verifier no longer judges here"
        }
    };
    html! {
        @if oldest_first.is_empty() { p.dim { "None yet." } }
        @else if counting.is_empty() { p.dim { "None that counts." } }
        ol.verdicts { @for one in counting { (item(visit, one, None)) } }
        @if !old.is_empty() {
            details.earlier {
                summary { "Earlier verdicts, which no longer count (" (old.len()) "): the last one of each verifier counts" }
                ol.verdicts.old { @for one in old { (item(visit, one, Some(why_old(one)))) } }
            }
        }
    }
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

fn item(visit: &Visit, shown: &Shown<'_>, why_old: Option<&str>) -> Markup {
    let judgement = &shown.verdict.judgement;
    html! {
        li {
            p {
                (verdict_outcome(judgement.outcome)) " " b { (text(&shown.verdict.judge_words())) }
                @if !judgement.detail.is_empty() { ": " (text(&judgement.detail)) }
            }
            p.dim {
                @if let Some(why) = why_old { "no longer counts: " (why) "; " }
                (origin(visit, shown))
                @if let Some(other) = shown.given_on { ", given on " a href={ "/versions/" (other) } { "v" (other) } }
            }
            @if !judgement.output.is_empty() {
                details open[why_old.is_none() && judgement.outcome != VerdictOutcome::Passed] {
                    summary { "Output" }
                    pre.output tabindex="0" { @for line in lines(&judgement.output) { (clean_line(line)) "\n" } }
                }
            }
        }
    }
}

/// Shows where a verdict comes from: from somebody outside, or from a verifier that gannet ran for somebody.
fn origin(visit: &Visit, shown: &Shown<'_>) -> Markup {
    let new = shown.verdict;
    let (at, actor) = (visit.time(Some(new.started_at)), text(shown.actor));
    html! {
        @if new.judgement.outcome == VerdictOutcome::Pending { "waits since " (at) }
        @else if new.fingerprint.is_outside() { "given by " (actor) ", " (at) }
        @else {
            "automatic, " (at) ", took " (took(new.duration))
            @if let Some(code) = new.judgement.exit_code { ", exit code " (code) }
            ", started by " (actor)
            ", fingerprint " code { (new.fingerprint.hex.get(..12).unwrap_or(&new.fingerprint.hex)) }
        }
    }
}

fn give_form(
    version: &Version,
    verifiers: &[String],
    owed: &[String],
    refused: Option<(&Fields, &FormError)>,
) -> Markup {
    let none = Fields::default();
    let typed = refused.map_or(&none, |(typed, _)| typed);
    let chosen = typed.typed("verifier").or(owed.first().map(String::as_str));
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
                                    (text(name)) @if owed.contains(name) { " (owes one)" }
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
