//! One pass: everything that is due, each source once.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::believing::ReadBudget;
use super::limits::Hosts;
use super::pipeline::{Next, Pipeline};
use super::progress::Progress;
use super::publisher::{Expected, InFlight, Publisher};
use super::sets;
use super::stop::{GRACE, Stop};
use super::supervisor::Worker;
use super::undecided::{Undecided, ended_early};
use crate::app::{Adoption, App, Error, ErrorKind, PassSummary, Result, SourceResult};
use crate::domain::{Action, Claim, NewEvent, SourceId};
use crate::net::{Fetcher, Limiter};
use crate::store::ClaimRequest;

/// How long a claim holds without being renewed: a crashed worker's sources are free again after this.
const LEASE: chrono::Duration = crate::domain::LONGEST_LEASE;
const RENEW_EVERY: chrono::Duration = chrono::Duration::minutes(1);
/// Sources claimed in one transaction.
const CLAIM_BATCH: usize = 256;
/// Claims that may wait for their turn, and versions that may wait to be judged and published.
const MAX_PENDING: usize = 1024;
/// Claiming again waits for so many attempts to end, so that it costs little beside the work.
const CLAIM_AFTER: usize = 64;

/// Failures that a pass tells one by one; the log has all of them.
pub const MAX_TROUBLES: usize = 50;

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
}

/// How a pass went.
#[derive(Debug, Default)]
pub struct PassReport {
    /// What it did.
    pub summary: PassSummary,
    /// Sources that were asked for and that another worker is at.
    pub busy: Vec<SourceId>,
    /// The policy that was put in force at its beginning: the configuration had changed.
    pub adopted: Option<Adoption>,
    /// Why a changed configuration was not used: the one before is in force.
    pub rejected: Option<String>,
    /// What became of each source that was tried or asked for; nothing after a pass over all that is due, unless the worker is
    /// one that [tells of each](Worker::telling_each).
    pub results: Vec<SourceResult>,
    /// What failed, a line each, for whoever reads the mail of cron: the first [`MAX_TROUBLES`].
    pub troubles: Vec<String>,
    /// Who could not be told what happened, and why, a line each: no failure of the pass.
    pub untold: Vec<String>,
    /// Sources that it was to try and did not, because it had to stop.
    pub untried: u64,
    /// What kept it from doing all; what was recorded before stays. Damage of one version stands here when nothing graver does, that of
    /// others among the troubles: it keeps nothing else from being done.
    pub error: Option<Error>,
}

impl PassReport {
    /// Tells whether the pass did something, adopted a policy, or could not use a configuration or reach a notifier.
    pub(super) fn is_news(&self) -> bool {
        let summary = &self.summary;
        summary.attempts + summary.sets_published + summary.sets_failed > 0
            || self.adopted.is_some()
            || self.rejected.is_some()
            || !self.untold.is_empty()
    }

    /// Tells whether an error is among what failed already.
    pub(super) fn tells(&self, error: &Error) -> bool {
        let is_same = |text: &str| text.ends_with(&error.message);
        self.error
            .as_ref()
            .is_some_and(|kept| is_same(&kept.message))
            || self.troubles.iter().any(|trouble| is_same(trouble))
    }

    /// Keeps what failed beside the pass.
    pub(super) fn fail(&mut self, error: Error) {
        let other = error.add_to(&mut self.error);
        if self.troubles.len() < MAX_TROUBLES {
            self.troubles.extend(other.map(|other| other.message));
        }
    }

    /// Says what became of each source that was asked for, also of those that were not tried.
    pub(super) fn account_for(&mut self, asked: &[SourceId]) {
        if asked.is_empty() {
            return;
        }
        let tried: HashSet<_> = self.results.iter().map(|result| result.id).collect();
        let why = match &self.error {
            Some(error) if !error.concerns_one() => error.message.clone(),
            _ => "stopped before".to_owned(),
        };
        for id in asked.iter().filter(|id| !tried.contains(id)) {
            self.results.push(if self.busy.contains(id) {
                SourceResult::busy(*id)
            } else {
                SourceResult::untried(*id, &why)
            });
        }
    }
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
    owner: &'a str,
    stop: &'a Stop,
    progress: &'a Progress,
    pipeline: Arc<Pipeline>,
    hosts: Hosts,
    tasks: JoinSet<Step>,
    undecided: Undecided,
    selection: Selection,
    /// Whether it is time to judge again what is undecided.
    again: bool,
    /// How many were asked for one by one.
    asked: usize,
    busy: Vec<SourceId>,
    finished_since_claim: usize,
    error: Option<Error>,
    /// The store or the disk failed: going on would only fail again.
    disabled: bool,
    /// Work was ended in the middle.
    cut_off: bool,
}

