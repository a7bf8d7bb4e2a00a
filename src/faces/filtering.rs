//! Keeps the sources that a filter matches: gathers the facts that it asks for. Every face filters through here.
//!
//! Never reads a fact that the filter does not ask for.

use std::collections::{HashMap, HashSet};

use crate::app::{App, Result};
use crate::domain::{Filter, FilterFacts, Policy, Source, StateWord};

/// Returns the sources that match the filter, in the same order.
pub(crate) async fn filtered(
    app: &App,
    mut sources: Vec<Source>,
    filter: &Filter,
) -> Result<Vec<Source>> {
    if filter.is_empty() {
        return Ok(sources);
    }
    let overdue = if filter.asks_failing() {
        app.overdue(&sources).await?
    } else {
        HashSet::new()
    };
    let policy = if filter.asks_verifiers() {
        app.policy_to_show().await?
    } else {
        Policy::default()
    };
    let changes = if filter.asks_changes() {
        app.newest_times(&sources).await?
    } else {
        HashMap::new()
    };
    let now = app.now();
    sources.retain(|source| {
        let state = StateWord::of(source);
        filter.matches(&FilterFacts {
            source,
            state,
            is_failing: state.is_failing() || overdue.contains(&source.id),
            verifiers: &policy.names_judging(&source.settings),
            changed_at: changes.get(&source.id).copied(),
            now,
        })
    });
    Ok(sources)
}
