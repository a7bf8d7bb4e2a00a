//! The catalogue: a contract that every engine has to keep, and what is SQLite's own.
//!
//! Another engine is a [`engine::Catalogue`] of its own and a file like `on_sqlite.rs`, which is one line of `mod` here.

mod engine;
mod on_sqlite;
mod sqlite;
