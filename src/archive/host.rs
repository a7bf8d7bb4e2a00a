//! Which machine this is, and which start of its system: a lock that is free here, or a folder that is missing, says nothing of a process on
//! another machine.
//!
//! Never asks the network.

use std::fs;

/// Returns the machine's name, which another one may have, too.
pub(super) fn name() -> String {
    let names = rustix::system::uname();
    names.nodename().to_string_lossy().into_owned()
}

/// Returns a name that no other start of a system has, of this machine or of another one; an empty one where the system gives none.
/// Containers on one system have the same.
pub(super) fn boot() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id");
    id.map(|id| id.trim().to_owned()).unwrap_or_default()
}
