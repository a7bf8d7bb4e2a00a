//! Which verifiers have judged the published versions.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::failure::Outcome;
use super::row::to_json;
use super::select::{Damage, Select};
use super::statements::Statements as _;
use crate::domain::SourceId;
use crate::store::query::AskedOfPublished;

impl Select<Vec<(SourceId, BTreeSet<String>)>> for AskedOfPublished {
    fn select(
        &self,
        sql: &Connection,
        damaged: &mut Damage,
    ) -> Outcome<Vec<(SourceId, BTreeSet<String>)>> {
        let (only, ids) = match &self.0 {
            Some(sources) => ("IN (SELECT value FROM json_each(?1))", to_json(sources)),
            None => ("<> ?1", String::new()),
        };
        let query = format!("{ASKED} AND t.source_id {only} ORDER BY t.source_id");
        Ok(
            sql.sound("source_state", &query, [ids], damaged, |columns| {
                Ok((SourceId(columns.get()?), columns.json()?))
            })?,
        )
    }
}

const ASKED: &str = "SELECT t.source_id, (SELECT json_group_array(n.value) FROM (SELECT DISTINCT d.verifier_id AS id FROM verdict d
         WHERE d.version_id = t.published_version_id) a CROSS JOIN text n ON n.id = a.id) AS verifiers
     FROM source_state t WHERE t.published_version_id IS NOT NULL";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema::assert_plan;

    #[test]
    fn verdicts_are_found_by_their_version() {
        assert_plan(ASKED, &[], &["SCAN d"]);
    }
}
