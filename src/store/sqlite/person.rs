//! People who may sign in. Every change appends an event, and one that changes nothing appends none.
//!
//! Never deletes a person but one whose row is damaged and who is added anew.

use rusqlite::types::Type;
use rusqlite::{Connection, params};
use secrecy::{ExposeSecret as _, SecretString};

use super::Store;
use super::event_row::insert_event;
use super::failure::{Failure, Outcome};
use super::row::{Columns, millis};
use super::select::{Damage, Select};
use super::sql_damage::read_row;
use super::statements::Statements as _;
use super::transaction::Transaction;
use crate::domain::{Action, NewEvent, Person, Role, Stamp};
use crate::store::access_types::{PersonChange, PersonWithHash};
use crate::store::error::Result;
use crate::store::query::{People, PersonNamed};

impl Store {
    /// Changes the person of this name. Returns whether that was possible: not when a person to add exists, or one to
    /// change does not.
    pub async fn change_person(
        &self,
        name: String,
        change: PersonChange,
        stamp: Stamp,
    ) -> Result<bool> {
        self.write(move |transaction| write(transaction, &name, &change, &stamp))
            .await
    }
}

macro_rules! checksum {
    () => {
        "row_checksum(id, name, role, password_hash, disabled, created_at, password_changed_at)"
    };
}

const PEOPLE: &str = concat!(
    "SELECT id, coalesce(checksum = ",
    checksum!(),
    ", 0) AS checksum, name, role, disabled, created_at, password_changed_at, password_hash FROM person"
);

const SEAL: &str = concat!(
    "UPDATE person SET checksum = ",
    checksum!(),
    " WHERE id = ?1"
);

impl Select<Vec<Person>> for People {
    fn select(&self, sql: &Connection, damaged: &mut Damage) -> Outcome<Vec<Person>> {
        let query = format!("{PEOPLE} ORDER BY name");
        Ok(sql.sound("person", &query, [], damaged, |columns| {
            read(columns).map(|(_, known)| known.person)
        })?)
    }
}

impl Select<Option<PersonWithHash>> for PersonNamed {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Option<PersonWithHash>> {
        Ok(find(sql, &self.0)?.map(|(_, known)| known))
    }
}

/// Returns the person with this id. A damaged row is an error.
pub(super) fn person_by_id(sql: &Connection, id: i64) -> rusqlite::Result<Option<Person>> {
    let query = format!("{PEOPLE} WHERE id = ?1");
    let found = sql.first(&query, [id], |row| read_row("person", row, read))?;
    Ok(found.map(|(_, known)| known.person))
}

/// Returns the person of this name, with the id of the row. A damaged row is an error.
pub(super) fn find(
    sql: &Connection,
    name: &str,
) -> rusqlite::Result<Option<(i64, PersonWithHash)>> {
    let query = format!("{PEOPLE} WHERE name = ?1");
    sql.first(&query, [name], |row| read_row("person", row, read))
}

fn read(columns: &mut Columns<'_>) -> rusqlite::Result<(i64, PersonWithHash)> {
    let id = columns.get()?;
    if !columns.get::<bool>()? {
        return Err(columns.malformed(Type::Integer, ""));
    }
    let person = Person {
        name: columns.get()?,
        role: columns.word()?,
        disabled: columns.get()?,
        created_at: columns.time()?,
        password_changed_at: columns.time()?,
    };
    let password_hash = SecretString::from(columns.get::<String>()?);
    Ok((
        id,
        PersonWithHash {
            person,
            password_hash,
        },
    ))
}

fn write(
    transaction: &Transaction<'_>,
    name: &str,
    change: &PersonChange,
    stamp: &Stamp,
) -> Outcome<bool> {
    let found = find(transaction.sql, name);
    if let PersonChange::Add {
        role,
        password_hash,
    } = change
    {
        return add(transaction, found, (name, *role, password_hash), stamp);
    }
    let Some((id, known)) = found? else {
        return Ok(false);
    };
    if let Some(event) = change_row(transaction, (id, &known.person), change, stamp)? {
        transaction.execute(SEAL, [id])?;
        insert_event(transaction, stamp, event)?;
    }
    Ok(true)
}

/// Writes a change of a person, and returns its event; `None` when nothing changes.
fn change_row(
    transaction: &Transaction<'_>,
    (id, before): (i64, &Person),
    change: &PersonChange,
    stamp: &Stamp,
) -> rusqlite::Result<Option<NewEvent>> {
    let name = &before.name;
    let (action, detail) = match change {
        PersonChange::Role(role) if *role != before.role => {
            let set = "UPDATE person SET role = ?2 WHERE id = ?1";
            transaction.execute(set, params![id, role.as_str()])?;
            let detail = format!("{name}: {} -> {role}", before.role);
            (Action::PersonRoleChanged, detail)
        }
        PersonChange::Disabled(disabled) if *disabled != before.disabled => {
            let set = "UPDATE person SET disabled = ?2 WHERE id = ?1";
            transaction.execute(set, params![id, disabled])?;
            let action = if *disabled {
                end_sessions(transaction, id)?;
                Action::PersonDisabled
            } else {
                Action::PersonEnabled
            };
            (action, name.clone())
        }
        PersonChange::Password(hash) => {
            let set =
                "UPDATE person SET password_hash = ?2, password_changed_at = ?3 WHERE id = ?1";
            let hash = hash.expose_secret();
            transaction.execute(set, params![id, hash, millis(stamp.at)])?;
            end_sessions(transaction, id)?;
            (Action::PersonPasswordChanged, name.clone())
        }
        _ => return Ok(None),
    };
    Ok(Some(NewEvent::of(action).detail(detail)))
}

fn end_sessions(transaction: &Transaction<'_>, person: i64) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM session WHERE person_id = ?1", [person])?;
    Ok(())
}

fn add(
    transaction: &Transaction<'_>,
    found: rusqlite::Result<Option<(i64, PersonWithHash)>>,
    (name, role, password_hash): (&str, Role, &SecretString),
    stamp: &Stamp,
) -> Outcome<bool> {
    match found.map_err(Failure::from) {
        Ok(Some(_)) => return Ok(false),
        Ok(None) => {}
        Err(failure) if failure.is_damage() => {
            let sessions =
                "DELETE FROM session WHERE person_id IN (SELECT id FROM person WHERE name = ?1)";
            transaction.execute(sessions, [name])?;
            transaction.execute("DELETE FROM person WHERE name = ?1", [name])?;
        }
        Err(failure) => return Err(failure),
    }
    let id = transaction.insert(
        "INSERT INTO person (name, role, password_hash, disabled, created_at, password_changed_at, checksum)
         VALUES (?1, ?2, ?3, 0, ?4, ?4, 0)",
        params![name, role.as_str(), password_hash.expose_secret(), millis(stamp.at)],
    )?;
    transaction.execute(SEAL, [id])?;
    let event = NewEvent::of(Action::PersonAdded).detail(format!("{name}: {role}"));
    insert_event(transaction, stamp, event)?;
    Ok(true)
}
