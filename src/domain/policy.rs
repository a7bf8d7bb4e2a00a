//! The policy of a catalogue: the verifiers and sets in force, their configuration file, and who may change them.
//!
//! Every state of a version or an edition is derived under the policy in force. A policy comes from one configuration
//! file. Edits of that file are adopted; another file is refused until an operator adopts it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Actor, Pattern, Provider, QueueName, SourceKey, SourceSettings, Weight, Weights};

/// What a verifier judges.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Each version of a source by itself.
    #[default]
    Source,
    /// The newest versions of all sources with a tag together.
    Set {
        /// The tag, which is also the name of the set.
        tag: String,
    },
    /// Each message, once it is persisted.
    Message {
        /// The queues of the messages; empty for all queues.
        queues: Vec<QueueName>,
    },
}

impl Scope {
    /// Returns whether the messages of this queue are judged.
    pub fn has_queue(&self, queue: &QueueName) -> bool {
        matches!(self, Self::Message { queues } if queues.is_empty() || queues.contains(queue))
    }

    /// Returns whether messages are judged.
    pub fn is_message(&self) -> bool {
        matches!(self, Self::Message { .. })
    }

    /// Returns what is judged besides single sources, in words: `the set release`, `messages of orders`.
    pub fn words(&self) -> Option<String> {
        match self {
            Self::Source => None,
            Self::Set { tag } => Some(format!("the set {tag}")),
            Self::Message { queues } if queues.is_empty() => {
                Some("messages of all queues".to_owned())
            }
            Self::Message { queues } => {
                let queues: Vec<_> = queues.iter().map(QueueName::as_str).collect();
                Some(format!("messages of {}", queues.join(", ")))
            }
        }
    }
}

/// One verifier of a policy: the facts that decide what it judges and how its verdicts count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyVerifier {
    /// Its name in the configuration.
    pub name: String,
    /// Its kind: `command`, `builtin json`, `http` or `external`.
    pub kind: String,
    /// Whether its verdicts decide.
    pub weight: Weight,
    /// What it judges.
    pub scope: Scope,
    /// Which sources it judges.
    pub sources: Vec<Pattern>,
    /// The SHA-256 of its definition, in hexadecimal digits, without the bytes of its programs.
    pub definition: String,
}

/// Verifiers and sets, in the order of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Policy {
    /// The verifiers. A verifier whose scope is a set declares that set.
    pub verifiers: Vec<PolicyVerifier>,
}

impl Policy {
    /// Returns whether the policy has no verifier, and so no set.
    pub fn is_empty(&self) -> bool {
        self.verifiers.is_empty()
    }

    /// Returns the verifiers that judge each version of a source, with their weights.
    pub fn for_source(&self, source: &SourceKey<'_>) -> Weights {
        weights(self.judging(source))
    }

