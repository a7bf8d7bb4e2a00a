//! What is recorded of a notifier without a message: after a look, and when it is new, where all that fails waits for it until its
//! first pass ends. Never tells anybody.

use chrono::DateTime;

use super::announce::{is_about, subject_of};
use crate::config::NotifierConfig;
use crate::store::{EventSubject, NoticeLook, NoticeRecord, ToldOfEvent};

/// Returns the record of a notifier that is new: all that is not well waits to be told.
pub(in crate::app) fn beginning(notifier: &NotifierConfig, look: &NoticeLook) -> NoticeRecord {
    let candidates = look.candidates.iter();
    let selected = candidates.filter(|one| {
        let settings = &one.source.settings;
        notifier
            .sources
            .iter()
            .any(|pattern| pattern.matches(settings))
    });
    NoticeRecord {
        told: selected
            .map(|one| (one.source.id, one.told.mark_undelivered()))
            .collect(),
        told_events: held_events(notifier, look),
        announced_to: Some(look.newest),
        ..without_message(notifier, look)
    }
}

/// Returns what a notifier that is new is told of single events of before, when it wants to hear of them: it waits, and not for long.
fn held_events(notifier: &NotifierConfig, look: &NoticeLook) -> Vec<(EventSubject, ToldOfEvent)> {
    let announced = look.announced.iter();
    let wanted = announced.filter(|one| notifier.rules.wants(one.kind) && is_about(notifier, one));
    let held = wanted.map(|one| {
        let told = ToldOfEvent {
            at: DateTime::UNIX_EPOCH,
            held: Some(one.event_id),
        };
        (subject_of(one), told)
    });
    held.collect()
}

/// Returns the record of a look after which nobody was told anything.
pub(in crate::app) fn without_message(
    notifier: &NotifierConfig,
    look: &NoticeLook,
) -> NoticeRecord {
    NoticeRecord {
        begins: look.looked.is_none(),
        ..NoticeRecord::without_message(notifier.name.clone(), look.newest)
    }
}
