//! Limits on what each process of a program may use, set between fork and exec: they hold from its first instruction.
//!
//! Never judges what a program did that died by one, and never limits this process.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::process::Command;

use crate::config::ResourceLimits;

/// One limit to set.
pub(super) type Limit = (Resource, Rlimit);

/// Returns the limits that the settings ask for: at most what this process has itself, since none can be raised.
pub(super) fn limits(settings: &ResourceLimits) -> Vec<Limit> {
    let file_size = settings.file_size_bytes;
    let cpu = settings.cpu.map(|cpu| cpu.as_secs());
    let open_files = settings.open_files.map(u64::from);
    let same = |resource, most: Option<u64>| most.map(|most| within(resource, most, most));
    [
        same(Resource::Core, Some(0)),
        same(Resource::Fsize, Some(file_size)),
        // SIGXCPU at the first, which a program may catch; SIGKILL at the second.
        cpu.map(|seconds| within(Resource::Cpu, seconds, seconds + 1)),
        same(Resource::Nofile, open_files),
        // Last: until its program begins, the child is as large as this process.
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

/// Has the limits set in the child before its program begins, and has it killed when the thread that starts it ends, as
/// all do when this process is killed. What cannot be set is an error of the start.
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
    // SAFETY: this process has other threads, so the child may neither lock nor allocate before exec. The closure makes
    // one system call for its end and one for each limit, from a list that was laid out before the fork, and an error is a plain number.
    unsafe {
        command.pre_exec(set);
    }
}

/// Asks the kernel to kill this process when the thread that started it ends. The runtime's threads, which start programs,
/// live as long as the runtime.
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
