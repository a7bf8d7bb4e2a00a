//! The tag that identifies the processes of a run, whichever group or parent they have by now.
//!
//! A tag is one random number, set in two places. On Linux it is the hard limit of the *real-time time-out*
//! (`RLIMIT_RTTIME`), which only stops real-time processes, and those after thousands of years. Every descendant
//! inherits the limit; `setsid`, `exec` and a cleared environment do not remove it; the kernel reports it even for a
//! zombie; only root can raise it again. A descendant that lowers the limit still differs from processes outside of any
//! run. The second place is the environment (`GANNET_RUN`), for when this process itself is limited too tightly to set
//! the number.
//!
//! Never signals a process.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::resources::Limit;

/// The environment variable with a run's tag.
const VARIABLE: &str = "GANNET_RUN";
/// Prefix of a note's file name.
const NOTE: &str = "program-";

/// The tag of one run, active until dropped.
#[derive(Debug)]
pub(super) struct RunTag {
    number: u64,
}

impl RunTag {
    /// Returns a new tag with a random number.
    pub(super) fn new() -> io::Result<Self> {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        let number = inherited::fit(u64::from_ne_bytes(bytes));
        inherited::begin(number);
        Ok(Self { number })
    }

    /// Returns the limit that carries the tag; `None` when this process is limited too tightly.
    pub(super) fn limit(&self) -> Option<Limit> {
        inherited::limit(self.number)
    }

    pub(super) fn variable(&self) -> (&'static str, String) {
        (VARIABLE, self.hex())
    }

    /// Writes the tag to a file in the folder, which outlives a killed gannet. Dropping the note removes the file.
    pub(super) fn note_in(&self, folder: &Path) -> io::Result<RunNote> {
        let path = folder.join(format!("{NOTE}{}", self.hex()));
        File::create(&path)?;
        Ok(RunNote(path))
    }

    fn hex(&self) -> String {
        format!("{:016x}", self.number)
    }
}

/// The file that names a run in progress.
#[derive(Debug)]
pub(super) struct RunNote(PathBuf);

impl Drop for RunNote {
    fn drop(&mut self) {
        // A note that stays names a finished run, which is harmless.
        let _ = fs::remove_file(&self.0);
    }
}

/// Returns the tags that are noted in a folder.
pub(super) fn noted_in(folder: &Path) -> io::Result<Vec<u64>> {
    let mut tags = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let hex = name.to_str().and_then(|name| name.strip_prefix(NOTE));
        tags.extend(hex.and_then(|hex| u64::from_str_radix(hex, 16).ok()));
    }
    Ok(tags)
}

impl Drop for RunTag {
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

    use super::{Limit, RunTag, VARIABLE};

    /// The smallest hard limit of this process that leaves room for tags.
    const LEAST_ROOM: u64 = 1 << 40;
    /// The tags of the runs in progress.
    static IN_FORCE: Mutex<Vec<u64>> = Mutex::new(Vec::new());

    /// Maps a random number into the upper half of the limits that this process may set. The lower half is left to the
    /// tags of a gannet that a verifier runs. Returns the number unchanged when this process is limited too tightly.
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

    impl RunTag {
        /// Returns whether a child of this process belongs to this run, or to a finished one.
        pub(in crate::verify) fn is_on(&self, child: Pid) -> bool {
            match limit_of(child) {
                // A tag that no run in progress has: a survivor of a finished run, or a program that lowered its limit.
                Some(limit) if limit < own_limit() => limit == self.number || !is_in_force(limit),
                Some(_) => is_in_environment(self.number, child),
                None => false,
            }
        }
    }

    /// Returns whether a process has one of these tags, in its limit or in its environment.
    pub(in crate::verify) fn carries(process: Pid, tags: &[u64]) -> bool {
        limit_of(process).is_some_and(|limit| tags.contains(&limit))
            || tags.iter().any(|tag| is_in_environment(*tag, process))
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

    /// Returns the hard limit of this process; the largest number for an unlimited one.
    fn own_limit() -> u64 {
        // On 32-bit systems the kernel takes a larger number for no limit.
        let most = u64::try_from(usize::MAX).unwrap_or(u64::MAX);
        let own = getrlimit(Resource::Rttime).maximum;
        own.unwrap_or(u64::MAX).min(most)
    }

    /// Reads the hard limit of another process, dead or alive (proc(5)); `None` once it is reaped.
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
            let (one, other) = (RunTag::new().expect("a tag"), RunTag::new().expect("a tag"));
            assert_ne!(one.number, other.number);
            for tag in [&one, &other] {
                assert!((own_limit() / 2..own_limit()).contains(&tag.number));
                assert!(tag.limit().is_some() && is_in_force(tag.number));
            }
            let number = one.number;
            drop(one);
            assert!(!is_in_force(number) && is_in_force(other.number));
        }

        #[test]
        fn this_process_has_no_mark() {
            let pid = rustix::process::getpid();
            assert_eq!(limit_of(pid), Some(own_limit()));
            assert!(!RunTag::new().expect("a tag").is_on(pid));
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
