//! Ends the programs of a worker that was killed: what they started outlives it, wherever it went.
//!
//! Never touches a process without the mark of one of that worker's runs.

use std::io;
use std::path::Path;

/// Kills what is left of the runs that are noted in the folder of a worker which is dead, and waits a moment for it to be
/// gone. Returns how many processes were killed. Blocks.
#[cfg(target_os = "linux")]
pub fn end_left_behind(folder: &Path) -> io::Result<usize> {
    use std::time::{Duration, Instant};

    const LIMIT: Duration = Duration::from_secs(5);
    const STEP: Duration = Duration::from_millis(5);

    let marks = match super::mark::noted_in(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        marks => marks?,
    };
    let mut killed = std::collections::HashSet::new();
    let until = Instant::now() + LIMIT;
    // Again until none is left: one may have been about to start another.
    while !marks.is_empty() && Instant::now() < until {
        let found = linux::kill_marked(&marks)?;
        if found.is_empty() {
            break;
        }
        killed.extend(found);
        std::thread::sleep(STEP);
    }
    Ok(killed.len())
}

/// Does nothing: there are no marks to know a process by.
#[cfg(not(target_os = "linux"))]
pub fn end_left_behind(_folder: &Path) -> io::Result<usize> {
    Ok(0)
}

#[cfg(target_os = "linux")]
mod linux {
    use std::{fs, io};

    use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

    use crate::verify::mark::carries;

    /// Sends SIGKILL to every process with one of these marks; returns those that live.
    pub(super) fn kill_marked(marks: &[u64]) -> io::Result<Vec<i32>> {
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc")? {
            let name = entry?.file_name();
            let number = name.to_str().and_then(|name| name.parse().ok());
            let Some(pid) = number.and_then(Pid::from_raw) else {
                continue;
            };
            // Opened before the mark is read: the signal cannot reach another process that got the same number in between.
            let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else {
                continue;
            };
            if carries(pid, marks)
                && !is_dead(pid)
                && pidfd_send_signal(&process, Signal::KILL).is_ok()
            {
                found.push(pid.as_raw_nonzero().get());
            }
        }
        Ok(found)
    }

    /// Tells whether a process has ended, and waits only to be reaped (proc(5): the state follows the name).
    fn is_dead(pid: Pid) -> bool {
        let stat = fs::read(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
        let name_end = stat.iter().rposition(|byte| *byte == b')');
        name_end.is_none_or(|end| matches!(stat.get(end + 2), None | Some(b'Z' | b'X')))
    }
}
