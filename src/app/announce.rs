//! What a message says of a change, and which single events a notifier wants to hear of.

use std::collections::HashSet;

use super::message::{Change, line_of};
use super::policy::UNUSABLE;
use crate::config::NotifierConfig;
use crate::domain::{ChangeKind, Source};
use crate::store::{Announcement, ChangeStory, NoticeLook};

/// Lines that a message shows of a difference.
const MOST_DIFFERENT_LINES: usize = 12;

/// Returns what a message says of a source that turned.
pub(super) fn turn(kind: ChangeKind, source: &Source, story: ChangeStory) -> Change {
    let is_version = matches!(kind, ChangeKind::VersionFailed | ChangeKind::GoodAgain);
    Change {
        kind,
        subject: source.settings.name.clone(),
        source_id: Some(source.id),
        address: Some(source.settings.address.to_string()),
        since: story.since.or(source.state.last_attempt_at),
        failures: source.state.failures,
        detail: story.detail,
        version_id: source.state.version_id.filter(|_| is_version),
        difference: None,
    }
}

/// Returns what a message says of a single event.
pub(super) fn announcement(one: &Announcement) -> Change {
    let (subject, detail) = match (&one.source, one.kind) {
        (Some(source), _) => (source.settings.name.clone(), one.detail.clone()),
        // The event begins with the name of the set.
        (None, ChangeKind::SetFailed | ChangeKind::SetPublished | ChangeKind::Withdrawn) => {
            let text = one.detail.as_deref().unwrap_or_default();
            let (set, rest) = text.split_once(": ").unwrap_or((text, ""));
            let rest = (!rest.is_empty()).then(|| rest.to_owned());
            (format!("set {set}"), rest)
        }
        // What is said of the configuration says already that it cannot be used.
        (None, _) => {
            let cause = |text: &String| text.strip_prefix(UNUSABLE).unwrap_or(text).to_owned();
            let cause = one.detail.as_ref().map(cause);
            ("the configuration".to_owned(), cause)
        }
    };
    let source = one.source.as_ref();
    Change {
        kind: one.kind,
        subject,
        source_id: source.map(|source| source.id),
        address: source.map(|source| source.settings.address.to_string()),
        since: Some(one.at),
        failures: source.map_or(0, |source| source.state.failures),
        detail,
        version_id: one.version_id,
        difference: None,
    }
}

/// Returns a unified difference without its head, cut after a few lines.
pub(super) fn short_difference(old: &str, new: &str) -> String {
    let difference = similar::TextDiff::from_lines(old, new);
    let text = difference.unified_diff().context_radius(0).to_string();
    let mut lines = text.lines().map(line_of);
    let mut short: Vec<_> = lines.by_ref().take(MOST_DIFFERENT_LINES).collect();
    let more = lines.count();
    if more > 0 {
        short.push(format!("… {more} more lines"));
    }
    short.join("\n")
}

/// Returns what followed from single events that the notifier wants to hear of: of each subject and kind the last, unless it is
/// over by now.
pub(super) fn announced_to(notifier: &NotifierConfig, look: &NoticeLook) -> Vec<Announcement> {
    let mut seen = HashSet::new();
    let mut kept: Vec<_> = look
        .announced
        .iter()
        .rev()
        .filter(|one| notifier.rules.wants(one.kind) && is_about(notifier, one))
        .filter(|one| {
            let change = announcement(one);
            seen.insert((one.kind, change.subject)) && is_still_so(one)
        })
        .cloned()
        .collect();
    kept.reverse();
    kept.sort_by_key(|one| one.kind);
    kept
}

/// Returns whether what an event tells of a source is so to this moment: another event may have ended it.
fn is_still_so(one: &Announcement) -> bool {
    let Some(source) = &one.source else {
        return true;
    };
    let state = &source.state;
    match one.kind {
        ChangeKind::Changed => state.published_version_id == one.version_id,
        ChangeKind::Withdrawn => state.published_version_id.is_none(),
        ChangeKind::PublishFailed => state.publish_error.is_some(),
        _ => true,
    }
}

/// Returns whether what a notifier selects is what an event is about: the source, or the tag of the set. The configuration is
/// about everything.
fn is_about(notifier: &NotifierConfig, one: &Announcement) -> bool {
    let set = announcement(one).subject;
    notifier
        .sources
        .iter()
        .any(|pattern| match (&one.source, set.strip_prefix("set ")) {
            (Some(source), _) => pattern.matches(&source.settings),
            (None, Some(tag)) => pattern.tag().is_none_or(|selected| selected == tag),
            (None, None) => true,
        })
}
