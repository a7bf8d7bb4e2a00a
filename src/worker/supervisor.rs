//! Runs one pass, or passes until asked to stop.
//!
//! Never claims a source itself: a pass does.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use tokio::sync::{Mutex as AsyncMutex, Notify};

use super::arrivals::Arrivals;
use super::consumer;
use super::days::Opened;
use super::dead_workers;
use super::heartbeat::Heartbeat;
use super::housekeeping;
use super::mend::mend;
use super::pass::{Judging, Pass, PassRequest, Selection, log};
use super::progress::Progress;
use super::rejudge::Undecided;
use super::report::PassReport;
use super::sets;
use super::standing_faults::report_faults;
use super::stop::Stop;
use crate::app::{App, Error, ErrorKind, PassSummary, PolicyStanding, Result, all_failed};
use crate::config::Config;
use crate::domain::{Action, Slot, SourceId, VersionId, WorkerInfo};
use crate::net::Fetcher;
use crate::store::{NewestVerdict, OutlookAt};

/// The time between two passes of a worker that stays: a laptop that slept catches up within it.
const WAKE_EVERY: chrono::Duration = chrono::Duration::minutes(1);

/// The time after a pass that could not keep its fetched contents: the next one would fetch the same again.
const WAIT_FOR_ROOM: chrono::Duration = chrono::Duration::minutes(10);

/// The worker of one process.
pub struct Worker {
    app: Arc<App>,
    /// The holder of the claims.
    info: WorkerInfo,
    /// Whether the report of a pass over all due sources has results.
    keeps_results: bool,
    /// Made for the first pass with work: reading the system's certificates costs more than a pass without.
    fetcher: AsyncMutex<Option<(Arc<Config>, Arc<Fetcher>)>>,
    retried: Mutex<Retried>,
    /// Notified when a source may be due.
    wake_up: Notify,
    /// The end of the last pass of a worker that stays, and why that pass could not work.
    last_pass: Mutex<Option<(DateTime<Utc>, Option<String>)>>,
    heartbeat: Heartbeat,
    /// The configuration whose notifiers are all recorded in the store.
    notifiers_begun: AsyncMutex<Option<Arc<Config>>>,
}

/// The slots of the last retries. Each is made once an hour, since every try is recorded.
#[derive(Default)]
struct Retried {
    /// When undecided versions were last judged again.
    undecided: Option<Slot>,
    /// When published files that could not be updated were last tried again.
    settling: Option<Slot>,
}

impl Worker {
    /// Returns a worker for the store and the archive of `app`.
    pub fn new(app: Arc<App>) -> Self {
        let info = app.ports().archive.machine().new_worker();
        Self {
            app,
            info,
            keeps_results: false,
            fetcher: AsyncMutex::default(),
            retried: Mutex::default(),
            wake_up: Notify::new(),
            last_pass: Mutex::default(),
            heartbeat: Heartbeat::default(),
            notifiers_begun: AsyncMutex::default(),
        }
    }

    /// Returns this worker with results in the report of a pass over all due sources, too. Hundreds of thousands may be
    /// due, and each result takes 60 bytes.
    #[must_use]
    pub fn keeping_results(mut self) -> Self {
        self.keeps_results = true;
        self
    }

    /// Does one pass. Work that an earlier pass left (a published file, an undecided version) comes first; notifiers
    /// receive the changes last.
    pub async fn pass(&self, selection: Selection, stop: &Stop, progress: &Progress) -> PassReport {
        let is_regular = selection.asked().is_none();
        self.app.begin_work();
        let mut opened = Box::pin(Opened::of(&self.app, selection)).await;
        let passed = match opened.error.take() {
            Some(error) => Err(error),
            None => Box::pin(self.try_pass(opened.selection.clone(), stop, progress)).await,
        };
        progress.end();
        let mut report = passed.unwrap_or_else(|error| {
            tracing::error!("{error}");
            PassReport {
                error: Some(error),
                ..PassReport::default()
            }
        });
        report.rejected = self.app.take_rejected();
        opened.add_results(&mut report);
        self.add_damage(&mut report).await;
        let goes_on = |report: &PassReport| report.error.as_ref().is_none_or(Error::concerns_one);
        if goes_on(&report)
            && let Err(error) = self.after_work(is_regular, stop).await
        {
            report.fail(error);
        }
        self.add_damage(&mut report).await;
        report.name_rows_once();
        if !report.error.as_ref().is_some_and(Error::concerns_all) {
            let is_sound = is_regular && goes_on(&report) && !stop.is_requested();
            let with_heartbeat = is_sound && self.is_heartbeat_due(&report.summary).await;
            tokio::select! {
                failures = self.notify(with_heartbeat) => report.notify_failures = failures,
                // The notifiers receive the changes after the next pass.
                () = stop.deadline_passed() => {}
            }
        }
        report
    }

