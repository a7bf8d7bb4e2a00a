//! How the configuration of this process stands to the policy in force, in words for people: which policy that is, and what the
//! next pass or changing command makes of it.
//!
//! Never adopts anything, and never reads the configuration again.

use super::adoption::EndedRefusals;
use super::policy::{emptied, foreign, must_be_found_again};
use super::{App, Error, Result};
use crate::domain::{AdoptedPolicy, PolicyChanges, PolicyStep, policy_step};
use crate::store::Condition;

/// The policy in force, and what becomes of it.
#[derive(Debug)]
pub struct PolicyOutlook {
    /// Nothing while none was adopted.
    in_force: Option<AdoptedPolicy>,
    next: PolicyNext,
    /// Whether there are versions, which an adoption leaves as they are.
    has_versions: bool,
    /// What people failed in the names of verifiers that an adoption does not require of it any more.
    ended: Vec<EndedRefusals>,
}

/// What the next pass or changing command does about the policy.
#[derive(Debug)]
pub enum PolicyNext {
    /// The configuration says what is in force.
    Keep,
    /// The configuration is adopted, with these changes.
    Adopt(PolicyChanges),
    /// The policy came from another file, or what this one says could not be found again: nothing is judged or published.
    Refuse(Error),
    /// The file has no verifier left: nothing is even fetched until somebody says that this is meant.
    Confirm(Error),
}

impl PolicyOutlook {
    /// Returns what the next pass or changing command does.
    pub fn next(&self) -> &PolicyNext {
        &self.next
    }

    /// Returns which policy is in force: a clause without a full stop.
    pub fn in_force_words(&self) -> String {
        let Some(known) = &self.in_force else {
            return match self.next {
                PolicyNext::Keep => "no policy is in force".to_owned(),
                _ => "no policy is in force yet".to_owned(),
            };
        };
        let file = known.file.as_deref().unwrap_or("no file");
        format!("policy {} from {file} is in force", known.revision)
    }

    /// Returns what the next pass or changing command makes of that: a clause without a full stop.
    pub fn next_words(&self) -> String {
        let unjudged = "every version is published as it comes";
        match (&self.next, &self.in_force) {
            (PolicyNext::Keep, None) => format!("no verifiers: {unjudged}"),
            (PolicyNext::Keep, Some(known)) if known.policy.is_empty() => {
                format!("it has no verifiers: {unjudged}")
            }
            (PolicyNext::Keep, Some(_)) => "this configuration says the same".to_owned(),
            (PolicyNext::Adopt(changes), known) => {
                let what = match known {
                    None => "the next pass or changing command adopts this configuration",
                    Some(_) => {
                        "that file was edited since: the next pass or changing command adopts the edit"
                    }
                };
                let kept = if self.has_versions {
                    "; versions that are there keep their states until `gannet verify --stale`"
                } else {
                    ""
                };
                let ended = self.ended.iter().map(|one| format!("; {one}"));
                format!("{what}: {changes}{kept}{}", ended.collect::<String>())
            }
            (PolicyNext::Refuse(error) | PolicyNext::Confirm(error), _) => match &error.hint {
                Some(hint) => format!("{} ({hint})", error.message),
                None => error.message.clone(),
            },
        }
    }
}

impl App {
    /// Returns which policy is in force, and what the next pass or changing command makes of it.
    pub async fn policy_outlook(&self) -> Result<PolicyOutlook> {
        let in_force = self.store.policy().await?;
        let configured = self.configured();
        let known = in_force.as_ref();
        let is_own = known.is_some_and(|known| self.is_policy_of_own_file(known));
        let next = match policy_step(known, &configured.policy, is_own) {
            PolicyStep::Keep => PolicyNext::Keep,
            PolicyStep::Confirm => PolicyNext::Confirm(emptied(&configured, known)),
            PolicyStep::Refuse => PolicyNext::Refuse(foreign(&configured, known)),
            PolicyStep::Adopt => {
                let before = known.map(|known| known.policy.clone()).unwrap_or_default();
                let changes = PolicyChanges::between(&before, &configured.policy);
                must_be_found_again(&configured)
                    .map_or_else(PolicyNext::Refuse, |()| PolicyNext::Adopt(changes))
            }
        };
        let ended = match &next {
            PolicyNext::Adopt(changes) => {
                let before = known.map(|known| &known.policy);
                self.ended_refusals(changes, before, &configured.policy)
                    .await?
            }
            _ => Vec::new(),
        };
        Ok(PolicyOutlook {
            in_force,
            next,
            ended,
            has_versions: self.store.holds(Condition::AnyVersion).await?,
        })
    }
}
