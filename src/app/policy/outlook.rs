//! Compares this process's configuration with the policy in force, in words for people: which policy that is, and the
//! effect of the next pass or changing command.
//!
//! Never adopts anything or reads the configuration again.

use super::adoption::EndedRefusals;
use super::configured::ChangedFiles;
use super::standing::{emptied, foreign, must_be_found_again};
use crate::app::{App, Error, Result};
use crate::domain::{AdoptedPolicy, PolicyChanges, PolicyStep, policy_step};
use crate::store::{Condition, PolicyInForce};

/// The policy in force, and the next step for it.
#[derive(Debug)]
pub struct PolicyOutlook {
    /// `None` before the first adoption.
    in_force: Option<AdoptedPolicy>,
    next: PolicyNext,
    /// Whether versions exist; an adoption does not change them.
    has_versions: bool,
    /// Refusals by hand that an adoption would end, since their verifiers are not required any more.
    ended: Vec<EndedRefusals>,
    /// The files changed since the policy in force was adopted.
    files: ChangedFiles,
}

/// The effect of the next pass or changing command on the policy.
#[derive(Debug)]
pub enum PolicyNext {
    /// The configuration matches the policy in force.
    Keep,
    /// The configuration is adopted, with these changes.
    Adopt(PolicyChanges),
    /// The policy came from another file, or this configuration could not be found again: nothing is judged or
    /// published.
    Refuse(Error),
    /// The file has no verifier left: nothing is fetched until an operator confirms that.
    Confirm(Error),
}

impl PolicyOutlook {
    /// Returns the effect of the next pass or changing command.
    pub fn next(&self) -> &PolicyNext {
        &self.next
    }

    /// Returns the policy in force in words: a clause without a full stop.
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

    /// Returns the effect of the next pass or changing command in words: a clause without a full stop.
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
                    None => {
                        "the next pass or changing command adopts this configuration".to_owned()
                    }
                    Some(_) => self.files.adopted_words(),
                };
                let kept = if self.has_versions && !changes.is_none() {
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

impl ChangedFiles {
    /// Returns the changed files and that the next pass adopts them; only an edited configuration file is called
    /// edited.
    fn adopted_words(&self) -> String {
        let adopts = "the next pass or changing command adopts";
        let named: Vec<_> = self
            .named
            .iter()
            .map(|file| file.display().to_string())
            .collect();
        let named = named.join(", ");
        match (self.is_config_edited, self.named.len()) {
            (true, 0) => format!("that file was edited since: {adopts} the edit"),
            (true, _) => {
                format!("that file was edited since, and {named} was changed: {adopts} both")
            }
            (false, 0) => format!("what that file says is read otherwise now: {adopts} that"),
            (false, 1) => {
                format!("{named}, which that file names, was changed since: {adopts} the change")
            }
            (false, _) => {
                format!("{named}, which that file names, were changed since: {adopts} the changes")
            }
        }
    }
}

impl App {
    /// Returns the policy in force, and the effect of the next pass or changing command.
    pub async fn policy_outlook(&self) -> Result<PolicyOutlook> {
        let in_force = self.read(PolicyInForce).await?;
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
        let files = match (&next, known) {
            (PolicyNext::Adopt(changes), Some(known)) => {
                configured.changed_since(known.adopted_at, &changes.redefined())
            }
            _ => ChangedFiles::default(),
        };
        Ok(PolicyOutlook {
            in_force,
            next,
            ended,
            files,
            has_versions: self.read(Condition::AnyVersion).await?,
        })
    }
}