    /// Adds the damaged rows that were read to the report.
    async fn add_damage(&self, report: &mut PassReport) {
        for error in self.app.take_damage().await {
            if !report.has(&error) {
                report.fail(error);
            }
        }
    }

    /// Increments the marks of catalogue and archive if the pass may have recorded something; tidies the archive when
    /// that is due, and keeps the reserve.
    async fn after_work(&self, is_regular: bool, stop: &Stop) -> Result<()> {
        if self.app.has_joined() {
            self.app.join_archive().await?;
        }
        if is_regular {
            consumer::drain(&self.app, stop).await?;
            housekeeping::tidy_when_due(&self.app).await?;
            self.app.make_reserve().await;
        }
        Ok(())
    }

    /// Sends notifiers the changes, and the heartbeat. Returns the failures.
    async fn notify(&self, with_heartbeat: bool) -> Vec<String> {
        let heartbeat = async {
            if with_heartbeat {
                Some(self.app.send_heartbeat().await)
            } else {
                None
            }
        };
        let (mut failures, heartbeat) = tokio::join!(self.app.send_changes(), heartbeat);
        match heartbeat {
            Some(Ok(())) => self.heartbeat.record_sent(self.app.now()),
            Some(Err(why)) => {
                let failure = format!("the heartbeat could not be sent: {why}");
                tracing::warn!("{failure}");
                failures.push(failure);
            }
            None => {}
        }
        failures
    }

    /// Returns whether a heartbeat is due after a pass with this summary. A store without sources sends none: its
    /// folder may be a mistyped one.
    async fn is_heartbeat_due(&self, summary: &PassSummary) -> bool {
        let is_due = summary.attempts > 0 || self.heartbeat.is_due(self.app.now());
        let may_have_sources = async {
            let first = self.app.sources_after(None, 1).await;
            first.is_ok_and(|sources| !sources.is_empty())
        };
        !summary.serves_in_doubt() && is_due && may_have_sources.await
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
        mend(&self.app, selection.asked().is_none()).await?;
        dead_workers::release_claims(&self.app).await?;
        self.begin_notifiers().await?;
        let unsettled = tokio::select! {
            unsettled = self.settle(judges) => unsettled?,
            // The store keeps the unfinished updates of published files as tasks.
            () = stop.deadline_passed() => return Ok(PassReport::default()),
        };
        let asked = selection.asked().map(<[_]>::to_vec);
        // Boxed, so that the futures that wait for a pass stay small.
        let mut report = Box::pin(self.work(selection, judges, stop, progress)).await?;
        let unsettled = match all_failed(unsettled, report.unsettled.take()) {
            // This pass may have replaced the damaged content.
            Some((_, first)) if first.kind == ErrorKind::Damaged => self.settle_files(true).await?,
            unsettled => unsettled,
        };
        report.add_standing(standing);
        report.add_put_back(self.app.put_back_after(began_after).await?);
        let faults = report_faults(&self.app, asked.as_deref(), judges, &mut report).await;
        self.add_unsettled(unsettled, &mut report).await?;
        if report.has_begun {
            let summary = report.summary.to_string();
            let logged = log(&self.app, Action::PassFinished, Some(summary)).await;
            faults.and(logged)?;
        } else {
            faults?;
        }
        Ok(report)
    }

