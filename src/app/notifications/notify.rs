//! Sends notifiers the changes after a pass, or a test message; sends the heartbeat.
//!
//! A message is sent first and recorded then, by one process at a time: a kill in between sends it twice, and none is
//! lost. A failed delivery is no error of the pass: it is recorded as an event and retried.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::FutureExt as _;
use futures_util::stream::{self, StreamExt as _};

use super::announce::{announcement_of_run, set_turn, short_difference, turn};
use super::change::{Change, line_of};
use super::message::{MOST_LISTED, MOST_POSTED_BYTES, Message};
use super::plan::{Delivery, NoticePlan, plan};
use super::record::{beginning, without_message};
use super::sample::sample_changes;
use crate::app::sources::suggest::no_such_name;
use crate::app::{App, Comparison, Result};
use crate::config::{NoticeFormat, NotifierConfig, NotifierKind};
use crate::domain::{Action, ChangeKind, Content, NewEvent, VersionId};
use crate::net::{WebhookRequest, WebhookResponse};
use crate::store::{
    Announcement, ChangeRun, ChangeRuns, Fact, NoticeLook, NoticeLookOf, NoticeRecord, StoriesOf,
};
use crate::verify::{Notification, run_notification};

/// Notifiers that are served at once.
const AT_ONCE: usize = 4;
/// After so many events without a notice, a look records how far it got.
const MOST_BEHIND: i64 = 10_000;
/// How many changes of a message show a difference, and the longest content compared for one.
const MOST_DIFFERENCES: usize = 5;
const MOST_COMPARED_BYTES: u64 = 64 << 10;

const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(10);
const JSON_TYPE: &str = "application/json";
const TEXT_TYPE: &str = "text/plain; charset=utf-8";

impl App {
    /// Sends every notifier the changes since its last message. Returns a line for each failed delivery.
    ///
    /// Does nothing while another process sends.
    pub(crate) async fn send_changes(&self) -> Vec<String> {
        let config = self.config();
        let notifiers = &config.notifiers;
        if notifiers.is_empty() {
            return Vec::new();
        }
        let _lock = match self
            .with_archive(|archive| archive.machine().try_lock_notifications())
            .await
        {
            Ok(Some(lock)) => lock,
            Ok(None) => return Vec::new(),
            Err(error) => return vec![format!("no notifier could be told: {error}")],
        };
        let served: Vec<_> = notifiers
            .iter()
            .map(|one| self.serve(one).boxed())
            .collect();
        // In the order of the configuration.
        let failures = stream::iter(served).buffered(AT_ONCE);
        failures.filter_map(std::future::ready).collect().await
    }

    /// Sends one notifier its changes; returns why its delivery failed.
    async fn serve(&self, notifier: &NotifierConfig) -> Option<String> {
        let why = match self.send_changes_to(notifier).await {
            Ok(None | Some(Ok(_))) => return None,
            Ok(Some(Err(why))) => why,
            Err(error) => error.to_string(),
        };
        let failure = format!("could not tell {}: {why}", notifier.name);
        tracing::warn!("{failure}");
        Some(failure)
    }

    /// Records new notifiers before a pass: failures at the end of the pass are sent, and earlier events are not.
    pub(crate) async fn begin_notifiers(&self) -> Result<()> {
        for notifier in &self.config().notifiers {
            let now = self.now();
            let look = self.read(NoticeLookOf(notifier.name.clone(), now)).await?;
            if let Some(look) = look.filter(|look| look.looked.is_none()) {
                let record = beginning(notifier, &look);
                self.record(Fact::Notice(Box::new(record))).await?;
            }
        }
        Ok(())
    }

    /// Sends a sample message to one notifier. Returns the answer or the failure.
    pub async fn test_notifier(&self, name: &str) -> Result<Delivery> {
        let config = self.config();
        let notifier = config.notifiers.iter().find(|one| one.name == name);
        let Some(notifier) = notifier else {
            let names = config.notifiers.iter().map(|one| one.name.as_str());
            let otherwise =
                "the configuration names them: [[notify]] with `name`, and `command` or `webhook`";
            return Err(no_such_name("notifier", name, names, otherwise));
        };
        let message = sample(&notifier.rules.on, self.now());
        let delivery = self.send(notifier, &message).await;
        let (action, what) = match &delivery {
            Ok(_) => (Action::NoticeSent, "a test".to_owned()),
            Err(why) => (Action::NoticeFailed, format!("a test: {why}")),
        };
        let event = NewEvent::of(action).detail(format!("{name}: {what}"));
        self.record(Fact::Event(event)).await?;
        Ok(delivery)
    }

