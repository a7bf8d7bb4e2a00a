//! Runs effects through the use-cases of `app`, and sends changes in the catalogue as messages.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::sync::mpsc::error::SendError;
use tokio::sync::mpsc::{Sender, UnboundedSender, unbounded_channel};
use tokio::task::{AbortHandle, JoinSet};

use super::change_queue::ChangeQueue;
use super::clipboard;
use super::log::{LogLine, RING};
use super::message::{Change, Effect, Job, Msg, verify_target};
use super::messages::effects::{act_on_dead, count_dead, read_message, read_messages};
use super::rows::load_rows;
use super::table::Row;
use super::viewer::WINDOW;
use super::worker_handle::WorkerHandle;
use crate::app::{App, Error, EventFilter, Result};
use crate::domain::{Action, Content, EventId, Source, SourceId, Version, VersionId};
use crate::faces::state_word::not_whole;
use crate::faces::text::{clean, count};
use crate::faces::version_diff::Diff;

/// How often the catalogue is asked for changes.
const POLL: Duration = Duration::from_millis(250);
/// The polls between two looks at the server on which messages wait.
const POLLS_OF_SERVER: u32 = 8;
/// How long to wait before another try when the catalogue could not be read.
const RETRY_DELAY: Duration = Duration::from_secs(2);
/// Most events that are read one by one; after more, all sources are read again.
const EVENT_BATCH: usize = 2000;
/// Sources in the first page: more than a screen has lines.
const SCREENFUL: usize = 300;
/// Events that the log pane begins with.
const INITIAL_EVENTS: usize = 1000;

/// Starts and owns the tasks of the dashboard; their results are sent as messages.
pub(super) struct Runner {
    app: Arc<App>,
    worker: Arc<dyn WorkerHandle>,
    messages: Sender<Msg>,
    tasks: JoinSet<()>,
    /// The channel to the task that applies changes. Unbounded, since only the operator's keys fill it.
    changes: UnboundedSender<Change>,
    /// Asks the task that watches the catalogue to read everything again.
    resync_requests: Arc<Notify>,
    /// The read of the selected source's history, aborted when another source is selected.
    history: Option<AbortHandle>,
    /// The read of the selected message, aborted when another is selected.
    message: Option<AbortHandle>,
}

impl Runner {
    pub(super) fn new(app: Arc<App>, worker: Arc<dyn WorkerHandle>, messages: Sender<Msg>) -> Self {
        // Closed: the task that makes changes begins with the first.
        let (changes, _) = unbounded_channel();
        Self {
            app,
            worker,
            messages,
            tasks: JoinSet::new(),
            changes,
            resync_requests: Arc::default(),
            history: None,
            message: None,
        }
    }

    /// Starts the task that watches the catalogue for changes by any process.
    pub(super) fn watch(&mut self) {
        let (app, messages) = (Arc::clone(&self.app), self.messages.clone());
        let resync_requests = Arc::clone(&self.resync_requests);
        self.tasks.spawn(async move {
            // A lock on the catalogue or a full disk may pass.
            while let Err(error) = watch(&app, &messages, &resync_requests).await {
                if messages.send(Msg::Failed(error.with_hint())).await.is_err() {
                    return;
                }
                tokio::time::sleep(RETRY_DELAY).await;
            }
        });
    }

    /// Starts the task of an effect; its result is sent as a message.
    pub(super) fn start(&mut self, effect: Effect) {
        while self.tasks.try_join_next().is_some() {}
        if matches!(effect, Effect::Resync) {
            // Only one task reads the catalogue: two could send their results in the wrong order.
            self.resync_requests.notify_one();
            return;
        }
        if let Effect::Change(change) = effect {
            self.change(change);
            return;
        }
        let is_pane = matches!(effect, Effect::ReadHistory(_, Some(_)));
        if is_pane && let Some(task) = self.history.take() {
            task.abort();
        }
        let is_message = matches!(effect, Effect::ReadMessage(_));
        if is_message && let Some(task) = self.message.take() {
            task.abort();
        }
        let (app, worker) = (Arc::clone(&self.app), Arc::clone(&self.worker));
        let messages = self.messages.clone();
        let ended = end_message(&effect);
        let handle = self.tasks.spawn(async move {
            let outcome = perform(&app, &*worker, &messages, effect).await;
            let message = outcome.unwrap_or_else(|error| Some(Msg::Failed(error.with_hint())));
            for message in ended.into_iter().chain(message) {
                // Sending fails only when the dashboard has ended.
                let _ = messages.send(message).await;
            }
        });
        if is_pane {
            self.history = Some(handle);
        } else if is_message {
            self.message = Some(handle);
        }
    }

