//! The verifiers that count in a transaction, by the policy and the settings of that moment.

use std::sync::Arc;

use super::row::Columns;
use super::source_row::{source_fits, unfit_source};
use super::sql_damage::damaged_error;
use super::transaction::Transaction;
use crate::domain::{NewVerdict, Policy, SourceId, SourceKey, Weights};
use crate::store::types::Seen;

/// The verifiers that count for one source or set, and the revision that says so.
pub(super) struct InForce {
    pub(super) weights: Weights,
    pub(super) revision: Option<i64>,
    pub(super) policy: Option<Arc<Policy>>,
}

impl InForce {
    /// Tells whether the verifier that reached a verdict is another one by this policy than by the one by which it was asked.
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
                weights: Weights::default(),
                revision: None,
                policy: None,
            },
        }
    }
}

impl Transaction<'_> {
    /// Returns the verifiers that count for the versions of a source, by its settings and the policy of this moment.
    pub(super) fn policy_for_source(&self, source: SourceId) -> rusqlite::Result<InForce> {
        let policy = self.policy.read(self.sql)?;
        if policy.as_ref().is_none_or(|(_, policy)| policy.is_empty()) {
            return Ok(InForce::of(policy, |_| Weights::default()));
        }
        let (fits, name, address, tags): (bool, String, String, Vec<String>) = self
            .sql
            .prepare_cached(concat!(
                "SELECT ",
                source_fits!(),
                ", s.name, s.address, s.tags FROM source s WHERE s.id = ?1"
            ))?
            .query_row([source.0], |row| {
                let mut columns = Columns::new(row);
                let fits = columns.get()?;
                Ok((fits, columns.get()?, columns.get()?, columns.json()?))
            })?;
        if !fits {
            // What it says may select other verifiers than those that count.
            return Err(damaged_error(unfit_source(source, Some(name))));
        }
        let key = SourceKey {
            name: &name,
            address: &address,
            tags: &tags,
        };
        Ok(InForce::of(policy, |policy| policy.for_source(&key)))
    }

    /// Returns the verifiers that count for the editions of a set, by the policy of this moment.
    pub(super) fn policy_for_set(&self, name: &str) -> rusqlite::Result<InForce> {
        Ok(InForce::of(self.policy.read(self.sql)?, |policy| {
            policy.for_set(name)
        }))
    }
}
