//! Versions whose judging killed its process: counted until all rules have given a verdict.

use rusqlite::Connection;

use super::failure::Outcome;
use super::select::{Damage, Select};
use super::statements::Statements as _;
use super::transaction::Transaction;
use super::verdict::newest_verdict;
use super::version::version_if_there;
use crate::domain::VersionId;
use crate::store::query::VersionForJudging;
use crate::store::types::VersionToJudge;

impl Select<Option<VersionToJudge>> for VersionForJudging {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Option<VersionToJudge>> {
        let Self(version) = *self;
        let found = version_if_there(sql, version)?;
        let to_judge = |found| -> rusqlite::Result<_> {
            Ok(VersionToJudge {
                version: found,
                newest_verdict: newest_verdict(sql, version)?,
                deaths: deaths(sql, version)?,
            })
        };
        Ok(found.map(to_judge).transpose()?)
    }
}

/// Counts a killed process for each version that it was judging; purged versions are left out.
pub(super) fn count_deaths(
    transaction: &Transaction<'_>,
    versions: &[VersionId],
) -> rusqlite::Result<()> {
    for version in versions {
        transaction.execute(
            "INSERT INTO judging_death (version_id, deaths) SELECT id, 1 FROM version WHERE id = ?1
             ON CONFLICT DO UPDATE SET deaths = deaths + 1",
            [version.0],
        )?;
    }
    Ok(())
}

pub(super) fn forget_deaths(
    transaction: &Transaction<'_>,
    version: VersionId,
) -> rusqlite::Result<()> {
    let forget = "DELETE FROM judging_death WHERE version_id = ?1";
    transaction.execute(forget, [version.0])?;
    Ok(())
}

pub(super) fn deaths(sql: &Connection, version: VersionId) -> rusqlite::Result<u32> {
    let deaths = sql.first(
        "SELECT deaths FROM judging_death WHERE version_id = ?1",
        [version.0],
        |row| row.get(0),
    )?;
    Ok(deaths.unwrap_or(0))
}
