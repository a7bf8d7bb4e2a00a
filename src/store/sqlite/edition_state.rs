//! The state of an edition, derived from all verdicts on it.

use rusqlite::params;

use super::failure::Outcome;
use super::interned::edition_fits;
use super::policy_in_force::InForce;
use super::transaction::Transaction;
use super::verdict_row::newest_outcomes;
use crate::domain::{EditionId, VersionState};
use crate::store::judged::Judged;

/// Derives an edition's state from all verdicts on it, stores and returns it.
pub(super) fn count_edition(
    transaction: &Transaction<'_>,
    id: EditionId,
    policy: &InForce,
) -> Outcome<VersionState> {
    let state = policy
        .weights
        .state(&newest_outcomes(transaction.sql, Judged::Edition(id))?);
    let changed = transaction.execute(
        concat!(
            "UPDATE edition AS e SET state = ?2, policy_revision = ?3
             WHERE id = ?1 AND (state <> ?2 OR policy_revision IS NOT ?3) AND ",
            edition_fits!()
        ),
        params![id.0, state.as_str(), policy.revision],
    )?;
    if changed > 0 {
        write_checksum(transaction, id)?;
    }
    Ok(state)
}

/// Stores the checksum of an edition's row that was just written.
pub(super) fn write_checksum(transaction: &Transaction<'_>, id: EditionId) -> rusqlite::Result<()> {
    let update = "UPDATE edition SET checksum = row_checksum(id, set_name, at, state, key, policy_revision) WHERE id = ?1";
    transaction.execute(update, [id.0])?;
    Ok(())
}
