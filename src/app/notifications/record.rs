//! Records of notifiers without a message: after a look, and for a new notifier, for which present failures wait until
//! its first pass ends. Never sends anything.

use chrono::DateTime;

use super::announce::{is_about, subject_of};
use crate::config::NotifierConfig;
use crate::store::{EventSubject, NoticeLook, NoticeRecord, ToldOfEvent};

/// Returns the record of a new notifier: all present failures wait to be sent.
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

/// Returns a new notifier's earlier single events, if it wants them: they are held for a short time.
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

/// Returns the record of a look without a message.
pub(in crate::app) fn without_message(
    notifier: &NotifierConfig,
    look: &NoticeLook,
) -> NoticeRecord {
    NoticeRecord {
        begins: look.looked.is_none(),
        ..NoticeRecord::without_message(notifier.name.clone(), look.newest)
    }
}