    /// Returns the verifiers that judge each version of a source, in the order of the configuration; last the rule of the
    /// provider whose rates the source has, which every policy has.
    pub fn judging<'a>(
        &'a self,
        source: &'a SourceKey<'_>,
    ) -> impl Iterator<Item = &'a PolicyVerifier> {
        self.verifiers.iter().chain(&*OF_RATES).filter(|verifier| {
            let patterns = &verifier.sources;
            verifier.scope == Scope::Source
                && patterns.iter().any(|pattern| pattern.selects(source))
        })
    }

    /// Returns the names of the verifiers that judge a source with these settings, by itself or in a set of one of its
    /// tags, in the order of the configuration.
    pub fn names_judging(&self, settings: &SourceSettings) -> Vec<&str> {
        let judges = |verifier: &&PolicyVerifier| match &verifier.scope {
            Scope::Source => {
                let mut patterns = verifier.sources.iter();
                patterns.any(|pattern| pattern.matches(settings))
            }
            Scope::Set { tag } => settings.tags.contains(tag),
            Scope::Message { .. } => false,
        };
        let judging = self.verifiers.iter().chain(&*OF_RATES).filter(judges);
        judging.map(|verifier| verifier.name.as_str()).collect()
    }

    /// Returns the verifiers that judge the editions of a set, with their weights.
    pub fn for_set(&self, name: &str) -> Weights {
        weights(self.judging_set(name))
    }

    /// Returns the verifiers that judge the editions of a set, in the order of the configuration.
    pub fn judging_set<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a PolicyVerifier> {
        let verifiers = self.verifiers.iter();
        verifiers.filter(move |one| matches!(&one.scope, Scope::Set { tag } if tag == name))
    }

    /// Returns the verifiers that judge the messages of a queue, with their weights; `None` when none does.
    pub fn for_queue(&self, queue: &QueueName) -> Option<Weights> {
        let mut judging = self.judging_queue(queue).peekable();
        judging.peek()?;
        Some(weights(judging))
    }

    /// Returns the verifiers that judge the messages of a queue, in the order of the configuration.
    pub fn judging_queue<'a>(
        &'a self,
        queue: &'a QueueName,
    ) -> impl Iterator<Item = &'a PolicyVerifier> {
        let verifiers = self.verifiers.iter();
        verifiers.filter(|verifier| verifier.scope.has_queue(queue))
    }

    /// Returns the names of the sets, sorted, each once.
    pub fn sets(&self) -> BTreeSet<&str> {
        self.verifiers
            .iter()
            .filter_map(|verifier| match &verifier.scope {
                Scope::Set { tag } => Some(tag.as_str()),
                Scope::Source | Scope::Message { .. } => None,
            })
            .collect()
    }

    /// Returns whether both policies define the verifier, and differently.
    pub fn redefines(&self, name: &str, other: &Self) -> bool {
        let definition = |policy: &Self| policy.verifier(name).map(|one| one.definition.clone());
        definition(self)
            .zip(definition(other))
            .is_some_and(|(here, there)| here != there)
    }

    fn verifier(&self, name: &str) -> Option<&PolicyVerifier> {
        self.verifiers.iter().find(|one| one.name == name)
    }
}

/// The verifiers of rates, one for each provider. They are gannet's own: no configuration defines or changes them.
static OF_RATES: LazyLock<[PolicyVerifier; Provider::ALL.len()]> = LazyLock::new(|| {
    Provider::ALL.map(|provider| PolicyVerifier {
        name: provider.verifier(),
        kind: "builtin rates".to_owned(),
        weight: Weight::Required,
        scope: Scope::Source,
        sources: vec![Pattern::of_rates(provider)],
        definition: String::new(),
    })
});

fn weights<'a>(verifiers: impl Iterator<Item = &'a PolicyVerifier>) -> Weights {
    verifiers
        .map(|verifier| (verifier.name.clone(), verifier.weight))
        .collect()
}

/// The differences between two policies, by the names of verifiers. `Display` prints a line for people: `added schema;
/// removed size; changed csv (sources)`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyChanges {
    added: Vec<String>,
    removed: Vec<String>,
    /// Changed verifiers, each with its changed fields.
    changed: Vec<(String, Vec<&'static str>)>,
    /// Whether the later policy declares a new set.
    begins_set: bool,
    /// The sets that only the earlier policy declares.
    ended_sets: Vec<String>,
}

impl PolicyChanges {
    /// Compares two policies.
    pub fn between(before: &Policy, after: &Policy) -> Self {
        let missing_in = |policy: &Policy, of: &Policy| {
            of.verifiers
                .iter()
                .filter(|one| policy.verifier(&one.name).is_none())
                .map(|one| one.name.clone())
                .collect()
        };
        let changed = after.verifiers.iter().filter_map(|now| {
            let fields = changed_fields(before.verifier(&now.name)?, now);
            (!fields.is_empty()).then(|| (now.name.clone(), fields))
        });
        Self {
            added: missing_in(before, after),
            removed: missing_in(after, before),
            changed: changed.collect(),
            begins_set: after
                .sets()
                .iter()
                .any(|set| before.judging_set(set).next().is_none()),
            ended_sets: before
                .sets()
                .difference(&after.sets())
                .map(|set| (*set).to_owned())
                .collect(),
        }
    }

    /// Returns the verifiers that only the earlier policy declares, in its order.
    pub fn removed(&self) -> &[String] {
        &self.removed
    }

