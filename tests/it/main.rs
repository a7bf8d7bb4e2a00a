//! The integration tests: one binary, a module for each part.

mod archive;
mod config;
mod layers;
mod net;
mod net_faults;
mod net_guard;
mod net_rig;
mod origin;
mod store;
mod verify;
