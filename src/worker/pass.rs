//! One pass: everything that is due, each source once.

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
use crate::app::{App, Error, ErrorKind, Result};
use crate::domain::{Action, Claim, NewEvent, SourceId, VerdictId, VersionId, WorkerInfo};
use crate::net::Fetcher;
use crate::store::{ClaimRequest, ClaimWhat, ClaimsToRelease, Fact};

/// How often a worker at work is seen: its claims hold for a lease after that.
const SEEN_EVERY: chrono::Duration = chrono::Duration::seconds(30);
/// Sources claimed in one transaction.
const CLAIM_BATCH: usize = 256;
/// Claims that may wait for their turn, and versions that may wait to be judged and published.
const MAX_PENDING: usize = 1024;
/// Claiming again waits for so many attempts to end, so that it costs little beside the work.
const CLAIM_AFTER: usize = 64;

/// Which sources a pass takes.
#[derive(Clone, Debug)]
pub enum Selection {
    /// All that are due.
    Due,
    /// These, due or not.
    These(Vec<SourceId>),
}

/// What a pass judges.
pub(super) enum Judging {
    /// Nothing, and it publishes nothing: this process may not.
    Nothing,
    /// The versions that it fetches.
    New,
    /// Those, and versions that were left undecided before.
    Again(Undecided),
    /// Those, then the newest versions of the sources that were asked for that are undecided, unless they were judged after this
    /// verdict.
    Asked(VerdictId),
}

/// A pass to be made, and by whom.
pub(super) struct PassRequest<'a> {
    pub(super) app: &'a Arc<App>,
    /// The holder of its claims.
    pub(super) worker: &'a WorkerInfo,
    pub(super) stop: &'a Stop,
    pub(super) progress: &'a Progress,
    pub(super) fetcher: Arc<Fetcher>,
    pub(super) selection: Selection,
    pub(super) judging: Judging,
    /// Whether the report of a pass over all that is due has results.
    pub(super) tells_each: bool,
}

/// What a task of a pass has done.
struct Step {
    /// Whose attempt has ended: the host is free for another, while the version is judged and published.
    host: Option<String>,
    expected: Expected,
    next: Result<Next>,
}