    /// Returns the verifiers of the earlier policy whose verdicts may decide about fewer versions under the later one:
    /// removed verifiers, and those with another weight, scope or selection of sources.
    pub fn narrowed(&self) -> Vec<String> {
        let narrows = |field: &&str| ["weight", "scope", "sources"].contains(field);
        let changed = self.changed.iter();
        let changed = changed.filter(|(_, fields)| fields.iter().any(&narrows));
        let changed = changed.map(|(name, _)| name.clone());
        self.removed.iter().cloned().chain(changed).collect()
    }

    /// Returns the verifiers whose definitions differ between the policies.
    pub fn redefined(&self) -> Vec<String> {
        let changed = self.changed.iter();
        let redefined = changed.filter(|(_, fields)| fields.contains(&"definition"));
        redefined.map(|(name, _)| name.clone()).collect()
    }

    /// Returns whether the later policy decides about every version and edition as the earlier one does.
    pub fn is_none(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }

    /// Returns whether the later policy declares a set that the earlier one does not.
    pub fn begins_set(&self) -> bool {
        self.begins_set
    }

    /// Returns the names of the sets that only the earlier policy declares, in order.
    pub fn ended_sets(&self) -> &[String] {
        &self.ended_sets
    }
}

fn changed_fields(before: &PolicyVerifier, after: &PolicyVerifier) -> Vec<&'static str> {
    [
        ("kind", before.kind != after.kind),
        ("weight", before.weight != after.weight),
        ("scope", before.scope != after.scope),
        ("sources", before.sources != after.sources),
        ("definition", before.definition != after.definition),
    ]
    .into_iter()
    .filter_map(|(field, differs)| differs.then_some(field))
    .collect()
}

impl fmt::Display for PolicyChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let changed = self.changed.iter();
        let changed = changed.map(|(name, fields)| format!("{name} ({})", fields.join(", ")));
        let parts: Vec<_> = [
            ("added", self.added.clone()),
            ("removed", self.removed.clone()),
            ("changed", changed.collect()),
        ]
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(word, names)| format!("{word} {}", names.join(", ")))
        .collect();
        if parts.is_empty() {
            // Only the order of the verifiers or the file differs.
            return f.write_str("the same verifiers");
        }
        f.write_str(&parts.join("; "))
    }
}

/// The policy in force, as the catalogue stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdoptedPolicy {
    /// Grows with each adoption; 0 before the first.
    pub revision: i64,
    /// When it was adopted.
    pub adopted_at: DateTime<Utc>,
    /// Who adopted it.
    pub actor: Actor,
    /// The absolute path of its configuration file, if it has one.
    pub file: Option<String>,
    /// The verifiers and sets.
    pub policy: Policy,
}

/// How a process treats its configuration, given the policy in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyStep {
    /// The configuration equals the policy in force.
    Keep,
    /// Adopt the configuration's policy.
    Adopt,
    /// The policy in force came from another file: do not judge, publish or change anything under this configuration.
    Refuse,
    /// The configuration file declares no verifier any more, perhaps in a half-finished edit: an operator has to
    /// confirm.
    Confirm,
}

