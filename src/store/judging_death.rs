//! Versions whose judging killed the process that judged them: counted, until all its rules have spoken.

use rusqlite::{OptionalExtension as _, params};

use super::Store;
use super::error::Result;
use crate::domain::VersionId;

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

    /// Returns how often judging a version killed the process, since its rules last all spoke.
    pub async fn judging_deaths(&self, version: VersionId) -> Result<u32> {
        self.read(move |sql| {
            let deaths = sql
                .prepare_cached("SELECT deaths FROM judging_death WHERE version_id = ?1")?
                .query_row([version.0], |row| row.get(0))
                .optional()?;
            Ok(deaths.unwrap_or(0))
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
