//! Thousands of bits that flip in the catalogue's file: the test of the store, with more of them.

use engine::{Catalogue, Sqlite as Engine};
use rig::Rig;

#[path = "../it/store/engine.rs"]
mod engine;
#[path = "../it/store/sqlite/flips.rs"]
mod flips;
#[path = "../it/store/contract/rig.rs"]
mod rig;

const FLIPS: usize = 2_000;
