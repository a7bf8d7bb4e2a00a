//! People and tokens: who may use the service, how they sign in, and for how long.
//!
//! Passwords and secrets enter and leave as types that print nothing; only their hashes and digests reach the catalogue.

pub(in crate::app) mod hashing;
pub(in crate::app) mod password;
mod password_hash;
pub(in crate::app) mod people;
pub(in crate::app) mod secret;
pub(in crate::app) mod sessions;
pub(in crate::app) mod shared_reads;
pub(in crate::app) mod tokens;
