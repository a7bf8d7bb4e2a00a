//! Edits of sources: a patch laid over the settings as they are inside the transaction, or taken back.
//!
//! Never writes a setting that the patch is not about: two people may edit the same source at once.

use std::collections::HashMap;

use rusqlite::params;

use super::event_row::insert_event;
use super::failure::Outcome;
use super::file_set::join_sets;
use super::kept_source::{changed, kept_source, refuse_taken};
use super::provenance::keep_former_address;
use super::publication::refresh_publication;
use super::row::to_json;
use super::source_row::{seal_source, source_by_id};
use super::transaction::Transaction;
use crate::domain::{
    Action, Edit, NewEvent, SettingsPatch, Slot, Source, SourceId, SourceSettings, Stamp,
};
use crate::store::error::StoreError;
use crate::store::types::{Changed, Edited, SourceChange};

/// Gives the sources that get another name one that nobody has, so that names may be swapped among them, and returns the
/// names that they had.
pub(super) fn step_aside(
    transaction: &Transaction<'_>,
    changes: &[SourceChange],
) -> Outcome<HashMap<SourceId, String>> {
    let mut aside = HashMap::new();
    if changes.len() < 2 {
        return Ok(aside);
    }
    for change in changes {
        let (SourceChange::Edit(id, _)
        | SourceChange::TakeBack(id, _)
        | SourceChange::MakeAgain(id, _)) = change
        else {
            continue;
        };
        let present = kept_source(transaction, *id)?.settings;
        let wanted = match change {
            SourceChange::Edit(_, patch) => patch.name.clone(),
            SourceChange::TakeBack(_, done) | SourceChange::MakeAgain(_, done) => {
                done.reversal(&present).0.name
            }
            _ => None,
        };
        if wanted.is_none_or(|wanted| wanted == present.name) || aside.contains_key(id) {
            continue;
        }
        // No name has a control character. The name that comes is written in its turn, by the same transaction.
        transaction.execute(
            "UPDATE source SET name = char(1) || id WHERE id = ?1",
            [id.0],
        )?;
        seal_source(transaction, *id)?;
        aside.insert(*id, present.name);
    }
    Ok(aside)
}

/// Returns the source as it was before it stepped aside.
pub(super) fn as_before(
    transaction: &Transaction<'_>,
    id: SourceId,
    aside: &mut HashMap<SourceId, String>,
) -> Outcome<Source> {
    let mut source = kept_source(transaction, id)?;
    if let Some(name) = aside.remove(&id) {
        source.settings.name = name;
    }
    Ok(source)
}

/// Lays a patch over a source's settings as they are now.
pub(super) fn edit(
    transaction: &Transaction<'_>,
    before: Source,
    patch: &SettingsPatch,
    stamp: &Stamp,
) -> Outcome<Changed> {
    let edit = lay_over(before.settings.clone(), patch)?;
    let words = edit.differences();
    write_edit(transaction, before, edit, &words, Vec::new(), stamp)
}

/// Takes an edit back where its settings are still as it made them, and says of the others that they were left alone. Its event
/// begins with `word`.
pub(super) fn take_back(
    transaction: &Transaction<'_>,
    before: Source,
    done: &Edit,
    word: &str,
    stamp: &Stamp,
) -> Outcome<Changed> {
    let (patch, left_alone) = done.reversal(&before.settings);
    let edit = lay_over(before.settings.clone(), &patch)?;
    let mut words = edit.differences();
    if let Some(first) = words.first_mut() {
        first.insert_str(0, &format!("{word}: "));
        if !left_alone.is_empty() {
            words.push(format!("left alone: {}", left_alone.join(", ")));
        }
    }
    write_edit(transaction, before, edit, &words, left_alone, stamp)
}

pub(super) fn lay_over(before: SourceSettings, patch: &SettingsPatch) -> Outcome<Edit> {
    let after = patch.apply_to(&before).map_err(StoreError::from)?;
    Ok(Edit { before, after })
}

/// Writes the settings, and an event with these words; nothing when it was so already.
fn write_edit(
    transaction: &Transaction<'_>,
    before: Source,
    edit: Edit,
    words: &[String],
    left_alone: Vec<&'static str>,
    stamp: &Stamp,
) -> Outcome<Changed> {
    let id = before.id;
    let mut source = before;
    if edit.before != edit.after {
        write_settings(transaction, &source, &edit, stamp)?;
        let moved =
            edit.after.tags != edit.before.tags && join_sets(transaction, id, &edit.after.tags)?;
        if moved || edit.after.publish != edit.before.publish {
            refresh_publication(transaction, id)?;
        }
        insert_edited(transaction, id, words, stamp)?;
        source = source_by_id(transaction.sql, id)?;
    }
    Ok(Changed {
        edited: Some(Box::new(Edited {
            source,
            edit,
            left_alone,
        })),
        ..changed(id)
    })
}

/// Writes what an edit makes of a source's settings and of its schedule; what follows for sets and files is left to do.
pub(super) fn write_settings(
    transaction: &Transaction<'_>,
    before: &Source,
    edit: &Edit,
    stamp: &Stamp,
) -> Outcome<()> {
    refuse_taken(transaction, Some(before.id), &edit.after)?;
    update_source(transaction, before.id, &edit.after)?;
    edit_state(transaction, before, edit, stamp)?;
    Ok(())
}

/// Records an edit of which `words` say what it changed.
pub(super) fn insert_edited(
    transaction: &Transaction<'_>,
    id: SourceId,
    words: &[String],
    stamp: &Stamp,
) -> rusqlite::Result<()> {
    let event = NewEvent::of(Action::SourceEdited).source(id);
    insert_event(transaction, stamp, event.detail(words.join("; "))).map(drop)
}

fn update_source(
    transaction: &Transaction<'_>,
    id: SourceId,
    settings: &SourceSettings,
) -> rusqlite::Result<()> {
    keep_former_address(transaction, id, settings.address.as_str())?;
    transaction.execute(
        "UPDATE source SET name = ?2, address = ?3, settings = ?4 WHERE id = ?1",
        params![
            id.0,
            settings.name,
            settings.address.as_str(),
            to_json(&settings.beyond_defaults()),
        ],
    )?;
    seal_source(transaction, id)
}

/// Brings schedule, validators and claim in line with edited settings.
fn edit_state(
    transaction: &Transaction<'_>,
    before: &Source,
    edit: &Edit,
    stamp: &Stamp,
) -> rusqlite::Result<()> {
    let now = Slot::containing(stamp.at);
    let state = &before.state;
    let last = state.last_attempt_at.map(Slot::containing);
    let next_slot = edit.slot_after(state.next_slot, last, state.failures, now);
    // The fence refuses the result of a fetch that asked for something else, even one whose worker was not seen for a lease.
    transaction.execute(
        "UPDATE source_state SET host = ?2, active = ?3,
             next_slot = iif(?6 AND lease_owner IS NOT NULL, min(?4, ?7), ?4),
             etag = iif(?5, NULL, etag), last_modified = iif(?5, NULL, last_modified),
             validators_address = iif(?5, NULL, validators_address),
             validators_fields = iif(?5, NULL, validators_fields),
             fence = iif(?6, fence + 1, fence), lease_owner = iif(?6, NULL, lease_owner)
         WHERE source_id = ?1",
        params![
            before.id.0,
            edit.after.address.host(),
            edit.after.enabled,
            next_slot.0,
            edit.changes_request(),
            edit.outdates_fetches(),
            now.0,
        ],
    )?;
    Ok(())
}