    /// Calls the heartbeat's address, if there is one; the error is why the call failed.
    pub(crate) async fn send_heartbeat(&self) -> std::result::Result<(), String> {
        let Some(url) = &self.config().worker.heartbeat.clone() else {
            return Ok(());
        };
        let webhooks = self.webhooks().await.map_err(|error| error.to_string())?;
        let answer = webhooks.get(url, HEARTBEAT_TIMEOUT).await;
        delivery_of(&answer.map_err(|error| error.to_string())?).map(drop)
    }

    /// Sends a notifier what changed since its last message, and records the delivery; `None` without a change.
    async fn send_changes_to(&self, notifier: &NotifierConfig) -> Result<Option<Delivery>> {
        let now = self.now();
        let look = self.read(NoticeLookOf(notifier.name.clone(), now));
        let Some(mut look) = look.await? else {
            return Ok(None);
        };
        let is_rejected = |one: &Announcement| one.kind == ChangeKind::ConfigRejected;
        if look.announced.iter().any(is_rejected) && self.is_configuration_in_force().await {
            look.announced.retain(|one| !is_rejected(one));
        }
        let mut plan = plan(notifier, &look, now);
        let starts = plan.announced.run_starts();
        let runs = self.read(ChangeRuns(starts.clone())).await?;
        let runs = starts.into_iter().map(|(one, _)| one).zip(runs).collect();
        plan.announced.leave_out_what_is_back(runs, &look);
        if plan.is_empty() {
            self.keep_known(notifier, look, plan).await?;
            return Ok(None);
        }
        let message = self.message(&plan, now).await?;
        let delivery = self.send(notifier, &message).await;
        let record = plan.record_of(&delivery, notifier, &look, message.count(), now);
        self.record(Fact::Notice(Box::new(record))).await?;
        Ok(Some(delivery))
    }

    /// Records the notifier's state without a message, when it changed.
    async fn keep_known(
        &self,
        notifier: &NotifierConfig,
        look: NoticeLook,
        plan: NoticePlan,
    ) -> Result<()> {
        let is_near = look
            .looked
            .is_some_and(|looked| look.newest.0 - looked.0 < MOST_BEHIND);
        if is_near && plan.known.sources.is_empty() && plan.known.sets.is_empty() {
            return Ok(());
        }
        let record = NoticeRecord {
            told: plan.known.sources,
            told_sets: plan.known.sets,
            told_events: plan.announced.known,
            announced_to: Some(look.announced_to),
            ..without_message(notifier, &look)
        };
        self.record(Fact::Notice(Box::new(record))).await
    }

    async fn message(&self, plan: &NoticePlan, at: DateTime<Utc>) -> Result<Message> {
        let turned = plan.changes.iter().map(|(kind, _)| *kind);
        let sets = plan.set_changes.iter().map(|(kind, ..)| *kind);
        let announced = plan.announced.now.iter().map(|one| one.kind);
        let counts = counts(turned.chain(sets).chain(announced));
        let mut listed = self.listed_turns(plan).await?;
        let mut differences = 0;
        for one in plan.announced.now.iter().take(MOST_LISTED - listed.len()) {
            let none = ChangeRun::default();
            let run = plan.announced.runs.get(&one.event_id).unwrap_or(&none);
            let mut change = announcement_of_run(one, run);
            if one.kind == ChangeKind::Changed && differences < MOST_DIFFERENCES {
                let before = run.before.as_ref().and_then(|before| before.version);
                change.difference = self.difference(one, before).await;
                differences += usize::from(change.difference.is_some());
            }
            listed.push(change);
        }
        Ok(Message {
            counts,
            listed,
            is_test: false,
            at,
        })
    }

