//! One pass: claims the selected sources, each once, and has the pipeline fetch, judge and publish.
//!
//! Never makes a request or a verdict itself.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tokio::task::{JoinError, JoinSet};

use super::host_backlog::HostBacklog;
use super::pipeline::{Next, Pipeline};
use super::progress::Progress;
use super::publish_batcher::{Expected, InFlight, Publisher};
use super::rejudge::{Undecided, ended_early};
use super::report::PassReport;
use super::sets;
use super::stop::{GRACE, Stop};
use crate::app::{App, Error, ErrorKind, Result, all_failed};
use crate::domain::{Action, Claim, NewEvent, SourceId, VerdictId, VersionId, WorkerInfo};
use crate::net::Fetcher;
use crate::store::{ClaimRequest, ClaimWhat, ClaimsToRelease, Fact, OutlookAt};

/// How often a worker records during a pass that it was seen; its claims hold for a lease from then on.
const SEEN_EVERY: chrono::Duration = chrono::Duration::seconds(30);
/// The most sources claimed in one transaction.
const CLAIM_BATCH: usize = 256;
/// The most tasks: claims that wait for their turn, and versions that wait to be judged and published.
const MAX_PENDING: usize = 1024;
/// The number of attempts that end before sources are claimed again, so that claiming costs little beside the attempts.
const CLAIM_AFTER: usize = 64;

/// The sources of a pass.
#[derive(Clone, Debug)]
pub enum Selection {
    /// All sources that are due.
    Due,
    /// These sources, due or not.
    These(Vec<SourceId>),
}

impl Selection {
    /// Returns the sources that were requested one by one; `None` for a regular pass.
    pub(super) fn asked(&self) -> Option<&[SourceId]> {
        match self {
            Self::Due => None,
            Self::These(ids) => Some(ids),
        }
    }
}

/// The versions that a pass judges.
pub(super) enum Judging {
    /// None, and the pass publishes nothing either: this process may not.
    Nothing,
    /// The versions that the pass fetches.
    New,
    /// Those, and versions that were left undecided before.
    Again(Undecided),
    /// Those, then the undecided newest versions of the requested sources, unless they were judged after this verdict.
    Asked(VerdictId),
}

/// The request for a pass.
pub(super) struct PassRequest<'a> {
    pub(super) app: &'a Arc<App>,
    /// The holder of the claims.
    pub(super) worker: &'a WorkerInfo,
    pub(super) stop: &'a Stop,
    pub(super) progress: &'a Progress,
    pub(super) fetcher: Arc<Fetcher>,
    pub(super) selection: Selection,
    pub(super) judging: Judging,
    /// Whether the report of a pass over all due sources has results.
    pub(super) keeps_results: bool,
}

/// The result of a task of a pass.
struct Step {
    /// The host of an attempt that has ended: it is free for another one, while the version is judged and published.
    host: Option<String>,
    expected: Expected,
    next: Result<Next>,
}

/// A running pass.
pub(super) struct Pass<'a> {
    app: Arc<App>,
    worker: &'a WorkerInfo,
    stop: &'a Stop,
    progress: &'a Progress,
    pipeline: Arc<Pipeline>,
    hosts: HostBacklog,
    tasks: JoinSet<Step>,
    undecided: Undecided,
    /// The requested sources; `None` for a pass over all due sources.
    asked: Option<Vec<SourceId>>,
    /// The requested sources that are not claimed yet.
    unclaimed: Vec<SourceId>,
    /// Whether it is time to judge undecided sets again.
    again: bool,
    /// The newest verdict before the pass, if undecided versions of the requested sources are to be judged.
    judge_asked: Option<VerdictId>,
    /// Requested sources that another worker has claimed.
    busy: Vec<SourceId>,
    finished_since_claim: usize,
    /// The number of published files that could not be put back, with the first reason.
    unsettled: Option<(usize, Error)>,
    error: Option<Error>,
    /// The store or the disk failed: further work would fail, too.
    disabled: bool,
    /// Tasks were ended before they were done.
    cut_off: bool,
}

