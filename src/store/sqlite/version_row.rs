//! The row of a version, checked: a bit flip that makes it look like another version's row is damage.
//!
//! A row has its content's digest, which must equal its blob's, and a checksum of id, source, ordinal, blob, name, time
//! and state. Whether the table, an index or a reference led to the row, its values fit together or are damage.
//!
//! Never repairs anything, and never reports an unreadable version as missing.

use std::borrow::Cow;

use rusqlite::Connection;
use rusqlite::types::{Type, Value};

use super::failure::{Failure, Outcome};
use super::row::Columns;
use super::statements::Statements as _;
use crate::domain::{SourceId, VersionId, VersionState};
use crate::store::error::StoreError;

/// The columns of [`read_place`], of the table `version v`.
pub(super) const PLACE_COLUMNS: &str =
    "v.id, v.source_id, v.ordinal, v.blob_id, v.name_id, v.fetched_at, v.state, v.checksum";

/// The number of these columns.
pub(super) const PLACE_WIDTH: usize = 8;

/// Checksums are remainders by this number. No power of two is a multiple of it, so one flipped bit always shows.
const PRIME: i64 = 2_147_483_647;

/// The weight of each column of [`PLACE_COLUMNS`], in order. The same numbers stand in `schema/012.sql`, and the
/// state's in `schema/020.sql`.
const WEIGHTS: [i64; 7] = [
    1_103_515_245,
    1_812_433_253,
    1_566_083_941,
    1_597_334_677,
    1_664_525,
    69_069,
    48_271,
];

/// The place of a version in its history, and its state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) id: VersionId,
    pub(super) source_id: SourceId,
    pub(super) ordinal: i64,
    pub(super) blob_id: i64,
    pub(super) name_id: i64,
    pub(super) fetched_at_ms: i64,
    pub(super) state: VersionState,
}

impl Place {
    /// Returns the checksum of a row with these values.
    pub(super) fn checksum(&self) -> i64 {
        let values = [
            self.id.0,
            self.source_id.0,
            self.ordinal,
            self.blob_id,
            self.name_id,
            self.fetched_at_ms,
            state_number(self.state),
        ];
        let products = values
            .into_iter()
            .zip(WEIGHTS)
            .map(|(value, weight)| value.rem_euclid(PRIME) * weight % PRIME);
        products.sum::<i64>() % PRIME
    }
}

/// Returns a state's number in the checksum.
fn state_number(state: VersionState) -> i64 {
    match state {
        VersionState::Pending => 1,
        VersionState::Passed => 2,
        VersionState::Failed => 3,
        VersionState::Error => 4,
        VersionState::Unverified => 5,
    }
}

/// Reads [`PLACE_COLUMNS`]; a row that does not fit its checksum is an error.
pub(super) fn read_place(columns: &mut Columns<'_>) -> rusqlite::Result<Place> {
    let id = VersionId(columns.get()?);
    let read = |columns: &mut Columns<'_>| -> rusqlite::Result<(Place, i64)> {
        let place = Place {
            id,
            source_id: SourceId(columns.get()?),
            ordinal: columns.get()?,
            blob_id: columns.get()?,
            name_id: columns.get()?,
            fetched_at_ms: columns.get()?,
            state: columns.word()?,
        };
        Ok((place, columns.get()?))
    };
    match read(columns) {
        Ok((place, checksum)) if checksum == place.checksum() => Ok(place),
        _ => Err(damaged_row(id, "it does not fit its checksum")),
    }
}

/// Reads [`PLACE_COLUMNS`] of a source's newest version beside the source's row. Returns its state; `None` without a
/// version, or when the version's row is damaged or another source's.
pub(super) fn read_newest_state(
    columns: &mut Columns<'_>,
    source: SourceId,
) -> Option<VersionState> {
    let place = read_newest(columns).ok()??;
    (place.source_id == source).then_some(place.state)
}

/// Reads [`PLACE_COLUMNS`] of a version beside another row; `None` without one. A misfit checksum is an error.
pub(super) fn read_newest(columns: &mut Columns<'_>) -> rusqlite::Result<Option<Place>> {
    columns.apart(PLACE_WIDTH, |columns| {
        if columns.is_null() {
            return Ok(None);
        }
        read_place(columns).map(Some)
    })
}

/// Returns the damage of a version's row as an SQLite error, from which [`Failure::of`] makes the store's.
pub(super) fn damaged_row(
    version: VersionId,
    reason: impl Into<Cow<'static, str>>,
) -> rusqlite::Error {
    let damage = StoreError::Damaged {
        version,
        reason: reason.into(),
    };
    rusqlite::Error::FromSqlConversionFailure(0, Type::Null, Box::new(damage))
}

/// Returns the same damage as a failure.
pub(super) fn damaged(version: VersionId, reason: &'static str) -> Failure {
    let reason = reason.into();
    StoreError::Damaged { version, reason }.into()
}

/// Returns the place of the version with this id.
pub(super) fn place_by_id(sql: &Connection, id: VersionId) -> rusqlite::Result<Option<Place>> {
    sql.first(
        &format!("SELECT {PLACE_COLUMNS} FROM version v WHERE v.id = ?1"),
        [id.0],
        |row| read_place(&mut Columns::new(row)),
    )
}

