//! Judges versions again that an earlier pass left undecided, a few at a time, under a claim of their source.
//!
//! Never loads more than a few contents at once, and never takes a place from a fetch.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use tokio::task::{JoinError, JoinSet};

use super::pipeline::Pipeline;
use crate::app::{Error, ErrorKind, Result};
use crate::domain::{Claim, Source, SourceId, VerdictId, VersionId};
use crate::store::{ClaimRequest, ClaimWhat, ClaimsToRelease, NewestVerdict};

/// The most sources whose versions are judged again at once, each with one content in memory or in a file.
const AT_ONCE: usize = 4;

/// Undecided versions: those that wait to be judged, and those that are being judged.
pub(super) struct Undecided {
    /// The newest verdict when the versions were listed: another worker has judged a version with a newer one.
    seen: VerdictId,
    /// The versions that wait, by source, in the order of their turns.
    listed: VecDeque<(SourceId, Vec<VersionId>)>,
    tasks: JoinSet<Vec<Error>>,
}

impl Undecided {
    /// Returns an empty list.
    pub(super) fn none() -> Self {
        Self::new(VerdictId(0), Vec::new())
    }

    /// Takes versions that were listed when `seen` was the newest verdict, grouped by source.
    pub(super) fn new(seen: VerdictId, listed: Vec<(SourceId, VersionId)>) -> Self {
        let mut by_source: VecDeque<(SourceId, Vec<VersionId>)> = VecDeque::new();
        for (source, version) in listed {
            match by_source.back_mut() {
                Some((last, versions)) if *last == source => versions.push(version),
                _ => by_source.push_back((source, vec![version])),
            }
        }
        Self {
            seen,
            listed: by_source,
            tasks: JoinSet::new(),
        }
    }

    /// Claims as many sources as may be judged at once, and judges their versions. Sources that wait stay free for
    /// fetching. Drops a source that is claimed already, by another worker or for a fetch: that worker judges the
    /// versions.
    pub(super) async fn start(
        &mut self,
        pipeline: &Arc<Pipeline>,
        request: &ClaimRequest,
    ) -> Result<()> {
        while self.tasks.len() < AT_ONCE && !self.listed.is_empty() {
            let places = (AT_ONCE - self.tasks.len()).min(self.listed.len());
            let mut batch: HashMap<_, _> = self.listed.drain(..places).collect();
            let ids = batch.keys().copied().collect();
            let request = ClaimRequest {
                what: ClaimWhat::These(ids),
                ..request.clone()
            };
            let claims = pipeline.app.ports().store.claim(request);
            for claim in claims.await? {
                let versions = batch.remove(&claim.source.id).unwrap_or_default();
                self.judge(pipeline, claim, versions);
            }
        }
        Ok(())
    }

    fn judge(&mut self, pipeline: &Arc<Pipeline>, claim: Claim, versions: Vec<VersionId>) {
        let expected = pipeline.publisher.expect_one();
        let (pipeline, seen) = (Arc::clone(pipeline), self.seen);
        self.tasks.spawn(async move {
            let _expected = expected;
            let mut errors = Vec::new();
            for id in versions {
                errors.extend(judge_again(&pipeline, &claim.source, id, seen).await.err());
            }
            let store = &pipeline.app.ports().store;
            let ended = ClaimsToRelease::One {
                source: claim.source.id,
                fence: claim.fence,
                worker: claim.worker.clone(),
            };
            let released = store.release_claims(ended).await;
            errors.extend(released.err().map(Error::from));
            errors
        });
    }

    /// Waits until the versions of one source are judged, and returns the errors; `None` when no source is being
    /// judged.
    pub(super) async fn next(&mut self) -> Option<Vec<Error>> {
        self.tasks.join_next().await.map(|joined| match joined {
            Ok(errors) => errors,
            Err(error) => ended_early(&error).err().into_iter().collect(),
        })
    }

    /// Returns whether no version waits or is being judged.
    pub(super) fn is_done(&self) -> bool {
        self.listed.is_empty() && self.tasks.is_empty()
    }

    /// Drops the versions that wait.
    pub(super) fn close(&mut self) {
        self.listed.clear();
    }

    /// Ends the judging tasks.
    pub(super) async fn shutdown(&mut self) {
        self.tasks.shutdown().await;
    }
}

/// Returns the error of a task that ended early, unless it was ended on purpose.
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
    seen: VerdictId,
) -> Result<()> {
    let store = &pipeline.app.ports().store;
    if store.read(NewestVerdict(Some(id))).await? > seen {
        return Ok(());
    }
    // Verifiers with a verdict are not asked again.
    pipeline.judge(source, id, None).await
}
