//! The policy in force: the verifiers and sets that the catalogue was given, each revision kept, the newest in force.
//!
//! States are derived from it inside the transaction that records them ([`Transaction::policy`]). It never decides which
//! configuration may change the policy: that is the domain's.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::Store;
use super::damage::{read_row, sound_one};
use super::error::{Failure, Result, StoreError};
use super::event::insert_event;
use super::file_set::configure_sets;
use super::read_only::QuietConnection;
use super::row::{Columns, millis, to_json};
use super::transaction::Transaction;
use super::types::{PolicyAdoption, Seen};
use crate::domain::{
    Action, Actor, AdoptedPolicy, NewVerdict, Policy, PolicyChanges, SourceId, SourceKey, Stamp,
    Weights,
};

/// How long the look for the configuration file waits for another process.
const LOOK_TIMEOUT: Duration = Duration::from_secs(5);

type Outcome<T> = std::result::Result<T, Failure>;

impl Store {
    /// Returns the policy in force; nothing while none was adopted.
    pub async fn policy(&self) -> Result<Option<AdoptedPolicy>> {
        self.read(|sql| Ok(newest(sql)?)).await
    }

    /// Returns the number of the newest policy, also when nothing else of its row can be read; 0 while none was adopted.
    pub async fn policy_revision(&self) -> Result<i64> {
        self.read(|sql| Ok(newest_revision(sql)?.unwrap_or_default()))
            .await
    }

    /// Returns the configuration file that the policy of the catalogue at `path` came from. Nothing for a catalogue that is not
    /// there, or that cannot be read: who opens it then says why. Writes nothing.
    pub fn policy_file(path: &Path) -> Option<PathBuf> {
        if !path.exists() {
            return None;
        }
        let sql = QuietConnection::open(path, LOOK_TIMEOUT).ok()?;
        let file = sql.connection.query_row(
            "SELECT file FROM policy ORDER BY revision DESC LIMIT 1",
            [],
            |row| row.get::<_, Option<String>>(0),
        );
        file.ok()?.map(PathBuf::from)
    }

    /// Puts a policy in force: keeps it as the next revision, makes its sets the configured ones, and appends the event that
    /// names what changed. Returns the revision, and what tells it from the one before.
    ///
    /// # Errors
    ///
    /// [`StoreError::OtherPolicy`] when another one is in force by now than the adoption takes the place of.
    pub async fn adopt_policy(
        &self,
        adoption: PolicyAdoption,
        stamp: Stamp,
    ) -> Result<(i64, PolicyChanges)> {
        self.write(move |transaction| adopt(transaction, &adoption, &stamp))
            .await
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
    // What a damaged row said need not be known: it counts no more.
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
    configure_sets(transaction, &adoption.policy.sets())?;
    let known = before.map(|known| known.policy).unwrap_or_default();
    let changes = PolicyChanges::between(&known, &adoption.policy);
    let file = adoption.file.as_deref().unwrap_or("no file");
    let detail = format!("revision {revision} from {file}: {changes}");
    insert_event(
        transaction,
        stamp,
        Action::PolicyAdopted,
        None,
        None,
        Some(&detail),
    )?;
    Ok((revision, changes))
}

const NEWEST: &str = "SELECT p.revision, p.adopted_at, a.value, p.file, p.verifiers
     FROM policy p LEFT JOIN text a ON a.id = p.actor_id ORDER BY p.revision DESC LIMIT 1";

fn newest_revision(sql: &Connection) -> rusqlite::Result<Option<i64>> {
    sql.prepare_cached("SELECT max(revision) FROM policy")?
        .query_row([], |row| row.get(0))
}

fn newest(sql: &Connection) -> rusqlite::Result<Option<AdoptedPolicy>> {
    sql.prepare_cached(NEWEST)?
        .query_row([], |row| {
            read_row("policy", row, |columns| {
                Ok(AdoptedPolicy {
                    revision: columns.get()?,
                    adopted_at: columns.time()?,
                    actor: Actor(columns.get()?),
                    file: columns.get()?,
                    policy: columns.json()?,
                })
            })
        })
        .optional()
}

/// Returns the verifiers that counted for a set under a revision of the policy; nothing when that is not known.
pub(super) fn weights_of_set(
    sql: &Connection,
    set: &str,
    revision: Option<i64>,
) -> rusqlite::Result<Option<Weights>> {
    // One that an older gannet wrote need not be readable any more.
    let policy: Option<Policy> = sql
        .prepare_cached("SELECT verifiers FROM policy WHERE revision = ?1")?
        .query_row([revision], |row| Ok(Columns::new(row).json().ok()))
        .optional()?
        .flatten();
    Ok(policy.map(|policy| policy.for_set(set)))
}

/// The newest policy that was read, by its revision: it is parsed once, not for every verdict.
#[derive(Default)]
pub(super) struct KnownPolicy(RefCell<Option<(i64, Arc<Policy>)>>);

impl KnownPolicy {
    /// Forgets what was read: a transaction that was undone may have written it.
    pub(super) fn forget(&self) {
        self.0.borrow_mut().take();
    }

    /// Returns the policy in force with its revision; nothing while none was adopted.
    fn read(&self, sql: &Connection) -> rusqlite::Result<Option<(i64, Arc<Policy>)>> {
        let Some(revision) = newest_revision(sql)? else {
            return Ok(None);
        };
        let known = self.0.borrow().clone();
        if let Some(known) = known.filter(|(known, _)| *known == revision) {
            return Ok(Some(known));
        }
        let Some(adopted) = newest(sql)? else {
            return Ok(None);
        };
        let read = (adopted.revision, Arc::new(adopted.policy));
        *self.0.borrow_mut() = Some(read.clone());
        Ok(Some(read))
    }
}

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
        let (name, address, tags): (String, String, Vec<String>) = self
            .sql
            .prepare_cached("SELECT name, address, tags FROM source WHERE id = ?1")?
            .query_row([source.0], |row| {
                let mut columns = Columns::new(row);
                Ok((columns.get()?, columns.get()?, columns.json()?))
            })?;
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
