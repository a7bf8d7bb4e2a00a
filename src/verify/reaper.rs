//! Kills and reaps the survivors of a verifier's program: members of its process group, and processes that left the
//! group.
//!
//! Never touches a process of another run in progress.
//!
//! On Linux this process adopts orphans (`PR_SET_CHILD_SUBREAPER`), so a process that left its group becomes a child of
//! this process once its parents are dead, and its run's tag identifies it. Elsewhere orphans go to the system's init,
//! which reaps them: a process that leaves its group is not found there.

use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitOptions, kill_process_group, test_kill_process_group, waitpgid,
};

use super::run_tag::RunTag;

const STEP: Duration = Duration::from_millis(1);
/// The kernel's list of children may omit one while others end: an empty list counts only when it repeats.
const CLEAN_ROUNDS: u32 = 2;

/// Asks the kernel to give orphans to this process.
pub(super) fn adopt_orphans() {
    // Where the kernel refuses, orphans go to init and are not swept.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
}

/// Kills and reaps the group and all escapees of the run. Blocks until they are gone, for `limit` at most; a process
/// that survives (hanging inside the kernel) is reaped by a later run.
///
/// The group's leader must have been reaped already: this function would take its exit status.
pub(super) fn clear(group: Pid, tag: &RunTag, limit: Duration) {
    let until = Instant::now() + limit;
    let mut escapees = Escapees::new(tag);
    let (mut group_is_gone, mut clean_rounds) = (false, 0);
    while clean_rounds < CLEAN_ROUNDS && Instant::now() < until {
        // Stops once the group is gone: its number may be reused.
        if !group_is_gone {
            // Repeated in each round: a member may have forked meanwhile.
            let _ = kill_process_group(group, Signal::KILL);
            while let Ok(Some(_)) = waitpgid(group, WaitOptions::NOHANG) {}
            group_is_gone = test_kill_process_group(group) == Err(Errno::SRCH);
        }
        // An escapee becomes a child of this process only when its parents are dead.
        if escapees.sweep() && group_is_gone {
            clean_rounds += 1;
        } else {
            clean_rounds = 0;
            thread::sleep(STEP);
        }
    }
}

#[cfg(target_os = "linux")]
struct Escapees<'a> {
    tag: &'a RunTag,
    killed: Vec<(Pid, std::os::fd::OwnedFd)>,
}

#[cfg(target_os = "linux")]
impl<'a> Escapees<'a> {
    fn new(tag: &'a RunTag) -> Self {
        Self {
            tag,
            killed: Vec::new(),
        }
    }

    /// Kills the escapees among the children of this process. Returns whether there was none, dead or alive.
    fn sweep(&mut self) -> bool {
        use rustix::process::{WaitId, WaitIdOptions, waitid};
        use std::os::fd::AsFd as _;

        let children = children();
        forgotten::reap(&children, forgotten::AGE);
        for pid in children {
            if !self.killed.iter().any(|(killed, _)| *killed == pid)
                && let Some(process) = self.kill(pid)
            {
                self.killed.push((pid, process));
            }
        }
        let none = self.killed.is_empty();
        self.killed.retain(|(_, process)| {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
            matches!(waitid(WaitId::PidFd(process.as_fd()), options), Ok(None))
        });
        none
    }

    /// Kills a child with the tag (a zombie too), and returns its descriptor. The descriptor is opened before the tag
    /// is read, so the signal cannot hit another process that got the same number in between.
    fn kill(&self, pid: Pid) -> Option<std::os::fd::OwnedFd> {
        use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};
        let process = pidfd_open(pid, PidfdFlags::empty()).ok()?;
        if !self.tag.is_on(pid) {
            return None;
        }
        match pidfd_send_signal(&process, Signal::KILL) {
            // A process of another user cannot be signalled.
            Err(Errno::PERM) => None,
            _ => Some(process),
        }
    }
}

/// Returns the children of the main thread: orphans go to the first thread that lives, and the main thread lives as
/// long as the process.
#[cfg(target_os = "linux")]
fn children() -> Vec<Pid> {
    let main = rustix::process::getpid().as_raw_nonzero();
    let list = std::fs::read_to_string(format!("/proc/self/task/{main}/children"));
    let list = list.unwrap_or_default();
    list.split_whitespace()
        .filter_map(|pid| Pid::from_raw(pid.parse().ok()?))
        .collect()
}

/// Adopted children without a tag that nobody waits for.
#[cfg(target_os = "linux")]
mod forgotten {
    use std::sync::{Mutex, PoisonError};
    use std::time::{Duration, Instant};

    use rustix::process::{Pid, WaitOptions, waitpid};

    /// A zombie of this age has no waiter left: a waiter reaps its child much earlier.
    pub(super) const AGE: Duration = Duration::from_mins(1);
    /// Zombies with the time at which each was first seen.
    static SEEN: Mutex<Vec<(Pid, Instant)>> = Mutex::new(Vec::new());

    /// Reaps the `children` that have been zombies for `age`.
    pub(super) fn reap(children: &[Pid], age: Duration) {
        let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|(pid, since)| {
            if !is_zombie(*pid) {
                return false;
            }
            let forgotten = since.elapsed() >= age && children.contains(pid);
            !forgotten || waitpid(Some(*pid), WaitOptions::NOHANG).is_err()
        });
        let is_new = |pid: &&Pid| is_zombie(**pid) && !seen.iter().any(|(known, _)| known == *pid);
        let new: Vec<_> = children
            .iter()
            .filter(is_new)
            .map(|pid| (*pid, Instant::now()))
            .collect();
        seen.extend(new);
    }

    /// Reads a process's state, which follows the parenthesis after its name (proc(5)).
    fn is_zombie(pid: Pid) -> bool {
        let stat =
            std::fs::read(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
        let name_end = stat.iter().rposition(|byte| *byte == b')');
        name_end.is_some_and(|end| stat.get(end + 2) == Some(&b'Z'))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        #[expect(clippy::zombie_processes, reason = "this is what is tested")]
        fn a_zombie_that_nobody_waits_for_is_reaped() {
            let child = std::process::Command::new("sleep")
                .arg("1000")
                .spawn()
                .expect("a child");
            let pid = Pid::from_child(&child);
            reap(&[pid], Duration::ZERO);
            assert!(
                !SEEN
                    .lock()
                    .expect("no panic")
                    .iter()
                    .any(|(seen, _)| *seen == pid),
                "it lives"
            );
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("a child");
            while !is_zombie(pid) {
                std::thread::yield_now();
            }
            reap(&[pid], Duration::ZERO);
            assert!(is_zombie(pid), "seen for the first time");
            reap(&[pid], AGE);
            assert!(is_zombie(pid), "too young");
            reap(&[pid], Duration::ZERO);
            assert!(!is_zombie(pid));
        }
    }
}

#[cfg(not(target_os = "linux"))]
struct Escapees;

#[cfg(not(target_os = "linux"))]
impl Escapees {
    fn new(_mark: &RunTag) -> Self {
        Self
    }

    #[expect(clippy::unused_self, reason = "the same interface as on Linux")]
    fn sweep(&mut self) -> bool {
        true
    }
}
