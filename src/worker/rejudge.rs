//! Versions that an earlier pass left undecided: judged again, a few at a time, under a claim of their source.
//!
//! Never loads more contents than a few, and takes no place from fetches.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use tokio::task::{JoinError, JoinSet};

use super::pipeline::Pipeline;
use crate::app::{Error, ErrorKind, Result};
use crate::domain::{Claim, Source, SourceId, VerdictId, VersionId};
use crate::store::{ClaimRequest, ClaimWhat, ClaimsToRelease};

/// Sources whose versions are judged again at once, each with one content in memory or in a file.
const AT_ONCE: usize = 4;

/// The versions that are still to be judged, and those that are being judged.
pub(super) struct Undecided {
    /// The newest verdict when they were listed: a version with a newer one was judged by someone else meanwhile.
    seen: VerdictId,
    /// In the order in which they are taken up.
    listed: VecDeque<(SourceId, Vec<VersionId>)>,
    tasks: JoinSet<Vec<Error>>,
}

impl Undecided {
    /// Returns one without any.
    pub(super) fn none() -> Self {
        Self::new(VerdictId(0), Vec::new())
    }

    /// Takes over what was listed when `seen` was the newest verdict; the versions of one source stand together.
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

    /// Claims as many sources as may be judged at once, and starts with them: those that wait stay free for fetching. A source
    /// that another worker is at, or that is being fetched, is left to that.
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

    /// Waits for one source to be done, and returns what failed; nothing when none is under way.
    pub(super) async fn next(&mut self) -> Option<Vec<Error>> {
        self.tasks.join_next().await.map(|joined| match joined {
            Ok(errors) => errors,
            Err(error) => ended_early(&error).err().into_iter().collect(),
        })
    }

    /// Tells whether nothing waits and nothing is under way.
    pub(super) fn is_done(&self) -> bool {
        self.listed.is_empty() && self.tasks.is_empty()
    }

    /// Lets nothing more begin.
    pub(super) fn close(&mut self) {
        self.listed.clear();
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
    seen: VerdictId,
) -> Result<()> {
    let store = &pipeline.app.ports().store;
    if store.newest_verdict(Some(id)).await? > seen {
        return Ok(());
    }
    // Who has decided meanwhile is not asked.
    pipeline.judge(source, id, None).await
}
