//! Answers queries for versions: one, a list, or facts of the newest.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::Store;
use super::edition_row::{edition_by_id, member_version};
use super::failure::Outcome;
use super::row::to_json;
use super::served::{served_at, served_now};
use super::version::{
    good_version_before, history, newest_of, sound_history, version_after, version_at,
    version_back, version_before, version_if_there, versions_in_force,
};
use crate::domain::{SourceId, Version, VersionId};
use crate::store::error::{Result, StoreError};
use crate::store::types::Newest;
use crate::store::version_query::{VersionQuery, VersionsQuery};

impl Store {
    /// Returns the matching version, if any. A damaged row is an error.
    pub async fn find_version(&self, query: impl Into<VersionQuery>) -> Result<Option<Version>> {
        let query = query.into();
        self.read(move |sql| find(sql, query)).await
    }

    /// Returns the matching versions. A damaged or lost row is an error.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`] for an edition that does not exist any more.
    pub async fn versions(&self, query: VersionsQuery) -> Result<Vec<Version>> {
        self.read(move |sql| list(sql, &query)).await
    }

    /// Returns the sound ones among the source's newest `limit` versions (all without a limit), newest first, and the
    /// damage of the others.
    pub async fn sound_versions(
        &self,
        source: SourceId,
        limit: Option<usize>,
    ) -> Result<(Vec<Version>, Option<StoreError>)> {
        self.read(move |sql| match history(sql, source, limit) {
            Ok(versions) => Ok((versions, None)),
            Err(error) => match error.damage() {
                Some(damage) => Ok((sound_history(sql, source, limit)?, Some(damage))),
                None => Err(error),
            },
        })
        .await
    }

    /// Returns how many versions these sources have together.
    pub async fn count_versions(&self, sources: Vec<SourceId>) -> Result<u64> {
        const COUNT: &str =
            "SELECT count(*) FROM version WHERE source_id IN (SELECT value FROM json_each(?1))";
        self.read(move |sql| {
            let count: i64 = sql
                .prepare_cached(COUNT)?
                .query_row([to_json(&sources)], |row| row.get(0))?;
            Ok(count.unsigned_abs())
        })
        .await
    }

    /// Returns facts of the newest version and of the last attempt of these sources.
    pub async fn newest(&self, sources: Vec<SourceId>) -> Result<HashMap<SourceId, Newest>> {
        self.read_sound(move |sql, damaged| newest_of(sql, &sources, damaged))
            .await
    }

    /// Returns the version of a source that consumers saw at a time, or see now. Damage of the set's edition that they
    /// see is an error.
    pub async fn served(
        &self,
        source: SourceId,
        at: Option<DateTime<Utc>>,
    ) -> Result<Option<VersionId>> {
        self.read(move |sql| match at {
            Some(time) => served_at(sql, source, time),
            None => served_now(sql, source),
        })
        .await
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
