//! What every engine of the store has to do. It never names one: whoever includes this says which it is.

mod claims;
mod edits;
mod history;
mod invariants;
mod log;
mod notices;
mod objects;
mod opening;
mod people;
pub(in crate::store) mod provenance;
mod publishing;
mod rates;
pub(in crate::store) mod rig;
mod sets;
mod sources;

use super::{Catalogue, Engine};
