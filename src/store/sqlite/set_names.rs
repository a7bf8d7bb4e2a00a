//! The names of sets, by their sources and by the state of their published folders.

use rusqlite::Connection;

use super::failure::Outcome;
use super::row::to_json;
use super::select::{Damage, Select};
use super::statements::Statements as _;
use crate::store::set_query::SetsQuery;

impl Select<Vec<String>> for SetsQuery {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Vec<String>> {
        Ok(match self {
            Self::Of(sources) => sql.all(OF, [to_json(sources)], |row| row.get(0))?,
            Self::Showing(sources) => sql.all(SHOWING, [to_json(sources)], |row| row.get(0))?,
            Self::Purged => sql.all(PURGED, [], |row| row.get(0))?,
        })
    }
}

const OF: &str = "SELECT DISTINCT m.set_name FROM json_each(?1) j CROSS JOIN set_member m ON m.source_id = j.value
     ORDER BY m.set_name";
const SHOWING: &str = "SELECT f.name FROM file_set f WHERE EXISTS (SELECT 1 FROM edition_member m
         WHERE m.edition_id = f.published_edition_id AND m.source_id IN (SELECT value FROM json_each(?1)))
     ORDER BY f.name";
const PURGED: &str =
    "SELECT name FROM file_set WHERE published_edition_id IS NULL AND withdrawn_at IS NULL
         AND withdrawn_because IS NOT NULL ORDER BY name";
