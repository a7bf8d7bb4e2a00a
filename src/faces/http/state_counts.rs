//! The number of sources in each state.

use std::collections::BTreeMap;

use crate::app::{App, Result};
use crate::domain::Source;
use crate::faces::state_word::StateWord;

/// Returns the number of these sources by state; every state is there.
pub(super) fn state_counts(sources: &[Source]) -> BTreeMap<&'static str, u64> {
    let none = StateWord::ALL.iter().map(|(_, word, _)| (*word, 0));
    let mut counts: BTreeMap<_, u64> = none.collect();
    for source in sources {
        *counts.entry(StateWord::of(source).as_str()).or_default() += 1;
    }
    counts
}

/// Returns the number of all sources by state, removed ones included, without reading the sources themselves; every state is there.
pub(super) async fn all_state_counts(app: &App) -> Result<BTreeMap<&'static str, u64>> {
    let counts = app.state_counts().await?.into_iter();
    Ok(counts
        .map(|(state, count)| (state.as_str(), count))
        .collect())
}
