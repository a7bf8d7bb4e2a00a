//! Words a message's changes, and picks the single events that a notifier receives.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};

use super::change::{Change, line_of};
use super::message::CONFIGURATION;
use crate::app::policy::standing::UNUSABLE;
use crate::config::NotifierConfig;
use crate::domain::{ChangeKind, EventId, Source};
use crate::store::{
    Announcement, ChangeRun, ChangeStory, EventSubject, NoticeLook, PublicationEvent, RunStart,
    ToldOfEvent,
};

/// The prefix of the events of a set's failed publication; messages call a set so, too.
const SET: &str = "set ";
/// The words between path and reason in the event of a file that could not be removed.
const OF_REMOVED: &str = " of a removed source is still there: ";
/// How many lines of a difference a message shows.
const MOST_DIFFERENT_LINES: usize = 12;

/// Returns the change of a message for a source that turned.
pub(in crate::app) fn turn(kind: ChangeKind, source: &Source, story: ChangeStory) -> Change {
    let is_version = matches!(kind, ChangeKind::VersionFailed | ChangeKind::GoodAgain);
    let subject = source.settings.name.clone();
    Change {
        source_id: Some(source.id),
        address: Some(source.settings.address.to_string()),
        since: story.since.or(source.state.last_attempt_at),
        failures: source.state.failures,
        detail: story.detail,
        version_id: source.state.version_id.filter(|_| is_version),
        ..Change::new(kind, subject)
    }
}

/// Returns the change of a message for a set that turned.
pub(in crate::app) fn set_turn(kind: ChangeKind, set: &str, story: ChangeStory) -> Change {
    Change {
        since: story.since,
        detail: story.detail.filter(|_| kind == ChangeKind::SetFailed),
        ..Change::new(kind, format!("set {set}"))
    }
}

/// Reports whether the event of a failed publication is about a set: it begins with the set's name.
fn is_of_set(one: &Announcement) -> bool {
    let detail = one.detail.as_deref();
    detail.is_some_and(|detail| detail.starts_with(SET))
}

/// Returns the change of a message for a single event.
pub(in crate::app) fn announcement(one: &Announcement) -> Change {
    let (subject, detail) = subject_and_detail(one);
    let source = one.source.as_ref();
    Change {
        source_id: source.map(|source| source.id),
        address: source.map(|source| source.settings.address.to_string()),
        since: Some(one.at),
        failures: source.map_or(0, |source| source.state.failures),
        detail,
        version_id: one.version_id,
        ..Change::new(one.kind, subject)
    }
}

/// Returns what an event is about, and what it says of that.
fn subject_and_detail(one: &Announcement) -> (String, Option<String>) {
    match (&one.source, one.kind) {
        // The present reason of the failure may differ from the first.
        (Some(source), ChangeKind::PublishFailed) => {
            let why = source.state.publish_error.as_ref();
            (
                source.settings.name.clone(),
                why.or(one.detail.as_ref()).cloned(),
            )
        }
        (Some(source), _) => (source.settings.name.clone(), one.detail.clone()),
        (None, ChangeKind::PublishFailed) if !is_of_set(one) => {
            let text = one.detail.as_deref().unwrap_or_default();
            let (path, why) = text.split_once(OF_REMOVED).unwrap_or((text, ""));
            (path.to_owned(), Some(why.to_owned()))
        }
        // The event's detail begins with the set's name.
        (None, ChangeKind::SetPublished | ChangeKind::Withdrawn | ChangeKind::PublishFailed) => {
            let text = one.detail.as_deref().unwrap_or_default();
            let text = text.strip_prefix(SET).unwrap_or(text);
            let (set, rest) = text.split_once(": ").unwrap_or((text, ""));
            let rest = (!rest.is_empty()).then(|| rest.to_owned());
            (format!("set {set}"), rest)
        }
        // The event's detail already says that the configuration cannot be used.
        (None, _) => {
            let cause = |text: &String| text.strip_prefix(UNUSABLE).unwrap_or(text).to_owned();
            let cause = one.detail.as_ref().map(cause);
            (CONFIGURATION.to_owned(), cause)
        }
    }
}

