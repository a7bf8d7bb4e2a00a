//! Reads and records verdicts for the judging code: on a version or on an edition, and which versions wait for one.

use std::collections::{BTreeSet, HashSet};

use rusqlite::{Connection, params};

use super::Store;
use super::edition::record_on_edition;
use super::failure::Outcome;
use super::judging_death::deaths;
use super::lost_member::refuse_lost_members;
use super::refusal::refuse_unknown_refusals;
use super::row::{millis, to_json};
use super::select::{Damage, Select};
use super::set_aside::newest_unless_sound;
use super::statements::Statements as _;
use super::verdict::{
    judge_version, newest_verdict, newest_verdict_of_all, verdicts_of_source, verdicts_on,
    verdicts_on_all,
};
use crate::domain::{NewVerdict, SourceId, Stamp, Verdict, VerdictId, VersionId};
use crate::store::error::Result;
use crate::store::judged::{Awaiting, Judged, NeededRows, VerdictQuery};
use crate::store::query::{
    AskedOfPublished, NewestAmongUnreadable, NewestVerdict, PromisedBy, VerdictsAndDeaths,
};
use crate::store::types::{Counted, Seen};

impl Store {
    /// Returns verdicts on versions, oldest first. Damaged rows are left out ([`Store::damage`]).
    pub async fn verdicts(&self, query: impl Into<VerdictQuery>) -> Result<Vec<Verdict>> {
        let query = query.into();
        self.read_sound(move |sql, damaged| match query {
            VerdictQuery::On(version) => verdicts_on(sql, version, damaged),
            VerdictQuery::OnAll(ref versions) => verdicts_on_all(sql, versions, damaged),
            VerdictQuery::OfSource { source, limit } => {
                verdicts_of_source(sql, source, limit, damaged)
            }
        })
        .await
    }

    /// Checks the rows that a decision needs.
    ///
    /// # Errors
    ///
    /// The damage while one of them is lost or unreadable. A member's damage is also noted ([`Store::damage`]).
    pub async fn refuse_lost(&self, rows: NeededRows) -> Result<()> {
        match rows {
            NeededRows::MembersOf(set) => {
                let looked = self.read_with(move |sql| refuse_lost_members(sql, &set));
                looked.await.inspect_err(|error| {
                    self.note_damage(error);
                })
            }
            NeededRows::RefusalsOf(version) => {
                self.read_with(move |sql| refuse_unknown_refusals(sql, version))
                    .await
            }
        }
    }

    /// Records verdicts on a version or an edition with events, and the state that follows from all its verdicts by the
    /// policy in force. Returns that state and the verdicts that count. Marks the source when its published file has to
    /// change ([`Store::publish_tasks`]).
    ///
    /// The state is derived in the same transaction, so that concurrent verdicts all count. A verdict that was
    /// overtaken since `seen` is left out: a promise that was answered meanwhile, or any verdict when somebody outside
    /// or another definition of the verifier decided since, or the policy defines the verifier otherwise by now.
    ///
    /// # Errors
    ///
    /// [`crate::store::StoreError::Missing`] when the version was purged meanwhile, or an edition with one of its
    /// members.
    pub async fn record_verdicts(
        &self,
        on: impl Into<Judged>,
        verdicts: Vec<NewVerdict>,
        seen: impl Into<Seen>,
        stamp: Stamp,
    ) -> Result<Counted> {
        let (on, seen) = (on.into(), seen.into());
        self.write(move |transaction| match on {
            Judged::Version(id) => judge_version(transaction, id, &verdicts, Some(&seen), &stamp),
            Judged::Edition(id) => {
                record_on_edition(transaction, id, &verdicts, Some(&seen), &stamp)
            }
        })
        .await
    }
}

impl Select<Vec<(SourceId, VersionId)>> for Awaiting {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Vec<(SourceId, VersionId)>> {
        let query = match self {
            Awaiting::Decision => UNJUDGED,
            Awaiting::Advice => PROMISED,
        };
        Ok(sql.all(query, [], |row| {
            Ok((SourceId(row.get(0)?), VersionId(row.get(1)?)))
        })?)
    }
}

impl Select<HashSet<VersionId>> for PromisedBy {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<HashSet<VersionId>> {
        let promised = "SELECT d.version_id FROM json_each(?1) j CROSS JOIN verdict d ON d.version_id = j.value
             WHERE d.outcome = 'pending' AND d.started_at <= ?2";
        let ids = sql.all(promised, params![to_json(&self.0), millis(self.1)], |row| {
            row.get(0)
        })?;
        Ok(ids.into_iter().map(VersionId).collect())
    }
}

impl Select<Option<VerdictId>> for NewestAmongUnreadable {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Option<VerdictId>> {
        newest_unless_sound(sql, self.0)
    }
}

impl Select<VerdictId> for NewestVerdict {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<VerdictId> {
        Ok(match self.0 {
            Some(version) => newest_verdict(sql, version)?,
            None => newest_verdict_of_all(sql)?,
        })
    }
}

impl Select<(Vec<Verdict>, u32)> for VerdictsAndDeaths {
    fn select(&self, sql: &Connection, damaged: &mut Damage) -> Outcome<(Vec<Verdict>, u32)> {
        let Self(version) = *self;
        Ok((verdicts_on(sql, version, damaged)?, deaths(sql, version)?))
    }
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

    #[test]
    fn verdicts_are_found_by_their_version() {
        assert_plan(ASKED, &[], &["SCAN d"]);
    }
}