    /// Sends a change to the task that applies changes, behind the changes that wait there.
    fn change(&mut self, change: Change) {
        let Err(SendError(change)) = self.changes.send(change) else {
            return;
        };
        // The task was not started yet, or a panic ended it, which the panic hook has reported: start the task.
        let (changes, wanted) = unbounded_channel();
        let app = Arc::clone(&self.app);
        let maker = ChangeQueue::new(app, Arc::clone(&self.worker), self.messages.clone());
        self.tasks.spawn(maker.run(wanted));
        // Cannot fail: the task holds the receiver.
        let _ = changes.send(change);
        self.changes = changes;
    }
}

/// Returns the message sent at the end of an effect that a key must not start twice; none for other effects.
fn end_message(effect: &Effect) -> Option<Msg> {
    match effect {
        Effect::Fetch(ids) => Some(Msg::FetchEnded(ids.clone())),
        Effect::Verify(versions) => Some(Msg::VerifyEnded(
            versions.iter().map(verify_target).collect(),
        )),
        Effect::ActOnDead(_, id) => Some(Msg::DeadDeedEnded(*id)),
        _ => None,
    }
}

async fn perform(
    app: &App,
    worker: &dyn WorkerHandle,
    messages: &Sender<Msg>,
    effect: Effect,
) -> Result<Option<Msg>> {
    Ok(Some(match effect {
        Effect::ReadHistory(id, limit) => {
            let (history, damage) = app.sound_history(&id.to_string(), limit).await?;
            let damage = damage.map(|damage| clean(&not_whole(&damage)).into_owned());
            Msg::History(Box::new(history), damage)
        }
        Effect::ReadVerdicts(version) => Msg::Verdicts(version, app.verdicts(version).await?),
        Effect::Open(version) => open(app, messages, *version).await,
        Effect::ReadWindow(id, content, start) => read_window(id, content, start).await?,
        Effect::Compare(old, new) => compare(app, *old, *new).await?,
        Effect::Fetch(ids) => fetch(worker, messages, ids).await?,
        Effect::Verify(versions) => verify(app, messages, versions).await?,
        Effect::ReadMessages(ask) => read_messages(app, ask).await,
        Effect::CountDead => count_dead(app).await?,
        Effect::ReadMessage(of) => read_message(app, of).await,
        Effect::ActOnDead(deed, id) => act_on_dead(app, deed, id).await?,
        Effect::Copy(text) => {
            clipboard::copy_to_tmux(&text).await?;
            Msg::Done(format!("copied {text}"))
        }
        Effect::Resync | Effect::Change(_) | Effect::Suspend | Effect::Quit => {
            return Ok(None);
        }
    }))
}

async fn fetch(
    worker: &dyn WorkerHandle,
    messages: &Sender<Msg>,
    ids: Vec<SourceId>,
) -> Result<Msg> {
    let what = format!("fetching {}", count(ids.len(), "source"));
    let job = JobReporter::new(messages, what, ids.len());
    job.report(0).await;
    let outcome = worker.fetch(ids).await;
    job.end().await;
    Ok(Msg::Done(outcome?))
}

async fn compare(app: &App, old: Version, new: Version) -> Result<Msg> {
    let comparison = app.compare(&old, &new).await?;
    let ids = (old.id, new.id);
    let diff = blocking(move || Ok(Diff::of(&comparison, &old, &new))).await?;
    Ok(Msg::Compared(ids.0, ids.1, Box::new(diff)))
}

/// Opens a version. For a large one, the first bytes are sent at once as a preview, before all is decoded and checked.
async fn open(app: &App, messages: &Sender<Msg>, version: Version) -> Msg {
    let id = version.id;
    let most = usize::try_from(WINDOW).unwrap_or(usize::MAX);
    // An error is reported by the read of the whole version.
    if let Ok(Some(bytes)) = app.beginning(&version, most).await {
        let began = Msg::Preview(id, version.size_bytes, bytes);
        // Sending fails only when the dashboard has ended.
        let _ = messages.send(began).await;
    }
    let opened = open_checked(app, version).await;
    opened.unwrap_or_else(|error| Msg::Unreadable(id, error.with_hint()))
}

