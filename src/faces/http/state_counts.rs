//! The number of sources in each state.

use std::collections::BTreeMap;

use crate::domain::Source;
use crate::faces::state_word::StateWord;

/// Returns the number of sources by state; every state is there.
pub(super) fn state_counts(sources: &[Source]) -> BTreeMap<&'static str, u64> {
    let none = StateWord::ALL.iter().map(|(_, word, _)| (*word, 0));
    let mut counts: BTreeMap<_, u64> = none.collect();
    for source in sources {
        *counts.entry(StateWord::of(source).as_str()).or_default() += 1;
    }
    counts
}
