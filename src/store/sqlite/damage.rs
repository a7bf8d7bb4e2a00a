//! Rows that cannot be read: text where a number belongs, a word that is none, a row without the one that belongs to it.
//!
//! A list leaves such a row out, and notes it: what is sound beside it is read, and whoever reads says what is missing. What would
//! delete or withdraw something reads strictly instead, and stops. Never takes a row that is damaged for one that is not there.

use rusqlite::Connection;

use super::Store;
use super::event_row::insert_event;
use super::failure::Failure;
use super::transaction::Transaction;
use crate::domain::{Action, NewEvent, Stamp};
use crate::store::damaged_row::DamagedRow;
use crate::store::error::{Result, StoreError};

impl Store {
    /// Returns the damaged rows that were left out of what was read, since [`Self::take_damage`]; the first thousand.
    pub fn damage(&self) -> Vec<DamagedRow> {
        self.noted().lock().iter().cloned().collect()
    }

    /// Returns the same and forgets them: those that still are damaged will be met again.
    pub fn take_damage(&self) -> Vec<DamagedRow> {
        let noted = std::mem::take(&mut *self.noted().lock());
        noted.into_iter().collect()
    }

    /// Notes the row that an error is about. Returns whether it is about one.
    pub fn note_damage(&self, error: &StoreError) -> bool {
        let row = Failure::from(error.clone()).damaged_row();
        let is_one = row.is_some();
        self.noted().add(row.into_iter().collect());
        is_one
    }

    /// Returns those of these rows of which no event says that they are damaged, as far as the newest events go.
    pub async fn untold_damage(&self, damaged: Vec<DamagedRow>) -> Result<Vec<DamagedRow>> {
        self.read(move |sql| {
            let mut untold = Vec::new();
            for row in &damaged {
                if !is_told(sql, &row.to_string())? {
                    untold.push(row.clone());
                }
            }
            Ok(untold)
        })
        .await
    }

    /// Like [`Self::read`], for a query that leaves damaged rows out: they are noted.
    pub(super) async fn read_sound<T: Send + 'static>(
        &self,
        mut query: impl FnMut(&Connection, &mut Vec<DamagedRow>) -> std::result::Result<T, Failure>
        + Send
        + 'static,
    ) -> Result<T> {
        let read = self.read(move |sql| {
            let mut damaged = Vec::new();
            Ok((query(sql, &mut damaged)?, damaged))
        });
        let (value, damaged) = read.await?;
        self.noted().add(damaged);
        Ok(value)
    }
}

/// Appends an event for each damaged row of which none says so yet.
pub(super) fn write_damage(
    transaction: &Transaction<'_>,
    damaged: &[DamagedRow],
    stamp: &Stamp,
) -> rusqlite::Result<()> {
    for row in damaged {
        let detail = row.to_string();
        // Another process may have been first.
        if !is_told(transaction.sql, &detail)? {
            let event = NewEvent::of(Action::RowDamaged).detail(detail);
            insert_event(transaction, stamp, event)?;
        }
    }
    Ok(())
}

/// So many events are looked through, from the newest on, for one that says the same already.
const LOOKED_THROUGH: i64 = 20_000;

fn is_told(sql: &Connection, detail: &str) -> rusqlite::Result<bool> {
    sql.prepare_cached(
        "SELECT 1 FROM event e NOT INDEXED CROSS JOIN text w ON w.id = e.action_id
         WHERE e.id > (SELECT max(id) FROM event) - ?1 AND w.value = ?2 AND e.detail = ?3",
    )?
    .exists(rusqlite::params![
        LOOKED_THROUGH,
        Action::RowDamaged.as_str(),
        detail
    ])
}
