//! The names of sets, by their sources and by the state of their published folders.

use super::Store;
use super::row::to_json;
use crate::store::error::Result;
use crate::store::set_query::SetsQuery;

impl Store {
    /// Returns the names of the matching sets, in order.
    pub async fn set_names(&self, query: SetsQuery) -> Result<Vec<String>> {
        self.read(move |sql| {
            let names = |query: &str, params: &[String]| -> rusqlite::Result<Vec<String>> {
                let mut statement = sql.prepare_cached(query)?;
                let rows =
                    statement.query_map(rusqlite::params_from_iter(params), |row| row.get(0))?;
                rows.collect()
            };
            Ok(match &query {
                SetsQuery::Of(sources) => names(OF, &[to_json(sources)])?,
                SetsQuery::Showing(sources) => names(SHOWING, &[to_json(sources)])?,
                SetsQuery::Purged => names(PURGED, &[])?,
            })
        })
        .await
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