/// Returns the same for the last of several changes.
pub(in crate::app) fn announcement_of_run(one: &Announcement, run: &ChangeRun) -> Change {
    let first = run.first.as_ref().filter(|_| run.times > 1);
    let before = run.before.as_ref().filter(|before| !before.is_withdrawn);
    Change {
        times: run.times.max(1),
        first: first.and_then(in_words),
        replaces: before.and_then(in_words),
        because: run.because.clone(),
        is_back: run.times <= 1 && is_there_again(one, run),
        ..announcement(one)
    }
}

/// Reports whether readers see the same version as before the withdrawal.
fn is_there_again(one: &Announcement, run: &ChangeRun) -> bool {
    let before = run.before.as_ref();
    before.is_some_and(|before| {
        before.is_withdrawn && before.version.is_some() && before.version == one.version_id
    })
}

/// Names the published version or edition; the event of a set ends with its edition.
fn in_words(event: &PublicationEvent) -> Option<String> {
    let version = event.version.map(|id| format!("v{id}"));
    let edition = || Some(event.detail.as_deref()?.rsplit_once(": ")?.1.to_owned());
    version.or_else(edition)
}

/// Returns a unified difference without its header, cut after a few lines.
pub(in crate::app) fn short_difference(old: &str, new: &str) -> String {
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

/// The single events that a notifier receives, and those that wait.
#[derive(Default)]
pub(in crate::app) struct Announced {
    /// Announcements to send now.
    pub(in crate::app) now: Vec<Announcement>,
    /// By announcement: where the run of changes begins of which it is the last.
    pub(in crate::app) starts: HashMap<EventId, RunStart>,
    /// The runs of changes, where only their result is sent.
    pub(in crate::app) runs: HashMap<EventId, ChangeRun>,
    /// The notifier's new state of single events, once the message is delivered.
    pub(in crate::app) known: Vec<(EventSubject, ToldOfEvent)>,
}

impl Announced {
    /// Returns the announcements that are the last of several changes, with the starts of their runs.
    pub(in crate::app) fn run_starts(&self) -> Vec<(Announcement, RunStart)> {
        let is_daily = |one: &&Announcement| {
            matches!(one.kind, ChangeKind::Changed | ChangeKind::SetPublished)
        };
        let daily = self.now.iter().filter(is_daily);
        let with_start =
            daily.filter_map(|one| Some((one.clone(), *self.starts.get(&one.event_id)?)));
        with_start.collect()
    }

    /// Leaves out runs after which readers see the same as before, which the notifier knows. Keeps the other runs.
    pub(in crate::app) fn leave_out_what_is_back(
        &mut self,
        runs: Vec<(Announcement, ChangeRun)>,
        look: &NoticeLook,
    ) {
        for (one, run) in runs {
            if !is_as_before(&one, &run) {
                self.runs.insert(one.event_id, run);
                continue;
            }
            let subject = subject_of(&one);
            self.now.retain(|other| other.event_id != one.event_id);
            self.known.retain(|(known, _)| *known != subject);
            let told = look.told_events.get(&subject);
            if let Some(told) = told.filter(|told| told.held.is_some()) {
                self.known.push((subject, released(told)));
            }
        }
    }
}

fn is_as_before(one: &Announcement, run: &ChangeRun) -> bool {
    run.before.as_ref().is_some_and(|before| {
        let is_same = (before.version, &before.detail) == (one.version_id, &one.detail);
        is_same && !before.is_withdrawn
    })
}

/// Returns the announcements that the notifier wants: of each subject and kind the last, unless it is no longer true.
/// One that comes too soon after another is held.
pub(in crate::app) fn announced_to(
    notifier: &NotifierConfig,
    look: &NoticeLook,
    now: DateTime<Utc>,
) -> Announced {
    let mut announced = Announced::default();
    let mut waiting: HashMap<_, _> = look
        .told_events
        .iter()
        .filter(|(_, told)| told.held.is_some())
        .collect();
    let firsts = first_events(look);
    for (one, subject) in wanted_by(notifier, look) {
        let told = look.told_events.get(&subject).copied();
        let soon = told.filter(|told| notifier.rules.delays(one.kind, told.at, now));
        if soon.is_none() {
            let start = RunStart {
                event: firsts.get(&subject).copied().unwrap_or(one.event_id),
                announced: look.announced_from,
                told_at: told.map(|told| told.at),
            };
            announced.starts.insert(one.event_id, start);
            announced.now.push(one.clone());
        }
        let told = ToldOfEvent {
            at: soon.map_or(now, |told| told.at),
            held: soon.map(|_| one.event_id),
        };
        if waiting.remove(&subject) != Some(&told) {
            announced.known.push((subject, told));
        }
    }
    // Announcements that are no longer true or wanted are dropped.
    let over = waiting.into_iter();
    let over = over.map(|(subject, told)| (subject.clone(), released(told)));
    announced.known.extend(over);
    announced.now.reverse();
    announced.now.sort_by_key(|one| one.kind);
    announced
}

/// Returns the state of events of which none is held any more.
fn released(told: &ToldOfEvent) -> ToldOfEvent {
    ToldOfEvent {
        held: None,
        ..*told
    }
}

/// Returns the first event of each subject and kind.
fn first_events(look: &NoticeLook) -> HashMap<EventSubject, EventId> {
    let mut firsts = HashMap::new();
    for one in look.held.iter().chain(&look.announced) {
        firsts.entry(subject_of(one)).or_insert(one.event_id);
    }
    firsts
}

/// Returns the last announcement of each subject and kind that the notifier wants and that is still true, newest first.
fn wanted_by<'a>(
    notifier: &NotifierConfig,
    look: &'a NoticeLook,
) -> impl Iterator<Item = (&'a Announcement, EventSubject)> {
    let mut seen = HashSet::new();
    let newest_first = look.held.iter().chain(&look.announced).rev();
    newest_first.filter_map(move |one| {
        let subject = subject_of(one);
        let is_wanted = notifier.rules.wants(one.kind) && is_about(notifier, one);
        let is_taken = is_wanted && seen.insert(subject.clone()) && is_still_so(one, look);
        is_taken.then_some((one, subject))
    })
}

