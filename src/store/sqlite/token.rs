//! Tokens of programs, found by the digest of their secret. Every change appends an event.
//!
//! Never deletes a token: a revoked one stays, and its name is free again.

use chrono::{DateTime, Utc};
use rusqlite::types::Type;
use rusqlite::{Connection, params};

use super::Store;
use super::event_row::insert_event;
use super::failure::Outcome;
use super::row::{Columns, millis};
use super::select::{Damage, Select};
use super::sql_damage::read_row;
use super::statements::Statements as _;
use super::transaction::Transaction;
use crate::domain::{Action, Digest, NewEvent, Stamp, Token};
use crate::store::access_types::NewToken;
use crate::store::error::Result;
use crate::store::query::{TokenWith, Tokens};

impl Store {
    /// Creates a token. Returns whether its name was free among live tokens.
    pub async fn create_token(&self, token: NewToken, stamp: Stamp) -> Result<bool> {
        self.write(move |transaction| create(transaction, &token, &stamp))
            .await
    }

    /// Revokes the tokens of this name that are not revoked yet, expired ones included. Returns whether there was one; if
    /// only a damaged row has the name, that is an error.
    pub async fn revoke_token(&self, name: String, stamp: Stamp) -> Result<bool> {
        self.write(move |transaction| revoke(transaction, &name, &stamp))
            .await
    }
}

macro_rules! checksum {
    () => {
        "row_checksum(id, digest, name, role, verifier, created_at, created_by, expires_at, revoked_at)"
    };
}

const TOKENS: &str = concat!(
    "SELECT id, coalesce(checksum = ",
    checksum!(),
    ", 0) AS checksum, name, role, verifier, created_at, created_by, expires_at, revoked_at, last_used_at FROM token"
);

impl Select<Vec<Token>> for Tokens {
    fn select(&self, sql: &Connection, damaged: &mut Damage) -> Outcome<Vec<Token>> {
        let query = format!("{TOKENS} ORDER BY name, id");
        Ok(sql.sound("token", &query, [], damaged, read)?)
    }
}

impl Select<Option<Token>> for TokenWith {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Option<Token>> {
        let query = format!("{TOKENS} WHERE digest = ?1");
        Ok(sql.first(&query, [&self.0.0], |row| read_row("token", row, read))?)
    }
}

fn read(columns: &mut Columns<'_>) -> rusqlite::Result<Token> {
    columns.skip();
    if !columns.get::<bool>()? {
        return Err(columns.malformed(Type::Integer, ""));
    }
    Ok(Token {
        name: columns.get()?,
        role: columns.word()?,
        verifier: columns.optional()?,
        created_at: columns.time()?,
        created_by: columns.get()?,
        expires_at: columns.optional_time()?,
        revoked_at: columns.optional_time()?,
        last_used_at: columns.optional_time()?,
    })
}

fn create(transaction: &Transaction<'_>, token: &NewToken, stamp: &Stamp) -> Outcome<bool> {
    // A damaged token is refused, and keeps no name.
    let live = concat!(
        "SELECT 1 FROM token WHERE name = ?1 AND revoked_at IS NULL AND coalesce(expires_at > ?2, 1) AND checksum = ",
        checksum!()
    );
    if transaction.any(live, params![token.name, millis(stamp.at)])? {
        return Ok(false);
    }
    let id = transaction.insert(
        "INSERT INTO token (digest, name, role, verifier, created_at, created_by, expires_at, checksum)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0)",
        params![
            token.digest.0,
            token.name,
            token.role.as_str(),
            token.verifier,
            millis(stamp.at),
            stamp.actor.0,
            token.expires_at.map(millis)
        ],
    )?;
    let seal = concat!(
        "UPDATE token SET checksum = ",
        checksum!(),
        " WHERE id = ?1"
    );
    transaction.execute(seal, [id])?;
    let event = NewEvent::of(Action::TokenCreated).detail(in_words(token));
    insert_event(transaction, stamp, event)?;
    Ok(true)
}

fn in_words(token: &NewToken) -> String {
    let of = token.verifier.as_ref().map(|name| format!(" of {name}"));
    let end = token.expires_at;
    let until = end.map(|end| format!(", until {}", end.format("%F %R UTC")));
    let (of, until) = (of.unwrap_or_default(), until.unwrap_or_default());
    format!("{}: {}{of}{until}", token.name, token.role)
}

fn revoke(transaction: &Transaction<'_>, name: &str, stamp: &Stamp) -> Outcome<bool> {
    let update = concat!(
        "UPDATE token SET revoked_at = ?2 WHERE name = ?1 AND revoked_at IS NULL AND checksum = ",
        checksum!()
    );
    let revoked = transaction.execute(update, params![name, millis(stamp.at)])?;
    if revoked == 0 {
        let query = format!("{TOKENS} WHERE name = ?1");
        transaction.all(&query, [name], |row| read_row("token", row, read))?;
        return Ok(false);
    }
    let seal = concat!(
        "UPDATE token SET checksum = ",
        checksum!(),
        " WHERE name = ?1 AND revoked_at = ?2"
    );
    transaction.execute(seal, params![name, millis(stamp.at)])?;
    let event = NewEvent::of(Action::TokenRevoked).detail(name.to_owned());
    insert_event(transaction, stamp, event)?;
    Ok(true)
}

/// Records that a token was used.
pub(super) fn use_token(
    transaction: &Transaction<'_>,
    digest: Digest,
    now: DateTime<Utc>,
) -> rusqlite::Result<()> {
    let used = "UPDATE token SET last_used_at = ?2 WHERE digest = ?1";
    transaction.execute(used, params![digest.0, millis(now)])?;
    Ok(())
}