impl<'a> Pass<'a> {
    pub(super) async fn run(
        worker: &'a Worker,
        selection: Selection,
        stop: &'a Stop,
        progress: &'a Progress,
        fetcher: Arc<Fetcher>,
        judging: Judging,
    ) -> PassReport {
        let started = Instant::now();
        let (app, owner) = (&worker.app, &worker.owner);
        let (publisher, publishing) = Publisher::new(Arc::clone(app), InFlight::default());
        let config = app.config();
        let fetch = &config.fetch;
        let judges = !matches!(judging, Judging::Nothing);
        let undecided = match judging {
            Judging::Again(undecided) => Some(undecided),
            Judging::Nothing | Judging::New => None,
        };
        let is_told = worker.tells_each || matches!(selection, Selection::These(_));
        let pipeline = Pipeline {
            app: Arc::clone(app),
            fetcher,
            limiter: Limiter::new(fetch.per_host, fetch.total),
            publisher,
            progress: progress.clone(),
            closing: CancellationToken::new(),
            troubles: Mutex::default(),
            results: is_told.then(Mutex::default),
            judges,
            read_budget: ReadBudget::default(),
        };
        let asked = match &selection {
            Selection::Due => 0,
            Selection::These(ids) => ids.len(),
        };
        let mut pass = Pass {
            app: Arc::clone(app),
            owner,
            stop,
            progress,
            pipeline: Arc::new(pipeline),
            hosts: Hosts::new(fetch.per_host),
            tasks: JoinSet::new(),
            again: undecided.is_some(),
            undecided: undecided.unwrap_or_else(Undecided::none),
            selection,
            asked,
            busy: Vec::new(),
            finished_since_claim: CLAIM_AFTER,
            error: None,
            disabled: false,
            cut_off: false,
        };
        pass.note(Action::PassStarted, None).await;
        let mut services = JoinSet::new();
        services.spawn(publishing);
        pass.work().await;
        pass.judge_sets().await;
        let untried = pass.untried().await;
        let mut summary = pass.progress.snapshot().summary;
        summary.seconds = started.elapsed().as_secs_f64();
        pass.note(Action::PassFinished, Some(summary.to_string()))
            .await;
        let Pass {
            pipeline,
            busy,
            error,
            cut_off,
            ..
        } = pass;
        let (troubles, results) = (pipeline.take_troubles(), pipeline.take_results());
        // With the last who could hand something in the publisher ends, and lets go of the archive.
        drop(pipeline);
        if cut_off {
            services.abort_all();
        }
        tokio::select! {
            () = async { while services.join_next().await.is_some() {} } => {}
            () = stop.overdue() => services.shutdown().await,
        }
        PassReport {
            summary,
            busy,
            results,
            troubles,
            untried,
            error,
            ..PassReport::default()
        }
    }

    /// Claims and waits in turn until nothing is left, or until it has to stop.
    async fn work(&mut self) {
        let mut renewal = self.app.clock.sleep_until(self.app.now() + RENEW_EVERY);
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
                () = &mut renewal => {
                    renewal = self.app.clock.sleep_until(self.app.now() + RENEW_EVERY);
                    let renewed = self.app.store.renew_claims(self.owner.to_owned(), self.app.now() + LEASE).await;
                    self.keep_error(renewed.map_err(Error::from));
                    self.look_again();
                }
                () = stop.requested() => break,
            }
        }
        if self.ends() {
            self.drain().await;
        }
        let released = self.app.store.release_claims(self.owner.to_owned()).await;
        self.keep_error(released.map_err(Error::from));
    }

    /// Nothing is claimed any more: what was fetched together is judged together.
    async fn judge_sets(&mut self) {
        if self.ends() || !self.pipeline.judges || self.app.set_names().is_empty() {
            return;
        }
        let report = sets::judge_sets(
            &self.app,
            self.again,
            matches!(self.selection, Selection::These(_)),
            self.stop,
            self.progress,
        )
        .await;
        for trouble in report.troubles {
            self.pipeline.tell(|| trouble);
        }
        self.keep_error(report.error.map_or(Ok(()), Err));
    }

    fn ends(&self) -> bool {
        self.stop.is_requested() || self.disabled
    }

    fn wants_claims(&self) -> bool {
        // A host that is slow to answer keeps no others waiting.
        let few = self.hosts.pending_elsewhere() < CLAIM_AFTER;
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
            Selection::Due => self.app.store.claim_due(request).await,
            Selection::These(ids) => {
                let batch: Vec<_> = ids.drain(..ids.len().min(CLAIM_BATCH)).collect();
                if ids.is_empty() {
                    self.hosts.exhausted_but(Vec::new());
                }
                let request = ClaimRequest {
                    excluded_hosts: Vec::new(),
                    ..request
                };
                let claims = self.app.store.claim_these(batch.clone(), request).await;
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
                    self.hosts.exhausted_but(left_out);
                }
                for claim in claims {
                    self.start(claim);
                }
            }
            Err(error) => {
                // Not at once again, whatever it was.
                self.hosts.exhausted_but(Vec::new());
                self.keep_error(Err(error.into()));
            }
        }
    }

    fn claim_request(&self) -> ClaimRequest {
        let now = self.app.now();
        ClaimRequest {
            owner: self.owner.to_owned(),
            now,
            lease_until: now + LEASE,
            limit: CLAIM_BATCH,
            excluded_hosts: Vec::new(),
        }
    }

    /// Looks for more that is due: what became so meanwhile need not wait for the slowest download.
    fn look_again(&mut self) {
        if matches!(self.selection, Selection::Due) {
            self.hosts.look_again();
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
            self.look_again();
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
                .store
                .due(self.app.now())
                .await
                .map_or(0, |due| due.0);
        }
        let tried = self.progress.snapshot().summary.attempts + self.busy.len() as u64;
        (self.asked as u64).saturating_sub(tried)
    }

    /// Keeps an error, to be told at the end. One source's trouble, such as a damaged blob, does not keep the pass from going on; a
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
                () = stop.insisted() => break,
            }
        }
        self.cut_off = !self.tasks.is_empty() || !self.undecided.is_done();
        self.tasks.shutdown().await;
        self.undecided.shutdown().await;
    }

    async fn note(&mut self, action: Action, detail: Option<String>) {
        let event = NewEvent {
            action,
            source_id: None,
            version_id: None,
            detail,
        };
        let noted = self.app.store.record_event(event, self.app.stamp()).await;
        self.keep_error(noted.map(drop).map_err(Error::from));
    }
}
