//! The effects of adopting a policy, in words.

use std::collections::{BTreeMap, HashMap};

use crate::app::{App, Result};
use crate::domain::{Edit, Policy, PolicyChanges, SourceId, SourceKey};
use crate::store::{PolicyInForce, RefusalsBy, RefusalsInNameOf};

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
        for refusals in self.read(RefusalsInNameOf(changes.narrowed())).await? {
            if let Some(name) = self.name_if_freed(&refusals, before, now).await? {
                add(&mut ended, refusals, name, changes.removed());
            }
        }
        Ok(ended.into_values().collect())
    }

    /// Returns the name of the source or set of these refusals, if their verifier was required of it and is not any
    /// more.
    async fn name_if_freed(
        &self,
        refusals: &RefusalsBy,
        before: Option<&Policy>,
        now: &Policy,
    ) -> Result<Option<String>> {
        let verifier = &refusals.verifier;
        let Some(id) = refusals.source_id else {
            let set = refusals.set.as_deref().unwrap_or_default();
            let requires = |policy: &Policy| policy.for_set(set).requires(verifier);
            let is_freed = before.is_none_or(requires) && !requires(now);
            return Ok(is_freed.then(|| format!("set {set}")));
        };
        // A purged version cannot be published.
        let Some(source) = self.ports.store.find_source(id).await? else {
            return Ok(None);
        };
        let key = SourceKey::of(&source.settings);
        let requires = |policy: &Policy| policy.for_source(&key).requires(verifier);
        let is_freed = before.is_none_or(requires) && !requires(now);
        Ok(is_freed.then(|| source.settings.name.clone()))
    }

    /// Returns the refusals that counted before these edits of sources and do not after them.
    pub async fn refusals_ended_by<'a>(
        &self,
        edits: impl IntoIterator<Item = (SourceId, &'a Edit)>,
    ) -> Result<Vec<EndedRefusals>> {
        let Some(in_force) = self.read(PolicyInForce).await? else {
            return Ok(Vec::new());
        };
        let freed = freed_by(&in_force.policy, edits);
        let verifiers = freed.keys().cloned().collect();
        let mut ended = BTreeMap::new();
        for refusals in self.read(RefusalsInNameOf(verifiers)).await? {
            let names = &freed[&refusals.verifier];
            if let Some(name) = refusals.source_id.and_then(|id| names.get(&id)) {
                add(&mut ended, refusals, name.clone(), &[]);
            }
        }
        Ok(ended.into_values().collect())
    }
}

/// Returns the sources, by verifier and with their names, of which the verifier is not required any more after these
/// edits.
fn freed_by<'a>(
    policy: &Policy,
    edits: impl IntoIterator<Item = (SourceId, &'a Edit)>,
) -> HashMap<String, HashMap<SourceId, String>> {
    let mut freed: HashMap<_, HashMap<_, _>> = HashMap::new();
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
    freed
}

/// Adds the refusals of a source or set, by its name; verifiers that were `removed` are declared no more.
fn add(
    ended: &mut BTreeMap<String, EndedRefusals>,
    refusals: RefusalsBy,
    name: String,
    removed: &[String],
) {
    let RefusalsBy {
        verifier, count, ..
    } = refusals;
    let entry = ended.entry(verifier.clone());
    let known = entry.or_insert_with(|| EndedRefusals {
        is_declared: !removed.contains(&verifier),
        verifier,
        of: Vec::new(),
        count: 0,
    });
    known.of.push(name);
    known.count += count;
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

    /// Returns what follows from the adoption, a line each; last is what the operator may do.
    fn consequences(&self) -> Vec<String> {
        if !self.has_versions {
            return Vec::new();
        }
        let mut lines = Vec::new();
        let ended_sets = self.changes.ended_sets();
        if !ended_sets.is_empty() {
            let plural = if ended_sets.len() == 1 { "" } else { "s" };
            lines.push(format!(
                "the set{plural} {} ended: each of its sources is published at its own path now, by its own newest good version",
                ended_sets.join(", ")
            ));
        }
        if self.changes.begins_set() {
            lines.push("a source that enters a new set stays as it is at its own path until an edition of the set passes".to_owned());
        }
        match self.unasked {
            _ if self.is_judged_again => {}
            0 => {}
            1 => lines
                .push("1 published version was never judged by all that it requires".to_owned()),
            several => lines.push(format!(
                "{several} published versions were never judged by all that they require"
            )),
        }
        lines.extend(self.ended.iter().map(ToString::to_string));
        // The same verifiers judge nothing differently.
        if !self.is_judged_again && !self.changes.is_none() {
            let versions = if ended_sets.is_empty() {
                "versions keep their states, and what is published stays,"
            } else {
                "other versions keep their states, and stay published,"
            };
            lines.push(format!(
                "{versions} until they are judged again: `gannet verify --stale`"
            ));
        }
        lines
    }
}

impl std::fmt::Display for Adoption {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (revision, file, changes) = (self.revision, &self.file, &self.changes);
        write!(f, "policy {revision} adopted from {file}: {changes}")?;
        let lines = self.consequences();
        lines.iter().try_for_each(|line| write!(f, "\n  {line}"))
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
