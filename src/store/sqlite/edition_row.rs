//! The rows of editions and members, checked: the members must be those that were judged.

use rusqlite::{Connection, params};

use super::failure::{Failure, Outcome};
use super::interned::edition_fits;
use super::row::to_json;
use super::sql_damage::read_row;
use super::statements::Statements as _;
use super::verdict_row::read_fit;
use super::version::version_by_id;
use super::version_row::damaged;
use crate::domain::{
    Digest, Edition, EditionId, EditionMember, SourceId, Version, VersionId, combination_key,
};
use crate::store::damaged_row::DamagedRow;
use crate::store::error::StoreError;

/// Returns the version of a member. A missing version is damage: a purge deletes the edition, too.
pub(super) fn member_version(sql: &Connection, member: &EditionMember) -> Outcome<Version> {
    let id = member.version_id;
    match version_by_id(sql, id) {
        Ok(version) if version.source_id == member.source_id => Ok(version),
        Ok(_) => Err(damaged(id, "it is another source's")),
        Err(Failure::Refused(StoreError::Missing { .. })) => Err(damaged(
            id,
            "it is missing, and an edition of a set names it",
        )),
        Err(error) => Err(error),
    }
}

pub(super) fn damaged_edition(id: EditionId, reason: String) -> Failure {
    let row = DamagedRow {
        table: "edition",
        id: id.to_string(),
        source: None,
        reason,
    };
    StoreError::DamagedRow(Box::new(row)).into()
}

pub(super) fn edition_by_id(sql: &Connection, id: EditionId) -> Outcome<Edition> {
    let missing = StoreError::Missing {
        what: "edition",
        id: id.0,
    };
    one(sql, "id = ?1", [id.0])?.ok_or(missing.into())
}

pub(super) fn one(
    sql: &Connection,
    condition: &str,
    params: impl rusqlite::Params,
) -> Outcome<Option<Edition>> {
    let query = format!(
        "SELECT e.id, e.set_name, e.at, e.state, e.policy_revision, e.key, {} AS checksum FROM edition e WHERE e.{condition}",
        edition_fits!()
    );
    let edition = sql.first(&query, params, |row| {
        read_row("edition", row, |columns| {
            let edition = Edition {
                id: EditionId(columns.get()?),
                set: columns.get()?,
                at: columns.time()?,
                state: columns.word()?,
                policy_revision: columns.get()?,
                key: Digest(columns.get()?),
                members: Vec::new(),
            };
            read_fit(columns)?;
            Ok(edition)
        })
    })?;
    edition
        .map(|edition| {
            let members = members(sql, edition.id)?;
            check_key(edition.id, &members, edition.key)?;
            Ok(Edition { members, ..edition })
        })
        .transpose()
}

/// Returns an edition's members, even when the rest of its row is damaged; none when the edition was purged.
///
/// # Errors
///
/// Damage when the members differ from those that were judged.
pub(super) fn members_judged(sql: &Connection, id: EditionId) -> Outcome<Vec<EditionMember>> {
    let members = members(sql, id)?;
    if let Some(key) = key_of(sql, "id = ?1", [id.0])? {
        check_key(id, &members, key)?;
    }
    Ok(members)
}

/// Returns the digest that identifies an edition, whatever the rest of its row holds.
pub(super) fn key_of(
    sql: &Connection,
    condition: &str,
    params: impl rusqlite::Params,
) -> rusqlite::Result<Option<Digest>> {
    let query = format!("SELECT id, key FROM edition WHERE {condition}");
    sql.first(&query, params, |row| {
        read_row("edition", row, |columns| {
            columns.get::<i64>()?;
            Ok(Digest(columns.get()?))
        })
    })
}

fn check_key(id: EditionId, members: &[EditionMember], key: Digest) -> Outcome<()> {
    if combination_key(members) == key {
        return Ok(());
    }
    let reason = "its members are other versions than those that were judged";
    Err(damaged_edition(id, reason.to_owned()))
}

const MEMBERS: &str =
    "SELECT source_id, version_id, name FROM edition_member WHERE edition_id = ?1 ORDER BY name";

pub(super) fn members(sql: &Connection, id: EditionId) -> rusqlite::Result<Vec<EditionMember>> {
    sql.all(MEMBERS, [id.0], |row| {
        read_row("edition_member", row, |columns| {
            let member = EditionMember {
                source_id: SourceId(columns.get()?),
                version_id: VersionId(columns.get()?),
                name: columns.get()?,
            };
            Ok(member)
        })
    })
}

const ALIKE_EDITIONS: &str = "SELECT e.id FROM edition e WHERE e.set_name = ?1
     AND (?3 = 0 OR e.state = 'failed' OR EXISTS (SELECT 1 FROM edition_verdict d WHERE d.edition_id = e.id AND d.outcome = 'failed'))
     AND (SELECT group_concat(hex(v.digest), '' ORDER BY v.digest) FROM edition_member m
             CROSS JOIN version v ON v.id = m.version_id WHERE m.edition_id = e.id)
         = (SELECT group_concat(hex(v.digest), '' ORDER BY v.digest) FROM json_each(?2) j
             CROSS JOIN version v ON v.id = j.value)
     ORDER BY e.id";

/// Returns the editions of a set with the contents of these versions, whatever their sources were called, oldest first;
/// with `only_failed` those that failed, or that a verifier failed.
pub(super) fn alike_editions(
    sql: &Connection,
    set: &str,
    versions: &[VersionId],
    only_failed: bool,
) -> rusqlite::Result<Vec<EditionId>> {
    sql.all(
        ALIKE_EDITIONS,
        params![set, to_json(&versions), only_failed],
        |row| row.get(0).map(EditionId),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema::assert_plan;

    #[test]
    fn the_same_contents_are_found_by_index() {
        assert_plan(ALIKE_EDITIONS, &["edition_set"], &["SCAN e"]);
    }
}
