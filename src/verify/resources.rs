//! Limits of a program's processes, set between fork and exec: they hold from its first instruction.
//!
//! Never limits this process.

use rustix::process::{Resource, Rlimit, setrlimit};
use tokio::process::Command;

/// One limit to set.
pub(super) type Limit = (Resource, Rlimit);

/// Has the limits set in the child before its program begins. One that cannot be set is an error of the start.
#[expect(
    unsafe_code,
    reason = "nothing but code between fork and exec can limit a program from its first instruction on"
)]
pub(super) fn set_at_start(command: &mut Command, limits: Vec<Limit>) {
    let set = move || {
        for &(resource, limit) in &limits {
            setrlimit(resource, limit)?;
        }
        Ok(())
    };
    // SAFETY: this process has other threads, so the child may neither lock nor allocate before exec. The closure makes
    // one system call for each limit, from a list that was laid out before the fork, and an error is a plain number.
    unsafe {
        command.pre_exec(set);
    }
}
