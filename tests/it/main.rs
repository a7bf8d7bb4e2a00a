//! The integration tests: one binary, a module for each part.

mod archive;
mod config;
mod layers;
mod store;
