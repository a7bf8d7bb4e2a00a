//! Sessions of people who signed in, found by the digest of their secret.
//!
//! Never decides whether a session lasts, but deletes those that do not when another begins.

use chrono::{DateTime, Utc};
use rusqlite::types::Type;
use rusqlite::{Connection, params};

use super::Store;
use super::failure::Outcome;
use super::person::{find, person_by_id};
use super::row::{Columns, millis};
use super::select::{Damage, Select};
use super::sql_damage::read_row;
use super::statements::Statements as _;
use super::transaction::Transaction;
use crate::domain::{CLOCK_TOLERANCE, Digest, Person, SESSION_IDLE, SESSION_LONGEST};
use crate::store::access_types::Session;
use crate::store::error::Result;
use crate::store::query::SessionWith;

impl Store {
    /// Begins a session, and deletes those that are over. Returns whether the session began: not when the person may
    /// not sign in any more, or has another password meanwhile.
    pub async fn begin_session(
        &self,
        person: Person,
        digest: Digest,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        self.write(move |transaction| begin(transaction, &person, digest, now))
            .await
    }
}

impl Select<Option<Session>> for SessionWith {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Option<Session>> {
        const SESSION: &str = "SELECT digest, coalesce(checksum = row_checksum(digest, person_id, created_at), 0) AS checksum,
             person_id, created_at, used_at FROM session WHERE digest = ?1";
        let found = sql.first(SESSION, [&self.0.0], |row| read_row("session", row, read))?;
        let Some((person, created_at, used_at)) = found else {
            return Ok(None);
        };
        Ok(person_by_id(sql, person)?.map(|person| Session {
            person,
            created_at,
            used_at,
        }))
    }
}

fn read(columns: &mut Columns<'_>) -> rusqlite::Result<(i64, DateTime<Utc>, DateTime<Utc>)> {
    columns.skip();
    if !columns.get::<bool>()? {
        return Err(columns.malformed(Type::Integer, ""));
    }
    Ok((columns.get()?, columns.time()?, columns.time()?))
}

fn begin(
    transaction: &Transaction<'_>,
    person: &Person,
    digest: Digest,
    now: DateTime<Utc>,
) -> Outcome<bool> {
    transaction.execute(
        "DELETE FROM session WHERE created_at <= ?1 OR used_at <= ?2 OR max(created_at, used_at) > ?3",
        params![
            millis(now - SESSION_LONGEST),
            millis(now - SESSION_IDLE),
            millis(now + CLOCK_TOLERANCE)
        ],
    )?;
    let known = find(transaction.sql, &person.name)?;
    let id = known.and_then(|(id, known)| {
        let is_same = known.person.password_changed_at == person.password_changed_at;
        (is_same && !known.person.disabled).then_some(id)
    });
    let Some(id) = id else {
        return Ok(false);
    };
    transaction.execute(
        "INSERT INTO session (digest, person_id, created_at, checksum, used_at) VALUES (?1, ?2, ?3, row_checksum(?1, ?2, ?3), ?3)",
        params![digest.0, id, millis(now)],
    )?;
    Ok(true)
}

/// Ends a session.
pub(super) fn end_session(transaction: &Transaction<'_>, digest: Digest) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM session WHERE digest = ?1", [&digest.0])?;
    Ok(())
}

/// Records that a session was used.
pub(super) fn use_session(
    transaction: &Transaction<'_>,
    digest: Digest,
    now: DateTime<Utc>,
) -> rusqlite::Result<()> {
    let used = "UPDATE session SET used_at = ?2 WHERE digest = ?1";
    transaction.execute(used, params![digest.0, millis(now)])?;
    Ok(())
}
