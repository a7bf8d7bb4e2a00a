//! Why a source is in its state, with a link to the version that somebody has to look at.

use maud::{Markup, html};

use super::elements::text;
use crate::app::History;
use crate::domain::{StateWord, VerdictOutcome, VersionId, last_of_each};
use crate::faces::state_word::why;

/// Shows the reason for a source's state; `None` where the word is enough.
pub(super) fn reason(history: &History) -> Option<Markup> {
    let newest = history.newest().map(|(version, _)| version.id);
    match (StateWord::of(&history.source), newest) {
        (StateWord::Pending, Some(version)) => {
            Some(html! { (text(&owing(history))) " on " (link(version)) })
        }
        (StateWord::Fail | StateWord::Error, Some(version)) => {
            let why = why(history)?;
            Some(html! { (text(&why)) " " (link(version)) })
        }
        _ => why(history).map(|why| html! { (text(&why)) }),
    }
}

fn link(version: VersionId) -> Markup {
    html! { a href={ "/versions/" (version) "#verdicts" } { "v" (version) } }
}

/// Names the verifiers that owe a verdict on the newest version.
fn owing(history: &History) -> String {
    let verdicts = history.newest().map(|(_, verdicts)| verdicts.as_slice());
    let last = last_of_each(verdicts.unwrap_or_default(), |one| &one.verdict).into_iter();
    let owe = last.filter(|one| one.verdict.judgement.outcome == VerdictOutcome::Pending);
    let names: Vec<_> = owe.map(|one| one.verdict.verifier.as_str()).collect();
    owe_words(&names)
}

/// Says that these verifiers owe verdicts.
pub(super) fn owe_words(names: &[&str]) -> String {
    match names {
        [] => "a verdict is owed".to_owned(),
        [only] => format!("{only} owes a verdict"),
        several => format!("{} owe verdicts", several.join(", ")),
    }
}
