//! Reads and records verdicts for the judging code: on a version or on an edition.

use rusqlite::Connection;

use super::Store;
use super::awaited::versions_awaiting;
use super::edition::record_on_edition;
use super::failure::Outcome;
use super::judging_death::deaths;
use super::lost_member::refuse_lost_members;
use super::refusal::refuse_unknown_refusals;
use super::select::{Damage, Select};
use super::set_aside::newest_unless_sound;
use super::verdict::{
    judge_version, newest_verdict, newest_verdict_of_all, verdicts_of_source, verdicts_on,
};
use crate::domain::{NewVerdict, SourceId, Stamp, Verdict, VerdictId, VersionId};
use crate::store::error::Result;
use crate::store::judged::{Awaiting, Judged, NeededRows, VerdictQuery};
use crate::store::query::{NewestAmongUnreadable, NewestVerdict, VerdictsAndDeaths};
use crate::store::types::{Counted, Seen};

impl Store {
    /// Returns verdicts on versions, oldest first. Damaged rows are left out ([`Store::damage`]).
    pub async fn verdicts(&self, query: impl Into<VerdictQuery>) -> Result<Vec<Verdict>> {
        let query = query.into();
        self.read_sound(move |sql, damaged| match query {
            VerdictQuery::On(version) => verdicts_on(sql, version, damaged),
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
        Ok(versions_awaiting(sql, *self)?)
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
