//! The stress tests: processes that are killed hundreds of times, a thousand hostile programs, a clock that jumps under the real
//! program, a service under siege, thousands of bits that flip. `cargo test` leaves them out, since they keep every core busy for minutes; `.ci/run` runs them, as
//! `cargo test --test stress` does. No bound in them is about how fast the machine is.

#[path = "../rig/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the other tests use more of it")]
mod rig;

mod clock;
mod isolation;
mod kills;
mod knife;
mod message_faults;
mod message_readers;
mod messages;
mod senders;
mod service;
mod set_kills;
#[allow(dead_code, reason = "the other tests use more of it")]
mod store;
