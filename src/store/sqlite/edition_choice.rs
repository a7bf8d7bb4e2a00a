//! Which edition of a set readers are to see: read newest first, each checked against its verdicts and members.
//!
//! Never publishes or withdraws because of a damaged row.

use rusqlite::{Connection, params};

use super::edition_row::{damaged_edition, edition_by_id, member_version};
use super::failure::{Failure, Outcome};
use super::interned::edition_fits;
use super::known_policy::weights_of_set;
use super::row::Columns;
use super::select::{Damage, Select};
use super::sql_damage::read_row;
use super::verdict_row::{newest_outcomes, read_fit};
use crate::domain::{EditionCandidate, EditionId, SetPublication, edition_to_publish};
use crate::store::judged::Judged;
use crate::store::query::DueSetPublication;

impl Select<SetPublication> for DueSetPublication {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<SetPublication> {
        let Self(set, published) = self;
        let mut statement = sql.prepare_cached(CANDIDATES)?;
        let published_id = published.map(|id| id.0);
        let rows = statement.query_map(params![set, published_id], |row| {
            read_row("edition", row, read_candidate)
        })?;
        let (mut failure, mut met) = (None, Vec::new());
        let newest_first = rows.map_while(|row| {
            let checked = row
                .map_err(Failure::from)
                .and_then(|(candidate, revision)| {
                    check_state(sql, set, candidate, revision)?;
                    met.push(candidate.id);
                    Ok(candidate)
                });
            checked.map_err(|error| failure = Some(error)).ok()
        });
        let publication = edition_to_publish(newest_first, *published);
        if let Some(error) = failure {
            return Err(error);
        }
        // Usually nothing changes.
        if publication != SetPublication::Keep {
            check_change(sql, publication, *published, &met)?;
        }
        Ok(publication)
    }
}

fn read_candidate(columns: &mut Columns<'_>) -> rusqlite::Result<(EditionCandidate, Option<i64>)> {
    let candidate = EditionCandidate {
        id: EditionId(columns.get()?),
        state: columns.word()?,
        has_failed_member: columns.get()?,
    };
    let revision = columns.optional()?;
    read_fit(columns)?;
    Ok((candidate, revision))
}

/// Checks that no damaged or lost row causes the action on a set's folder; `met` are the editions that were examined.
fn check_change(
    sql: &Connection,
    publication: SetPublication,
    published: Option<EditionId>,
    met: &[EditionId],
) -> Outcome<()> {
    for id in met {
        check_members(sql, *id)?;
    }
    // The published edition was good once: its lost row does not prove otherwise.
    let lost = published.filter(|id| !met.contains(id));
    match (publication, lost) {
        (SetPublication::Withdraw, Some(lost)) => Err(lost_edition(lost)),
        (SetPublication::Publish(other), Some(lost)) if other < lost => Err(lost_edition(lost)),
        _ => Ok(()),
    }
}

// Read newest first, usually one or two rows. An edition from before the set was configured anew, or with a source
// removed since, stays if it is published but is not published again.
const CANDIDATES: &str = concat!(
    "SELECT e.id, e.state, EXISTS (SELECT 1 FROM edition_member m
         CROSS JOIN version v ON v.id = m.version_id WHERE m.edition_id = e.id AND v.state = 'failed'), e.policy_revision,
         ",
    edition_fits!(),
    " AS checksum
     FROM edition e WHERE e.set_name = ?1
         AND (e.id = ?2 OR e.id > coalesce((SELECT past_edition_id FROM file_set WHERE name = ?1), 0)
             AND NOT EXISTS (SELECT 1 FROM edition_member m LEFT JOIN source s ON s.id = m.source_id
                 WHERE m.edition_id = e.id AND s.removed_at IS NOT NULL))
     ORDER BY e.id DESC"
);

/// Checks that an edition's state follows from its verdicts under the policy by which it was derived.
fn check_state(
    sql: &Connection,
    set: &str,
    candidate: EditionCandidate,
    revision: Option<i64>,
) -> Outcome<()> {
    let Some(weights) = weights_of_set(sql, set, revision)? else {
        return Ok(());
    };
    let (id, state) = (candidate.id, candidate.state);
    let derived = weights.state(&newest_outcomes(sql, Judged::Edition(id))?);
    if derived == state {
        return Ok(());
    }
    let reason = format!("it says {state}, and its verdicts say {derived}");
    Err(damaged_edition(id, reason))
}

/// Checks that an edition's members are those that were judged, and that the rows of their versions are sound.
fn check_members(sql: &Connection, id: EditionId) -> Outcome<()> {
    for member in &edition_by_id(sql, id)?.members {
        member_version(sql, member)?;
    }
    Ok(())
}

fn lost_edition(id: EditionId) -> Failure {
    let reason = "it is missing, and its folder is what readers see: the folder stays";
    damaged_edition(id, reason.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema::assert_plan;

    #[test]
    fn what_to_publish_is_read_from_the_newest_on() {
        assert_plan(CANDIDATES, &["edition_set"], &["TEMP B-TREE", "SCAN"]);
    }
}
