//! What every question of the port has in the engine: a way to read its answer from the tables. Never keeps a
//! connection.

use rusqlite::Connection;

use super::failure::Outcome;
use crate::store::damaged_row::DamagedRow;

/// The damaged rows that a read leaves out.
pub(super) type Damage = Vec<DamagedRow>;

/// A question whose answer is read from the tables.
pub trait Select<T> {
    /// Reads the answer on one state of the catalogue. Damaged rows that it leaves out are added to `damaged`.
    fn select(&self, sql: &Connection, damaged: &mut Damage) -> Outcome<T>;
}
