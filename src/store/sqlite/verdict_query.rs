//! Reads and records verdicts for the judging code: on a version or on an edition.

use super::Store;
use super::awaited::versions_awaiting;
use super::edition::record_on_edition;
use super::judging_death::deaths;
use super::lost_member::refuse_lost_members;
use super::refusal::refuse_unknown_refusals;
use super::set_aside::newest_unless_sound;
use super::verdict::{
    judge_version, newest_verdict, newest_verdict_of_all, verdicts_of_source, verdicts_on,
};
use crate::domain::{NewVerdict, SourceId, Stamp, Verdict, VerdictId, VersionId};
use crate::store::error::Result;
use crate::store::judged::{Awaiting, Judged, NeededRows, VerdictQuery};
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

    /// Returns all verdicts on a version, oldest first, and its count of deaths since its rules last all gave a
    /// verdict. Damaged rows are left out ([`Store::damage`]).
    pub async fn verdicts_and_deaths(&self, version: VersionId) -> Result<(Vec<Verdict>, u32)> {
        self.read_sound(move |sql, damaged| {
            Ok((verdicts_on(sql, version, damaged)?, deaths(sql, version)?))
        })
        .await
    }

    /// Returns the id of the newest verdict on a version, or on any version; 0 while there is none.
    pub async fn newest_verdict(&self, on: Option<VersionId>) -> Result<VerdictId> {
        self.read(move |sql| {
            Ok(match on {
                Some(version) => newest_verdict(sql, version)?,
                None => newest_verdict_of_all(sql)?,
            })
        })
        .await
    }

    /// Returns the newest verdict's id on a version or an edition, sound or not, when any of its verdicts is unreadable
    /// or lost; `None` when all are sound.
    pub async fn newest_among_unreadable(
        &self,
        on: impl Into<Judged>,
    ) -> Result<Option<VerdictId>> {
        let on = on.into();
        self.read(move |sql| newest_unless_sound(sql, on)).await
    }

    /// Returns the versions that wait for a verdict.
    pub async fn awaiting(&self, what: Awaiting) -> Result<Vec<(SourceId, VersionId)>> {
        self.read(move |sql| Ok(versions_awaiting(sql, what)?))
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
                let looked = self.read(move |sql| refuse_lost_members(sql, &set));
                looked.await.inspect_err(|error| {
                    self.note_damage(error);
                })
            }
            NeededRows::RefusalsOf(version) => {
                self.read(move |sql| refuse_unknown_refusals(sql, version))
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