async fn open_checked(app: &App, version: Version) -> Result<Msg> {
    let content = app.content(&version).await?;
    let Msg::Window(id, _, bytes) = read_window(version.id, content.clone(), 0).await? else {
        unreachable!("a window is what reading one gives");
    };
    Ok(Msg::Opened(id, content, bytes))
}

async fn read_window(id: VersionId, content: Content, start: u64) -> Result<Msg> {
    let bytes = blocking(move || {
        let most = WINDOW.min(content.size_bytes().saturating_sub(start));
        let length = usize::try_from(most).unwrap_or(0);
        if let Some(bytes) = content.as_memory() {
            let from = usize::try_from(start)
                .unwrap_or(usize::MAX)
                .min(bytes.len());
            return Ok(Bytes::copy_from_slice(&bytes[from..from + length]));
        }
        let mut bytes = vec![0; length];
        if let Some(path) = content.as_file() {
            File::open(path)
                .and_then(|file| file.read_exact_at(&mut bytes, start))
                .map_err(|error| unavailable(format!("cannot read {}: {error}", path.display())))?;
        }
        Ok(Bytes::from(bytes))
    });
    Ok(Msg::Window(id, start, bytes.await?))
}

fn unavailable(message: String) -> Error {
    Error::new(crate::app::ErrorKind::Unavailable, message)
}

async fn blocking<T: Send + 'static>(
    task: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(task).await {
        Ok(value) => value,
        Err(error) => Err(unavailable(format!("the task ended early: {error}"))),
    }
}

async fn verify(
    app: &App,
    messages: &Sender<Msg>,
    versions: Vec<(Arc<Source>, Option<Box<Version>>)>,
) -> Result<Msg> {
    let job = JobReporter::new(messages, "verifying".to_owned(), versions.len());
    let mut states = std::collections::BTreeMap::<&'static str, usize>::new();
    let mut last = String::new();
    let total = versions.len();
    let asked = app.asked_now().await?;
    for (done, (source, version)) in (0..).zip(versions) {
        job.report(done).await;
        let version = match version {
            Some(version) => Some(*version),
            None => match source.state.version_id {
                Some(id) => Some(app.version(&id.to_string()).await?.1),
                None => None,
            },
        };
        let (what, state) = match version {
            Some(version) => {
                let verified = app.verify(&source, &version, asked).await?;
                (format!(" v{}", version.id), verified.state.as_str())
            }
            None => (String::new(), "without a version"),
        };
        *states.entry(state).or_default() += 1;
        last = format!("verified {}{what}: {state}", clean(&source.settings.name));
    }
    job.end().await;
    let states: Vec<_> = states
        .iter()
        .map(|(state, number)| format!("{number} {state}"))
        .collect();
    let text = match total {
        1 => last,
        _ => format!("verified {total}: {}", states.join(", ")),
    };
    Ok(Msg::Done(text))
}

/// Sends the progress of a long task as messages.
struct JobReporter<'a> {
    messages: &'a Sender<Msg>,
    id: u64,
    what: String,
    total: u64,
    ended: bool,
}

impl<'a> JobReporter<'a> {
    fn new(messages: &'a Sender<Msg>, what: String, total: usize) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self {
            messages,
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            what,
            total: total as u64,
            ended: false,
        }
    }

    fn job(&self, done: u64) -> Job {
        Job {
            id: self.id,
            what: self.what.clone(),
            done,
            total: self.total,
        }
    }

    async fn report(&self, done: u64) {
        let _ = self.messages.send(Msg::Job(self.job(done))).await;
    }

    async fn end(mut self) {
        self.report(self.total).await;
        self.ended = true;
    }
}

impl Drop for JobReporter<'_> {
    fn drop(&mut self) {
        // Aborted or panicked: the job must not be shown for ever.
        if !self.ended {
            let _ = self.messages.try_send(Msg::Job(self.job(self.total)));
        }
    }
}