/// One pass under way.
pub(super) struct Pass<'a> {
    app: Arc<App>,
    worker: &'a WorkerInfo,
    stop: &'a Stop,
    progress: &'a Progress,
    pipeline: Arc<Pipeline>,
    hosts: HostBacklog,
    tasks: JoinSet<Step>,
    undecided: Undecided,
    selection: Selection,
    /// Whether it is time to judge again what is undecided.
    again: bool,
    /// Those that were asked for one by one.
    asked: Vec<SourceId>,
    /// The newest verdict before the pass, when what is undecided of those is to be judged.
    judge_asked: Option<VerdictId>,
    busy: Vec<SourceId>,
    finished_since_claim: usize,
    error: Option<Error>,
    /// The store or the disk failed: going on would only fail again.
    disabled: bool,
    /// Work was ended in the middle.
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
        if request.tells_each || matches!(request.selection, Selection::These(_)) {
            pipeline.results = Some(Mutex::default());
        }
        let mut pass = Self::new(request, pipeline);
        let noted = note(app, Action::PassStarted, None).await;
        pass.keep_error(noted);
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
        let PassRequest { app, selection, .. } = request;
        let (undecided, judge_asked) = match request.judging {
            Judging::Again(undecided) => (Some(undecided), None),
            Judging::Asked(seen) => (None, Some(seen)),
            Judging::Nothing | Judging::New => (None, None),
        };
        let asked = match &selection {
            Selection::Due => Vec::new(),
            Selection::These(ids) => ids.clone(),
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
            selection,
            asked,
            judge_asked,
            busy: Vec::new(),
            finished_since_claim: CLAIM_AFTER,
            error: None,
            disabled: false,
            cut_off: false,
        }
    }

    /// Ends the pass and returns how it went. With it the last one goes who could hand something in the publisher, which ends
    /// then and lets go of the archive.
    async fn report(mut self, started: Instant) -> PassReport {
        let unreadable = self.pipeline.unreadable().take();
        self.keep_error(unreadable.map_or(Ok(()), Err));
        let not_tried = self.untried().await;
        let mut summary = self.progress.snapshot().summary;
        summary.seconds = started.elapsed().as_secs_f64();
        PassReport {
            summary,
            has_begun: true,
            not_tried,
            results: self.pipeline.take_results(),
            failures: self.pipeline.take_failures(),
            busy: self.busy,
            error: self.error,
            ..PassReport::default()
        }
    }

    /// Claims and waits in turn until nothing is left, or until it has to stop.
    async fn work(&mut self) {
        let mut seen = self
            .app
            .ports()
            .clock
            .sleep_until(self.app.now() + SEEN_EVERY);
        loop {
            if !self.ends() {
                let request = self.claim_request();
                let started = self.undecided.start(&self.pipeline, &request).await;
                self.keep_error(started);
            }
            while self.wants_claims() {
                self.claim().await;
            }
            if self.tasks.is_empty()
                && (self.hosts.are_exhausted() && self.undecided.is_done() || self.ends())
            {
                break;
            }
            let stop = self.stop.clone();
            tokio::select! {
                Some(joined) = self.tasks.join_next() => self.finish(joined),
                Some(judged) = self.undecided.next() => self.finish_judging(judged),
                () = &mut seen => {
                    seen = self.app.ports().clock.sleep_until(self.app.now() + SEEN_EVERY);
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

    /// Judges what is undecided of the sources that were asked for, after they were fetched: a claim has one purpose at a time, and
    /// a newer version may have made it needless.
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

    /// Returns the newest versions of the sources that were asked for, where they are undecided. Older ones are left to the passes.
    async fn newest_undecided(&self) -> Result<Vec<(SourceId, VersionId)>> {
        let newest = self.app.named_versions(self.asked.clone()).await?;
        let newest = newest.into_iter();
        let newest: HashSet<_> = newest
            .filter_map(|one| Some((one.id, one.version_id?)))
            .collect();
        let mut listed = self.app.undecided(Some(&self.asked)).await?;
        listed.retain(|one| newest.contains(one));
        Ok(listed)
    }

    /// Nothing is claimed any more: what was fetched together is judged together.
    async fn judge_sets(&mut self) {
        if self.ends() || !self.pipeline.judges || self.app.set_names().is_empty() {
            return;
        }
        let report =
            sets::judge_sets(&self.app, self.again, &self.asked, self.stop, self.progress).await;
        for failure in report.failures {
            self.pipeline.tell(|| failure);
        }
        self.keep_error(report.error.map_or(Ok(()), Err));
    }

    fn ends(&self) -> bool {
        self.stop.is_requested() || self.disabled
    }

    fn wants_claims(&self) -> bool {
        // A host that is slow to answer keeps no others waiting.
        let few = self.hosts.pending_unsaturated() < CLAIM_AFTER;
        let room = self.tasks.len() + CLAIM_BATCH <= MAX_PENDING;
        self.hosts.may_have_more()
            && !self.ends()
            && room
            && (few || self.finished_since_claim >= CLAIM_AFTER)
    }

    async fn claim(&mut self) {
        self.finished_since_claim = 0;
        let request = ClaimRequest {
            excluded_hosts: self.hosts.saturated(),
            ..self.claim_request()
        };
        let left_out = request.excluded_hosts.clone();
        let claims = match &mut self.selection {
            Selection::Due => self.app.ports().store.claim(request).await,
            Selection::These(ids) => {
                let batch: Vec<_> = ids.drain(..ids.len().min(CLAIM_BATCH)).collect();
                if ids.is_empty() {
                    self.hosts.no_more_due_except(Vec::new());
                }
                let request = ClaimRequest {
                    what: ClaimWhat::These(batch.clone()),
                    excluded_hosts: Vec::new(),
                    ..request
                };
                let claims = self.app.ports().store.claim(request).await;
                if let Ok(claims) = &claims {
                    let claimed: Vec<_> = claims.iter().map(|claim| claim.source.id).collect();
                    let damaged = self.app.damaged_sources();
                    self.busy.extend(
                        batch
                            .into_iter()
                            .filter(|id| !claimed.contains(id) && !damaged.contains(id)),
                    );
                }
                claims
            }
        };
        match claims {
            Ok(claims) => {
                if matches!(self.selection, Selection::Due) && claims.len() < CLAIM_BATCH {
                    self.hosts.no_more_due_except(left_out);
                }
                for claim in claims {
                    self.start(claim);
                }
            }
            Err(error) => {
                // Not at once again, whatever it was.
                self.hosts.no_more_due_except(Vec::new());
                self.keep_error(Err(error.into()));
            }
        }
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

    /// Looks for more that is due: what became so meanwhile need not wait for the slowest download.
    fn forget_exhausted(&mut self) {
        if matches!(self.selection, Selection::Due) {
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
            // Those of their sources that are due could not be claimed before.
            self.forget_exhausted();
        }
    }

    /// Counts what was left when the pass had to stop.
    async fn untried(&mut self) -> u64 {
        if !self.ends() {
            return 0;
        }
        if matches!(self.selection, Selection::Due) {
            // A store that fails has been told of already.
            return self
                .app
                .ports()
                .store
                .outlook(self.app.now())
                .await
                .map_or(0, |outlook| outlook.due);
        }
        let tried = self.progress.snapshot().summary.attempts + self.busy.len() as u64;
        (self.asked.len() as u64).saturating_sub(tried)
    }

    /// Keeps an error, to be told at the end. One source's failure, such as a damaged blob, does not keep the pass from going on; a
    /// failing store or disk does.
    fn keep_error(&mut self, result: Result<()>) {
        if let Err(error) = result {
            tracing::error!("{error}");
            let stops = error.kind == ErrorKind::Unavailable;
            if let Some(other) = error.add_to(&mut self.error) {
                self.pipeline.tell(|| other.message);
            }
            if stops {
                self.disabled = true;
                self.pipeline.closing.cancel();
                self.undecided.close();
            }
        }
    }

    /// Gives what is in flight its time, unless a second request says at once; then cuts off what is left.
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

/// Has the log say that a pass begins or ends.
pub(super) async fn note(app: &App, action: Action, detail: Option<String>) -> Result<()> {
    let event = NewEvent::of(action).detail(detail);
    app.record(Fact::Event(event)).await
}
