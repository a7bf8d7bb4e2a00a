//! Which verifiers have judged the published versions.

use std::collections::BTreeSet;

use super::Store;
use super::row::{Columns, to_json};
use super::sql_damage::{read_row, sound_rows};
use crate::domain::SourceId;
use crate::store::error::Result;

impl Store {
    /// Returns, for each given source (or every source) with a published version, the names of the verifiers that have
    /// a verdict on that version. Sources whose rows are damaged are left out ([`Store::damage`]).
    pub async fn asked_of_published(
        &self,
        sources: Option<Vec<SourceId>>,
    ) -> Result<Vec<(SourceId, BTreeSet<String>)>> {
        self.read_sound(move |sql, damaged| {
            let only = match &sources {
                Some(_) => "AND t.source_id IN (SELECT value FROM json_each(?1))",
                None => "AND ?1 = '[]'",
            };
            let mut statement =
                sql.prepare_cached(&format!("{ASKED} {only} ORDER BY t.source_id"))?;
            let value = sources.as_ref().map_or_else(|| "[]".to_owned(), to_json);
            let rows = statement.query_map([value], |row| {
                read_row("source_state", row, |columns: &mut Columns<'_>| {
                    Ok((SourceId(columns.get()?), columns.json()?))
                })
            })?;
            Ok(sound_rows(rows, damaged)?)
        })
        .await
    }
}

const ASKED: &str = "SELECT t.source_id, (SELECT json_group_array(n.value) FROM (SELECT DISTINCT d.verifier_id AS id FROM verdict d
         WHERE d.version_id = t.published_version_id) a CROSS JOIN text n ON n.id = a.id) AS verifiers
     FROM source_state t WHERE t.published_version_id IS NOT NULL";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema::query_plan;

    #[test]
    fn verdicts_are_found_by_their_version() {
        let plan = query_plan(ASKED);
        assert!(!plan.contains("SCAN d"), "{plan}");
    }
}
