//! The rig of all tests: a scripted origin, and what is set up over it.
//!
//! - [`Home`]: the real program in a home of its own, and the origin of its sources.
//! - [`TestApp`]: use-cases, store and worker in this process, by a clock that the test turns, and the origin of its sources.
//! - [`Client`], [`Bench`]: the client and the verifiers alone.
//!
//! Both take their configuration as an operator writes it. Nothing here leaves loopback. Raw access to the catalogue's file is
//! in [`sqlite`] only, for tests of damage and of earlier schemas.

mod app;
mod client;
mod folder;
mod gannet;
mod home;
mod left_out;
mod namespace;
mod numbers;
mod origin;
mod raw_origin;
mod redis;
mod relay;
mod release;
pub(crate) mod rows;
mod samples;
mod saved;
mod server;
mod service;
pub(crate) mod sqlite;
mod terminal;
pub(crate) mod verifiers;
mod waiting;

pub(crate) use app::{Setup, TestApp};
pub(crate) use client::{Client, JumpingClock, bytes_of, failure, fetched};
pub(crate) use folder::folder;
pub(crate) use gannet::{Gannet, PASSWORD, Said, said};
pub(crate) use home::{Home, fixture};
pub(crate) use left_out::{left_out, run_elsewhere};
pub(crate) use namespace::{in_mount_namespace, in_namespaces, namespaces};
pub(crate) use numbers::Numbers;
pub(crate) use origin::{Gate, Origin, Recorded, Reply};
pub(crate) use raw_origin::{RawOrigin, frame};
pub(crate) use redis::Redis;
pub(crate) use relay::Relay;
pub(crate) use release::{Release, SUMS_VERIFIER, plain_files, read_through, sums_of};
pub(crate) use samples::{PASS_ALL, at, fetch_section, hourly, noise, verifier};
pub(crate) use saved::Saved;
pub(crate) use server::{certificate, trusting_client};
pub(crate) use service::{Answer, Service};
pub(crate) use terminal::{Start, Terminal};
pub(crate) use waiting::{PATIENCE, comes, seen, soon, until};