/// Reads all sources and the newest events. Returns the newest event's id and the message.
async fn load_all(app: &App) -> Result<(EventId, Msg)> {
    // Events are read first: an event between the two reads is then sent twice instead of missed.
    let filter = EventFilter {
        limit: INITIAL_EVENTS.min(RING),
        ..EventFilter::default()
    };
    let lines: Vec<_> = app
        .events(filter)
        .await?
        .into_iter()
        .map(LogLine::new)
        .collect();
    let newest = lines.last().map_or(EventId(0), |line| line.id);
    let (mut rows, others) = tokio::try_join!(load_share(app, 0), load_share(app, 1))?;
    rows.extend(others);
    Ok((newest, Msg::Resynced { rows, lines }))
}

/// Reads one half of the sources. Both halves are read at once: with very many sources, reading them on one core would
/// delay the start.
async fn load_share(app: &App, which: u32) -> Result<Vec<Row>> {
    let sources = app.share_of_sources(which, 2).await?;
    blocking(move || Ok(sources.into_iter().map(Row::new).collect())).await
}

/// Sends the first page of sources if there are more: the screen is filled at once, whatever the size of the
/// catalogue.
async fn load_first_page(app: &App, messages: &Sender<Msg>) -> Result<()> {
    let sources = app.sources_after(None, SCREENFUL).await?;
    if sources.len() == SCREENFUL {
        let rows = sources.into_iter().map(Row::new).collect();
        // Sending fails only when the dashboard has ended.
        let _ = messages.send(Msg::FirstPage(rows)).await;
    }
    Ok(())
}

/// Sends all sources, then every change, until the dashboard stops listening.
async fn watch(app: &App, messages: &Sender<Msg>, resync_requests: &Notify) -> Result<()> {
    load_first_page(app, messages).await?;
    let mut seen = app.changes().await?;
    let (mut newest, mut message) = load_all(app).await?;
    let (mut damage, mut polls) = (Vec::new(), 0_u32);
    loop {
        if messages.send(message).await.is_err() {
            return Ok(());
        }
        report_damage(app, &mut damage, messages).await;
        let is_asked = loop {
            tokio::select! {
                () = resync_requests.notified() => break true,
                () = tokio::time::sleep(POLL) => {}
            }
            polls += 1;
            if app.queues_on_redis() && polls % POLLS_OF_SERVER == 0 {
                // What waits there changes nothing in the catalogue. Sending fails only when the dashboard has ended.
                let _ = messages.send(Msg::QueuesMayDiffer).await;
            }
            let now = app.changes().await?;
            if std::mem::replace(&mut seen, now) != now {
                break false;
            }
        };
        (newest, message) = if is_asked {
            load_all(app).await?
        } else {
            load_changes(app, newest).await?
        };
    }
}

/// Reports damaged rows that are left out, unless all of them are in `told` already.
async fn report_damage(app: &App, told: &mut Vec<String>, messages: &Sender<Msg>) {
    let damage = app.damage();
    // Each pass of the worker empties the list; the same rows are found again later.
    if damage.iter().all(|line| told.contains(line)) {
        return;
    }
    let text = match damage.as_slice() {
        [first, rest @ ..] if !rest.is_empty() => {
            format!("{first}; {} more: see `gannet list`", rest.len())
        }
        lines => lines.concat(),
    };
    // Sending fails only when the dashboard has ended.
    let _ = messages.send(Msg::Failed(text)).await;
    told.extend(damage);
}

/// Reads the events after a given one, and the present rows of their sources.
async fn load_changes(app: &App, after: EventId) -> Result<(EventId, Msg)> {
    let filter = EventFilter {
        after: Some(after),
        limit: EVENT_BATCH,
        ..EventFilter::default()
    };
    let events = app.events(filter).await?;
    // A purge leaves no event of its source, so all rows are read again. An event of a set concerns the rows of all
    // its members.
    let is_wide =
        |action: Action| action == Action::SourcePurged || action.as_str().starts_with("set.");
    if events.len() == EVENT_BATCH || events.iter().any(|event| is_wide(event.event.action)) {
        return load_all(app).await;
    }
    let newest = events.last().map_or(after, |event| event.id);
    let mut ids: Vec<_> = events
        .iter()
        .filter_map(|event| event.event.source_id)
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let lines = events.into_iter().map(LogLine::new).collect();
    let (rows, gone) = load_rows(app, ids).await?;
    Ok((newest, Msg::Changed { rows, gone, lines }))
}
