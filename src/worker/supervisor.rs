//! Runs passes: one, or one after the other for ever.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, Notify};

use super::dead_workers;
use super::heartbeat::Heartbeat;
use super::housekeeping;
use super::pass::{Judging, Pass, PassRequest, Selection, note};
use super::progress::Progress;
use super::rejudge::Undecided;
use super::report::PassReport;
use super::sets;
use super::standing;
use super::stop::Stop;
use crate::app::{App, Error, ErrorKind, PolicyStanding, Result};
use crate::config::Config;
use crate::domain::{Action, Slot, WorkerInfo};
use crate::net::Fetcher;
use crate::store::{Condition, Fact, FilesToLookAt};

/// How often a worker that stays looks at the wall clock: a laptop that slept catches up within this.
const WAKE_EVERY: chrono::Duration = chrono::Duration::minutes(1);

/// How long a worker that stays waits after a pass that could not keep what it had fetched: it would fetch the same again.
const WAIT_FOR_ROOM: chrono::Duration = chrono::Duration::minutes(10);

/// The chore of mending times that cannot be, and how often it is done.
const MEND: &str = "times";
const MEND_EVERY: chrono::Duration = chrono::Duration::hours(1);

/// Does the work of a store.
pub struct Worker {
    app: Arc<App>,
    /// The holder of its claims.
    info: WorkerInfo,
    /// Whether the report of a pass over all that is due has results.
    tells_each: bool,
    /// Made when first needed: reading the system's certificates costs more than finding that nothing is due.
    fetcher: AsyncMutex<Option<(Arc<Config>, Arc<Fetcher>)>>,
    retried: Mutex<Retried>,
    /// Somebody knows that something may be due.
    wake_up: Notify,
    heartbeat: Heartbeat,
    /// The configuration of which every notifier is known to the store.
    notifiers_begun: AsyncMutex<Option<Arc<Config>>>,
}

/// When what went wrong before was last tried again: each of it once in an hour is enough, since every try is recorded.
#[derive(Default)]
struct Retried {
    undecided: Option<Slot>,
    settling: Option<Slot>,
}

impl Worker {
    /// Returns a worker for the store and the archive of `app`.
    pub fn new(app: Arc<App>) -> Self {
        let info = app.ports().archive.machine().new_worker();
        Self {
            app,
            info,
            tells_each: false,
            fetcher: AsyncMutex::default(),
            retried: Mutex::default(),
            wake_up: Notify::new(),
            heartbeat: Heartbeat::default(),
            notifiers_begun: AsyncMutex::default(),
        }
    }

    /// Returns this worker, whose report says what became of each source after a pass over all that is due, too. Hundreds of
    /// thousands may be, and 60 bytes are kept for each.
    #[must_use]
    pub fn telling_each(mut self) -> Self {
        self.tells_each = true;
        self
    }

    /// Does one pass. Work that an earlier one left undone (a published file, an undecided version) comes first; telling
    /// notifiers of what changed comes last.
    pub async fn pass(&self, selection: Selection, stop: &Stop, progress: &Progress) -> PassReport {
        let asked = match &selection {
            Selection::Due => Vec::new(),
            Selection::These(ids) => ids.clone(),
        };
        let is_regular = matches!(selection, Selection::Due);
        self.app.begin_work();
        let passed = self.try_pass(selection, stop, progress).await;
        progress.end();
        let mut report = passed.unwrap_or_else(|error| {
            tracing::error!("{error}");
            PassReport {
                error: Some(error),
                ..PassReport::default()
            }
        });
        report.rejected = self.app.take_rejected();
        report.account_for(&asked);
        self.tell_damage(&mut report).await;
        let goes_on = |report: &PassReport| report.error.as_ref().is_none_or(Error::concerns_one);
        if goes_on(&report)
            && let Err(error) = self.after_work(is_regular, self.app.has_joined()).await
        {
            report.fail(error);
        }
        self.tell_damage(&mut report).await;
        report.name_rows_once();
        if !report.error.as_ref().is_some_and(Error::concerns_all) {
            let beats = is_regular
                && !stop.is_requested()
                && goes_on(&report)
                && !report.summary.serves_in_doubt()
                && (report.summary.attempts > 0 || self.heartbeat.is_due(self.app.now()))
                && self.has_sources().await;
            tokio::select! {
                notify_failures = self.tell(beats) => report.notify_failures = notify_failures,
                // What was not told is told after the next pass.
                () = stop.deadline_passed() => {}
            }
        }
        report
    }

