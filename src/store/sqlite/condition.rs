//! Yes-or-no questions, each answered on one state of the catalogue.

use rusqlite::Connection;

use super::Store;
use super::archive_mark::{is_kept, is_sweep_due};
use super::chore::is_chore_due;
use super::edition::has_leaving_member;
use super::file_set::{has_members, is_tagged};
use crate::store::condition::Condition;
use crate::store::error::Result;

impl Store {
    /// Reports whether a condition holds now.
    pub async fn holds(&self, condition: Condition) -> Result<bool> {
        self.read(move |sql| Ok(holds(sql, &condition)?)).await
    }
}

fn holds(sql: &Connection, condition: &Condition) -> rusqlite::Result<bool> {
    match condition {
        Condition::AnyVersion => sql
            .prepare_cached("SELECT 1 FROM version LIMIT 1")?
            .exists([]),
        Condition::Tagged(set) => is_tagged(sql, set),
        Condition::HasMembers(set) => has_members(sql, set),
        Condition::HasLeavingMember(edition) => has_leaving_member(sql, *edition),
        Condition::Kept(name) => is_kept(sql, name),
        Condition::ChoreDue { name, now, every } => is_chore_due(sql, name, *now, *every),
        Condition::SweepDue { now, every } => is_sweep_due(sql, *now, *every),
    }
}
