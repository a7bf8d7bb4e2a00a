//! Edits of sources: a patch applied to, or taken back from, the settings that the transaction reads.
//!
//! Never writes a setting outside the patch: two people may edit the same source at once.

use std::collections::HashMap;

use rusqlite::params;

use super::day_row::{day_sources, days_of};
use super::event_row::insert_event;
use super::failure::Outcome;
use super::file_set::join_sets;
use super::kept_source::{changed, kept_source, refuse_taken};
use super::provenance::keep_former_address;
use super::publication::{publish_again, refresh_publication};
use super::row::to_json;
use super::source_row::{active_word, seal_source, source_by_id};
use super::transaction::Transaction;
use crate::domain::{
    Action, Edit, NewEvent, SettingsPatch, Slot, Source, SourceId, SourceSettings, Stamp, Window,
};
use crate::store::error::StoreError;
use crate::store::types::{Changed, Edited, SourceChange};

/// Gives each source that is to be renamed a temporary name, so that names can be swapped, and returns the former
/// names.
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
        | SourceChange::EditSeen(id, ..)
        | SourceChange::TakeBack(id, _)
        | SourceChange::MakeAgain(id, _)) = change
        else {
            continue;
        };
        let present = kept_source(transaction, *id)?.settings;
        let wanted = match change {
            SourceChange::Edit(_, patch) | SourceChange::EditSeen(_, patch, _) => {
                patch.name.clone()
            }
            SourceChange::TakeBack(_, done) | SourceChange::MakeAgain(_, done) => {
                done.reversal(&present).0.name
            }
            _ => None,
        };
        if wanted.is_none_or(|wanted| wanted == present.name) || aside.contains_key(id) {
            continue;
        }
        for id in days_of(transaction.sql, *id)?.into_iter().chain([*id]) {
            rename_aside(transaction, id)?;
        }
        aside.insert(*id, present.name);
    }
    Ok(aside)
}

fn rename_aside(transaction: &Transaction<'_>, id: SourceId) -> rusqlite::Result<()> {
    // No real name has a control character. The same transaction writes the new name later.
    transaction.execute(
        "UPDATE source SET name = char(1) || id WHERE id = ?1",
        [id.0],
    )?;
    seal_source(transaction, id)
}

/// Returns the source with the name that it had before [`step_aside`].
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

/// Applies a patch to a source's present settings.
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

/// Takes an edit back for each setting that still has the edit's value, and returns the names of the others. The event
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

/// Writes the settings and an event with these words; writes nothing when no setting changes.
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
        let slot = slot_after(&source, &edit, stamp);
        write_settings(transaction, &source, &edit, slot, stamp)?;
        edit_days(transaction, id, &edit.after, stamp)?;
        let moved =
            edit.after.tags != edit.before.tags && join_sets(transaction, id, &edit.after.tags)?;
        if moved || edit.after.publish != edit.before.publish {
            refresh_publication(transaction, id)?;
        }
        if edit.after.rates != edit.before.rates {
            // Rates are recorded with a publication.
            publish_again(transaction, id)?;
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

/// Edits the days of a dated source as it was edited. Those of its window are due when they have another address.
fn edit_days(
    transaction: &Transaction<'_>,
    series: SourceId,
    after: &SourceSettings,
    stamp: &Stamp,
) -> Outcome<()> {
    let window = Window::at(stamp.at, after.dated_rules().days);
    for day in day_sources(transaction, series)? {
        let edit = edit_of_day(&day, after);
        let is_in_window = day.day.is_some_and(|of| window.first <= of.day);
        let slot = if is_in_window && edit.before.address != edit.after.address {
            Slot::containing(stamp.at)
        } else {
            day.state.next_slot
        };
        write_settings(transaction, &day, &edit, slot, stamp)?;
        if edit.after.publish != edit.before.publish {
            refresh_publication(transaction, day.id)?;
        }
        if edit.after.rates != edit.before.rates {
            publish_again(transaction, day.id)?;
        }
    }
    Ok(())
}

/// Returns the edit of a day that follows from its dated source's settings.
pub(super) fn edit_of_day(day: &Source, series: &SourceSettings) -> Edit {
    let before = day.settings.clone();
    let after = day.day.map(|of| series.on(of.day));
    Edit {
        after: after.unwrap_or_else(|| before.clone()),
        before,
    }
}

/// Returns the slot in which an edited source is due.
pub(super) fn slot_after(before: &Source, edit: &Edit, stamp: &Stamp) -> Slot {
    let state = &before.state;
    let last = state.last_attempt_at.map(Slot::containing);
    let now = Slot::containing(stamp.at);
    edit.slot_after(state.next_slot, last, state.failures, now)
}

/// Writes edited settings, and the slot in which the source is due; sets and files are the caller's task.
pub(super) fn write_settings(
    transaction: &Transaction<'_>,
    before: &Source,
    edit: &Edit,
    next_slot: Slot,
    stamp: &Stamp,
) -> Outcome<()> {
    refuse_taken(transaction, Some(before.id), &edit.after)?;
    update_source(transaction, before.id, &edit.after)?;
    edit_state(transaction, before, edit, next_slot, stamp)?;
    Ok(())
}

/// Appends the event of an edit; `words` describe the change.
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

/// Updates schedule, validators and claim after an edit.
fn edit_state(
    transaction: &Transaction<'_>,
    before: &Source,
    edit: &Edit,
    next_slot: Slot,
    stamp: &Stamp,
) -> rusqlite::Result<()> {
    let now = Slot::containing(stamp.at);
    // A new fence refuses the result of a fetch under the old settings, even one of a worker not seen for a lease.
    transaction.execute(
        "UPDATE source_state SET host = ?2, active = ?3,
             next_slot = iif(?6 AND lease_owner IS NOT NULL, min(?4, ?7), ?4),
             validators = iif(?5, NULL, validators),
             fence = iif(?6, fence + 1, fence), lease_owner = iif(?6, NULL, lease_owner)
         WHERE source_id = ?1",
        params![
            before.id.0,
            edit.after.address.host(),
            active_word(&edit.after),
            next_slot.0,
            edit.changes_request(),
            edit.outdates_fetches(),
            now.0,
        ],
    )?;
    Ok(())
}
