//! Versions whose judging killed the process that judged them: counted, until all its rules have spoken.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::Store;
use super::verdict::{newest_verdict, verdicts_on};
use super::version::version_if_there;
use crate::domain::{Verdict, VersionId};
use crate::store::error::Result;
use crate::store::types::VersionToJudge;

impl Store {
    /// Counts that a process was killed in the middle of judging these versions; those that were purged meanwhile are left out.
    pub async fn count_judging_deaths(&self, versions: Vec<VersionId>) -> Result<()> {
        self.write(move |transaction| {
            for version in &versions {
                transaction.execute(
                    "INSERT INTO judging_death (version_id, deaths) SELECT id, 1 FROM version WHERE id = ?1
                     ON CONFLICT DO UPDATE SET deaths = deaths + 1",
                    params![version.0],
                )?;
            }
            Ok(())
        })
        .await
    }

    /// Returns a version with what is to be known of it before it is judged; nothing when it is not there.
    pub async fn version_to_judge(&self, version: VersionId) -> Result<Option<VersionToJudge>> {
        self.read(move |sql| {
            let found = version_if_there(sql, version)?;
            let to_judge = |found| -> rusqlite::Result<_> {
                Ok(VersionToJudge {
                    version: found,
                    newest_verdict: newest_verdict(sql, version)?,
                    deaths: deaths(sql, version)?,
                })
            };
            Ok(found.map(to_judge).transpose()?)
        })
        .await
    }

    /// Returns all verdicts on a version, oldest first, and how often judging it killed the process since its rules last all spoke.
    /// Verdicts whose rows are damaged are left out ([`Store::damage`]).
    pub async fn verdicts_and_deaths(&self, version: VersionId) -> Result<(Vec<Verdict>, u32)> {
        self.read_sound(move |sql, damaged| {
            Ok((verdicts_on(sql, version, damaged)?, deaths(sql, version)?))
        })
        .await
    }

    /// Forgets them: every rule has judged the version to the end.
    pub async fn forget_judging_deaths(&self, version: VersionId) -> Result<()> {
        self.write(move |transaction| {
            transaction.execute(
                "DELETE FROM judging_death WHERE version_id = ?1",
                params![version.0],
            )?;
            Ok(())
        })
        .await
    }
}

fn deaths(sql: &Connection, version: VersionId) -> rusqlite::Result<u32> {
    let deaths = sql
        .prepare_cached("SELECT deaths FROM judging_death WHERE version_id = ?1")?
        .query_row([version.0], |row| row.get(0))
        .optional()?;
    Ok(deaths.unwrap_or(0))
}
