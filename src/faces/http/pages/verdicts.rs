//! The verdicts on a version or on an edition of a set, with their outputs, and the form that gives one.

use maud::{Markup, html};

use super::elements::{alert, text, verdict_outcome};
use super::fields::{Fields, FormError};
use super::history_tables::took;
use super::reason::owe_words;
use super::visit::Visit;
use crate::domain::{
    EditionId, NewVerdict, VerdictOutcome, VersionState, last_of_each, lines, owing,
};
use crate::faces::http::caller::{CallerRole, Right};
use crate::faces::text::clean_line;

/// A verdict as it is shown: on a version, or on an edition of a set.
pub(super) struct Shown<'a> {
    pub(super) verdict: &'a NewVerdict,
    pub(super) actor: &'a str,
    /// The version or the edition of the same contents for which the verdict was given.
    pub(super) given_on: Option<Markup>,
}

/// What is judged, with the verdicts on it: a version, or an edition of a set.
pub(super) struct Judged<'a> {
    /// The beginning of the addresses to which its forms are sent.
    pub(super) forms: String,
    /// The edition; `None` for a version, which its address names.
    pub(super) edition: Option<EditionId>,
    pub(super) state: VersionState,
    /// The verifiers that judge it.
    pub(super) verifiers: Vec<String>,
    /// Whether gannet runs any of them itself.
    pub(super) is_run: bool,
    /// Oldest first.
    pub(super) verdicts: Vec<Shown<'a>>,
}

impl Judged<'_> {
    /// Returns the verifiers that owe a verdict.
    fn owing(&self) -> Vec<&str> {
        let verdicts = self.verdicts.iter().map(|one| one.verdict);
        owing(&self.verifiers, self.state, verdicts)
    }

    /// Returns the verifiers in whose names somebody may give a verdict.
    fn open_to(&self, visit: &Visit) -> Vec<&str> {
        let is_own = |name: &&str| match &visit.caller.role {
            CallerRole::Verifier(own) => name == own,
            _ => visit.may(Right::Judge),
        };
        let names = self.verifiers.iter().map(String::as_str);
        names.filter(is_own).collect()
    }

    /// Shows who owes a verdict, and the verdicts that are there.
    pub(super) fn list(&self, visit: &Visit) -> Markup {
        let owing = self.owing();
        html! {
            @if !owing.is_empty() {
                p.state.warn {
                    (text(&owe_words(&owing)))
                    @if !self.open_to(visit).is_empty() { ": " a href="#judge" { "give it" } }
                }
            }
            (verdict_lists(visit, &self.verdicts, &self.verifiers))
        }
    }

    /// Shows the button that has the verifiers run again, and what that ends. Nothing where all verdicts
    /// come from outside.
    pub(super) fn verify_again(&self, visit: &Visit) -> Markup {
        let last = last_of_each(&self.verdicts, |one| one.verdict).into_iter();
        let counts = |one: &&Shown<'_>| self.verifiers.contains(&one.verdict.verifier);
        let by_hand = last.filter(|one| one.verdict.is_by_hand() && counts(one));
        let by_hand: Vec<_> = by_hand.map(|one| one.verdict.verifier.as_str()).collect();
        html! {
            @if visit.may(Right::Operate) && self.is_run {
                form method="post" action={ (self.forms) "verify" } { button type="submit" aria-describedby=[(!by_hand.is_empty()).then_some("ends")] { "Verify again" } }
                @if !by_hand.is_empty() {
                    span.dim #ends { "Verify again ends the verdict that was given by hand in the name of " (text(&by_hand.join(", "))) ": what the verifier itself says counts then." }
                }
            }
        }
    }

    /// Shows the form that gives a verdict, to those who may.
    pub(super) fn form(&self, visit: &Visit, refused: Option<(&Fields, &FormError)>) -> Markup {
        let open = self.open_to(visit);
        html! { @if !open.is_empty() { (give_form(self, &open, refused)) } }
    }
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
                @if let Some(other) = &shown.given_on { ", given on " (other) }
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

fn give_form(judged: &Judged<'_>, open: &[&str], refused: Option<(&Fields, &FormError)>) -> Markup {
    let none = Fields::default();
    let typed = refused.map_or(&none, |(typed, _)| typed);
    let mut owing = judged.owing();
    owing.retain(|name| open.contains(name));
    let chosen = typed.typed("verifier").or(owing.first().copied());
    let outcome = |word: &str| {
        let is_chosen = typed.text("outcome") == word;
        html! { label.check { input type="radio" name="outcome" value=(word) required checked[is_chosen]; " " (word) } }
    };
    html! {
        details.form #judge open[refused.is_some() || !owing.is_empty()] {
            summary { @if owing.is_empty() { "Give a verdict" } @else { "A verdict is owed: give it" } }
            (alert(refused.map(|(_, error)| error)))
            form method="post" action={ (judged.forms) "verdicts" } {
                @if let Some(edition) = judged.edition { input type="hidden" name="edition" value=(edition); }
                div.fields {
                    div {
                        label for="judge-verifier" { "In the name of" }
                        select #judge-verifier name="verifier" {
                            @for name in open {
                                option value=(name) selected[chosen == Some(*name)] {
                                    (text(name)) @if owing.contains(name) { " (owes one)" }
                                }
                            }
                        }
                    }
                    fieldset.checks {
                        legend { "Verdict" @if let Some(edition) = judged.edition { " on edition " (edition) } }
                        (outcome("passed")) (outcome("failed"))
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
