//! Changes of sources by operators: add, edit, remove. All changes of a call are made, or none. Single edits are made
//! in `edit`.

use rusqlite::params;

use super::Store;
use super::damaged_source::{readable_source, refuse_lost_addresses};
use super::edit::{
    as_before, edit, insert_edited, lay_over, step_aside, take_back, write_settings,
};
use super::event_row::insert_event;
use super::failure::Outcome;
use super::file_set::join_sets;
use super::kept_source::{changed, kept_source, refuse_taken};
use super::left_file::{end_left_file, forget_file, forget_unsure_looks};
use super::publication::refresh_publication;
use super::purge::purge;
use super::row::{millis, to_json};
use super::source_row::{seal_source, source_by_id};
use super::transaction::Transaction;
use super::unfit::refuse_unknown_needs;
use super::withdrawal::{
    is_to_withdraw, keep_looks, leave_to_withdraw, stands_in_the_way, take_over_path,
};
use crate::domain::{
    Action, Address, NewEvent, SettingsPatch, Slot, Source, SourceId, SourceSettings, Stamp,
    candidate_path, free_number,
};
use crate::store::error::{Result, StoreError};
use crate::store::types::{Changed, SourceChange};

impl Store {
    /// Makes all of these changes in order, with an event each, or none of them.
    ///
    /// # Errors
    ///
    /// - [`Taken`] for a name or an address that another source has.
    /// - [`Missing`] for a source that does not exist or was removed.
    /// - [`DamagedRow`] for a purge while a damaged row of any source may need bytes that cannot be told, and for an
    ///   address of a source whose row is lost.
    ///
    /// [`Taken`]: crate::store::StoreError::Taken
    /// [`Missing`]: crate::store::StoreError::Missing
    /// [`DamagedRow`]: crate::store::StoreError::DamagedRow
    pub async fn change_sources(
        &self,
        changes: Vec<SourceChange>,
        stamp: Stamp,
    ) -> Result<Vec<Changed>> {
        self.write(move |transaction| change_all(transaction, &changes, &stamp))
            .await
    }
}

fn change_all(
    transaction: &Transaction<'_>,
    changes: &[SourceChange],
    stamp: &Stamp,
) -> Outcome<Vec<Changed>> {
    let purged = changes.iter().filter_map(|change| match change {
        SourceChange::Remove { id, purge: true } => Some(*id),
        _ => None,
    });
    let purged: Vec<_> = purged.collect();
    if !purged.is_empty() {
        refuse_unknown_needs(transaction.sql, &purged)?;
    }
    let added = changes.iter().filter_map(|change| match change {
        SourceChange::Add(settings) => Some(&settings.address),
        _ => None,
    });
    refuse_lost_addresses(transaction.sql, added)?;
    let mut aside = step_aside(transaction, changes)?;
    let mut as_before = |id| as_before(transaction, id, &mut aside);
    let done = changes.iter().map(|change| match change {
        SourceChange::Add(settings) => add(transaction, settings, stamp),
        SourceChange::Edit(id, patch) => edit(transaction, as_before(*id)?, patch, stamp),
        SourceChange::EditSeen(id, patch, seen) => {
            edit(transaction, if_seen(as_before(*id)?, seen)?, patch, stamp)
        }
        SourceChange::Seen(id, seen) => still_seen(transaction, *id, seen),
        SourceChange::TakeBack(id, done) => {
            take_back(transaction, as_before(*id)?, done, "undone", stamp)
        }
        SourceChange::MakeAgain(id, done) => {
            take_back(transaction, as_before(*id)?, done, "redone", stamp)
        }
        SourceChange::Restore(id, patch) => restore(transaction, *id, patch, stamp),
        SourceChange::Remove { id, purge: false } => remove(transaction, *id, stamp),
        SourceChange::Remove { id, purge: true } => remove_with_history(transaction, *id, stamp),
    });
    done.collect()
}

/// Returns the source if its settings are those that its editor saw.
fn if_seen(source: Source, seen: &SourceSettings) -> Outcome<Source> {
    if source.settings == *seen {
        return Ok(source);
    }
    let (id, name) = (source.id, source.settings.name);
    Err(StoreError::Changed { id, name }.into())
}

fn still_seen(
    transaction: &Transaction<'_>,
    id: SourceId,
    seen: &SourceSettings,
) -> Outcome<Changed> {
    if_seen(source_by_id(transaction.sql, id)?, seen)?;
    Ok(changed(id))
}

fn add(
    transaction: &Transaction<'_>,
    settings: &SourceSettings,
    stamp: &Stamp,
) -> Outcome<Changed> {
    refuse_taken(transaction, None, settings)?;
    let path = free_path(transaction, &settings.address)?;
    let id = insert_source(transaction, settings, &path, stamp)?;
    transaction.execute(
        "INSERT INTO source_state (source_id, host, next_slot, active) VALUES (?1, ?2, ?3, ?4)",
        params![
            id.0,
            settings.address.host(),
            Slot::containing(stamp.at).0,
            settings.enabled
        ],
    )?;
    take_over_path(transaction, id, &path)?;
    join_sets(transaction, id, &settings.tags)?;
    let event = NewEvent::of(Action::SourceAdded).source(id);
    let address = settings.address.as_str().to_owned();
    insert_event(transaction, stamp, event.detail(address))?;
    Ok(changed(id))
}