    /// Adds the published files and sets that could not be updated to the report, unless the catalogue keeps the
    /// reasons: those are among the standing faults, and are no error of this pass.
    async fn add_unsettled(
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

    /// Returns whether this process may judge, and records why it may not. Fails when it may not even fetch.
    async fn standing(&self) -> Result<PolicyStanding> {
        let standing = self.app.policy_standing().await?;
        match standing {
            PolicyStanding::InForce(_) => self.app.record_usable().await?,
            PolicyStanding::Foreign(ref error) => self.app.record_refusal(error).await?,
            PolicyStanding::Unusable(error) => {
                self.app.record_unusable(&error).await?;
                return Err(error);
            }
        }
        Ok(standing)
    }

    /// Fetches the selected sources. If this process may, judges their versions and those that were left undecided
    /// before.
    async fn work(
        &self,
        selection: Selection,
        judges: bool,
        stop: &Stop,
        progress: &Progress,
    ) -> Result<PassReport> {
        let seen = self.app.read(NewestVerdict(None)).await?;
        let is_regular = selection.asked().is_none();
        let undecided = self.undecided(is_regular && judges).await?;
        let total = self.count(&selection).await?;
        progress.begin(total);
        let is_idle = total == 0 && undecided.as_ref().is_none_or(Vec::is_empty);
        if is_idle && (!judges || self.app.set_names().is_empty()) {
            return Ok(PassReport::default());
        }
        self.app.join_archive_once().await?;
        let again = undecided.is_some();
        if is_idle {
            return Ok(self.judge_sets_alone(again, stop, progress).await);
        }
        let judging = match undecided {
            Some(listed) => Judging::Again(Undecided::new(seen, listed)),
            None if judges && !is_regular => Judging::Asked(seen),
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
            keeps_results: self.keeps_results,
        };
        Ok(Pass::run(request).await)
    }

    /// Returns the number of sources that a pass has to try.
    async fn count(&self, selection: &Selection) -> Result<u64> {
        match selection.asked() {
            None => Ok(self.app.read(OutlookAt(self.app.now())).await?.due),
            Some(asked) => Ok(asked.len() as u64),
        }
    }

    /// Does a pass every minute, and when a source has become due, until asked to stop. `after_pass` receives the report of each that did something.
    ///
    /// A pass that fails is logged, and the next one tries again: the disk may have room by then.
    ///
    /// # Errors
    ///
    /// When the catalogue was replaced: a service manager starts another worker, which opens the new one.
    pub async fn run_forever(
        &self,
        stop: &Stop,
        progress: &Progress,
        after_pass: impl Fn(PassReport),
    ) -> Result<()> {
        let over = Stop::default();
        let passes = async {
            let stayed = self.make_passes(stop, progress, after_pass).await;
            over.request();
            stayed
        };
        tokio::join!(passes, consumer::consume(&self.app, &over)).0
    }

    async fn make_passes(
        &self,
        stop: &Stop,
        progress: &Progress,
        after_pass: impl Fn(PassReport),
    ) -> Result<()> {
        let (mut last_error, mut arrivals) = (None, Arrivals::new(&self.app));
        while !stop.is_requested() {
            let mut report = self.pass(Selection::Due, stop, progress).await;
            let is_replaced = |error: &mut Error| error.kind == ErrorKind::Replaced;
            if let Some(error) = report.error.take_if(is_replaced) {
                return Err(error);
            }
            self.note_pass(&report);
            let error = report.error.as_ref().map(|error| error.message.clone());
            // An error that stays is reported once, not every minute.
            let is_other_error = error.is_some() && error != last_error;
            last_error = error;
            let pause = if report.summary.not_kept > 0 {
                WAIT_FOR_ROOM
            } else {
                WAKE_EVERY
            };
            arrivals.begin_after(&report).await;
            if report.is_news() || is_other_error {
                after_pass(report);
            }
            let wake_at = self.app.now() + pause;
            tokio::select! {
                () = self.app.ports().clock.sleep_until(wake_at) => {}
                () = self.wake_up.notified() => {}
                () = arrivals.come() => {}
                () = stop.requested() => {}
            }
        }
        Ok(())
    }

    fn note_pass(&self, report: &PassReport) {
        let error = report.error.as_ref().filter(|error| error.concerns_all());
        let ended = (self.app.now(), error.map(ToString::to_string));
        *self
            .last_pass
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(ended);
    }

    /// Returns when the last pass of a worker that stays ended, with the reason if it could not work, on a full disk
    /// say. A pass that finds nothing due counts.
    pub fn last_pass(&self) -> Option<(DateTime<Utc>, Option<String>)> {
        let last = self.last_pass.lock();
        last.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes a worker that stays begin a pass at once, or right after the running one.
    pub fn wake(&self) {
        self.wake_up.notify_one();
    }

    /// Judges the sets when no source is to be fetched: their members or the configuration may have changed.
    async fn judge_sets_alone(&self, again: bool, stop: &Stop, progress: &Progress) -> PassReport {
        let report = sets::judge_sets(&self.app, again, &[], stop, progress).await;
        PassReport {
            summary: progress.snapshot().summary,
            failures: report.failures,
            error: report.error,
            ..PassReport::default()
        }
    }

    /// Updates published files and sets, if this process may. A failed update is tried again once an hour.
    async fn settle(&self, judges: bool) -> Result<Option<(usize, Error)>> {
        let slot = Some(Slot::containing(self.app.now()));
        let again = std::mem::replace(&mut self.retried().settling, slot) != slot;
        if !judges {
            return Ok(None);
        }
        self.app.settle_removed(again).await?;
        self.app.check_files().await?;
        self.settle_files(again).await
    }

    async fn settle_files(&self, again: bool) -> Result<Option<(usize, Error)>> {
        let files = self.app.settle_all(again).await?;
        let sets = self.app.settle_sets(again).await?;
        Ok(all_failed(files, sets))
    }

    /// Returns, once an hour and if they may be judged, the versions that were left undecided.
    async fn undecided(&self, may_judge: bool) -> Result<Option<Vec<(SourceId, VersionId)>>> {
        let slot = Some(Slot::containing(self.app.now()));
        if !may_judge || std::mem::replace(&mut self.retried().undecided, slot) == slot {
            return Ok(None);
        }
        Ok(Some(self.app.undecided(None).await?))
    }

    fn retried(&self) -> std::sync::MutexGuard<'_, Retried> {
        self.retried.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records new notifiers in the store, once for each configuration, so that they receive the changes of this pass.
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

    /// Returns the fetcher for the configuration in use.
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
