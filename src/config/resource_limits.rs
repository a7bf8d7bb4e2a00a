//! `[verifier.limits]`: resource limits of a verifier's program. Never sets a limit itself.

use std::time::Duration;

use serde::Deserialize;

use super::values::{cpu_time, memory, size, within};

/// The resource limits of a verifier's program. The kernel enforces all but `folder`, for each process separately, and
/// none exceeds gannet's own limit. Core dumps are never written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResourceLimits {
    /// The CPU time of each process, in whole seconds (SIGXCPU, a second later SIGKILL); `None` for no limit.
    #[serde(deserialize_with = "cpu_time")]
    pub cpu: Option<Duration>,
    /// The address space of each process, in bytes; beyond it, allocations fail. `None` for no limit.
    #[serde(rename = "memory", deserialize_with = "memory")]
    pub memory_bytes: Option<u64>,
    /// The largest file that a process may write, in bytes (SIGXFSZ); by default 1 GiB.
    #[serde(rename = "file_size", with = "size")]
    pub file_size_bytes: u64,
    /// The open files of each process; `None` for gannet's own limit.
    #[serde(deserialize_with = "within::<16, 1_048_576, _, _>")]
    pub open_files: Option<u32>,
    /// The size of the working folder without the copy of the content, in bytes; by default 1 GiB. A file counts with
    /// its size on disk, at least 4 KiB. The folder is measured at most ten times a second, so a program may exceed the
    /// limit slightly before it is killed. Deleted files that are open are not measured: `file_size` bounds them.
    #[serde(rename = "folder", with = "size")]
    pub folder_bytes: u64,
}

impl Default for ResourceLimits {
    fn default() -> Self {
        Self {
            cpu: None,
            memory_bytes: None,
            file_size_bytes: 1 << 30,
            open_files: None,
            folder_bytes: 1 << 30,
        }
    }
}
