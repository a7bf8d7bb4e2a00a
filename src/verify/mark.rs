//! The mark by which the processes of a run are known, wherever they went: never what is done to them.
//!
//! A mark is one random number, given in two ways. On Linux it is the hard limit of the processes' *real-time time-out*
//! (`RLIMIT_RTTIME`), which matters to real-time processes only, and to them after thousands of years. All that a
//! program starts inherits it, no `setsid`, `exec` or cleared environment sheds it, the kernel shows it even of a
//! zombie, and only root can raise a limit again: a program that lowers it still shows that it comes from some run. It
//! is in the environment too (`GANNET_RUN`), for where this process is itself so limited that there is no room.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::resources::Limit;

/// The variable that carries a run's mark.
const VARIABLE: &str = "GANNET_RUN";
/// Begins the name of a note.
const NOTE: &str = "program-";

/// The mark of one run, in force until it is dropped.
#[derive(Debug)]
pub(super) struct Mark {
    number: u64,
}

impl Mark {
    /// Returns a mark that no other run has.
    pub(super) fn new() -> io::Result<Self> {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        let number = inherited::fit(u64::from_ne_bytes(bytes));
        inherited::begin(number);
        Ok(Self { number })
    }

    /// Returns the limit that carries the mark, if there is room for one.
    pub(super) fn limit(&self) -> Option<Limit> {
        inherited::limit(self.number)
    }

    /// Returns the variable for the program's environment.
    pub(super) fn variable(&self) -> (&'static str, String) {
        (VARIABLE, self.hex())
    }

    /// Notes the mark in a folder, until the note is dropped: it is found there when this process was killed.
    pub(super) fn note_in(&self, folder: &Path) -> io::Result<Note> {
        let path = folder.join(format!("{NOTE}{}", self.hex()));
        File::create(&path)?;
        Ok(Note(path))
    }

    fn hex(&self) -> String {
        format!("{:016x}", self.number)
    }
}

/// A note that a run is in progress.
#[derive(Debug)]
pub(super) struct Note(PathBuf);

impl Drop for Note {
    fn drop(&mut self) {
        // It names a run that is over.
        let _ = fs::remove_file(&self.0);
    }
}

/// Returns the marks that are noted in a folder.
pub(super) fn noted_in(folder: &Path) -> io::Result<Vec<u64>> {
    let mut marks = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let hex = name.to_str().and_then(|name| name.strip_prefix(NOTE));
        marks.extend(hex.and_then(|hex| u64::from_str_radix(hex, 16).ok()));
    }
    Ok(marks)
}

impl Drop for Mark {
    fn drop(&mut self) {
        inherited::end(self.number);
    }
}

#[cfg(target_os = "linux")]
pub(super) use inherited::carries;

#[cfg(target_os = "linux")]
mod inherited {
    use std::sync::{Mutex, PoisonError};

    use rustix::process::{Pid, Resource, Rlimit, getrlimit};

    use super::{Limit, Mark, VARIABLE};

    /// Less room than this for numbers is too little.
    const LEAST_ROOM: u64 = 1 << 40;
    /// The marks that are in force.
    static IN_FORCE: Mutex<Vec<u64>> = Mutex::new(Vec::new());

    /// Makes a random number one that can be set as a limit, if there is room: within the upper half of what this
    /// process may set, so that a verifier may run a gannet, whose verifiers have marks too.
    pub(super) fn fit(random: u64) -> u64 {
        let half = own_limit() / 2;
        if own_limit() < LEAST_ROOM {
            return random;
        }
        half + random % half
    }

    pub(super) fn begin(number: u64) {
        let mut in_force = IN_FORCE.lock().unwrap_or_else(PoisonError::into_inner);
        in_force.push(number);
    }

    pub(super) fn end(number: u64) {
        let mut in_force = IN_FORCE.lock().unwrap_or_else(PoisonError::into_inner);
        in_force.retain(|other| *other != number);
    }

    pub(super) fn limit(number: u64) -> Option<Limit> {
        let limit = Rlimit {
            current: Some(number),
            maximum: Some(number),
        };
        (number < own_limit()).then_some((Resource::Rttime, limit))
    }

    impl Mark {
        /// Tells whether a child of this process belongs to the run, or to one that is over.
        pub(in crate::verify) fn is_on(&self, child: Pid) -> bool {
            match limit_of(child) {
                // Not the number of a run in progress: a left-over of an earlier one, or a program that hides.
                Some(limit) if limit < own_limit() => limit == self.number || !is_in_force(limit),
                Some(_) => is_in_environment(self.number, child),
                None => false,
            }
        }
    }

    /// Tells whether a process carries one of these marks, in its limit or in its environment.
    pub(in crate::verify) fn carries(process: Pid, marks: &[u64]) -> bool {
        limit_of(process).is_some_and(|limit| marks.contains(&limit))
            || marks.iter().any(|mark| is_in_environment(*mark, process))
    }

    fn is_in_environment(number: u64, process: Pid) -> bool {
        let path = format!("/proc/{}/environ", process.as_raw_nonzero());
        let entry = format!("{VARIABLE}={number:016x}");
        std::fs::read(path).is_ok_and(|environment| {
            environment
                .split(|byte| *byte == 0)
                .any(|one| one == entry.as_bytes())
        })
    }

    fn is_in_force(number: u64) -> bool {
        let in_force = IN_FORCE.lock().unwrap_or_else(PoisonError::into_inner);
        in_force.contains(&number)
    }

    /// Returns the hard limit of this process; the largest number when there is none.
    fn own_limit() -> u64 {
        // Where numbers have 32 bits, the kernel takes what does not fit for no limit.
        let most = u64::try_from(usize::MAX).unwrap_or(u64::MAX);
        let own = getrlimit(Resource::Rttime).maximum;
        own.unwrap_or(u64::MAX).min(most)
    }

    /// Reads the hard limit of another process, dead or alive (proc(5)); nothing when it is gone.
    fn limit_of(pid: Pid) -> Option<u64> {
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", pid.as_raw_nonzero()));
        let limits = limits.ok()?;
        let line = limits
            .lines()
            .find_map(|line| line.strip_prefix("Max realtime timeout"))?;
        match line.split_whitespace().nth(1)? {
            "unlimited" => Some(u64::MAX),
            number => number.parse().ok(),
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_mark_fits_and_is_told_from_others() {
            let (one, other) = (Mark::new().expect("a mark"), Mark::new().expect("a mark"));
            assert_ne!(one.number, other.number);
            for mark in [&one, &other] {
                assert!((own_limit() / 2..own_limit()).contains(&mark.number));
                assert!(mark.limit().is_some() && is_in_force(mark.number));
            }
            let number = one.number;
            drop(one);
            assert!(!is_in_force(number) && is_in_force(other.number));
        }

        #[test]
        fn this_process_has_no_mark() {
            let pid = rustix::process::getpid();
            assert_eq!(limit_of(pid), Some(own_limit()));
            assert!(!Mark::new().expect("a mark").is_on(pid));
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod inherited {
    pub(super) fn fit(random: u64) -> u64 {
        random
    }

    pub(super) fn limit(_number: u64) -> Option<super::Limit> {
        None
    }

    pub(super) fn begin(_number: u64) {}

    pub(super) fn end(_number: u64) {}
}
