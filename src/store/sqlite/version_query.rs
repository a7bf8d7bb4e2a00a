//! Answers queries for versions: one, a list, or facts of the newest.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::Store;
use super::edition_row::{edition_by_id, member_version};
use super::failure::Outcome;
use super::row::to_json;
use super::select::{Damage, Select};
use super::served::{served_at, served_now};
use super::statements::Statements as _;
use super::version::{
    good_version_before, history, newest_of, newest_times, sound_history, version_after,
    version_at, version_back, version_before, version_if_there, versions_in_force,
};
use crate::domain::{Digest, SourceId, Version, VersionId};
use crate::store::error::{Result, StoreError};
use crate::store::query::{
    DigestsOf, NewestOf, NewestTimes, ServedVersion, SoundVersions, VersionCount, VersionsBefore,
};
use crate::store::types::Newest;
use crate::store::version_query::{VersionQuery, VersionsQuery};

impl Store {
    /// Returns the matching version, if any. A damaged row is an error.
    pub async fn find_version(&self, query: impl Into<VersionQuery>) -> Result<Option<Version>> {
        let query = query.into();
        self.read_with(move |sql| find(sql, query)).await
    }

    /// Returns the matching versions. A damaged or lost row is an error.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`] for an edition that does not exist any more.
    pub async fn versions(&self, query: VersionsQuery) -> Result<Vec<Version>> {
        self.read_with(move |sql| list(sql, &query)).await
    }
}

impl Select<Option<VersionId>> for ServedVersion {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Option<VersionId>> {
        let Self(source, at) = *self;
        match at {
            Some(time) => served_at(sql, source, time),
            None => served_now(sql, source),
        }
    }
}

impl Select<HashMap<SourceId, Newest>> for NewestOf {
    fn select(&self, sql: &Connection, damaged: &mut Damage) -> Outcome<HashMap<SourceId, Newest>> {
        newest_of(sql, &self.0, damaged)
    }
}

impl Select<HashMap<SourceId, DateTime<Utc>>> for NewestTimes {
    fn select(
        &self,
        sql: &Connection,
        damaged: &mut Damage,
    ) -> Outcome<HashMap<SourceId, DateTime<Utc>>> {
        newest_times(sql, &self.0, damaged)
    }
}

impl Select<HashMap<VersionId, Digest>> for DigestsOf {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<HashMap<VersionId, Digest>> {
        let digests =
            "SELECT v.id, v.digest FROM json_each(?1) j CROSS JOIN version v ON v.id = j.value";
        let rows = sql.all(digests, [to_json(&self.0)], |row| {
            // A damaged row is reported by the list of versions, not here.
            let digest = row.get(1).ok().map(Digest);
            Ok((VersionId(row.get(0)?), digest))
        })?;
        let sound = rows.into_iter();
        Ok(sound
            .filter_map(|(id, digest)| Some((id, digest?)))
            .collect())
    }
}

impl Select<u64> for VersionCount {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<u64> {
        const COUNT: &str =
            "SELECT count(*) FROM version WHERE source_id IN (SELECT value FROM json_each(?1))";
        let count: i64 = sql.only(COUNT, [to_json(&self.0)], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }
}

impl Select<(Vec<Version>, Option<StoreError>)> for SoundVersions {
    fn select(
        &self,
        sql: &Connection,
        _: &mut Damage,
    ) -> Outcome<(Vec<Version>, Option<StoreError>)> {
        let Self(source, limit) = *self;
        match history(sql, source, limit) {
            Ok(versions) => Ok((versions, None)),
            Err(error) => match error.damage() {
                Some(damage) => Ok((sound_history(sql, source, None, limit)?, Some(damage))),
                None => Err(error),
            },
        }
    }
}

impl Select<Vec<Version>> for VersionsBefore {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Vec<Version>> {
        let Self(source, before, limit) = *self;
        sound_history(sql, source, before, Some(limit))
    }
}

fn find(sql: &Connection, query: VersionQuery) -> Outcome<Option<Version>> {
    match query {
        VersionQuery::Id(id) => version_if_there(sql, id),
        VersionQuery::Back { source, steps } => version_back(sql, source, steps),
        VersionQuery::At { source, time } => version_at(sql, source, time),
        VersionQuery::GoodBefore(version) => good_version_before(sql, version),
        VersionQuery::Before(version) => version_before(sql, version),
        VersionQuery::After(version) => version_after(sql, version),
    }
}

fn list(sql: &Connection, query: &VersionsQuery) -> Outcome<Vec<Version>> {
    match query {
        VersionsQuery::Of { source, limit } => history(sql, *source, *limit),
        VersionsQuery::InForce {
            source,
            from,
            until,
            limit,
        } => versions_in_force(sql, *source, *from, *until, *limit),
        VersionsQuery::Members(edition) => {
            edition_by_id(sql, edition.id)?;
            let members = edition.members.iter();
            members.map(|member| member_version(sql, member)).collect()
        }
    }
}