    /// Adds the damaged rows that were met to the report.
    async fn tell_damage(&self, report: &mut PassReport) {
        for error in self.app.take_damage().await {
            if !report.tells(&error) {
                report.fail(error);
            }
        }
    }

    /// Counts the marks of catalogue and archive up when anything may have been recorded, looks through the archive now
    /// and then, and keeps the reserve.
    async fn after_work(&self, is_regular: bool, has_worked: bool) -> Result<()> {
        if has_worked {
            self.app.join_archive().await?;
        }
        if is_regular {
            housekeeping::tidy_when_due(&self.app).await?;
            self.app.make_reserve().await;
        }
        Ok(())
    }

    /// Tells notifiers what changed, and the heartbeat's service that the pass went well. Returns who could not be told.
    async fn tell(&self, beats: bool) -> Vec<String> {
        let beat = async {
            if beats {
                Some(self.app.send_heartbeat().await)
            } else {
                None
            }
        };
        let (mut untold, beaten) = tokio::join!(self.app.send_changes(), beat);
        match beaten {
            Some(Ok(())) => self.heartbeat.note_sent(self.app.now()),
            Some(Err(why)) => {
                tracing::warn!("the heartbeat could not be sent: {why}");
                untold.push(format!("the heartbeat could not be sent: {why}"));
            }
            None => {}
        }
        untold
    }

    /// A store without sources has nothing to be alive for: its folder may be a mistyped one.
    async fn has_sources(&self) -> bool {
        let first = self.app.first_sources(1).await;
        first.is_ok_and(|sources| !sources.is_empty())
    }

    async fn try_pass(
        &self,
        selection: Selection,
        stop: &Stop,
        progress: &Progress,
    ) -> Result<PassReport> {
        let standing = self.standing().await?;
        let judges = standing.is_in_force();
        let began_after = self.app.newest_event().await?;
        self.mend_times().await?;
        dead_workers::release_claims(&self.app).await?;
        self.begin_notifiers().await?;
        let settle = self.settle(&selection, judges);
        let unsettled = tokio::select! {
            unsettled = settle => unsettled?,
            // What it has not done is marked in the store as still to do.
            () = stop.deadline_passed() => return Ok(PassReport::default()),
        };
        let asked = match &selection {
            Selection::Due => None,
            Selection::These(ids) => Some(ids.clone()),
        };
        // In a box, since every future that waits for a pass would else be as large as all that a pass does.
        let mut report = Box::pin(self.work(selection, judges, stop, progress)).await?;
        let unsettled = match unsettled {
            // What was stored anew by this pass can be published by now.
            Some((_, first)) if first.kind == ErrorKind::Damaged => self.settle_files(true).await?,
            unsettled => unsettled,
        };
        match standing {
            PolicyStanding::InForce(adoption) => report.adopted = adoption,
            // Said by every pass, one that found nothing new included: nobody should have to wait for that to learn it.
            PolicyStanding::Foreign(error) | PolicyStanding::Unusable(error) => {
                report.fail(error);
            }
        }
        report.note_put_back(self.app.put_back_after(began_after).await?);
        let told = standing::tell(&self.app, asked.as_deref(), judges, &mut report).await;
        self.tell_unsettled(unsettled, &mut report).await?;
        if report.has_begun {
            // The same words as the summary that is printed.
            let words = report.summary.to_string();
            let noted = note(&self.app, Action::PassFinished, Some(words)).await;
            told.and(noted)?;
        } else {
            told?;
        }
        Ok(report)
    }