impl<'a> Pass<'a> {
    pub(super) async fn run(request: PassRequest<'a>) -> PassReport {
        let started = Instant::now();
        let (app, stop) = (request.app, request.stop);
        let (publisher, publishing) = Publisher::new(Arc::clone(app), InFlight::default());
        let fetcher = Arc::clone(&request.fetcher);
        let mut pipeline = Pipeline::new(app, fetcher, publisher, request.progress);
        pipeline.judges = !matches!(request.judging, Judging::Nothing);
        if request.keeps_results || request.selection.asked().is_some() {
            pipeline.results = Some(Mutex::default());
        }
        let mut pass = Self::new(request, pipeline);
        let logged = log(app, Action::PassStarted, None).await;
        pass.keep_error(logged);
        let mut services = JoinSet::new();
        services.spawn(publishing);
        pass.work().await;
        pass.judge_asked().await;
        pass.judge_sets().await;
        let cut_off = pass.cut_off;
        let report = pass.report(started).await;
        if cut_off {
            services.abort_all();
        }
        tokio::select! {
            () = async { while services.join_next().await.is_some() {} } => {}
            () = stop.deadline_passed() => services.shutdown().await,
        }
        report
    }

    fn new(request: PassRequest<'a>, pipeline: Pipeline) -> Self {
        let app = request.app;
        let asked = request.selection.asked();
        let (undecided, judge_asked) = match request.judging {
            Judging::Again(undecided) => (Some(undecided), None),
            Judging::Asked(seen) => (None, Some(seen)),
            Judging::Nothing | Judging::New => (None, None),
        };
        Self {
            app: Arc::clone(app),
            worker: request.worker,
            stop: request.stop,
            progress: request.progress,
            pipeline: Arc::new(pipeline),
            hosts: HostBacklog::new(app.config().fetch.per_host),
            tasks: JoinSet::new(),
            again: undecided.is_some(),
            undecided: undecided.unwrap_or_else(Undecided::none),
            asked: asked.map(<[_]>::to_vec),
            unclaimed: asked.unwrap_or_default().to_vec(),
            judge_asked,
            busy: Vec::new(),
            finished_since_claim: CLAIM_AFTER,
            unsettled: None,
            error: None,
            disabled: false,
            cut_off: false,
        }
    }

    /// Ends the pass and returns its report. This drops the last clone of the publisher, whose task then ends, too.
    async fn report(mut self, started: Instant) -> PassReport {
        let unreadable = self.pipeline.unreadable().take();
        self.keep_error(unreadable.map_or(Ok(()), Err));
        let not_tried = self.count_not_tried().await;
        let mut summary = self.progress.snapshot().summary;
        summary.seconds = started.elapsed().as_secs_f64();
        PassReport {
            summary,
            has_begun: true,
            not_tried,
            results: self.pipeline.take_results(),
            failures: self.pipeline.take_failures(),
            busy: self.busy,
            unsettled: self.unsettled,
            error: self.error,
            ..PassReport::default()
        }
    }

    /// Claims sources and waits for attempts, until no work is left or the pass has to stop.
    async fn work(&mut self) {
        let next_seen = |app: &App| app.ports().clock.sleep_until(app.now() + SEEN_EVERY);
        let mut seen = next_seen(&self.app);
        loop {
            if !self.ends() {
                let request = self.claim_request();
                let started = self.undecided.start(&self.pipeline, &request).await;
                self.keep_error(started);
            }
            while self.wants_claims() {
                self.claim().await;
            }
            let is_done = self.hosts.are_exhausted() && self.undecided.is_done();
            if self.tasks.is_empty() && (is_done || self.ends()) {
                break;
            }
            let stop = self.stop.clone();
            tokio::select! {
                Some(joined) = self.tasks.join_next() => self.finish(joined),
                Some(judged) = self.undecided.next() => self.finish_judging(judged),
                () = &mut seen => {
                    seen = next_seen(&self.app);
                    let seen_now = Fact::WorkerSeen(self.worker.clone());
                    let recorded = self.app.record(seen_now).await;
                    self.keep_error(recorded);
                    self.forget_exhausted();
                }
                () = stop.requested() => break,
            }
        }
        if self.ends() {
            self.drain().await;
        }
        let claims = ClaimsToRelease::Of(self.worker.id.clone());
        let released = self.app.ports().store.release_claims(claims).await;
        self.keep_error(released.map_err(Error::from));
    }

    /// Judges the undecided newest versions of the requested sources. Their sources were fetched before: a claim is for
    /// one purpose at a time, and a newer version may make this needless.
    async fn judge_asked(&mut self) {
        let Some(seen) = self.judge_asked.filter(|_| !self.ends()) else {
            return;
        };
        match self.newest_undecided().await {
            Ok(listed) => self.undecided = Undecided::new(seen, listed),
            Err(error) => return self.keep_error(Err(error)),
        }
        self.work().await;
    }

