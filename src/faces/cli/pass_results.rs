//! The result of each source in a pass, with the reason.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::app::{App, Error, Result, SourceOutcome, SourceResult, failure_among};
use crate::domain::{AttemptOutcome, Source, SourceId, VersionState};
use crate::faces::file_change::FileChange;
use crate::faces::publication::unvetted;
use crate::faces::state_word::why_judged;

const PUT_BACK: &str = "its published file had been changed or removed, and was put back";

/// Returns, for each of these sources, why the fetched version is not published: the verifier that failed or could not
/// judge it, or the reason of its set; and what consumers see instead.
pub(super) async fn reasons<'a>(
    app: &App,
    results: impl IntoIterator<Item = &'a SourceResult>,
    sources: &HashMap<SourceId, Source>,
    failing_sets: &[(String, String)],
) -> std::result::Result<HashMap<SourceId, String>, Error> {
    let mut reasons = HashMap::new();
    for result in results {
        let Some((source, version)) = sources.get(&result.id).zip(result.version_id) else {
            continue;
        };
        let state = verified(result, source);
        let reason = if let Some(state @ (VersionState::Failed | VersionState::Error)) = state {
            why_judged(state, &app.verdicts(version).await?)
        } else {
            let failure = failure_among(source, failing_sets);
            let set = source.state.set.as_deref().unwrap_or_default();
            failure.map(|why| format!("set {set}: {why}"))
        };
        let is_served = source.state.served() == Some(version);
        let published = match unvetted(source) {
            None if is_served => None,
            Some(_) if result.outcome == SourceOutcome::Fetched(AttemptOutcome::New) => {
                Some(FileChange::between(None, source))
            }
            _ => Some(FileChange::now(source)),
        };
        let published = published.map(|published| published.clause());
        let put_back = result.put_back.then(|| PUT_BACK.to_owned());
        let words: Vec<_> = reason
            .into_iter()
            .chain(published)
            .chain(put_back)
            .collect();
        if !words.is_empty() {
            reasons.insert(result.id, words.join("; "));
        }
    }
    Ok(reasons)
}

/// Returns why a source was not fetched; of a fetched source, what else was done.
pub(super) fn why(result: &SourceResult) -> Cow<'_, str> {
    let otherwise = if result.put_back { PUT_BACK } else { "" };
    let error = result.error.as_deref().unwrap_or(otherwise);
    match result.error_kind {
        Some(kind) => format!("{kind}: {error}").into(),
        None => error.into(),
    }
}

/// Returns the sources of these results by id; purged ones are missing.
pub(super) async fn sources_of(
    app: &App,
    results: &[SourceResult],
) -> Result<HashMap<SourceId, Source>> {
    let ids = results.iter().map(|result| result.id).collect();
    let sources = app.sources_by_id(ids).await?;
    Ok(sources
        .into_iter()
        .map(|source| (source.id, source))
        .collect())
}

/// Returns the state of the version that the fetch found.
pub(super) fn verified(result: &SourceResult, source: &Source) -> Option<VersionState> {
    let is_newest = result.version_id.is_some() && source.state.version_id == result.version_id;
    source.state.version_state.filter(|_| is_newest)
}