    /// Reports what kept published files and sets from being brought up to date, unless the catalogue keeps why: that is told by the
    /// end of each pass, and is no error of this one.
    async fn tell_unsettled(
        &self,
        unsettled: Option<(usize, Error)>,
        report: &mut PassReport,
    ) -> Result<()> {
        let Some((count, first)) = unsettled.filter(|(_, first)| first.kind != ErrorKind::Blocked)
        else {
            return Ok(());
        };
        if first.is_of_file() && !self.app.unpublished().await?.is_empty() {
            return Ok(());
        }
        let message = format!(
            "{count} published files or sets could not be brought up to date; the first: {first}"
        );
        report.fail(Error { message, ..first });
        Ok(())
    }

    /// Returns whether this process judges. What keeps it from that is recorded; what keeps it from fetching, too, is the
    /// error.
    async fn standing(&self) -> Result<PolicyStanding> {
        let standing = self.app.policy_standing().await?;
        match standing {
            PolicyStanding::InForce(_) => self.app.note_usable().await?,
            PolicyStanding::Foreign(ref error) => self.app.note_refusal(error).await?,
            PolicyStanding::Unusable(error) => {
                self.app.note_unusable(&error).await?;
                return Err(error);
            }
        }
        Ok(standing)
    }

    /// Fetches what is selected, and judges it and what was left undecided before, if this process may.
    async fn work(
        &self,
        selection: Selection,
        judges: bool,
        stop: &Stop,
        progress: &Progress,
    ) -> Result<PassReport> {
        let seen = self.app.ports().store.newest_verdict(None).await?;
        let undecided = match &selection {
            Selection::Due if judges && self.may_judge_again() => {
                Some(self.app.undecided(None).await?)
            }
            _ => None,
        };
        let total = match &selection {
            Selection::Due => self.app.ports().store.outlook(self.app.now()).await?.due,
            Selection::These(ids) => ids.len() as u64,
        };
        progress.begin(total);
        let is_idle = total == 0 && undecided.as_ref().is_none_or(Vec::is_empty);
        if is_idle && (!judges || self.app.set_names().is_empty()) {
            return Ok(PassReport::default());
        }
        self.app.join_archive_once().await?;
        if is_idle {
            let again = undecided.is_some();
            return Ok(self.judge_sets_alone(again, stop, progress).await);
        }
        let judging = match undecided {
            Some(listed) => Judging::Again(Undecided::new(seen, listed)),
            None if judges && matches!(selection, Selection::These(_)) => Judging::Asked(seen),
            None if judges => Judging::New,
            None => Judging::Nothing,
        };
        let request = PassRequest {
            app: &self.app,
            worker: &self.info,
            stop,
            progress,
            fetcher: self.fetcher().await?,
            selection,
            judging,
            tells_each: self.tells_each,
        };
        Ok(Pass::run(request).await)
    }

    /// Does a pass whenever something is due, until asked to stop. `after_pass` is told of each that did something.
    ///
    /// A pass that fails is logged and tried again a minute later: the disk may have room again by then.
    ///
    /// # Errors
    ///
    /// When the catalogue was replaced: a service manager starts another worker, which opens the one that lies there now.
    pub async fn run_forever(
        &self,
        stop: &Stop,
        progress: &Progress,
        after_pass: impl Fn(&PassReport),
    ) -> Result<()> {
        let mut last_error = None;
        while !stop.is_requested() {
            let mut report = self.pass(Selection::Due, stop, progress).await;
            let is_replaced = |error: &mut Error| error.kind == ErrorKind::Replaced;
            if let Some(error) = report.error.take_if(is_replaced) {
                return Err(error);
            }
            let error = report.error.as_ref().map(|error| error.message.clone());
            // What keeps every pass from its work would else be said every minute.
            let is_other_error = error.is_some() && error != last_error;
            last_error = error;
            if report.is_news() || is_other_error {
                after_pass(&report);
            }
            let pause = if report.summary.not_kept > 0 {
                WAIT_FOR_ROOM
            } else {
                WAKE_EVERY
            };
            let wake_at = self.app.now() + pause;
            tokio::select! {
                () = self.app.ports().clock.sleep_until(wake_at) => {}
                () = self.wake_up.notified() => {}
                () = stop.requested() => {}
            }
        }
        Ok(())
    }