    /// Returns the undecided newest versions of the requested sources. Older versions are left to regular passes; new
    /// ones were judged by this pass, also if their verdicts no longer counted.
    async fn newest_undecided(&self) -> Result<Vec<(SourceId, VersionId)>> {
        let newest = self.app.named_versions(self.asked().to_vec()).await?;
        let newest = newest.into_iter();
        let newest: HashSet<_> = newest
            .filter_map(|one| Some((one.id, one.version_id?)))
            .collect();
        let mut listed = self.app.undecided(Some(self.asked())).await?;
        let new = self.pipeline.new_versions();
        listed.retain(|one| newest.contains(one) && !new.contains(&one.1));
        Ok(listed)
    }

    /// Judges and publishes sets. All claimed sources are done by now, so that files fetched together are judged
    /// together.
    async fn judge_sets(&mut self) {
        if self.ends() || !self.pipeline.judges || self.app.set_names().is_empty() {
            return;
        }
        let (app, asked, stop) = (&self.app, self.asked(), self.stop);
        let report = sets::judge_sets(app, self.again, asked, stop, self.progress).await;
        for failure in report.failures {
            self.pipeline.add_failure(|| failure);
        }
        self.keep_error(report.error.map_or(Ok(()), Err));
    }

    fn asked(&self) -> &[SourceId] {
        self.asked.as_deref().unwrap_or_default()
    }

    fn ends(&self) -> bool {
        self.stop.is_requested() || self.disabled
    }

    fn wants_claims(&self) -> bool {
        // Claims on a slow host do not count, so that it does not keep other hosts waiting.
        let few = self.hosts.pending_unsaturated() < CLAIM_AFTER;
        let room = self.tasks.len() + CLAIM_BATCH <= MAX_PENDING;
        self.hosts.may_have_more()
            && !self.ends()
            && room
            && (few || self.finished_since_claim >= CLAIM_AFTER)
    }

    async fn claim(&mut self) {
        self.finished_since_claim = 0;
        let claims = if self.asked.is_none() {
            self.claim_due().await
        } else {
            self.claim_asked().await
        };
        let checked = match claims {
            Ok(claims) => Box::pin(self.check_files(&claims)).await.map(|()| claims),
            Err(error) => Err(error),
        };
        match checked {
            Ok(claims) => claims.into_iter().for_each(|claim| self.start(claim)),
            Err(error) => {
                // Whatever the error, claiming again at once would fail again.
                self.hosts.no_more_due_except(Vec::new());
                self.keep_error(Err(error));
            }
        }
    }

    /// Checks the published files of claimed sources before they are fetched, if this process may publish.
    async fn check_files(&mut self, claims: &[Claim]) -> Result<()> {
        if !self.pipeline.judges {
            return Ok(());
        }
        tokio::select! {
            checked = self.app.check_claimed(claims) => {
                self.unsettled = all_failed(self.unsettled.take(), checked?);
            }
            // The store keeps the unfinished updates of published files as tasks.
            () = self.stop.deadline_passed() => {}
        }
        Ok(())
    }

    /// Claims sources that are due, except on saturated hosts.
    async fn claim_due(&mut self) -> Result<Vec<Claim>> {
        let excluded_hosts = self.hosts.saturated();
        let request = ClaimRequest {
            excluded_hosts: excluded_hosts.clone(),
            ..self.claim_request()
        };
        let claims = self.app.ports().store.claim(request).await?;
        if claims.len() < CLAIM_BATCH {
            self.hosts.no_more_due_except(excluded_hosts);
        }
        Ok(claims)
    }

    /// Claims the next requested sources.
    async fn claim_asked(&mut self) -> Result<Vec<Claim>> {
        let count = self.unclaimed.len().min(CLAIM_BATCH);
        let batch: Vec<_> = self.unclaimed.drain(..count).collect();
        if self.unclaimed.is_empty() {
            self.hosts.no_more_due_except(Vec::new());
        }
        let request = ClaimRequest {
            what: ClaimWhat::These(batch.clone()),
            ..self.claim_request()
        };
        let claims = self.app.ports().store.claim(request).await?;
        let claimed: Vec<_> = claims.iter().map(|claim| claim.source.id).collect();
        let damaged = self.app.damaged_sources();
        let is_busy = |id: &SourceId| !claimed.contains(id) && !damaged.contains(id);
        self.busy.extend(batch.into_iter().filter(is_busy));
        Ok(claims)
    }

