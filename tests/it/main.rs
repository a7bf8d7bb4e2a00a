//! The integration tests: one binary, a module for each part.

mod archive;
mod builtin_rules;
mod config;
mod config_builtin;
mod dashboard;
mod dashboard_terminal;
mod demo;
mod faults;
mod isolation;
mod layers;
mod main_job;
mod net;
mod net_faults;
mod net_guard;
mod net_rig;
mod notify;
mod origin;
mod program_limits;
mod rig;
mod sets;
mod store;
mod terminal;
mod verdicts;
mod verify;
mod webhook;
mod worker;
