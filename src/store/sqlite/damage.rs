//! Damaged rows: text in a number's column, an unknown word, a row whose counterpart is missing.
//!
//! A list leaves a damaged row out and notes it, so sound rows are read and the reader reports what is missing.
//! Operations that delete or withdraw read strictly and stop. A damaged row is never taken for a missing one.

use rusqlite::Connection;

use super::Store;
use super::event_row::insert_event;
use super::failure::{Failure, Outcome};
use super::select::{Damage, Select};
use super::statements::Statements as _;
use super::transaction::Transaction;
use crate::domain::{Action, NewEvent, Stamp};
use crate::store::damaged_row::{DamagedRow, INDEX};
use crate::store::error::{Result, StoreError};
use crate::store::query::{Query, UnreportedDamage};

impl Store {
    /// Returns the damaged rows left out of reads since [`Self::take_damage`]; at most a thousand.
    pub fn damage(&self) -> Vec<DamagedRow> {
        self.noted().lock().iter().cloned().collect()
    }

    /// Returns and clears the noted rows; rows that are still damaged will be noted again.
    pub fn take_damage(&self) -> Vec<DamagedRow> {
        let noted = std::mem::take(&mut *self.noted().lock());
        noted.into_iter().collect()
    }

    /// Notes the damaged row of an error. Returns whether the error has one.
    pub fn note_damage(&self, error: &StoreError) -> bool {
        let row = Failure::from(error.clone()).damaged_row();
        let is_one = row.is_some();
        self.noted().add(row.into_iter().collect());
        is_one
    }

    /// Answers a question. Damaged rows that the answer leaves out are noted ([`Self::damage`]).
    pub fn read<Q: Query>(&self, query: Q) -> impl Future<Output = Result<Q::Output>> + Send {
        self.read_sound(move |sql, damaged| query.select(sql, damaged))
    }

    /// Like [`Self::read_with`], for a query that leaves damaged rows out and notes them.
    pub(super) async fn read_sound<T: Send + 'static>(
        &self,
        mut query: impl FnMut(&Connection, &mut Vec<DamagedRow>) -> Outcome<T> + Send + 'static,
    ) -> Result<T> {
        let read = self.read_with(move |sql| {
            let mut damaged = Vec::new();
            Ok((query(sql, &mut damaged)?, damaged))
        });
        let (value, damaged) = read.await?;
        self.noted().add(damaged);
        Ok(value)
    }
}

impl Select<Vec<DamagedRow>> for UnreportedDamage {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Vec<DamagedRow>> {
        let mut unreported = Vec::new();
        for row in &self.0 {
            if !is_told(sql, row)? {
                unreported.push(row.clone());
            }
        }
        Ok(unreported)
    }
}

/// Appends an event for each damaged row that no event reports yet.
pub(super) fn write_damage(
    transaction: &Transaction<'_>,
    damaged: &[DamagedRow],
    stamp: &Stamp,
) -> rusqlite::Result<()> {
    for row in damaged {
        // Another process may have reported the row meanwhile.
        if !is_told(transaction.sql, row)? {
            let event = NewEvent::of(Action::RowDamaged).detail(row.to_string());
            insert_event(transaction, stamp, event)?;
        }
    }
    Ok(())
}

/// How many of the newest events are searched for a report of the same damage.
const LOOKED_THROUGH: i64 = 20_000;

fn is_told(sql: &Connection, row: &DamagedRow) -> rusqlite::Result<bool> {
    // An index that was built anew is damaged no longer: the same words are about other damage.
    if row.table == INDEX {
        return Ok(false);
    }
    let detail = row.to_string();
    sql.any(
        "SELECT 1 FROM event e NOT INDEXED CROSS JOIN text w ON w.id = e.action_id
         WHERE e.id > (SELECT max(id) FROM event) - ?1 AND w.value = ?2 AND e.detail = ?3",
        rusqlite::params![LOOKED_THROUGH, Action::RowDamaged.as_str(), detail],
    )
}
