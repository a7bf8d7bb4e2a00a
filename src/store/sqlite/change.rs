//! Changes of sources by operators: add, edit, remove. All changes of a call are made, or none. Single edits are made
//! in `edit`.

use rusqlite::params;

use super::Store;
use super::damaged_source::{readable_source, refuse_lost_addresses};
use super::day_row::{day_sources, days_of, refuse_day};
use super::edit::{
    as_before, edit, edit_of_day, insert_edited, lay_over, slot_after, step_aside, take_back,
    write_settings,
};
use super::event_row::insert_event;
use super::failure::Outcome;
use super::file_set::join_sets;
use super::kept_source::{changed, kept_source};
use super::left_file::{end_left_file, forget_file, forget_unsure_looks};
use super::new_source::{add_source, free_path, is_free};
use super::publication::refresh_publication;
use super::purge::purge;
use super::row::millis;
use super::source_row::{active_word, seal_source, source_by_id};
use super::transaction::Transaction;
use super::unfit::refuse_unknown_needs;
use super::withdrawal::{is_to_withdraw, keep_looks, leave_to_withdraw, take_over_path};
use crate::domain::{
    Action, Address, Edit, NewEvent, SettingsPatch, Slot, Source, SourceId, SourceSettings, Stamp,
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
    refuse_impossible(transaction, changes)?;
    let mut aside = step_aside(transaction, changes)?;
    let mut as_before = |id| as_before(transaction, id, &mut aside);
    let done = changes.iter().map(|change| match change {
        SourceChange::Add(settings) => {
            let now = Slot::containing(stamp.at);
            add_source(transaction, settings, None, now, stamp).map(changed)
        }
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

/// Refuses a change of a day, and what damage forbids.
fn refuse_impossible(transaction: &Transaction<'_>, changes: &[SourceChange]) -> Outcome<()> {
    let purged = purged_by(transaction, changes)?;
    if !purged.is_empty() {
        refuse_unknown_needs(transaction.sql, &purged)?;
    }
    let added = changes.iter().filter_map(|change| match change {
        SourceChange::Add(settings) => Some(&settings.address),
        _ => None,
    });
    refuse_lost_addresses(transaction.sql, added)?;
    let mut sources = changes.iter().filter_map(source_of);
    sources.try_for_each(|id| refuse_day(transaction, id))
}

/// Returns the sources that are to be purged, with the days of dated ones.
fn purged_by(
    transaction: &Transaction<'_>,
    changes: &[SourceChange],
) -> rusqlite::Result<Vec<SourceId>> {
    let mut purged = Vec::new();
    for change in changes {
        if let SourceChange::Remove { id, purge: true } = change {
            purged.push(*id);
            purged.extend(days_of(transaction.sql, *id)?);
        }
    }
    Ok(purged)
}

/// Returns the source that a change is to change.
fn source_of(change: &SourceChange) -> Option<SourceId> {
    match change {
        SourceChange::Add(_) | SourceChange::Seen(..) => None,
        SourceChange::Edit(id, _)
        | SourceChange::EditSeen(id, ..)
        | SourceChange::TakeBack(id, _)
        | SourceChange::MakeAgain(id, _)
        | SourceChange::Restore(id, _)
        | SourceChange::Remove { id, .. } => Some(*id),
    }
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

fn remove(transaction: &Transaction<'_>, id: SourceId, stamp: &Stamp) -> Outcome<Changed> {
    let source = kept_source(transaction, id)?;
    for day in day_sources(transaction, id)? {
        take_away(transaction, &day, stamp)?;
    }
    take_away(transaction, &source, stamp)?;
    let left = source.state.published_version_id;
    let event = NewEvent::of(Action::SourceRemoved).source(id).version(left);
    insert_event(transaction, stamp, event)?;
    Ok(changed(id))
}

/// Removes a source or a day, without an event.
fn take_away(transaction: &Transaction<'_>, source: &Source, stamp: &Stamp) -> Outcome<()> {
    let id = source.id;
    leave_to_withdraw(transaction, source)?;
    keep_looks(transaction, source)?;
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
    Ok(())
}

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

/// Restores a removed source, with the days of a dated one.
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
    let slot = slot_after(&source, &edit, stamp);
    bring_back(transaction, &source, &edit, slot, stamp)?;
    for day in day_sources(transaction, id)? {
        let of_day = edit_of_day(&day, &edit.after);
        let slot = day.state.next_slot;
        bring_back(transaction, &day, &of_day, slot, stamp)?;
    }
    let event = NewEvent::of(Action::SourceRestored).source(id);
    insert_event(transaction, stamp, event)?;
    let differences = edit.differences();
    if !differences.is_empty() {
        insert_edited(transaction, id, &differences, stamp)?;
    }
    Ok(changed(id))
}

/// Brings a removed source or day back, without an event. It gets another published path when its former one is taken.
fn bring_back(
    transaction: &Transaction<'_>,
    source: &Source,
    edit: &Edit,
    slot: Slot,
    stamp: &Stamp,
) -> Outcome<()> {
    let (id, settings) = (source.id, &edit.after);
    // Runs before the source is back: another source may have its former name or address.
    write_settings(transaction, source, edit, slot, stamp)?;
    let path = path_again(transaction, source, &settings.address)?;
    transaction.execute(
        "UPDATE source SET removed_at = NULL, published_path = ?2, path_key = ?3 WHERE id = ?1",
        params![id.0, path, path.to_lowercase()],
    )?;
    seal_source(transaction, id)?;
    transaction.execute(
        "UPDATE source_state SET active = ?2 WHERE source_id = ?1",
        params![id.0, active_word(settings)],
    )?;
    join_sets(transaction, id, &settings.tags)?;
    transaction.execute("DELETE FROM removed_file WHERE source_id = ?1", [id.0])?;
    if path != source.published_path {
        let because = "another source has its path by now";
        end_left_file(transaction, source, because, stamp)?;
    }
    take_over_path(transaction, id, &path)?;
    refresh_publication(transaction, id)?;
    Ok(())
}

fn remove_with_history(
    transaction: &Transaction<'_>,
    id: SourceId,
    stamp: &Stamp,
) -> Outcome<Changed> {
    let source = readable(transaction, id)?;
    // Appended before the rows are deleted: the newest event always exists, so no event id is used twice.
    let event = NewEvent::of(Action::SourcePurged).detail(source.settings.name.clone());
    insert_event(transaction, stamp, event)?;
    let mut objects = Vec::new();
    for day in days_of(transaction.sql, id)? {
        objects.extend(purge_one(transaction, &readable(transaction, day)?, stamp)?);
    }
    objects.extend(purge_one(transaction, &source, stamp)?);
    Ok(Changed {
        source_id: id,
        objects,
        edited: None,
    })
}

/// Returns a source, or the readable parts of a damaged one: they are enough for a purge.
fn readable(transaction: &Transaction<'_>, id: SourceId) -> Outcome<Source> {
    match source_by_id(transaction.sql, id) {
        Ok(source) => Ok(source),
        Err(error) => readable_source(transaction.sql, id)?.ok_or(error),
    }
}

fn purge_one(
    transaction: &Transaction<'_>,
    source: &Source,
    stamp: &Stamp,
) -> Outcome<Vec<String>> {
    leave_to_withdraw(transaction, source)?;
    keep_looks(transaction, source)?;
    purge(transaction, source, stamp.at)
}
