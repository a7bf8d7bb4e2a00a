//! What putting a policy in force did, in words.

use crate::domain::PolicyChanges;

/// A policy that this process put in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adoption {
    /// Its revision.
    pub revision: i64,
    /// The configuration file that it came from, for people.
    pub file: String,
    /// What tells it from the policy before.
    pub changes: PolicyChanges,
    /// Whether there are versions already, which were judged by the policy before or by none.
    pub has_versions: bool,
    /// The verifiers that are declared no more in whose names people failed what is failed still, with how many versions and editions
    /// of sets that is.
    pub refusals: Vec<(String, u64)>,
}

impl std::fmt::Display for Adoption {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            revision,
            file,
            changes,
            has_versions,
            refusals,
        } = self;
        write!(f, "policy {revision} adopted from {file}: {changes}")?;
        if !has_versions {
            return Ok(());
        }
        let again = "until they are judged again: `gannet verify --stale`";
        match changes.ended_sets() {
            [] => write!(
                f,
                "; versions keep their states, and what is published stays, {again}"
            )?,
            ended => write!(
                f,
                "; files of the set{} {} move to their own paths; other versions keep their states, and stay published, {again}",
                if ended.len() == 1 { "" } else { "s" },
                ended.join(", ")
            )?,
        }
        if changes.begins_set() {
            f.write_str(
                "; a source that enters a new set stays as it is at its own path until an edition of the set passes, and is published with the set from then on",
            )?;
        }
        for (verifier, count) in refusals {
            let what = if *count == 1 {
                "version or edition that a person"
            } else {
                "versions and editions that people"
            };
            write!(
                f,
                "; {verifier} is declared no more, so the {count} {what} failed in its name may be published: declare it again, or fail them by another verifier"
            )?;
        }
        Ok(())
    }
}
