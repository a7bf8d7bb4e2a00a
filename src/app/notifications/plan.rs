//! Plans a notifier's message: which turns and events it has, and what is recorded of them with and without a delivery.
//! Never sends anything.

use chrono::{DateTime, TimeDelta, Utc};

use super::announce::{Announced, announced_to, is_about_set};
use super::record::without_message;
use crate::config::NotifierConfig;
use crate::domain::{
    Action, ChangeKind, EditionId, LONGEST_RETRY, NotifierState, SetNotifierState, Source,
    SourceHealth, SourceId, next_notification, next_set_notification,
};
use crate::store::{Candidate, NoticeLook, NoticeRecord};

/// The pause after the first failed delivery, and after many in a row: less than the hour between two passes of cron.
const FIRST_RETRY: TimeDelta = TimeDelta::minutes(1);
const LAST_RETRY: TimeDelta = LONGEST_RETRY;

/// The result of a delivery: the answer, or why it failed. Never a secret.
pub type Delivery = std::result::Result<String, String>;

/// What to send to a notifier, and what to record.
#[derive(Default)]
pub(super) struct NoticePlan {
    /// Turns of sources to send, the gravest first.
    pub(super) changes: Vec<(ChangeKind, Source)>,
    /// Turns of sets to send, each with its edition.
    pub(super) set_changes: Vec<(ChangeKind, String, EditionId)>,
    /// Single events to send, and those that are held.
    pub(super) announced: Announced,
    /// Changes of the notifier's state, whether or not a message is sent.
    pub(super) known: NotifierStates,
    /// The notifier's state of the message's sources and sets, if it is delivered.
    pub(super) delivered: NotifierStates,
    /// The notifier's state of the message's sources, if it is not delivered.
    pub(super) undelivered: Vec<(SourceId, NotifierState)>,
}

/// A notifier's state of sources and sets.
#[derive(Default)]
pub(super) struct NotifierStates {
    pub(super) sources: Vec<(SourceId, NotifierState)>,
    pub(super) sets: Vec<(String, SetNotifierState)>,
}

impl NoticePlan {
    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.set_changes.is_empty() && self.announced.now.is_empty()
    }

    /// Returns what to record after the delivery of this plan's message.
    pub(super) fn record_of(
        self,
        delivery: &Delivery,
        notifier: &NotifierConfig,
        look: &NoticeLook,
        changes: usize,
        now: DateTime<Utc>,
    ) -> NoticeRecord {
        let plural = if changes == 1 { "" } else { "s" };
        let sent = format!("{}: {changes} change{plural}", notifier.name);
        match delivery {
            Ok(_) => NoticeRecord {
                told: [self.known.sources, self.delivered.sources].concat(),
                told_sets: [self.known.sets, self.delivered.sets].concat(),
                told_events: self.announced.known,
                quiet_since: Some(now - notifier.rules.quiet),
                announced_to: Some(look.announced_to),
                event: Some((Action::NoticeSent, sent)),
                ..without_message(notifier, look)
            },
            Err(why) => {
                let failures = look.failures.saturating_add(1);
                NoticeRecord {
                    told: [self.known.sources, self.undelivered].concat(),
                    told_sets: self.known.sets,
                    failures,
                    retry_at: Some(now + retry_after(failures)),
                    event: Some((Action::NoticeFailed, format!("{sent}: {why}"))),
                    ..without_message(notifier, look)
                }
            }
        }
    }
}

/// Returns what to send to a notifier now.
pub(super) fn plan(notifier: &NotifierConfig, look: &NoticeLook, now: DateTime<Utc>) -> NoticePlan {
    let mut plan = NoticePlan {
        announced: announced_to(notifier, look, now),
        ..NoticePlan::default()
    };
    plan_sets(notifier, look, now, &mut plan);
    for candidate in &look.candidates {
        plan_source(notifier, candidate, now, &mut plan);
    }
    // A stable sort: by name within each kind.
    plan.changes.sort_by_key(|(kind, _)| *kind);
    plan
}

/// Adds the turns of a source, and the notifier's state of it.
fn plan_source(
    notifier: &NotifierConfig,
    candidate: &Candidate,
    now: DateTime<Utc>,
    plan: &mut NoticePlan,
) {
    let (source, told) = (&candidate.source, candidate.told);
    let mut patterns = notifier.sources.iter();
    let then = if patterns.any(|pattern| pattern.matches(&source.settings)) {
        let (rules, present) = (&notifier.rules, SourceHealth::of(source));
        let told = told.reset_failed(&candidate.failed_since, rules, present, now);
        let decision = next_notification(rules, present, told, now);
        if !decision.changes.is_empty() {
            let changes = decision.changes.into_iter();
            plan.changes
                .extend(changes.map(|kind| (kind, source.clone())));
            plan.delivered.sources.push((source.id, decision.then));
            // Usually its change waits already: an earlier delivery failed.
            if told.mark_undelivered() != candidate.told {
                plan.undelivered.push((source.id, told.mark_undelivered()));
            }
            return;
        }
        decision.then
    } else {
        // The configuration may have differed at the last message.
        NotifierState {
            waits: false,
            ..told
        }
    };
    if then != told {
        plan.known.sources.push((source.id, then));
    }
}

/// Adds the turns of sets, and the notifier's state of them.
fn plan_sets(
    notifier: &NotifierConfig,
    look: &NoticeLook,
    now: DateTime<Utc>,
    plan: &mut NoticePlan,
) {
    let selected = look
        .sets
        .iter()
        .filter(|set| is_about_set(notifier, &set.name));
    // A set without members, or no longer configured, has no turn.
    for (set, (edition, state)) in selected.filter_map(|set| Some((set, set.newest?))) {
        let (change, then) =
            next_set_notification(&notifier.rules, Some((edition, state)), set.told, now);
        let name = set.name.clone();
        if let Some(kind) = change {
            plan.set_changes.push((kind, name.clone(), edition));
            plan.delivered.sets.push((name, then));
            continue;
        }
        let then = SetNotifierState {
            at: set.told.at,
            worse_at: set.told.worse_at,
            ..then
        };
        if then != set.told {
            plan.known.sets.push((name, then));
        }
    }
    plan.set_changes.sort_by_key(|(kind, ..)| *kind);
}

fn retry_after(failures: u32) -> TimeDelta {
    // Six doublings exceed the longest pause.
    let doublings = failures.saturating_sub(1).min(6);
    (FIRST_RETRY * (1 << doublings)).min(LAST_RETRY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_that_fails_is_tried_again_ever_later_and_once_an_hour_at_least() {
        let minutes = [1, 2, 3, 4, 5, 6, 7, 1000, u32::MAX].map(|n| retry_after(n).num_minutes());
        assert_eq!(minutes, [1, 2, 4, 8, 16, 30, 30, 30, 30]);
    }
}
