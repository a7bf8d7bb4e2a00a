//! The catalogue, on real SQLite files.

mod claims;
mod edits;
mod faults;
mod flips;
mod history;
mod invariants;
mod log;
mod notices;
mod opening;
mod provenance;
mod publishing;
mod repeats;
mod rig;
mod sets;
mod sources;
mod times;
