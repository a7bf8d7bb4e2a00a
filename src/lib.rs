//! gannet fetches the files that you depend on, keeps every version of each, judges every version with your own
//! verifiers, and publishes only what passed.

pub mod app;
pub mod archive;
pub mod clock;
pub mod config;
pub mod domain;
pub mod net;
pub mod store;
pub mod verify;
pub mod worker;
