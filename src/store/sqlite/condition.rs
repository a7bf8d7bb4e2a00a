//! Yes-or-no questions, each answered on one state of the catalogue.

use rusqlite::{Connection, params};

use super::archive_mark::{is_kept, is_sweep_due};
use super::chore::is_chore_due;
use super::day::is_series_due;
use super::edition::has_leaving_member;
use super::failure::Outcome;
use super::file_set::{has_members, is_tagged};
use super::select::{Damage, Select};
use super::statements::Statements as _;
use crate::store::condition::Condition;

impl Select<bool> for Condition {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<bool> {
        Ok(match self {
            Self::DatedDue(now) => is_series_due(sql, *now)?,
            Self::AnyVersion => sql.any("SELECT 1 FROM version LIMIT 1", [])?,
            Self::HasContent(source, content) => {
                let version = "SELECT 1 FROM version WHERE source_id = ?1 AND digest = ?2";
                sql.any(version, params![source.0, content.0])?
            }
            Self::Tagged(set) => is_tagged(sql, set)?,
            Self::HasMembers(set) => has_members(sql, set)?,
            Self::HasLeavingMember(edition) => has_leaving_member(sql, *edition)?,
            Self::Kept(name) => is_kept(sql, name)?,
            Self::ChoreDue { name, now, every } => is_chore_due(sql, name, *now, *every)?,
            Self::SweepDue { now, every } => is_sweep_due(sql, *now, *every)?,
        })
    }
}
