//! Fetches at somebody's request that wait or are under way: a second request for a source joins the first.
//!
//! Never begins a fetch.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, SubsecRound as _, Utc};
use tokio::sync::watch;

use crate::app::{Error, ErrorKind, Result, SourceResult};
use crate::domain::SourceId;

/// The results of a pass, by source.
type Outcome = Arc<Result<HashMap<SourceId, SourceResult>>>;
/// Receives the outcome of the pass that fetches a source.
type Coming = watch::Receiver<Option<Outcome>>;

/// The sources that are being fetched at somebody's request.
#[derive(Default)]
pub(super) struct Requested(Mutex<HashMap<SourceId, UnderWay>>);

/// The fetch of one source.
struct UnderWay {
    since: DateTime<Utc>,
    coming: Coming,
}

/// The sources that nobody requested before: their pass is to begin. Requests for them can begin anew after its drop.
pub(super) struct Begun {
    requested: Arc<Requested>,
    pub(super) sources: Vec<SourceId>,
    outcome: watch::Sender<Option<Outcome>>,
}

/// What a request waits for.
pub(super) struct Waiting(Vec<(SourceId, Coming)>);

impl Requested {
    /// Joins the fetches of these sources that are under way, and begins one pass of the others.
    pub(super) fn join(
        self: &Arc<Self>,
        sources: &[SourceId],
        now: DateTime<Utc>,
    ) -> (Waiting, Option<Begun>) {
        let (sender, coming) = watch::channel(None);
        // Attempts are recorded to the millisecond: one that begins now must not seem older than its request.
        let since = now.trunc_subsecs(3);
        let (mut waiting, mut begun) = (Vec::new(), Vec::new());
        let mut all = self.all();
        for id in sources {
            let under_way = all.entry(*id).or_insert_with(|| {
                begun.push(*id);
                UnderWay {
                    since,
                    coming: coming.clone(),
                }
            });
            waiting.push((*id, under_way.coming.clone()));
        }
        let begun = (!begun.is_empty()).then(|| Begun {
            requested: Arc::clone(self),
            sources: begun,
            outcome: sender,
        });
        (Waiting(waiting), begun)
    }

    /// Returns since when a source is being fetched, or waits for its turn.
    pub(super) fn since(&self, source: SourceId) -> Option<DateTime<Utc>> {
        self.all().get(&source).map(|one| one.since)
    }

    fn all(&self) -> MutexGuard<'_, HashMap<SourceId, UnderWay>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Begun {
    /// Gives the outcome to all that wait for it.
    pub(super) fn end(self, results: Result<Vec<SourceResult>>) {
        let by_source = |results: Vec<SourceResult>| {
            let results = results.into_iter();
            results.map(|one| (one.id, one)).collect()
        };
        // Nobody may wait for it any more.
        let _ = self.outcome.send(Some(Arc::new(results.map(by_source))));
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        let mut all = self.requested.all();
        for source in &self.sources {
            all.remove(source);
        }
    }
}

impl Waiting {
    /// Returns the results of the sources once each has one.
    pub(super) async fn results(self) -> Result<Vec<SourceResult>> {
        let mut results = Vec::new();
        for (id, mut coming) in self.0 {
            let outcome = coming.wait_for(Option::is_some).await;
            let outcome = outcome.ok().and_then(|outcome| outcome.clone());
            match outcome.as_deref() {
                Some(Ok(all)) => results.extend(all.get(&id).cloned()),
                Some(Err(error)) => {
                    let same = Error::new(error.kind, error.message.clone());
                    return Err(match &error.hint {
                        Some(hint) => same.hint(hint.clone()),
                        None => same,
                    });
                }
                None => {
                    let message = "the fetch ended early";
                    return Err(Error::new(ErrorKind::Unavailable, message));
                }
            }
        }
        Ok(results)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::app::SourceOutcome;
    use crate::domain::AttemptOutcome;

    fn result(id: i64) -> SourceResult {
        SourceResult {
            id: SourceId(id),
            outcome: SourceOutcome::Fetched(AttemptOutcome::Unchanged),
            version_id: None,
            error_kind: None,
            error: None,
            put_back: false,
        }
    }

    fn results(waiting: Waiting) -> Option<Result<Vec<SourceResult>>> {
        waiting.results().now_or_never()
    }

    #[test]
    fn a_second_request_joins_the_first() {
        let (requested, now) = (Arc::new(Requested::default()), DateTime::UNIX_EPOCH);
        let ids = |ids: &[i64]| ids.iter().map(|id| SourceId(*id)).collect::<Vec<_>>();
        let (first, begun) = requested.join(&ids(&[1, 2]), now);
        let begun = begun.expect("a pass");
        assert_eq!(
            (&begun.sources, requested.since(SourceId(2))),
            (&ids(&[1, 2]), Some(now))
        );
        let (second, other) = requested.join(&ids(&[2, 3, 3]), now);
        let other = other.expect("a pass");
        assert_eq!(other.sources, ids(&[3]));
        let (third, none) = requested.join(&ids(&[1]), now);
        assert!(none.is_none());
        let (early, _) = requested.join(&ids(&[2]), now);
        assert!(results(early).is_none());
        begun.end(Ok(vec![result(1), result(2)]));
        other.end(Ok(vec![result(3)]));
        let found = |waiting| results(waiting).expect("an end").expect("results");
        assert_eq!(found(first), [result(1), result(2)]);
        assert_eq!(found(second), [result(2), result(3), result(3)]);
        assert_eq!(found(third), [result(1)]);
        assert_eq!(requested.since(SourceId(1)), None);
        let (again, begun) = requested.join(&ids(&[1]), now);
        drop(begun.expect("another pass"));
        assert!(results(again).is_some_and(|ended| ended.is_err()));
    }
}
