//! One pass: everything that is due, each source once.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::limits::Hosts;
use super::pipeline::Pipeline;
use super::progress::Progress;
use super::publisher::{InFlight, Publisher};
use super::stop::Stop;
use crate::app::{App, Error, ErrorKind, PassSummary, Result};
use crate::domain::{Action, Claim, NewEvent, SourceId, VersionId};
use crate::net::Fetcher;
use crate::store::ClaimRequest;

/// How long a claim holds without being renewed: a crashed worker's sources are free again after this.
const LEASE: chrono::Duration = chrono::Duration::minutes(5);
const RENEW_EVERY: chrono::Duration = chrono::Duration::minutes(1);
/// Sources claimed in one transaction.
const CLAIM_BATCH: usize = 256;
/// Claims that may wait for their turn.
const MAX_PENDING: usize = 2048;
/// Claiming again waits for so many to finish, so that it costs little beside the work.
const CLAIM_AFTER: usize = 64;
/// What is in flight has this long to finish after a stop is asked for.
const GRACE: Duration = Duration::from_secs(10);

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

/// How a pass went.
#[derive(Debug)]
pub struct PassReport {
    /// What it did.
    pub summary: PassSummary,
    /// Sources that were asked for and that another worker is at.
    pub busy: Vec<SourceId>,
    /// What failed, a line each, for whoever reads the mail of cron: the first [`MAX_TROUBLES`].
    pub troubles: Vec<String>,
    /// What kept it from doing all; what was recorded before stays.
    pub error: Option<Error>,
}

/// One pass under way.
pub(super) struct Pass<'a> {
    app: Arc<App>,
    owner: &'a str,
    stop: &'a Stop,
    progress: &'a Progress,
    pipeline: Arc<Pipeline>,
    hosts: Hosts,
    tasks: JoinSet<(Option<String>, Result<()>)>,
    selection: Selection,
    busy: Vec<SourceId>,
    exhausted: bool,
    finished_since_claim: usize,
    error: Option<Error>,
    /// The store or the disk failed: going on would only fail again.
    disabled: bool,
}

impl<'a> Pass<'a> {
    pub(super) async fn run(
        app: &Arc<App>,
        owner: &'a str,
        selection: Selection,
        stop: &'a Stop,
        progress: &'a Progress,
        fetcher: Arc<Fetcher>,
        undecided: Vec<VersionId>,
    ) -> PassReport {
        let started = Instant::now();
        let (publisher, publishing) = Publisher::new(Arc::clone(app), InFlight::default());
        let pipeline = Pipeline {
            app: Arc::clone(app),
            fetcher,
            publisher,
            progress: progress.clone(),
            closing: CancellationToken::new(),
            troubles: Mutex::default(),
        };
        let fetch = &app.config.fetch;
        let mut pass = Pass {
            app: Arc::clone(app),
            owner,
            stop,
            progress,
            pipeline: Arc::new(pipeline),
            hosts: Hosts::new(fetch.per_host, fetch.total),
            tasks: JoinSet::new(),
            selection,
            busy: Vec::new(),
            exhausted: false,
            finished_since_claim: CLAIM_AFTER,
            error: None,
            disabled: false,
        };
        pass.note(Action::PassStarted, None).await;
        let mut services = JoinSet::new();
        services.spawn(publishing);
        for version in undecided {
            pass.judge_again(version);
        }
        pass.work().await;
        let mut summary = pass.progress.snapshot().summary;
        summary.seconds = started.elapsed().as_secs_f64();
        pass.note(Action::PassFinished, Some(summary.to_string()))
            .await;
        let Pass {
            pipeline,
            busy,
            error,
            ..
        } = pass;
        let troubles = pipeline.take_troubles();
        // With the last who could hand something in the publisher ends, and lets go of the archive.
        drop(pipeline);
        while services.join_next().await.is_some() {}
        PassReport {
            summary,
            busy,
            troubles,
            error,
        }
    }