/// Returns how a process treats a configuration with `policy`. `is_same_file`: the policy in force came from its file.
///
/// An adopted policy without verifiers is a policy too: another file does not replace it on its own.
pub fn policy_step(
    in_force: Option<&AdoptedPolicy>,
    policy: &Policy,
    is_same_file: bool,
) -> PolicyStep {
    match in_force.map(|adopted| &adopted.policy) {
        // Two policies without verifiers are equal.
        Some(known) if known.is_empty() && policy.is_empty() => PolicyStep::Keep,
        Some(_) if !is_same_file => PolicyStep::Refuse,
        Some(known) if known == policy => PolicyStep::Keep,
        None if policy.is_empty() => PolicyStep::Keep,
        Some(_) if policy.is_empty() => PolicyStep::Confirm,
        None | Some(_) => PolicyStep::Adopt,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verifier(name: &str, sources: &str) -> PolicyVerifier {
        PolicyVerifier {
            name: name.to_owned(),
            kind: "builtin json".to_owned(),
            weight: Weight::Required,
            scope: Scope::Source,
            sources: vec![sources.parse().expect("a pattern")],
            definition: "00".to_owned(),
        }
    }

    fn policy(verifiers: &[PolicyVerifier]) -> Policy {
        Policy {
            verifiers: verifiers.to_vec(),
        }
    }

    #[test]
    fn changes_are_named() {
        let (a, b) = (verifier("a", "*.json"), verifier("b", "tag:x"));
        let other = PolicyVerifier {
            weight: Weight::Advisory,
            sources: vec!["tag:y".parse().expect("a pattern")],
            ..b.clone()
        };
        for (before, after, expected) in [
            (vec![], vec![a.clone()], "added a"),
            (vec![a.clone()], vec![], "removed a"),
            (
                vec![a.clone(), b.clone()],
                vec![b.clone(), a.clone()],
                "the same verifiers",
            ),
            (
                vec![b.clone()],
                vec![other.clone(), a.clone()],
                "added a; changed b (weight, sources)",
            ),
            (vec![a], vec![b], "added b; removed a"),
        ] {
            let changes = PolicyChanges::between(&policy(&before), &policy(&after));
            assert_eq!(changes.to_string(), expected);
        }
    }

    #[test]
    fn a_queue_is_judged_by_the_verifiers_that_name_it_and_those_that_name_none() {
        let of = |name: &str, queues: &[&str]| PolicyVerifier {
            scope: Scope::Message {
                queues: queues
                    .iter()
                    .map(|one| one.parse().expect("a name"))
                    .collect(),
            },
            sources: Vec::new(),
            ..verifier(name, "*")
        };
        let policy = policy(&[
            of("orders", &["orders", "returns"]),
            verifier("files", "*"),
            of("all", &[]),
        ]);
        for (queue, expected) in [
            ("orders", &["orders", "all"][..]),
            ("returns", &["orders", "all"]),
            ("default", &["all"]),
        ] {
            let queue = queue.parse().expect("a name");
            let judging = policy.judging_queue(&queue);
            let names: Vec<_> = judging.map(|one| one.name.as_str()).collect();
            assert_eq!(names, expected, "{queue}");
        }
        assert!(policy.sets().is_empty());
        let none = super::Policy {
            verifiers: vec![verifier("files", "*")],
        };
        assert_eq!(none.for_queue(&QueueName::default()), None);
    }

    #[test]
    fn edits_of_the_same_file_are_adopted_and_another_file_is_refused() {
        let (none, a) = (Policy::default(), policy(&[verifier("a", "*")]));
        let b = policy(&[verifier("b", "*")]);
        let adopted = |policy: &Policy| AdoptedPolicy {
            revision: 1,
            adopted_at: DateTime::UNIX_EPOCH,
            actor: Actor("x".to_owned()),
            file: Some("/etc/gannet.toml".to_owned()),
            policy: policy.clone(),
        };
        for (in_force, says, same, expected) in [
            (None, &none, false, PolicyStep::Keep),
            (None, &a, false, PolicyStep::Adopt),
            (Some(&none), &none, false, PolicyStep::Keep),
            (Some(&none), &none, true, PolicyStep::Keep),
            (Some(&none), &a, false, PolicyStep::Refuse),
            (Some(&none), &a, true, PolicyStep::Adopt),
            (Some(&a), &a, true, PolicyStep::Keep),
            (Some(&a), &b, true, PolicyStep::Adopt),
            (Some(&a), &none, true, PolicyStep::Confirm),
            (Some(&a), &a, false, PolicyStep::Refuse),
            (Some(&a), &b, false, PolicyStep::Refuse),
            (Some(&a), &none, false, PolicyStep::Refuse),
        ] {
            let in_force = in_force.map(adopted);
            let step = policy_step(in_force.as_ref(), says, same);
            assert_eq!(step, expected, "{in_force:?} {says:?} {same}");
        }
    }

    #[test]
    fn a_policy_is_the_same_after_it_was_stored() {
        let mut set = verifier("c", "tag:release");
        set.scope = Scope::Set {
            tag: "release".to_owned(),
        };
        let mut orders = verifier("d", "*");
        orders.scope = Scope::Message {
            queues: vec!["orders".parse().expect("a name")],
        };
        let policy = policy(&[verifier("a", "https://example.org/*.json"), set, orders]);
        let text = serde_json::to_string(&policy).expect("JSON");
        assert_eq!(serde_json::from_str::<Policy>(&text).ok(), Some(policy));
    }
}
