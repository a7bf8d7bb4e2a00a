//! The effects of adopting a policy, in words.

use std::collections::{BTreeMap, HashMap};

use crate::app::{App, Result};
use crate::domain::{Edit, Policy, PolicyChanges, SourceId, SourceKey};
use crate::store::RefusalsBy;

/// How many sources and sets are named.
const NAMED: usize = 3;

/// A policy that this process adopted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adoption {
    /// Its revision.
    pub revision: i64,
    /// The configuration file that it came from, for people.
    pub file: String,
    /// The changes from the policy before.
    pub changes: PolicyChanges,
    /// Whether versions exist, which were judged by the policy before or by none.
    pub has_versions: bool,
    /// How many published versions a now required verifier never judged.
    pub unasked: usize,
    /// Whether versions judged by other verifiers are judged again now.
    pub is_judged_again: bool,
    /// Refusals by hand that no longer count, since their verifiers are not required any more, though not withdrawn.
    pub ended: Vec<EndedRefusals>,
}

/// Versions and editions failed by hand in the name of a verifier that is no longer required for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedRefusals {
    /// The verifier's name.
    pub verifier: String,
    /// Whether the verifier is still declared, for other sources or sets, or as advisory.
    pub is_declared: bool,
    /// The names of their sources and sets, for people.
    pub of: Vec<String>,
    /// How many versions and editions.
    pub count: u64,
}

impl App {
    /// Returns the refusals that counted under the previous policy, if known, and do not under the present one.
    pub(in crate::app) async fn ended_refusals(
        &self,
        changes: &PolicyChanges,
        before: Option<&Policy>,
        now: &Policy,
    ) -> Result<Vec<EndedRefusals>> {
        let mut ended = BTreeMap::new();
        for refusals in self.ports.store.refusals_by(changes.narrowed()).await? {
            let RefusalsBy {
                verifier, count, ..
            } = &refusals;
            let (name, requires) = match (refusals.source_id, &refusals.set) {
                (Some(id), _) => {
                    // A purged version cannot be published.
                    let Some(source) = self.ports.store.find_source(id).await? else {
                        continue;
                    };
                    let key = SourceKey::of(&source.settings);
                    let requires = |policy: &Policy| policy.for_source(&key).requires(verifier);
                    let requires = (before.is_none_or(requires), requires(now));
                    (source.settings.name.clone(), requires)
                }
                (None, set) => {
                    let set = set.as_deref().unwrap_or_default();
                    let requires = |policy: &Policy| policy.for_set(set).requires(verifier);
                    let requires = (before.is_none_or(requires), requires(now));
                    (format!("set {set}"), requires)
                }
            };
            if requires == (true, false) {
                let (of, all): &mut (Vec<String>, u64) = ended.entry(verifier.clone()).or_default();
                of.push(name);
                *all += count;
            }
        }
        let ended = ended
            .into_iter()
            .map(|(verifier, (of, count))| EndedRefusals {
                is_declared: !changes.removed().contains(&verifier),
                verifier,
                of,
                count,
            });
        Ok(ended.collect())
    }

    /// Returns the refusals that counted before these edits of sources and do not after them.
    pub async fn refusals_ended_by<'a>(
        &self,
        edits: impl IntoIterator<Item = (SourceId, &'a Edit)>,
    ) -> Result<Vec<EndedRefusals>> {
        let Some(in_force) = self.ports.store.policy().await? else {
            return Ok(Vec::new());
        };
        let policy = in_force.policy;
        let mut freed: BTreeMap<String, HashMap<SourceId, String>> = BTreeMap::new();
        for (id, edit) in edits {
            let keys = [&edit.before, &edit.after].map(SourceKey::of);
            if keys[0] == keys[1] {
                continue;
            }
            let required = policy.judging(&keys[0]).map(|one| one.name.clone());
            let [then, now] = keys.map(|key| policy.for_source(&key));
            for verifier in required.filter(|one| then.requires(one) && !now.requires(one)) {
                let sources = freed.entry(verifier).or_default();
                sources.insert(id, edit.after.name.clone());
            }
        }
        let mut ended: BTreeMap<String, (Vec<String>, u64)> = BTreeMap::new();
        for refusals in self
            .ports
            .store
            .refusals_by(freed.keys().cloned().collect())
            .await?
        {
            let name = refusals
                .source_id
                .and_then(|id| freed[&refusals.verifier].get(&id));
            if let Some(name) = name {
                let (of, all) = ended.entry(refusals.verifier.clone()).or_default();
                of.push(name.clone());
                *all += refusals.count;
            }
        }
        let ended = ended
            .into_iter()
            .map(|(verifier, (of, count))| EndedRefusals {
                verifier,
                is_declared: true,
                of,
                count,
            });
        Ok(ended.collect())
    }
}

impl Adoption {
    /// Returns the same for a command that judges again itself and needs no hint to do so.
    #[must_use]
    pub fn judged_again(self) -> Self {
        Self {
            is_judged_again: true,
            ..self
        }
    }
}

impl std::fmt::Display for Adoption {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            revision,
            file,
            changes,
            has_versions,
            unasked,
            is_judged_again,
            ended,
        } = self;
        write!(f, "policy {revision} adopted from {file}: {changes}")?;
        if !has_versions {
            return Ok(());
        }
        let ended_sets = changes.ended_sets();
        if !ended_sets.is_empty() {
            write!(
                f,
                "; the set{} {} ended: each of its sources is published at its own path now, by its own newest good version, which may be another than the set had",
                if ended_sets.len() == 1 { "" } else { "s" },
                ended_sets.join(", ")
            )?;
        }
        // The same verifiers judge nothing differently.
        if !is_judged_again && !changes.is_none() {
            f.write_str(if ended_sets.is_empty() {
                "; versions keep their states, and what is published stays, until they are judged again: `gannet verify --stale`"
            } else {
                "; other versions keep their states, and stay published, until they are judged again: `gannet verify --stale`"
            })?;
        }
        if changes.begins_set() {
            f.write_str(
                "; a source that enters a new set stays as it is at its own path until an edition of the set passes, and is published with the set from then on",
            )?;
        }
        match unasked {
            _ if *is_judged_again => {}
            0 => {}
            1 => f.write_str("; 1 published version was never judged by all that it requires")?,
            _ => write!(
                f,
                "; {unasked} published versions were never judged by all that they require"
            )?,
        }
        for one in ended {
            write!(f, "; {one}")?;
        }
        Ok(())
    }
}

impl std::fmt::Display for EndedRefusals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            verifier,
            is_declared,
            of,
            count,
        } = self;
        let what = if *count == 1 {
            "version or edition that a person"
        } else {
            "versions and editions that people"
        };
        let (why, mend) = if *is_declared {
            let mut named = of.iter().take(NAMED).cloned().collect::<Vec<_>>();
            if let more @ 1.. = of.len().saturating_sub(NAMED) {
                named.push(format!("{more} more"));
            }
            let why = format!("is not required of {} any more", named.join(", "));
            (why, "require it again")
        } else {
            ("is declared no more".to_owned(), "declare it again")
        };
        write!(
            f,
            "{verifier} {why}, so the {count} {what} failed in its name may be published: {mend}, or fail them by another verifier"
        )
    }
}
