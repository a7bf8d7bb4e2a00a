//! Keeps the sources that a filter matches: gathers the facts that it asks for. Every face filters through here.
//!
//! Never reads a fact that the filter does not ask for.

use crate::app::{App, Result};
use crate::domain::{Filter, FilterFacts, Source, StateWord};

/// Returns the sources that match the filter, in the same order.
pub(crate) async fn filtered(
    app: &App,
    mut sources: Vec<Source>,
    filter: &Filter,
) -> Result<Vec<Source>> {
    if filter.is_empty() {
        return Ok(sources);
    }
    let overdue = when(filter.asks_failing(), app.overdue(&sources)).await?;
    let unjudged = when(filter.asks_unjudged(), app.unjudged_among(&sources)).await?;
    let policy = when(filter.asks_verifiers(), app.policy_to_show()).await?;
    let changes = when(filter.asks_changes(), app.newest_times(&sources)).await?;
    let now = app.now();
    sources.retain(|source| {
        let state = StateWord::of(source);
        filter.matches(&FilterFacts {
            source,
            state,
            is_failing: state.is_failing() || overdue.contains(&source.id),
            is_unjudged: unjudged.contains(&source.id),
            verifiers: &policy.names_judging(&source.settings),
            changed_at: changes.get(&source.id).copied(),
            now,
        })
    });
    Ok(sources)
}

/// Returns what is read if that is asked for, else nothing.
async fn when<T: Default>(is_asked: bool, read: impl Future<Output = Result<T>>) -> Result<T> {
    if is_asked {
        read.await
    } else {
        Ok(T::default())
    }
}