pub(in crate::app) fn subject_of(one: &Announcement) -> EventSubject {
    let about = match &one.source {
        Some(source) => source.id.to_string(),
        None => announcement(one).subject,
    };
    let kind = one.kind;
    EventSubject { kind, about }
}

/// Returns whether an announcement is still true: another event may have ended it.
fn is_still_so(one: &Announcement, look: &NoticeLook) -> bool {
    let Some(source) = &one.source else {
        return is_still_so_of_set(one, look);
    };
    let state = &source.state;
    match one.kind {
        ChangeKind::Changed => state.published_version_id == one.version_id,
        ChangeKind::Withdrawn => state.published_version_id.is_none(),
        ChangeKind::PublishFailed => state.publish_error.is_some(),
        _ => true,
    }
}

fn is_still_so_of_set(one: &Announcement, look: &NoticeLook) -> bool {
    let subject = announcement(one).subject;
    let name = subject.strip_prefix(SET);
    let set = look.sets.iter().find(|set| Some(set.name.as_str()) == name);
    match one.kind {
        ChangeKind::SetPublished => set.and_then(|set| set.published).is_some_and(|edition| {
            let detail = one.detail.as_deref().unwrap_or_default();
            detail.ends_with(&format!(": edition {edition}"))
        }),
        // A withdrawn set that is no longer configured is deleted.
        ChangeKind::Withdrawn => set.is_none_or(|set| set.published.is_none()),
        ChangeKind::PublishFailed if name.is_none() => look.left.contains_key(&subject),
        ChangeKind::PublishFailed => set.is_some_and(|set| set.is_unpublished),
        _ => true,
    }
}

/// Returns whether a notifier selects an event's subject: the source, or the set's tag. The configuration concerns
/// every notifier.
pub(in crate::app) fn is_about(notifier: &NotifierConfig, one: &Announcement) -> bool {
    let subject = announcement(one).subject;
    let mut patterns = notifier.sources.iter();
    match (&one.source, subject.strip_prefix(SET)) {
        (Some(source), _) => patterns.any(|pattern| pattern.matches(&source.settings)),
        (None, Some(set)) => is_about_set(notifier, set),
        (None, None) => true,
    }
}

/// Returns whether a notifier selects a set, by its tag.
pub(in crate::app) fn is_about_set(notifier: &NotifierConfig, set: &str) -> bool {
    let mut patterns = notifier.sources.iter();
    patterns.any(|pattern| pattern.tag().is_none_or(|selected| selected == set))
}
