//! Describes a set in the words of lists, screens and the report: its state, the reasons, where it is published.

use crate::app::SetOverview;
use crate::domain::{Edition, VersionState};
use crate::faces::state_word::StateWord;

pub(crate) fn state(one: &SetOverview) -> String {
    if !one.set.configured {
        return "removed".to_owned();
    }
    if one.is_damaged {
        return StateWord::Damaged.as_str().to_owned();
    }
    if one.set.problem.is_some() {
        return VersionState::Error.to_string();
    }
    if one.set.publish_error.is_some() {
        return StateWord::Unpublished.shown().to_owned();
    }
    if one.set.is_withdrawn() && one.failure.is_some() && !one.members.is_empty() {
        let is_bad =
            |newest: &Edition| matches!(newest.state, VersionState::Failed | VersionState::Error);
        if !one.newest.as_ref().is_some_and(is_bad) {
            return "withdrawn".to_owned();
        }
    }
    if one.members.is_empty() {
        // The last edition holds files that have left the set.
        return "empty".to_owned();
    }
    one.newest
        .as_ref()
        .map_or_else(|| "never".to_owned(), |newest| newest.state.to_string())
}

/// Returns the reasons for a set's state in one line: why it fails, is not published, or is not judged.
pub(crate) fn why(one: &SetOverview) -> Option<String> {
    let reasons = reasons(one);
    let words = reasons.iter().enumerate().map(|(place, (what, why))| {
        if place == 0 || *what == "why" {
            why.clone()
        } else {
            format!("{what}: {why}")
        }
    });
    (!reasons.is_empty()).then(|| words.collect::<Vec<_>>().join("; "))
}

/// Returns every reason for a set's state, each under its name.
pub(crate) fn reasons(one: &SetOverview) -> Vec<(&'static str, String)> {
    let waits = waits(one).filter(|why| one.failure.as_ref() != Some(why));
    let named = [
        ("why", one.failure.clone()),
        ("not published", one.set.publish_error.clone()),
        ("waits", waits),
    ];
    let named = named.into_iter();
    named.filter_map(|(what, why)| Some((what, why?))).collect()
}

pub(crate) fn waits(one: &SetOverview) -> Option<String> {
    let reason = one.waits.as_ref().map(ToString::to_string);
    let owed = (!one.owing.is_empty()).then(|| {
        let owe = if one.owing.len() == 1 { "owes" } else { "owe" };
        let names = one.owing.join(", ");
        format!("{names} {owe} a verdict on its newest edition")
    });
    one.set.problem.clone().or(reason).or(owed)
}

pub(crate) fn path(one: &SetOverview) -> Option<String> {
    let path = one.path.to_string_lossy().into_owned();
    one.set.published.map(|_| path)
}