    /// Has a worker that stays look at once for what is due, or again after the pass that it is at.
    pub fn wake(&self) {
        self.wake_up.notify_one();
    }

    /// Looks at the sets when nothing is to be fetched: their members or the configuration may have changed.
    async fn judge_sets_alone(&self, again: bool, stop: &Stop, progress: &Progress) -> PassReport {
        let report = sets::judge_sets(&self.app, again, &[], stop, progress).await;
        PassReport {
            summary: progress.snapshot().summary,
            failures: report.failures,
            error: report.error,
            ..PassReport::default()
        }
    }

    /// Brings published files and sets up to date, if this process may; what failed is not tried again in the same hour.
    async fn settle(&self, selection: &Selection, judges: bool) -> Result<Option<(usize, Error)>> {
        let slot = Some(Slot::containing(self.app.now()));
        let again = std::mem::replace(&mut self.retried().settling, slot) != slot;
        if !judges {
            return Ok(None);
        }
        self.app.settle_removed(again).await?;
        let which = match selection {
            Selection::Due => FilesToLookAt::Due(self.app.now()),
            Selection::These(ids) => FilesToLookAt::These(ids.clone()),
        };
        self.app.look_at_files(which).await?;
        self.settle_files(again).await
    }

    async fn settle_files(&self, again: bool) -> Result<Option<(usize, Error)>> {
        let files = self.app.settle_all(again).await?;
        let sets = self.app.settle_sets(again).await?;
        Ok(match (files, sets) {
            (Some((files, first)), Some((sets, _))) => Some((files + sets, first)),
            (files, sets) => files.or(sets),
        })
    }

    /// Makes due what a clock that ran ahead had put off beyond what can be. Looks through all sources, so once in an hour of
    /// the catalogue's: that a time lies ahead of all that can be costs no more than that, and no interval is shorter.
    async fn mend_times(&self) -> Result<()> {
        let (store, now) = (&self.app.ports().store, self.app.now());
        let is_due = Condition::ChoreDue {
            name: MEND,
            now,
            every: MEND_EVERY,
        };
        if !store.holds(is_due).await? {
            return Ok(());
        }
        self.app.join_archive_once().await?;
        if let Some(mended) = store.mend_times(self.app.stamp()).await? {
            tracing::warn!("{mended}");
        }
        self.app.record(Fact::Chore(MEND)).await
    }

    /// Tells, once in an hour, that it is time to judge again.
    fn may_judge_again(&self) -> bool {
        let slot = Some(Slot::containing(self.app.now()));
        std::mem::replace(&mut self.retried().undecided, slot) != slot
    }

    fn retried(&self) -> std::sync::MutexGuard<'_, Retried> {
        self.retried.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes notifiers that are new known to the store, once for each configuration, so that they hear of what this worker
    /// finds.
    async fn begin_notifiers(&self) -> Result<()> {
        let mut begun = self.notifiers_begun.lock().await;
        let config = self.app.config();
        if !begun
            .as_ref()
            .is_some_and(|known| Arc::ptr_eq(known, &config))
        {
            self.app.begin_notifiers().await?;
            *begun = Some(config);
        }
        Ok(())
    }

    /// Returns the fetcher of the configuration of now.
    async fn fetcher(&self) -> Result<Arc<Fetcher>> {
        let mut made = self.fetcher.lock().await;
        let config = self.app.config();
        if let Some((known, fetcher)) = &*made
            && Arc::ptr_eq(known, &config)
        {
            return Ok(Arc::clone(fetcher));
        }
        let fetcher = Fetcher::new(
            &config.fetch,
            config.secrets.clone(),
            self.app.ports().archive.machine().temp_dir().to_owned(),
            Arc::clone(&self.app.ports().clock),
        )
        .map_err(|error| Error::new(ErrorKind::Unavailable, error.to_string()))?;
        let fetcher = Arc::new(fetcher);
        *made = Some((config, Arc::clone(&fetcher)));
        Ok(fetcher)
    }
}
