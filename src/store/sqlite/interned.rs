//! Interned rows that decide: texts (names and fingerprints of verifiers), definitions of fingerprints, editions. Each
//! has a checksum of its values.
//!
//! Never repairs a row, and never uses one that does not fit its checksum.

use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{FromSql, FromSqlResult, ValueRef};

use super::row::Columns;
use super::sql_damage::damaged_error;
use crate::store::damaged_row::DamagedRow;

/// Adds the SQL function `row_checksum(…)`: 64-bit FNV-1a (RFC 9923) of any values; a changed byte always shows.
pub(super) fn add_row_checksum(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function(c"row_checksum", -1, flags, |values| {
        Ok(row_checksum(values).cast_signed())
    })
}

fn row_checksum(values: &Context<'_>) -> u64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    let mut hash = OFFSET;
    for index in 0..values.len() {
        let value = values.get_raw(index);
        let kind = value.data_type() as u8;
        hash = match value {
            ValueRef::Null => add(hash, kind, &[]),
            ValueRef::Integer(number) => add(hash, kind, &number.to_le_bytes()),
            ValueRef::Real(number) => add(hash, kind, &number.to_le_bytes()),
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => add(hash, kind, bytes),
        };
    }
    hash
}

/// Hashes a value: the number of its type, its bytes, and their count.
fn add(hash: u64, kind: u8, bytes: &[u8]) -> u64 {
    const PRIME: u64 = 0x0100_0000_01b3;
    let length = (bytes.len() as u64).to_le_bytes();
    let all = [kind].into_iter().chain(bytes.iter().copied());
    all.chain(length).fold(hash, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(PRIME)
    })
}

/// The text of a row `alias` of the table `text`, or its id when the row does not fit its checksum. Read by [`text`].
macro_rules! sound_text {
    ($alias:literal) => {
        concat!(
            "CASE WHEN ",
            $alias,
            ".checksum = row_checksum(",
            $alias,
            ".id, ",
            $alias,
            ".value) THEN ",
            $alias,
            ".value ELSE ",
            $alias,
            ".id END"
        )
    };
}
pub(super) use sound_text;

/// The definition behind the fingerprint of a verdict `d`, from `definition p`; its id when the row is missing or does
/// not fit. Read by [`definition`].
pub(super) const DEFINITION: &str = "CASE WHEN p.checksum = row_checksum(p.fingerprint_id, p.value) THEN p.value ELSE d.fingerprint_id END";

/// Whether the row of an edition `e` fits its checksum.
macro_rules! edition_fits {
    () => {
        "coalesce(e.checksum = row_checksum(e.id, e.set_name, e.at, e.state, e.key, e.policy_revision), 0)"
    };
}
pub(super) use edition_fits;

/// A value of a sound row, or the id of one that does not fit its checksum.
enum Checked {
    Sound(String),
    Damaged(i64),
}

impl FromSql for Checked {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Integer(id) => Ok(Self::Damaged(id)),
            value => String::column_result(value).map(Self::Sound),
        }
    }
}

/// Reads a text. A row that does not fit its checksum is an error that names the row.
pub(super) fn text(columns: &mut Columns<'_>) -> rusqlite::Result<String> {
    checked(columns.get()?, "text", "it does not fit its checksum")
}

/// Reads a text that may be absent.
pub(super) fn optional_text(columns: &mut Columns<'_>) -> rusqlite::Result<Option<String>> {
    let value: Option<Checked> = columns.optional()?;
    value
        .map(|value| checked(value, "text", "it does not fit its checksum"))
        .transpose()
}

/// Reads the definition of a fingerprint; empty when it was never stored.
pub(super) fn definition(columns: &mut Columns<'_>) -> rusqlite::Result<String> {
    let reason = "it is missing, or does not fit its checksum";
    checked(columns.get()?, "definition", reason)
}

fn checked(value: Checked, table: &'static str, reason: &str) -> rusqlite::Result<String> {
    match value {
        Checked::Sound(value) => Ok(value),
        Checked::Damaged(id) => Err(damaged_error(DamagedRow {
            table,
            id: id.to_string(),
            source: None,
            reason: reason.to_owned(),
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_changed_value_always_shows() {
        let sql = Connection::open_in_memory().expect("a database");
        add_row_checksum(&sql).expect("a function");
        let checksum = |values: &str| -> i64 {
            let query = format!("SELECT row_checksum({values})");
            sql.query_row(&query, [], |row| row.get(0))
                .expect("a number")
        };
        let values = [
            "7, 'good'",
            "6, 'good'",
            "7, 'goof'",
            "7, 'goo'",
            "7, x'676f6f64'",
            "7, NULL",
            "'7', 'good'",
            "7, 'go', 'od'",
            "7, ''",
            "7",
        ];
        for (index, one) in values.iter().enumerate() {
            for other in &values[index + 1..] {
                assert_ne!(checksum(one), checksum(other), "{one}, {other}");
            }
        }
    }
}
