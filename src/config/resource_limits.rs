//! `[verifier.limits]`: what a verifier's program may use. Never sets a limit.

use std::time::Duration;

use serde::Deserialize;

use super::values::{cpu_time, memory, size, within};

/// What a verifier's program may use. All but `folder` are kept by the kernel, for each process by itself; none is more
/// than gannet itself may use. A core dump is never written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResourceLimits {
    /// CPU time of each process, in whole seconds (SIGXCPU, and a second later SIGKILL): not limited when not set.
    #[serde(deserialize_with = "cpu_time")]
    pub cpu: Option<Duration>,
    /// Address space of each process, in bytes; what needs more gets none: not limited when not set.
    #[serde(rename = "memory", deserialize_with = "memory")]
    pub memory_bytes: Option<u64>,
    /// The largest file that it may write (SIGXFSZ): 1 GiB.
    #[serde(rename = "file_size", deserialize_with = "size")]
    pub file_size_bytes: u64,
    /// Files that each process may have open: as many as gannet itself when not set.
    #[serde(deserialize_with = "within::<16, 1_048_576, _, _>")]
    pub open_files: Option<u32>,
    /// What the working folder may grow to, beside the copy of the content: 1 GiB. A file counts as the room that it takes
    /// on the disk, at least 4 KiB. Looked at ten times a second at most, so that a program may be a little over it
    /// before it is killed; files that are open and have no name any more are not seen, only `file_size` bounds them.
    #[serde(rename = "folder", deserialize_with = "size")]
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
