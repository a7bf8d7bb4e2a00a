//! Kills the surviving processes of a dead worker's verifiers, whichever group or parent they have by now.
//!
//! Never touches a process without the tag of one of that worker's runs.

use std::io;
use std::path::Path;

/// Kills the survivors of the runs that are noted in a dead worker's folder, and waits briefly for their end. Returns
/// how many processes were killed. Blocks.
#[cfg(target_os = "linux")]
pub fn end_left_behind(folder: &Path) -> io::Result<usize> {
    use std::time::{Duration, Instant};

    const LIMIT: Duration = Duration::from_secs(5);
    const STEP: Duration = Duration::from_millis(5);

    let tags = match super::run_tag::noted_in(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        tags => tags?,
    };
    let mut killed = std::collections::HashSet::new();
    let until = Instant::now() + LIMIT;
    // Repeated until no process is left: a process may fork just before it is killed.
    while !tags.is_empty() && Instant::now() < until {
        let found = linux::kill_tagged(&tags)?;
        if found.is_empty() {
            break;
        }
        killed.extend(found);
        std::thread::sleep(STEP);
    }
    Ok(killed.len())
}

/// Does nothing: without tags no process can be recognised.
#[cfg(not(target_os = "linux"))]
pub fn end_left_behind(_folder: &Path) -> io::Result<usize> {
    Ok(0)
}

#[cfg(target_os = "linux")]
mod linux {
    use std::{fs, io};

    use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

    use crate::verify::run_tag::carries;

    /// Sends SIGKILL to every process with one of these tags. Returns the processes that are still alive.
    pub(super) fn kill_tagged(tags: &[u64]) -> io::Result<Vec<i32>> {
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc")? {
            let name = entry?.file_name();
            let number = name.to_str().and_then(|name| name.parse().ok());
            let Some(pid) = number.and_then(Pid::from_raw) else {
                continue;
            };
            // Opened before the tag is read: the signal cannot hit another process that got the same number in between.
            let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else {
                continue;
            };
            if carries(pid, tags)
                && !is_dead(pid)
                && pidfd_send_signal(&process, Signal::KILL).is_ok()
            {
                found.push(pid.as_raw_nonzero().get());
            }
        }
        Ok(found)
    }

    /// Returns whether a process is a zombie (proc(5): the state follows the name).
    fn is_dead(pid: Pid) -> bool {
        let stat = fs::read(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
        let name_end = stat.iter().rposition(|byte| *byte == b')');
        name_end.is_none_or(|end| matches!(stat.get(end + 2), None | Some(b'Z' | b'X')))
    }
}