    /// Claims and waits in turn until nothing is left, or until it has to stop.
    async fn work(&mut self) {
        let mut renew_at = self.app.now() + RENEW_EVERY;
        loop {
            if self.wants_claims() {
                self.claim().await;
            }
            if self.tasks.is_empty() && (self.exhausted || self.ends()) {
                break;
            }
            let stop = self.stop.clone();
            tokio::select! {
                Some(joined) = self.tasks.join_next() => self.finish(joined),
                () = self.app.clock.sleep_until(renew_at) => {
                    renew_at = self.app.now() + RENEW_EVERY;
                    let renewed = self.app.store.renew_claims(self.owner.to_owned(), self.app.now() + LEASE).await;
                    self.keep_error(renewed.map_err(Error::from));
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

    fn ends(&self) -> bool {
        self.stop.is_requested() || self.disabled
    }

    fn wants_claims(&self) -> bool {
        let few = self.tasks.len() < CLAIM_AFTER;
        let room = self.tasks.len() + CLAIM_BATCH <= MAX_PENDING;
        !self.exhausted && !self.ends() && room && (few || self.finished_since_claim >= CLAIM_AFTER)
    }

    async fn claim(&mut self) {
        self.finished_since_claim = 0;
        let now = self.app.now();
        let excluded_hosts = self.hosts.saturated();
        let some_left_out = !excluded_hosts.is_empty();
        let request = ClaimRequest {
            owner: self.owner.to_owned(),
            now,
            lease_until: now + LEASE,
            limit: CLAIM_BATCH,
            excluded_hosts,
        };
        let claims = match &mut self.selection {
            Selection::Due => self.app.store.claim_due(request).await,
            Selection::These(ids) => {
                let batch: Vec<_> = ids.drain(..ids.len().min(CLAIM_BATCH)).collect();
                self.exhausted = ids.is_empty();
                let request = ClaimRequest {
                    excluded_hosts: Vec::new(),
                    ..request
                };
                let claims = self.app.store.claim_these(batch.clone(), request).await;
                if let Ok(claims) = &claims {
                    let claimed: Vec<_> = claims.iter().map(|claim| claim.source.id).collect();
                    self.busy
                        .extend(batch.into_iter().filter(|id| !claimed.contains(id)));
                }
                claims
            }
        };
        match claims {
            Ok(claims) => {
                if matches!(self.selection, Selection::Due)
                    && !some_left_out
                    && claims.len() < CLAIM_BATCH
                {
                    self.exhausted = true;
                }
                for claim in claims {
                    self.start(claim);
                }
            }
            Err(error) => self.keep_error(Err(error.into())),
        }
    }

    fn start(&mut self, claim: Claim) {
        let host = claim.source.settings.address.host();
        let turn = self.hosts.enter(&host);
        let pipeline = Arc::clone(&self.pipeline);
        let expected = pipeline.publisher.expect_one();
        self.tasks.spawn(async move {
            let _expected = expected;
            (Some(host), pipeline.run(claim, turn).await)
        });
    }

    /// Judges a version that an earlier pass could not.
    fn judge_again(&mut self, id: VersionId) {
        let pipeline = Arc::clone(&self.pipeline);
        let expected = pipeline.publisher.expect_one();
        self.tasks.spawn(async move {
            let _expected = expected;
            let judged = async {
                let version = pipeline.app.version(&id.to_string()).await?;
                pipeline.judge(&version.0, id, None).await
            };
            (None, judged.await)
        });
    }

    fn finish(&mut self, joined: std::result::Result<(Option<String>, Result<()>), JoinError>) {
        self.finished_since_claim += 1;
        match joined {
            Ok((host, result)) => {
                if let Some(host) = &host {
                    self.hosts.leave(host);
                }
                self.keep_error(result);
            }
            Err(error) if error.is_cancelled() => {}
            Err(error) => {
                self.keep_error(Err(Error::new(
                    ErrorKind::Unavailable,
                    format!("an attempt's task ended early: {error}"),
                )));
            }
        }
    }

    /// Keeps the first error, to be told at the end. One source's trouble, such as a damaged blob, does not keep the
    /// pass from going on; a failing store or disk does.
    fn keep_error(&mut self, result: Result<()>) {
        if let Err(error) = result {
            tracing::error!("{error}");
            self.disabled |= error.kind == ErrorKind::Unavailable;
            self.error.get_or_insert(error);
        }
    }

    /// Gives what is in flight its time, unless a second request says at once; then cuts off what is left.
    async fn drain(&mut self) {
        self.pipeline.closing.cancel();
        let stop = self.stop.clone();
        let deadline = tokio::time::sleep(GRACE);
        tokio::pin!(deadline);
        while !self.tasks.is_empty() {
            tokio::select! {
                Some(joined) = self.tasks.join_next() => self.finish(joined),
                () = &mut deadline => break,
                () = stop.insisted() => break,
            }
        }
        self.tasks.shutdown().await;
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
