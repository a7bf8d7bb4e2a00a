//! The verifiers that count in a transaction, by the present policy and settings.

use std::sync::Arc;

use super::row::Columns;
use super::source_row::{source_fits, unfit_source};
use super::sql_damage::damaged_error;
use super::statements::Statements as _;
use super::transaction::Transaction;
use crate::domain::{NewVerdict, Policy, SourceId, SourceKey, Weights};
use crate::store::types::Seen;

/// The verifiers that count for one source or set, with the policy's revision.
pub(super) struct InForce {
    pub(super) weights: Weights,
    pub(super) revision: Option<i64>,
    pub(super) policy: Option<Arc<Policy>>,
}

impl InForce {
    /// Reports whether this policy defines the verdict's verifier otherwise than the policy by which the verifier was
    /// asked.
    pub(super) fn redefines(&self, verdict: &NewVerdict, seen: &Seen) -> bool {
        let (now, then) = (self.policy.as_ref(), seen.policy.as_ref());
        now.zip(then)
            .is_some_and(|(now, then)| now.redefines(&verdict.verifier, then))
    }

    fn of(policy: Option<(i64, Arc<Policy>)>, weights: impl FnOnce(&Policy) -> Weights) -> Self {
        match policy {
            Some((revision, policy)) => Self {
                weights: weights(&policy),
                revision: Some(revision),
                policy: Some(policy),
            },
            None => Self {
                weights: weights(&Policy::default()),
                revision: None,
                policy: None,
            },
        }
    }
}

impl Transaction<'_> {
    /// Returns the verifiers that count for a source's versions, by its settings and the policy in force.
    pub(super) fn policy_for_source(&self, source: SourceId) -> rusqlite::Result<InForce> {
        let policy = self.policy.read(self.sql)?;
        let (fits, name, address, tags, rates) = self.sql.only(
            concat!(
                "SELECT ",
                source_fits!(),
                ", s.name, s.address, s.tags, s.rates FROM source s WHERE s.id = ?1"
            ),
            [source.0],
            |row| {
                let mut columns = Columns::new(row);
                let (fits, name, address): (bool, String, String) =
                    (columns.get()?, columns.get()?, columns.get()?);
                let tags: Vec<String> = columns.json()?;
                Ok((fits, name, address, tags, columns.optional_word()?))
            },
        )?;
        if !fits {
            // Damaged settings may select other verifiers than those that count.
            return Err(damaged_error(unfit_source(source, Some(name))));
        }
        let key = SourceKey {
            name: &name,
            address: &address,
            tags: &tags,
            rates,
        };
        Ok(InForce::of(policy, |policy| policy.for_source(&key)))
    }

    /// Returns the verifiers that count for a set's editions, by the policy in force.
    pub(super) fn policy_for_set(&self, name: &str) -> rusqlite::Result<InForce> {
        Ok(InForce::of(self.policy.read(self.sql)?, |policy| {
            policy.for_set(name)
        }))
    }
}
