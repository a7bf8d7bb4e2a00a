//! Ends what a verifier's program left behind: members of its process group, and processes that left the group.
//!
//! Never touches a process that does not belong to the run that is given.
//!
//! On Linux this process adopts orphans (`PR_SET_CHILD_SUBREAPER`), so whatever escaped from a group becomes a child of
//! this process once the group is dead, and is known by the mark of its run in its environment. A process that escapes
//! *and* clears its environment is not found. Elsewhere orphans go to the system's init, which reaps them.

use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitOptions, kill_process_group, test_kill_process_group, waitpgid,
};

/// The variable that carries a run's mark.
pub(super) const MARK: &str = "GANNET_RUN";
const STEP: Duration = Duration::from_millis(1);

/// Asks the kernel to give orphans to this process.
pub(super) fn adopt_orphans() {
    // A kernel that refuses leaves escapees to init: they are then not swept, and nothing else changes.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
}

/// Kills and reaps the group and all escapees of the run `mark`; blocks until they are gone, for `limit` at most.
///
/// The group's leader must have been reaped, or this takes its exit status from whoever waits for it.
pub(super) fn clear(group: Pid, mark: &str, limit: Duration) {
    let until = Instant::now() + limit;
    let mut escapees = Escapees::new(mark);
    loop {
        // Again in each round: a member may have been about to fork.
        let _ = kill_process_group(group, Signal::KILL);
        while let Ok(Some(_)) = waitpgid(group, WaitOptions::NOHANG) {}
        // Only when the last member is dead has every escapee become a child of this process.
        let group_is_gone = test_kill_process_group(group) == Err(Errno::SRCH);
        let escapees_are_gone = escapees.sweep();
        if (group_is_gone && escapees_are_gone) || Instant::now() >= until {
            return;
        }
        thread::sleep(STEP);
    }
}

#[cfg(target_os = "linux")]
struct Escapees {
    /// The mark as it stands in an environment.
    entry: Vec<u8>,
    killed: Vec<Pid>,
}

#[cfg(target_os = "linux")]
impl Escapees {
    fn new(mark: &str) -> Self {
        Self {
            entry: format!("{MARK}={mark}").into_bytes(),
            killed: Vec::new(),
        }
    }

    /// Kills the escapees that are children of this process by now; tells whether none was left, dead or alive.
    fn sweep(&mut self) -> bool {
        let children = children();
        forgotten::reap(&children, forgotten::AGE);
        for pid in children {
            if !self.killed.contains(&pid) && self.kill(pid).is_some() {
                self.killed.push(pid);
            }
        }
        let none = self.killed.is_empty();
        self.killed.retain(|pid| {
            matches!(
                rustix::process::waitpid(Some(*pid), WaitOptions::NOHANG),
                Ok(None)
            )
        });
        none
    }

    /// Kills a child when it carries the mark. The descriptor is opened before the mark is read, so that the signal
    /// cannot reach another process that got the same number in between.
    fn kill(&self, pid: Pid) -> Option<()> {
        use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};
        let process = pidfd_open(pid, PidfdFlags::empty()).ok()?;
        let environment = std::fs::read(format!("/proc/{}/environ", pid.as_raw_nonzero())).ok()?;
        if !environment
            .split(|byte| *byte == 0)
            .any(|entry| entry == self.entry)
        {
            return None;
        }
        pidfd_send_signal(process, Signal::KILL).ok()
    }
}

/// Returns the children of every thread of this process.
#[cfg(target_os = "linux")]
fn children() -> Vec<Pid> {
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else {
        return Vec::new();
    };
    let lists = threads
        .flatten()
        .filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    lists
        .flat_map(|list| {
            list.split_whitespace()
                .filter_map(|pid| Pid::from_raw(pid.parse().ok()?))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Children that were adopted dead: an escapee that ended by itself shows no mark any more, and would stay a zombie.
#[cfg(target_os = "linux")]
mod forgotten {
    use std::sync::{Mutex, PoisonError};
    use std::time::{Duration, Instant};

    use rustix::process::{Pid, WaitOptions, waitpid};

    /// Whoever waits for a child does so long before this: a zombie of this age has nobody.
    pub(super) const AGE: Duration = Duration::from_mins(1);
    /// The zombies that were seen, and when first.
    static SEEN: Mutex<Vec<(Pid, Instant)>> = Mutex::new(Vec::new());

    /// Reaps those of `children` that have been zombies for `age`.
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

    /// Reads the state, which follows the parenthesis after the program's name (proc(5)).
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
    fn new(_mark: &str) -> Self {
        Self
    }

    #[expect(clippy::unused_self, reason = "the same interface as on Linux")]
    fn sweep(&mut self) -> bool {
        true
    }
}
