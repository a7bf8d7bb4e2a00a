//! The policy in force: verifiers and sets as adopted. Each revision is stored; the newest is in force.
//!
//! The transaction that records a state derives it from the policy ([`Transaction::policy`]). Which configuration may
//! change the policy is decided in the domain.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, params};

use super::Store;
use super::catalogue_file::CatalogueFile;
use super::event_row::insert_event;
use super::failure::{Failure, Outcome, sound_one};
use super::file_set::configure_sets;
use super::known_policy::{newest, newest_revision, policy_checksum};
use super::read_only::QuietConnection;
use super::row::{millis, to_json};
use super::select::{Damage, Select};
use super::transaction::Transaction;
use crate::domain::{Action, AdoptedPolicy, NewEvent, PolicyChanges, Stamp};
use crate::store::error::{Result, StoreError};
use crate::store::query::{PolicyInForce, PolicyRevision};
use crate::store::types::PolicyAdoption;

/// How long the search for the configuration file waits for another process.
const LOOK_TIMEOUT: Duration = Duration::from_secs(5);

impl Store {
    /// Returns the configuration file that the policy of the catalogue at `path` came from. `None` when the catalogue
    /// is missing or its policy cannot be read; opening it reports the reason. Writes nothing.
    pub(in crate::store) fn policy_file(path: &Path) -> Option<PathBuf> {
        if !path.exists() {
            return None;
        }
        let sql = QuietConnection::open(&CatalogueFile::new(path, LOOK_TIMEOUT)).ok()?;
        let file = sql.connection.query_row(
            concat!(
                "SELECT iif(checksum = ",
                policy_checksum!(),
                ", file, NULL) FROM policy ORDER BY revision DESC LIMIT 1"
            ),
            [],
            |row| row.get::<_, Option<String>>(0),
        );
        file.ok()?.map(PathBuf::from)
    }

    /// Puts a policy in force as the next revision, configures its sets, and appends an event that names the changes.
    /// Returns the revision, and the difference from the previous one.
    ///
    /// # Errors
    ///
    /// [`StoreError::OtherPolicy`] when the policy in force is not the one that the adoption replaces.
    pub async fn adopt_policy(
        &self,
        adoption: PolicyAdoption,
        stamp: Stamp,
    ) -> Result<(i64, PolicyChanges)> {
        self.write(move |transaction| adopt(transaction, &adoption, &stamp))
            .await
    }
}

impl Select<i64> for PolicyRevision {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<i64> {
        Ok(newest_revision(sql)?.unwrap_or_default())
    }
}

impl Select<Option<AdoptedPolicy>> for PolicyInForce {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Option<AdoptedPolicy>> {
        Ok(newest(sql)?)
    }
}

fn adopt(
    transaction: &Transaction<'_>,
    adoption: &PolicyAdoption,
    stamp: &Stamp,
) -> Outcome<(i64, PolicyChanges)> {
    if newest_revision(transaction.sql)?.unwrap_or_default() != adoption.replaces {
        return Err(StoreError::OtherPolicy.into());
    }
    // A damaged previous policy is no obstacle: it no longer counts.
    let before = newest(transaction.sql).map_err(Failure::from);
    let before = sound_one(before, &mut Vec::new())?.flatten();
    let actor = transaction.text_id(&stamp.actor.0)?;
    let revision = transaction.insert(
        "INSERT INTO policy (adopted_at, actor_id, file, verifiers) VALUES (?1, ?2, ?3, ?4)",
        params![
            millis(stamp.at),
            actor,
            adoption.file,
            to_json(&adoption.policy)
        ],
    )?;
    let seal = concat!(
        "UPDATE policy SET checksum = ",
        policy_checksum!(),
        " WHERE revision = ?1"
    );
    transaction.execute(seal, [revision])?;
    configure_sets(transaction, &adoption.policy.sets())?;
    let known = before.map(|known| known.policy).unwrap_or_default();
    let changes = PolicyChanges::between(&known, &adoption.policy);
    let file = adoption.file.as_deref().unwrap_or("no file");
    let detail = format!("revision {revision} from {file}: {changes}");
    let event = NewEvent::of(Action::PolicyAdopted).detail(detail);
    insert_event(transaction, stamp, event)?;
    Ok((revision, changes))
}