/// Returns the place of the newest version that the source's state names; its history has to end with it.
pub(super) fn newest_place(sql: &Connection, source: SourceId) -> Outcome<Option<Place>> {
    let newest: Option<i64> = sql
        .first(
            "SELECT version_id FROM source_state WHERE source_id = ?1",
            [source.0],
            |row| row.get(0),
        )?
        .flatten();
    let Some(id) = newest.map(VersionId) else {
        return Ok(None);
    };
    let place = place_by_id(sql, id)?.ok_or_else(|| damaged(id, "it is missing"))?;
    let last = "SELECT max(ordinal) FROM version WHERE source_id = ?1";
    let last = sql.only(last, [source.0], |row| row.get(0))?;
    let last = last_ordinal(sql, source, &last)?;
    if place.source_id == source && last == Some(place.ordinal) {
        return Ok(Some(place));
    }
    Err(damaged(id, "its source's history does not end with it"))
}

/// Returns the last ordinal of a source's history, from the greatest value in the column: damage leaves texts and bytes
/// there, which are greater than all numbers. The damaged version may be the last one.
pub(super) fn last_ordinal(
    sql: &Connection,
    source: SourceId,
    greatest: &Value,
) -> rusqlite::Result<Option<i64>> {
    const SOUND: &str = "SELECT max(coalesce(max(ordinal) FILTER (WHERE typeof(ordinal) = 'integer'), 0), count(*) - 1)
         FROM version WHERE source_id = ?1";
    match greatest {
        Value::Null => Ok(None),
        Value::Integer(last) => Ok(Some(*last)),
        _ => sql.only(SOUND, [source.0], |row| row.get(0)),
    }
}

/// Walks a history back from this version until `pick` returns something; `None` when it never does. A gap in the
/// history is damage.
pub(super) fn walk_back<T>(
    sql: &Connection,
    from: &Place,
    mut pick: impl FnMut(&Place) -> Option<T>,
) -> Outcome<Option<T>> {
    let mut statement = sql.prepare_cached(WALK)?;
    let rows = statement.query_map([from.source_id.0, from.ordinal], |row| {
        read_place(&mut Columns::new(row))
    })?;
    let mut steps = Steps::from(from);
    for row in rows {
        let place = row?;
        steps.take(&place)?;
        if let Some(picked) = pick(&place) {
            return Ok(Some(picked));
        }
    }
    steps.finish()?;
    Ok(None)
}

const WALK: &str =
    "SELECT v.id, v.source_id, v.ordinal, v.blob_id, v.name_id, v.fetched_at, v.state, v.checksum
     FROM version v WHERE v.source_id = ?1 AND v.ordinal <= ?2 ORDER BY v.ordinal DESC";

/// Checks a walk from one version back to the first: no row may be missing.
pub(super) struct Steps {
    source: SourceId,
    last: VersionId,
    expected: i64,
}

impl Steps {
    pub(super) fn from(place: &Place) -> Self {
        Self {
            source: place.source_id,
            last: place.id,
            expected: place.ordinal,
        }
    }

    /// Accepts the next row, which has to be the one before the last.
    pub(super) fn take(&mut self, place: &Place) -> Outcome<()> {
        if (place.source_id, place.ordinal) != (self.source, self.expected) {
            return Err(damaged(self.last, NO_NEIGHBOUR));
        }
        self.last = place.id;
        self.expected -= 1;
        Ok(())
    }

    /// Fails when the last row was not the history's first.
    pub(super) fn finish(&self) -> Outcome<()> {
        if self.expected < 0 {
            return Ok(());
        }
        Err(damaged(self.last, NO_NEIGHBOUR))
    }
}

/// The reason for a version with a missing neighbour.
pub(super) const NO_NEIGHBOUR: &str = "the history has a gap beside it";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema::assert_plan;

    const PLACE: Place = Place {
        id: VersionId(5),
        source_id: SourceId(2),
        ordinal: 3,
        blob_id: 4,
        name_id: 17,
        fetched_at_ms: 1_769_862_600_000,
        state: VersionState::Failed,
    };

    #[test]
    fn one_flipped_bit_always_shows() {
        let good = PLACE.checksum();
        for bit in 0..64 {
            let flip = 1_i64.rotate_left(bit);
            let bent = [
                Place {
                    id: VersionId(PLACE.id.0 ^ flip),
                    ..PLACE
                },
                Place {
                    source_id: SourceId(PLACE.source_id.0 ^ flip),
                    ..PLACE
                },
                Place {
                    ordinal: PLACE.ordinal ^ flip,
                    ..PLACE
                },
                Place {
                    blob_id: PLACE.blob_id ^ flip,
                    ..PLACE
                },
                Place {
                    name_id: PLACE.name_id ^ flip,
                    ..PLACE
                },
                Place {
                    fetched_at_ms: PLACE.fetched_at_ms ^ flip,
                    ..PLACE
                },
            ];
            assert!(bent.iter().all(|place| place.checksum() != good), "{bit}");
        }
    }

    #[test]
    fn another_state_always_shows() {
        for state in VersionState::ALL {
            let place = Place { state, ..PLACE };
            let is_same = state == PLACE.state;
            assert_eq!(place.checksum() == PLACE.checksum(), is_same, "{state}");
        }
    }

    #[test]
    fn neighbours_in_a_history_are_told_apart() {
        let good = PLACE.checksum();
        for source in 0..50 {
            for ordinal in 0..50 {
                let place = Place {
                    source_id: SourceId(source),
                    ordinal,
                    ..PLACE
                };
                let is_same = (source, ordinal) == (PLACE.source_id.0, PLACE.ordinal);
                assert_eq!(place.checksum() == good, is_same, "{source} {ordinal}");
            }
        }
    }

    #[test]
    fn a_history_is_walked_by_index() {
        assert_plan(
            WALK,
            &["SEARCH v USING INDEX version_ordinal"],
            &["TEMP B-TREE"],
        );
    }
}
