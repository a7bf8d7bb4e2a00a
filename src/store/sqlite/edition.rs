//! Editions: appended with their verdicts, and the edition to publish.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::Store;
use super::edition_row::{edition_by_id, key_of, one};
use super::edition_state::{count_edition, write_checksum};
use super::event_row::insert_event;
use super::failure::Outcome;
use super::hand_verdict::{Own, end_on_editions, note_set_aside};
use super::overtaken::{is_overtaken, note_overtaken};
use super::policy_in_force::InForce;
use super::refusals::{refusals_of_contents, repeat_on_edition};
use super::row::millis;
use super::select::{Damage, Select};
use super::set_aside::{Subject, set_aside_unreadable};
use super::statements::Statements as _;
use super::transaction::Transaction;
use super::verdict_row::{insert_verdict, verdicts_on_edition};
use super::version::version_by_id;
use super::version_state::insert_verdict_event;
use crate::domain::{
    About, Digest, Edition, EditionId, EditionVerdict, NewEvent, NewVerdict, Source, Stamp,
    VersionState, combination_key, event_of_set, is_decided_by_hand,
};
use crate::store::error::Result;
use crate::store::judged::Judged;
use crate::store::query::{EditionWithId, NewestEdition, NewestKey, VerdictsOnEdition};
use crate::store::types::{Counted, Ended, NewEdition, Seen};

impl Store {
    /// Records an edition with its verdicts, its state by the policy in force, and an event. Returns the edition and
    /// the verdicts that count; a verdict of a verifier that was redefined meanwhile does not.
    ///
    /// # Errors
    ///
    /// [`crate::store::StoreError::Missing`] when a member was purged meanwhile.
    pub async fn record_edition(
        &self,
        edition: NewEdition,
        stamp: Stamp,
    ) -> Result<(Edition, Counted)> {
        self.write(move |transaction| insert_edition(transaction, &edition, &stamp))
            .await
    }
}

impl Select<Vec<EditionVerdict>> for VerdictsOnEdition {
    fn select(&self, sql: &Connection, damaged: &mut Damage) -> Outcome<Vec<EditionVerdict>> {
        verdicts_on_edition(sql, self.0, damaged)
    }
}

impl Select<Edition> for EditionWithId {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Edition> {
        edition_by_id(sql, self.0)
    }
}

impl Select<Option<Digest>> for NewestKey {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Option<Digest>> {
        Ok(key_of(sql, NEWEST, [&self.0])?)
    }
}

impl Select<Option<Edition>> for NewestEdition {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Option<Edition>> {
        one(sql, NEWEST, [&self.0])
    }
}

/// Appends an event with the state of an edition that became its set's newest again because later ones were deleted.
pub(super) fn note_edition_state(
    transaction: &Transaction<'_>,
    id: EditionId,
    stamp: &Stamp,
) -> Outcome<()> {
    let edition = edition_by_id(transaction.sql, id)?;
    let policy = transaction.policy_for_set(&edition.set)?;
    let said = verdicts_on_edition(transaction.sql, id, &mut Vec::new())?;
    let mut last = BTreeMap::new();
    for one in said {
        last.insert(one.verdict.verifier.clone(), one.verdict);
    }
    let last: Vec<_> = last.into_values().collect();
    let on = (id, edition.set.as_str());
    note_state(transaction, on, edition.state, &last, &policy, stamp)?;
    Ok(())
}

/// Reports whether a member of an edition is to be published at its own path where no file, or perhaps none, lies yet.
pub(super) fn has_leaving_member(sql: &Connection, id: EditionId) -> rusqlite::Result<bool> {
    sql.any(LEAVING, [id.0])
}

/// The newest edition of the set ?1 since the set was configured.
const NEWEST: &str = "id = (SELECT max(n.id) FROM edition n WHERE n.set_name = ?1
    AND n.id > coalesce((SELECT past_edition_id FROM file_set WHERE name = ?1), 0))";

// While a file is unsure, its record proves nothing: a process may have been killed while withdrawing it.
const LEAVING: &str =
    "SELECT 1 FROM edition_member m CROSS JOIN source_state t ON t.source_id = m.source_id
     WHERE m.edition_id = ?1 AND CASE WHEN t.published_version_id IS NULL THEN t.publish_due = 1
         ELSE t.publish_unsure <> 0 AND EXISTS (SELECT 1 FROM source s WHERE s.id = t.source_id AND s.removed_at IS NULL) END";

/// Appends verdicts on an edition; returns the state that follows and the verdicts that count. A change of state
/// appends an event.
pub(super) fn record_on_edition(
    transaction: &Transaction<'_>,
    edition: EditionId,
    verdicts: &[NewVerdict],
    seen: Option<&Seen>,
    stamp: &Stamp,
) -> Outcome<Counted> {
    let before = edition_by_id(transaction.sql, edition)?;
    let policy = transaction.policy_for_set(&before.set)?;
    let on = (edition, before.set.as_str());
    let (verdicts, ended) = append(transaction, on, verdicts, seen, &policy, stamp, |one| {
        is_overtaken(
            transaction.sql,
            Judged::Edition(edition),
            one,
            seen,
            &policy,
        )
    })?;
    if seen.is_some_and(|seen| seen.is_anew) {
        let subject = Subject::Edition(edition, &before.set);
        set_aside_unreadable(transaction, &subject, stamp)?;
    }
    let state = count_edition(transaction, edition, &policy)?;
    if state != before.state {
        let on = (edition, before.set.as_str());
        note_state(transaction, on, state, &verdicts, &policy, stamp)?;
    }
    Ok(Counted {
        state,
        verdicts,
        ended,
    })
}

