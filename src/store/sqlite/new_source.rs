//! Adds sources: ordinary ones, dated ones and their days, each with a published path of its own.
//!
//! Never changes a source that is there.

use rusqlite::params;

use super::event_row::insert_event;
use super::failure::Outcome;
use super::file_set::join_sets;
use super::kept_source::refuse_taken;
use super::row::{millis, to_json};
use super::source_row::{active_word, seal_source};
use super::transaction::Transaction;
use super::withdrawal::{stands_in_the_way, take_over_path};
use crate::domain::{
    Action, Address, DayOf, NewEvent, Slot, SourceId, SourceSettings, Stamp, candidate_path,
    free_number,
};

/// Adds a source, which may be a day, that is due in this slot.
pub(super) fn add_source(
    transaction: &Transaction<'_>,
    settings: &SourceSettings,
    day: Option<DayOf>,
    next_slot: Slot,
    stamp: &Stamp,
) -> Outcome<SourceId> {
    refuse_taken(transaction, None, settings)?;
    let path = free_path(transaction, &settings.address)?;
    let id = insert_source(transaction, settings, day, &path, stamp)?;
    transaction.execute(
        "INSERT INTO source_state (source_id, host, next_slot, active) VALUES (?1, ?2, ?3, ?4)",
        params![
            id.0,
            settings.address.host(),
            next_slot.0,
            active_word(settings)
        ],
    )?;
    take_over_path(transaction, id, &path)?;
    join_sets(transaction, id, &settings.tags)?;
    let event = NewEvent::of(Action::SourceAdded).source(id);
    let address = settings.address.as_str().to_owned();
    insert_event(transaction, stamp, event.detail(address))?;
    Ok(id)
}

fn insert_source(
    transaction: &Transaction<'_>,
    settings: &SourceSettings,
    day: Option<DayOf>,
    path: &str,
    stamp: &Stamp,
) -> rusqlite::Result<SourceId> {
    let id = transaction.insert(
        "INSERT INTO source (name, address, settings, published_path, path_key, created_at, series_id, day)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            settings.name,
            settings.address.as_str(),
            to_json(&settings.beyond_defaults()),
            path,
            path.to_lowercase(),
            millis(stamp.at),
            day.map(|of| of.series.0),
            day.map(|of| of.day.to_string()),
        ],
    )?;
    if settings.address.is_dated() {
        transaction.execute("UPDATE source SET series_id = id WHERE id = ?1", [id])?;
    }
    seal_source(transaction, SourceId(id))?;
    Ok(SourceId(id))
}

/// Returns a path that suits the address and conflicts with no other source's path.
pub(super) fn free_path(
    transaction: &Transaction<'_>,
    address: &Address,
) -> rusqlite::Result<String> {
    let mut asked = (0, String::new());
    let turn = free_number(|turn| {
        asked = (turn, candidate_path(address, turn));
        is_free(transaction, &asked.1).map(|is_free| !is_free)
    })?;
    // The first path is usually free.
    Ok(match asked {
        (last, path) if last == turn => path,
        _ => candidate_path(address, turn),
    })
}

/// Reports whether a path conflicts with no other source's path.
pub(super) fn is_free(transaction: &Transaction<'_>, path: &str) -> rusqlite::Result<bool> {
    Ok(!conflicts_with_any(transaction, &path.to_lowercase())?
        && !stands_in_the_way(transaction, path)?)
}

/// Reports whether [`crate::domain::conflicts`] holds with any source's path. Three kinds of look-up suffice: the same
/// key, the keys of its parent folders, and keys below it.
fn conflicts_with_any(transaction: &Transaction<'_>, key: &str) -> rusqlite::Result<bool> {
    let mut same = transaction
        .sql
        .prepare_cached("SELECT 1 FROM source WHERE removed_at IS NULL AND path_key = ?1")?;
    let folders = key.match_indices('/').map(|(end, _)| &key[..end]);
    for candidate in folders.chain([key]) {
        if same.exists([candidate])? {
            return Ok(true);
        }
    }
    // `0` is the character after `/`.
    transaction
        .sql
        .prepare_cached(
            "SELECT 1 FROM source WHERE removed_at IS NULL AND path_key > ?1 || '/' AND path_key < ?1 || '0'",
        )?
        .exists([key])
}

#[cfg(test)]
mod tests {
    use crate::store::sqlite::schema::query_plan;

    #[test]
    fn a_path_is_compared_by_index() {
        let plan = query_plan(
            "SELECT 1 FROM source WHERE removed_at IS NULL AND path_key > ?1 || '/' AND path_key < ?1 || '0'",
        );
        assert!(
            plan.contains("source_path (path_key>? AND path_key<?)"),
            "{plan}"
        );
    }
}
