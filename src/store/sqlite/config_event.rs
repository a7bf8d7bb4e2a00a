//! Events about the configuration: each rejection once, and the end of a marked rejection.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use super::chore::write_chore;
use super::event_row::insert_event;
use super::statements::Statements as _;
use super::transaction::Transaction;
use crate::domain::{Action, NewEvent, Stamp};

/// The chore row that marks a rejected configuration until a usable one is read.
const REFUSED: &str = "refused";

/// How many of the newest events are searched for the last one about the configuration.
const LOOKED_THROUGH: i64 = 20_000;

/// Appends the event unless the last event about a configuration or policy says the same.
pub(super) fn reject(
    transaction: &Transaction<'_>,
    event: &NewEvent,
    stamp: &Stamp,
) -> rusqlite::Result<()> {
    let last = last_of_configuration(transaction.sql)?;
    if last != Some((event.action.as_str().to_owned(), event.detail.clone())) {
        insert_event(transaction, stamp, event.clone())?;
    }
    Ok(())
}

pub(super) fn mark_unusable(
    transaction: &Transaction<'_>,
    now: DateTime<Utc>,
) -> rusqlite::Result<()> {
    write_chore(transaction, REFUSED, now)
}

pub(super) fn is_marked_unusable(sql: &Connection) -> rusqlite::Result<bool> {
    sql.any("SELECT 1 FROM chore WHERE name = ?1", [REFUSED])
}

/// Removes the mark, and appends the event if the last event about a configuration or policy is a rejection.
pub(super) fn use_again(
    transaction: &Transaction<'_>,
    event: &NewEvent,
    stamp: &Stamp,
) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM chore WHERE name = ?1", [REFUSED])?;
    let last = last_of_configuration(transaction.sql)?;
    if last.is_some_and(|(action, _)| action == Action::ConfigRejected.as_str()) {
        insert_event(transaction, stamp, event.clone())?;
    }
    Ok(())
}

/// Returns the action and the detail of the newest event about a configuration or a policy.
fn last_of_configuration(sql: &Connection) -> rusqlite::Result<Option<(String, Option<String>)>> {
    let actions = [
        Action::ConfigRejected,
        Action::ConfigReloaded,
        Action::PolicyAdopted,
    ];
    let [rejected, reloaded, adopted] = actions.map(Action::as_str);
    sql.first(
        "SELECT w.value, e.detail FROM event e NOT INDEXED CROSS JOIN text w ON w.id = e.action_id
         WHERE e.id > (SELECT max(id) FROM event) - ?1 AND w.value IN (?2, ?3, ?4)
         ORDER BY e.id DESC LIMIT 1",
        params![LOOKED_THROUGH, rejected, reloaded, adopted],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}