    fn claim_request(&self) -> ClaimRequest {
        ClaimRequest {
            what: ClaimWhat::Due,
            worker: self.worker.clone(),
            now: self.app.now(),
            limit: CLAIM_BATCH,
            excluded_hosts: Vec::new(),
        }
    }

    /// Lets a regular pass claim again: a source that became due meanwhile need not wait for the slowest download.
    fn forget_exhausted(&mut self) {
        if self.asked.is_none() {
            self.hosts.forget_exhausted();
        }
    }

    fn start(&mut self, claim: Claim) {
        let host = claim.source.settings.address.host();
        self.hosts.enter(&host);
        let pipeline = Arc::clone(&self.pipeline);
        let expected = pipeline.publisher.expect_one();
        self.tasks.spawn(async move {
            let next = pipeline.attempt(claim, &host).await;
            Step {
                host: Some(host),
                expected,
                next,
            }
        });
    }

    fn follow_up(&mut self, next: Next, expected: Expected) {
        let pipeline = Arc::clone(&self.pipeline);
        self.tasks.spawn(async move {
            let done = pipeline.follow_up(next).await;
            Step {
                host: None,
                expected,
                next: done.map(|()| Next::Done),
            }
        });
    }

    fn finish(&mut self, joined: std::result::Result<Step, JoinError>) {
        let step = match joined {
            Ok(step) => step,
            Err(error) => return self.keep_error(ended_early(&error)),
        };
        if let Some(host) = step.host {
            self.finished_since_claim += 1;
            self.hosts.leave(&host);
        }
        match step.next {
            Ok(Next::Done) => {}
            Ok(next) => self.follow_up(next, step.expected),
            Err(error) => self.keep_error(Err(error)),
        }
    }

    fn finish_judging(&mut self, errors: Vec<Error>) {
        for error in errors {
            self.keep_error(Err(error));
        }
        if self.undecided.is_done() {
            // Sources that were claimed for judging, and are due, can be claimed for fetching now.
            self.forget_exhausted();
        }
    }

    /// Counts the sources that were left because the pass had to stop.
    async fn count_not_tried(&mut self) -> u64 {
        if !self.ends() {
            return 0;
        }
        if self.asked.is_none() {
            let outlook = self.app.ports().store.read(OutlookAt(self.app.now())).await;
            // A failure of the store was reported before.
            return outlook.map_or(0, |outlook| outlook.due);
        }
        let tried = self.progress.snapshot().summary.attempts + self.busy.len() as u64;
        (self.asked().len() as u64).saturating_sub(tried)
    }

    /// Keeps an error for the report. A failing store or disk ends the pass; a failure of one source, such as a damaged
    /// blob, does not.
    fn keep_error(&mut self, result: Result<()>) {
        if let Err(error) = result {
            tracing::error!("{error}");
            let stops = error.kind == ErrorKind::Unavailable;
            if let Some(other) = error.add_to(&mut self.error) {
                self.pipeline.add_failure(|| other.message);
            }
            if stops {
                self.disabled = true;
                self.pipeline.closing.cancel();
                self.undecided.close();
            }
        }
    }

    /// Waits for the tasks in flight until their time is up, or until a stop at once is requested; then ends the
    /// others.
    async fn drain(&mut self) {
        self.pipeline.closing.cancel();
        self.undecided.close();
        let stop = self.stop.clone();
        let deadline = tokio::time::sleep(GRACE);
        tokio::pin!(deadline);
        while !(self.tasks.is_empty() && self.undecided.is_done()) {
            tokio::select! {
                Some(joined) = self.tasks.join_next() => self.finish(joined),
                Some(judged) = self.undecided.next() => self.finish_judging(judged),
                () = &mut deadline => break,
                () = stop.forced() => break,
            }
        }
        self.cut_off = !self.tasks.is_empty() || !self.undecided.is_done();
        self.tasks.shutdown().await;
        self.undecided.shutdown().await;
    }
}

/// Records the event that a pass begins or ends.
pub(super) async fn log(app: &App, action: Action, detail: Option<String>) -> Result<()> {
    let event = NewEvent::of(action).detail(detail);
    app.record(Fact::Event(event)).await
}
