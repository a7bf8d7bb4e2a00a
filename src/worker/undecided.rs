//! Versions that an earlier pass left undecided: judged again, a few at a time, under a claim of their source.
//!
//! Never loads more contents than a few, and takes no place from fetches.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::task::{JoinError, JoinSet};

use super::pipeline::Pipeline;
use crate::app::{Error, ErrorKind, Result};
use crate::domain::{Source, SourceId, VersionId};
use crate::store::ClaimRequest;

/// Sources whose versions are judged again at once, each with one content in memory or in a file.
const AT_ONCE: usize = 4;
/// Sources claimed in one transaction.
const CLAIM_BATCH: usize = 256;

/// The versions that are still to be judged, and those that are being judged.
#[derive(Default)]
pub(super) struct Undecided {
    /// Judged since then by someone else, a version needs no judging here.
    listed_at: DateTime<Utc>,
    listed: BTreeMap<SourceId, Vec<VersionId>>,
    waiting: VecDeque<(Source, Vec<VersionId>)>,
    tasks: JoinSet<Result<()>>,
}

impl Undecided {
    /// Takes over what was listed at that time.
    pub(super) fn new(listed_at: DateTime<Utc>, listed: Vec<(SourceId, VersionId)>) -> Self {
        let mut by_source: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (source, version) in listed {
            by_source.entry(source).or_default().push(version);
        }
        Self {
            listed_at,
            listed: by_source,
            waiting: VecDeque::new(),
            tasks: JoinSet::new(),
        }
    }

    /// Claims the sources; those that another worker is at are left to it.
    pub(super) async fn claim(
        &mut self,
        pipeline: &Pipeline,
        request: &ClaimRequest,
    ) -> Result<()> {
        let ids: Vec<_> = self.listed.keys().copied().collect();
        for batch in ids.chunks(CLAIM_BATCH) {
            let request = ClaimRequest {
                limit: CLAIM_BATCH,
                ..request.clone()
            };
            let claims = pipeline.app.store.claim_these(batch.to_vec(), request);
            for claim in claims.await? {
                let versions = self.listed.remove(&claim.source.id).unwrap_or_default();
                self.waiting.push_back((claim.source, versions));
            }
        }
        self.listed.clear();
        Ok(())
    }

    /// Starts as many as may run at once.
    pub(super) fn start(&mut self, pipeline: &Arc<Pipeline>, owner: &str) {
        while self.tasks.len() < AT_ONCE
            && let Some((source, versions)) = self.waiting.pop_front()
        {
            let expected = pipeline.publisher.expect_one();
            let (pipeline, owner) = (Arc::clone(pipeline), owner.to_owned());
            let listed_at = self.listed_at;
            self.tasks.spawn(async move {
                let _expected = expected;
                let mut judged = Ok(());
                for id in versions {
                    judged = judged.and(judge_again(&pipeline, &source, id, listed_at).await);
                }
                let released = pipeline.app.store.release_claim(owner, source.id).await;
                judged.and(released.map_err(Error::from))
            });
        }
    }

    /// Waits for one source to be done; nothing when none is under way.
    pub(super) async fn next(&mut self) -> Option<Result<()>> {
        self.tasks.join_next().await.map(|joined| match joined {
            Ok(result) => result,
            Err(error) => ended_early(&error),
        })
    }

    /// Tells whether nothing waits and nothing is under way.
    pub(super) fn is_done(&self) -> bool {
        self.waiting.is_empty() && self.tasks.is_empty()
    }

    /// Lets nothing more begin.
    pub(super) fn close(&mut self) {
        self.waiting.clear();
    }

    /// Ends what is under way.
    pub(super) async fn shutdown(&mut self) {
        self.tasks.shutdown().await;
    }
}

/// Turns the end of a task into an error, unless it was ended on purpose.
pub(super) fn ended_early(error: &JoinError) -> Result<()> {
    if error.is_cancelled() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Unavailable,
        format!("an attempt's task ended early: {error}"),
    ))
}

async fn judge_again(
    pipeline: &Pipeline,
    source: &Source,
    id: VersionId,
    listed_at: DateTime<Utc>,
) -> Result<()> {
    let store = &pipeline.app.store;
    let verdicts = store.verdicts(id).await?;
    let judged_since = verdicts
        .last()
        .map(|verdict| verdict.verdict.started_at + verdict.verdict.duration)
        .is_some_and(|ended_at| ended_at >= listed_at);
    if judged_since {
        return Ok(());
    }
    // Who has decided meanwhile is not asked.
    pipeline.judge(source, id, None).await
}
