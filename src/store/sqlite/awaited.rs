//! Versions that wait for a verdict: undecided ones that may change the published file, and open promises of advice.

use rusqlite::Connection;

use super::statements::Statements as _;
use crate::domain::{SourceId, VersionId};
use crate::store::judged::Awaiting;

pub(super) fn versions_awaiting(
    sql: &Connection,
    what: Awaiting,
) -> rusqlite::Result<Vec<(SourceId, VersionId)>> {
    let query = match what {
        Awaiting::Decision => UNJUDGED,
        Awaiting::Advice => PROMISED,
    };
    sql.all(query, [], |row| {
        Ok((SourceId(row.get(0)?), VersionId(row.get(1)?)))
    })
}

// Decided versions for which an advisory verifier still owes a promised verdict.
const PROMISED: &str = "SELECT DISTINCT v.source_id, v.id FROM verdict d INDEXED BY verdict_promise
     CROSS JOIN version v ON v.id = d.version_id CROSS JOIN source_state t ON t.source_id = v.source_id
     WHERE d.outcome = 'pending' AND t.version_id = v.id AND v.state NOT IN ('pending', 'error')
     AND NOT EXISTS (SELECT 1 FROM verdict n WHERE n.version_id = d.version_id AND n.verifier_id = d.verifier_id
         AND n.id > d.id)";

// Without INDEXED BY, SQLite would walk the whole table by id.
const UNJUDGED: &str = "SELECT t.source_id, v.id FROM version v INDEXED BY version_unjudged
     CROSS JOIN source_state t ON t.source_id = v.source_id CROSS JOIN source s ON s.id = v.source_id
     WHERE v.state IN ('pending', 'error') AND s.removed_at IS NULL AND (v.id = t.published_version_id
         OR v.ordinal > (SELECT w.ordinal FROM version w WHERE w.id = t.version_id) - 8
             AND v.id > coalesce(t.published_version_id,
                 iif(EXISTS (SELECT 1 FROM set_member m WHERE m.source_id = s.id), t.version_id - 1, 0)))";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema::assert_plan;

    #[test]
    fn open_promises_are_found_by_index() {
        assert_plan(
            PROMISED,
            &["USING INDEX verdict_promise"],
            &["SCAN v", "SCAN t"],
        );
    }

    #[test]
    fn what_waits_for_a_verdict_is_found_by_index() {
        assert_plan(UNJUDGED, &["version_unjudged"], &["SCAN t", "TEMP B-TREE"]);
    }
}
