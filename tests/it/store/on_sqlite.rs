//! The contract over SQLite.

use super::engine::{Catalogue, Sqlite as Engine};

#[path = "contract/mod.rs"]
pub(super) mod contract;