fn insert_source(
    transaction: &Transaction<'_>,
    settings: &SourceSettings,
    path: &str,
    stamp: &Stamp,
) -> rusqlite::Result<SourceId> {
    let id = transaction.insert(
        "INSERT INTO source (name, address, settings, published_path, path_key, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            settings.name,
            settings.address.as_str(),
            to_json(&settings.beyond_defaults()),
            path,
            path.to_lowercase(),
            millis(stamp.at),
        ],
    )?;
    seal_source(transaction, SourceId(id))?;
    Ok(SourceId(id))
}

fn remove(transaction: &Transaction<'_>, id: SourceId, stamp: &Stamp) -> Outcome<Changed> {
    let source = kept_source(transaction, id)?;
    leave_to_withdraw(transaction, &source)?;
    keep_looks(transaction, &source)?;
    transaction.execute(
        "INSERT OR REPLACE INTO removed_file (source_id, version_id)
         SELECT source_id, published_version_id FROM source_state WHERE source_id = ?1 AND published_version_id IS NOT NULL",
        [id.0],
    )?;
    transaction.execute(
        "UPDATE source SET removed_at = ?2 WHERE id = ?1",
        [id.0, millis(stamp.at)],
    )?;
    seal_source(transaction, id)?;
    // Consumers see the file at this path until it is removed.
    if is_to_withdraw(transaction, &source.published_path)? {
        forget_unsure_looks(transaction, id)?;
    } else {
        forget_file(transaction, id)?;
    }
    transaction.execute(
        "UPDATE source_state SET active = 0, lease_owner = NULL, publish_due = 0, publish_error = NULL,
             publish_unsure = 0 WHERE source_id = ?1",
        [id.0],
    )?;
    join_sets(transaction, id, &[])?;
    let left = source.state.published_version_id;
    let event = NewEvent::of(Action::SourceRemoved).source(id).version(left);
    insert_event(transaction, stamp, event)?;
    Ok(changed(id))
}

/// Restores a removed source. It gets another published path when its former one is taken.
/// Returns the path of a source that is restored. A free former path is kept, even when the address now suggests
/// another one.
fn path_again(
    transaction: &Transaction<'_>,
    source: &Source,
    address: &Address,
) -> rusqlite::Result<String> {
    if is_free(transaction, &source.published_path)? {
        return Ok(source.published_path.clone());
    }
    free_path(transaction, address)
}

fn restore(
    transaction: &Transaction<'_>,
    id: SourceId,
    changes: &SettingsPatch,
    stamp: &Stamp,
) -> Outcome<Changed> {
    let source = source_by_id(transaction.sql, id)?;
    if source.removed_at.is_none() {
        return edit(transaction, source, changes, stamp);
    }
    let edit = lay_over(source.settings.clone(), changes)?;
    let settings = &edit.after;
    // Runs before the source is back: another source may have its former name or address.
    write_settings(transaction, &source, &edit, stamp)?;
    let path = path_again(transaction, &source, &settings.address)?;
    transaction.execute(
        "UPDATE source SET removed_at = NULL, published_path = ?2, path_key = ?3 WHERE id = ?1",
        params![id.0, path, path.to_lowercase()],
    )?;
    seal_source(transaction, id)?;
    transaction.execute(
        "UPDATE source_state SET active = ?2 WHERE source_id = ?1",
        params![id.0, settings.enabled],
    )?;
    join_sets(transaction, id, &settings.tags)?;
    transaction.execute("DELETE FROM removed_file WHERE source_id = ?1", [id.0])?;
    if path != source.published_path {
        let because = "another source has its path by now";
        end_left_file(transaction, &source, because, stamp)?;
    }
    take_over_path(transaction, id, &path)?;
    refresh_publication(transaction, id)?;
    let event = NewEvent::of(Action::SourceRestored).source(id);
    insert_event(transaction, stamp, event)?;
    let differences = edit.differences();
    if !differences.is_empty() {
        insert_edited(transaction, id, &differences, stamp)?;
    }
    Ok(changed(id))
}

fn remove_with_history(
    transaction: &Transaction<'_>,
    id: SourceId,
    stamp: &Stamp,
) -> Outcome<Changed> {
    let source = match source_by_id(transaction.sql, id) {
        Ok(source) => source,
        // A damaged source can be purged, too: its readable parts are enough.
        Err(error) => readable_source(transaction.sql, id)?.ok_or(error)?,
    };
    // Appended before the rows are deleted: the newest event always exists, so no event id is used twice.
    let event = NewEvent::of(Action::SourcePurged).detail(source.settings.name.clone());
    insert_event(transaction, stamp, event)?;
    leave_to_withdraw(transaction, &source)?;
    keep_looks(transaction, &source)?;
    let objects = purge(transaction, &source, stamp.at)?;
    Ok(Changed {
        source_id: id,
        objects,
        edited: None,
    })
}

/// Returns a path that suits the address and conflicts with no other source's path.
fn free_path(transaction: &Transaction<'_>, address: &Address) -> rusqlite::Result<String> {
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
fn is_free(transaction: &Transaction<'_>, path: &str) -> rusqlite::Result<bool> {
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
