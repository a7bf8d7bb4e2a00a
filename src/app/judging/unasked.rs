//! Published versions without a verdict of a verifier that is now required: they were published under a configuration
//! without it, one that was truncated for a moment, say.
//!
//! Judges nothing: `verify --stale` does.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::app::{App, PolicyNext, Result};
use crate::domain::{Policy, Source, SourceId, SourceKey};
use crate::store::AskedOfPublished;

/// How many sources are named.
const NAMED: usize = 3;

/// The published versions that a required verifier never judged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::app) struct Unasked {
    /// The names of the sources.
    pub(in crate::app) sources: Vec<String>,
    /// The names of the verifiers.
    pub(in crate::app) verifiers: BTreeSet<String>,
}

impl App {
    /// Returns one line with the published versions of these sources, or of all, that a required verifier never judged.
    /// `None` when there are none, or when the policy in force is not this process's.
    pub async fn unasked(&self, selectors: &[String]) -> Result<Option<String>> {
        let configured = self.configured();
        if configured.policy.is_empty() {
            return Ok(None);
        }
        let next = self.policy_outlook().await?;
        // An edit that is not adopted yet is reported as such.
        if !matches!(next.next(), PolicyNext::Keep) {
            return Ok(None);
        }
        let unasked = self.unasked_by(selectors, &configured.policy).await?;
        Ok((!unasked.sources.is_empty()).then(|| unasked.to_string()))
    }

    /// Returns the sources among these whose published version a verifier that the policy in force requires never
    /// judged.
    pub async fn unjudged_among(&self, sources: &[Source]) -> Result<HashSet<SourceId>> {
        let policy = self.policy_to_show().await?;
        if policy.is_empty() {
            return Ok(HashSet::new());
        }
        let published = sources
            .iter()
            .filter(|source| source.state.published_version_id.is_some());
        let required = published.filter_map(|source| {
            let required = required(&policy, source);
            (!required.is_empty()).then_some((source.id, required))
        });
        let required: HashMap<_, _> = required.collect();
        if required.is_empty() {
            return Ok(HashSet::new());
        }
        let ids = required.keys().copied().collect();
        let asked = self.read(AskedOfPublished(Some(ids))).await?.into_iter();
        let is_unjudged = |(id, asked): &(SourceId, BTreeSet<String>)| {
            let required = required.get(id);
            required.is_some_and(|required| !asked.is_superset(required))
        };
        Ok(asked.filter(is_unjudged).map(|(id, _)| id).collect())
    }

    /// Returns the published versions of these sources, or of all, that a verifier that this policy requires never
    /// judged.
    pub(in crate::app) async fn unasked_by(
        &self,
        selectors: &[String],
        policy: &Policy,
    ) -> Result<Unasked> {
        let sources = self.stale_sources(selectors).await?;
        let only = (!selectors.is_empty()).then(|| sources.keys().copied().collect());
        let mut unasked = Unasked::default();
        for (id, asked) in self.read(AskedOfPublished(only)).await? {
            let Some(source) = sources.get(&id) else {
                continue;
            };
            let required = required(policy, source);
            let missing: Vec<_> = required.difference(&asked).cloned().collect();
            if !missing.is_empty() {
                unasked.sources.push(source.settings.name.clone());
                unasked.verifiers.extend(missing);
            }
        }
        Ok(unasked)
    }
}

/// Returns the names of the verifiers that the policy requires of each version of a source.
fn required(policy: &Policy, source: &Source) -> BTreeSet<String> {
    let weights = policy.for_source(&SourceKey::of(&source.settings));
    weights.required().map(str::to_owned).collect()
}

impl std::fmt::Display for Unasked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut named: Vec<_> = self.sources.iter().take(NAMED).cloned().collect();
        if let more @ 1.. = self.sources.len().saturating_sub(NAMED) {
            named.push(format!("{more} more"));
        }
        let verifiers: Vec<_> = self.verifiers.iter().map(String::as_str).collect();
        write!(
            f,
            "published, and never judged by {}, as is required by now: {}; `gannet verify --stale` judges",
            verifiers.join(", "),
            named.join(", ")
        )
    }
}
