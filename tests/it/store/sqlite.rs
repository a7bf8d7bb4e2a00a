//! What only SQLite can go through: its files, locks and schemas, damage, and rows that the store would not write. Raw SQL is the
//! point here.

mod faults;
mod flips;
mod opening;
mod paths;
mod provenance;
mod repeats;
mod times;
mod workers;

use super::on_sqlite::contract::rig::Rig;

/// Bits that are flipped here; the stress tests flip many more.
const FLIPS: usize = 200;