/// Appends the verdicts on an edition that are not overtaken. Returns them, with the verdicts by hand that they replace
/// on other editions with the same contents.
fn append(
    transaction: &Transaction<'_>,
    (edition, set): (EditionId, &str),
    verdicts: &[NewVerdict],
    seen: Option<&Seen>,
    policy: &InForce,
    stamp: &Stamp,
    is_overtaken: impl Fn(&NewVerdict) -> rusqlite::Result<bool>,
) -> Outcome<(Vec<NewVerdict>, Vec<Ended>)> {
    let subject = Subject::Edition(edition, set);
    let (mut counted, mut ended) = (Vec::with_capacity(verdicts.len()), Vec::new());
    for verdict in verdicts {
        if is_overtaken(verdict)? {
            note_overtaken(transaction, &subject, verdict, policy, stamp)?;
        } else {
            let id = insert_verdict(transaction, subject.on(), verdict, stamp)?;
            note_set_aside(transaction, &subject, (id, verdict), stamp)?;
            insert_verdict_event(transaction, &subject, (id, verdict), policy, stamp)?;
            let own = Own::new(id, verdict, seen);
            ended.extend(end_on_editions(transaction, edition, &own, stamp)?);
            counted.push(verdict.clone());
        }
    }
    Ok((counted, ended))
}

fn insert_edition(
    transaction: &Transaction<'_>,
    edition: &NewEdition,
    stamp: &Stamp,
) -> Outcome<(Edition, Counted)> {
    let policy = transaction.policy_for_set(&edition.set)?;
    let id = insert_rows(transaction, edition, &policy, stamp)?;
    // The verdict takes refusals up to `seen` into account; a later refusal prevails.
    let versions: Vec<_> = edition.members.iter().map(|one| one.version_id).collect();
    let refusals = refusals_of_contents(transaction.sql, &edition.set, &versions)?;
    let seen = &edition.seen;
    repeat_on_edition(transaction, id, &refusals, |one| one <= seen.verdict)?;
    let on = (id, edition.set.as_str());
    let given = &edition.verdicts;
    let (verdicts, ended) = append(transaction, on, given, Some(seen), &policy, stamp, |one| {
        let is_late = || is_overtaken(transaction.sql, Judged::Edition(id), one, None, &policy);
        Ok(policy.redefines(one, seen) || is_late()?)
    })?;
    repeat_on_edition(transaction, id, &refusals, |one| one > seen.verdict)?;
    let state = count_edition(transaction, id, &policy)?;
    let said = verdicts_on_edition(transaction.sql, id, &mut Vec::new())?.into_iter();
    let said: Vec<_> = said.map(|one| one.verdict).collect();
    note_state(transaction, on, state, &said, &policy, stamp)?;
    let counted = Counted {
        state,
        verdicts,
        ended,
    };
    Ok((edition_by_id(transaction.sql, id)?, counted))
}

/// Writes the rows of an edition and of its members.
fn insert_rows(
    transaction: &Transaction<'_>,
    edition: &NewEdition,
    policy: &InForce,
    stamp: &Stamp,
) -> Outcome<EditionId> {
    for member in &edition.members {
        version_by_id(transaction.sql, member.version_id)?;
    }
    let key = combination_key(&edition.members);
    let state = policy.weights.first_state().as_str();
    let id = EditionId(transaction.insert(
        "INSERT INTO edition (set_name, at, state, key) VALUES (?1, ?2, ?3, ?4)",
        params![edition.set, millis(stamp.at), state, key.0],
    )?);
    write_checksum(transaction, id)?;
    for member in &edition.members {
        transaction.execute(
            "INSERT INTO edition_member (edition_id, source_id, version_id, name) VALUES (?1, ?2, ?3, ?4)",
            params![id.0, member.source_id.0, member.version_id.0, member.name],
        )?;
    }
    Ok(id)
}

fn note_state(
    transaction: &Transaction<'_>,
    (edition, set): (EditionId, &str),
    state: VersionState,
    verdicts: &[NewVerdict],
    policy: &InForce,
    stamp: &Stamp,
) -> rusqlite::Result<()> {
    let Some((action, detail)) = event_of_set(set, state, verdicts, &policy.weights) else {
        return Ok(());
    };
    let by_hand = is_decided_by_hand(state, verdicts, &policy.weights);
    let event = NewEvent::of(action).about(About::Edition(edition));
    let event = event.detail(detail).under(policy.revision);
    insert_event(transaction, stamp, event.by_hand(by_hand)).map(drop)
}

/// Deletes every edition that has a version of the source. For a published one, the reason is kept until the withdrawal
/// of its folder is recorded.
pub(super) fn delete_editions_with(
    transaction: &Transaction<'_>,
    source: &Source,
) -> rusqlite::Result<()> {
    let because = format!("{} was purged", source.settings.name);
    let ids = transaction.all(
        "SELECT edition_id FROM edition_member WHERE source_id = ?1",
        [source.id.0],
        |row| row.get::<_, i64>(0),
    )?;
    for id in ids {
        transaction.execute(
            "UPDATE file_set SET published_edition_id = NULL, published_at = NULL, withdrawn_because = ?2
             WHERE published_edition_id = ?1",
            params![id, because],
        )?;
        for sql in [
            "DELETE FROM edition_refusal WHERE edition_id = ?1",
            "DELETE FROM edition_verdict WHERE edition_id = ?1",
            "DELETE FROM edition_member WHERE edition_id = ?1",
            "DELETE FROM edition WHERE id = ?1",
        ] {
            transaction.execute(sql, [id])?;
        }
    }
    Ok(())
}
