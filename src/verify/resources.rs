//! Resource limits of a program's processes, set between fork and exec: they hold from its first instruction.
//!
//! Never limits this process, and never interprets the end of a program that hit a limit.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::process::Command;

use crate::config::ResourceLimits;

/// One limit to set.
pub(super) type Limit = (Resource, Rlimit);

/// Returns the configured limits, lowered to those of this process: no limit can be raised.
pub(super) fn limits(settings: &ResourceLimits) -> Vec<Limit> {
    let file_size = settings.file_size_bytes;
    let cpu = settings.cpu.map(|cpu| cpu.as_secs());
    let open_files = settings.open_files.map(u64::from);
    let same = |resource, most: Option<u64>| most.map(|most| within(resource, most, most));
    [
        same(Resource::Core, Some(0)),
        same(Resource::Fsize, Some(file_size)),
        // The soft limit sends SIGXCPU, which a program may catch; the hard one SIGKILL.
        cpu.map(|seconds| within(Resource::Cpu, seconds, seconds + 1)),
        same(Resource::Nofile, open_files),
        // Last: until exec, the child has the address space of this process.
        same(Resource::As, settings.memory_bytes),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn within(resource: Resource, soft: u64, hard: u64) -> Limit {
    let most = getrlimit(resource).maximum.unwrap_or(u64::MAX);
    let limit = Rlimit {
        current: Some(soft.min(most)),
        maximum: Some(hard.min(most)),
    };
    (resource, limit)
}

/// Sets the limits in the child before exec, and makes the kernel kill the child when the thread that starts it ends,
/// as happens when this process is killed. A limit that cannot be set fails the start.
#[expect(
    unsafe_code,
    reason = "nothing but code between fork and exec can limit a program from its first instruction on"
)]
pub(super) fn set_at_start(command: &mut Command, limits: Vec<Limit>) {
    let set = move || {
        end_with_parent()?;
        for &(resource, limit) in &limits {
            setrlimit(resource, limit)?;
        }
        Ok(())
    };
    // SAFETY: this process has other threads, so the child may neither lock nor allocate before exec. The closure only
    // makes system calls, one for the parent's death and one for each limit, from a list allocated before the fork; its
    // error is a plain number.
    unsafe {
        command.pre_exec(set);
    }
}

/// Asks the kernel to kill this process when the thread that started it ends. Programs are started by threads of the
/// runtime, which live as long as the runtime.
fn end_with_parent() -> rustix::io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn only_what_is_set_is_limited() {
        let resources = |settings: &ResourceLimits| {
            let limits = limits(settings).into_iter();
            limits.map(|(resource, _)| resource).collect::<Vec<_>>()
        };
        let settings = ResourceLimits::default();
        assert_eq!(resources(&settings), [Resource::Core, Resource::Fsize]);
        let all = ResourceLimits {
            cpu: Some(Duration::from_secs(10)),
            memory_bytes: Some(1 << 30),
            open_files: Some(64),
            ..settings
        };
        assert_eq!(
            resources(&all),
            [
                Resource::Core,
                Resource::Fsize,
                Resource::Cpu,
                Resource::Nofile,
                Resource::As
            ]
        );
    }
}
