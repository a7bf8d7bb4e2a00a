//! The JSON of the policy in force.

use serde::Serialize;

use super::times::precise;
use crate::domain::{AdoptedPolicy, PolicyVerifier, QueueName, Scope, Weight};

/// The object of `config show --policy --json`.
#[derive(Serialize)]
pub(crate) struct PolicyJson<'a> {
    revision: i64,
    adopted_at: String,
    actor: &'a str,
    file: Option<&'a str>,
    /// Whether the policy came from this process's configuration file.
    is_own: bool,
    verifiers: Vec<VerifierJson<'a>>,
}

#[derive(Serialize)]
struct VerifierJson<'a> {
    name: &'a str,
    kind: &'a str,
    weight: Weight,
    /// The tag of the set that it judges; `None` when it judges single files.
    set: Option<&'a str>,
    /// The queues whose messages it judges, none for all; `None` when it judges no messages.
    queues: Option<&'a [QueueName]>,
    sources: Vec<String>,
    definition: &'a str,
}

impl<'a> VerifierJson<'a> {
    fn new(verifier: &'a PolicyVerifier) -> Self {
        Self {
            name: &verifier.name,
            kind: &verifier.kind,
            weight: verifier.weight,
            set: match &verifier.scope {
                Scope::Set { tag } => Some(tag),
                Scope::Source | Scope::Message { .. } => None,
            },
            queues: match &verifier.scope {
                Scope::Message { queues } => Some(queues),
                Scope::Source | Scope::Set { .. } => None,
            },
            sources: verifier.sources.iter().map(ToString::to_string).collect(),
            definition: &verifier.definition,
        }
    }
}

impl<'a> PolicyJson<'a> {
    pub(crate) fn new(policy: &'a AdoptedPolicy, is_own: bool) -> Self {
        let verifiers = policy.policy.verifiers.iter();
        Self {
            revision: policy.revision,
            adopted_at: precise(policy.adopted_at),
            actor: &policy.actor.0,
            file: policy.file.as_deref(),
            is_own,
            verifiers: verifiers.map(VerifierJson::new).collect(),
        }
    }
}