    /// Returns the turns of sources and sets that a message lists.
    async fn listed_turns(&self, plan: &NoticePlan) -> Result<Vec<Change>> {
        let turns = &plan.changes[..plan.changes.len().min(MOST_LISTED)];
        let of_sources = turns
            .iter()
            .map(|(kind, source)| (source.id, source.state.version_id, *kind));
        let of_sources = StoriesOf::Sources(of_sources.collect());
        let stories = self.read(of_sources).await?;
        let turns = turns.iter().zip(stories);
        let mut listed: Vec<_> = turns
            .map(|((kind, source), story)| turn(*kind, source, story))
            .collect();
        let sets = &plan.set_changes[..plan.set_changes.len().min(MOST_LISTED - listed.len())];
        let editions = sets.iter().map(|(.., edition)| *edition);
        let editions = StoriesOf::Editions(editions.collect());
        let stories = self.read(editions).await?;
        let sets = sets.iter().zip(stories);
        listed.extend(sets.map(|((kind, set, _), story)| set_turn(*kind, set, story)));
        Ok(listed)
    }

    /// Returns a short difference between a published version and the one that readers saw before, for short texts.
    async fn difference(&self, one: &Announcement, before: Option<VersionId>) -> Option<String> {
        let version = self
            .ports
            .store
            .find_version(one.version_id?)
            .await
            .ok()??;
        let before = self.ports.store.find_version(before?).await.ok()??;
        if version.size_bytes.max(before.size_bytes) > MOST_COMPARED_BYTES {
            return None;
        }
        match self.compare(&before, &version).await.ok()? {
            Comparison::Text { old, new } => {
                let redactor = self.redactor_of(vec![version.source_id]).await.ok()?;
                let [old, new] = [old, new].map(|text| redactor.redact(text));
                Some(short_difference(&old, &new))
            }
            Comparison::Same | Comparison::Bytes(_) => None,
        }
    }

    async fn send(&self, notifier: &NotifierConfig, message: &Message) -> Delivery {
        match &notifier.kind {
            NotifierKind::Command { argv } => self.run_program(notifier, argv, message).await,
            NotifierKind::Webhook {
                url,
                secret,
                format,
            } => {
                let (media_type, body) = match format {
                    NoticeFormat::Json => (JSON_TYPE, message.json().to_string()),
                    NoticeFormat::Text => (TEXT_TYPE, message.text(MOST_POSTED_BYTES)),
                };
                let request = WebhookRequest {
                    url,
                    secret: secret.as_deref(),
                    id: &message.id(&notifier.name),
                    timestamp: self.now(),
                    headers: &[],
                    media_type: Some(media_type),
                    body: &memory(body),
                    timeout: notifier.timeout,
                };
                let webhooks = self.webhooks().await.map_err(|error| error.to_string())?;
                let answer = webhooks.deliver(request).await;
                delivery_of(&answer.map_err(|error| error.to_string())?)
            }
        }
    }

    async fn run_program(
        &self,
        notifier: &NotifierConfig,
        argv: &[String],
        message: &Message,
    ) -> Delivery {
        let notice = Notification {
            argv,
            text: memory(message.text(usize::MAX)),
            json: memory(message.json().to_string()),
            variables: vec![
                ("GANNET_NOTIFIER", notifier.name.clone()),
                ("GANNET_SUMMARY", message.summary()),
                ("GANNET_CHANGES", message.count().to_string()),
            ],
            timeout: notifier.timeout,
        };
        let said = run_notification(notice, self.ports.archive.machine().temp_dir()).await?;
        Ok(said.unwrap_or_else(|| "exit code 0".to_owned()))
    }
}

fn counts(kinds: impl IntoIterator<Item = ChangeKind>) -> [(ChangeKind, usize); 10] {
    let mut counts = ChangeKind::ALL.map(|kind| (kind, 0));
    for kind in kinds {
        for (one, count) in &mut counts {
            *count += usize::from(*one == kind);
        }
    }
    counts
}

fn sample(on: &[ChangeKind], at: DateTime<Utc>) -> Message {
    Message {
        counts: counts(on.iter().copied()),
        listed: sample_changes(on, at),
        is_test: true,
        at,
    }
}

fn memory(text: String) -> Content {
    Content::Memory(text.into())
}

/// Reads an answer: any 2xx accepts the message.
fn delivery_of(answer: &WebhookResponse) -> Delivery {
    let text = String::from_utf8_lossy(&answer.body);
    let status = answer.status;
    let said = match text.lines().map(line_of).find(|line| !line.is_empty()) {
        Some(line) => format!("answered {status}: {line}"),
        None => format!("answered {status}"),
    };
    if (200..300).contains(&status) {
        Ok(said)
    } else {
        Err(said)
    }
}
