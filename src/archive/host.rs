//! Identity of this machine and of the present boot of its system: a free lock or a missing folder here proves nothing
//! about a process on another machine.
//!
//! Never uses the network.

use std::fs;

/// Returns the machine's name, which need not be unique.
pub(super) fn name() -> String {
    let names = rustix::system::uname();
    names.nodename().to_string_lossy().into_owned()
}

/// Returns the id of the present boot, unique among all machines; empty where the system has none. Containers on one
/// system share the id.
pub(super) fn boot() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id");
    id.map(|id| id.trim().to_owned()).unwrap_or_default()
}
