//! Finds the process that locks the catalogue, and whether any process has it open, from the system's records. Never
//! opens the catalogue's files: closing one would drop this process's own locks.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Returns the process that holds the catalogue at `path` for writing (Linux only: `/proc/locks`).
pub(super) fn holder_of(path: &Path) -> Option<u32> {
    let locks = read_locks()?;
    // In WAL mode a writer locks a byte of the shared memory.
    [&shared_memory(path), path].into_iter().find_map(|file| {
        let inode = std::fs::metadata(file).ok()?.ino();
        locks.lines().find_map(|line| writer_in(line, inode))
    })
}

/// Reports whether a process has the shared memory of the catalogue at `path` open, which locks a byte of it. `false`
/// without such a file; `true` on systems other than Linux, which do not show locks.
pub(super) fn is_shared(path: &Path) -> bool {
    let Ok(found) = std::fs::metadata(shared_memory(path)) else {
        return false;
    };
    read_locks().is_none_or(|locks| locks.lines().any(|line| is_lock_on(line, found.ino())))
}

fn read_locks() -> Option<String> {
    std::fs::read_to_string("/proc/locks").ok()
}

fn shared_memory(path: &Path) -> PathBuf {
    let mut shared = path.as_os_str().to_owned();
    shared.push("-shm");
    shared.into()
}

/// Reports whether a line of `/proc/locks` is a lock on the file `inode`, of any kind.
fn is_lock_on(line: &str, inode: u64) -> bool {
    let fields: Vec<_> = line.split_whitespace().collect();
    let [_, "POSIX", _, _, _, file, ..] = fields[..] else {
        return false;
    };
    file.rsplit_once(':')
        .is_some_and(|(_, number)| number.parse() == Ok(inode))
}

/// Reads a line such as `1: POSIX  ADVISORY  WRITE 1234 08:01:99 120 120`.
fn writer_in(line: &str, inode: u64) -> Option<u32> {
    let fields: Vec<_> = line.split_whitespace().collect();
    let [_, "POSIX", _, "WRITE", process, file, ..] = fields[..] else {
        return None;
    };
    let (_, number) = file.rsplit_once(':')?;
    (number.parse() == Ok(inode))
        .then(|| process.parse().ok())
        .flatten()
        // A process of another container shows as 0.
        .filter(|process| *process > 0)
}

#[cfg(test)]
mod tests {
    use super::{is_lock_on, writer_in};

    #[test]
    fn only_writers_of_the_file_are_found() {
        for (line, expected) in [
            (
                "1: POSIX  ADVISORY  WRITE 1234 08:01:99 120 120",
                Some(1234),
            ),
            ("1: POSIX  ADVISORY  READ 1234 08:01:99 123 123", None),
            ("1: FLOCK  ADVISORY  WRITE 1234 08:01:99 0 EOF", None),
            ("1: POSIX  ADVISORY  WRITE 1234 08:01:98 120 120", None),
            ("1: POSIX  ADVISORY  WRITE 0 08:01:99 120 120", None),
            ("1: -> POSIX  ADVISORY  WRITE 1234 08:01:99 120 120", None),
            ("", None),
        ] {
            assert_eq!(writer_in(line, 99), expected, "{line}");
        }
    }

    #[test]
    fn readers_have_the_file_open_too() {
        for (line, expected) in [
            ("1: POSIX  ADVISORY  WRITE 1234 08:01:99 120 120", true),
            ("1: POSIX  ADVISORY  READ 1234 08:01:99 128 128", true),
            ("1: POSIX  ADVISORY  READ 1234 08:01:98 128 128", false),
            ("1: FLOCK  ADVISORY  WRITE 1234 08:01:99 0 EOF", false),
            ("1: -> POSIX  ADVISORY  READ 1234 08:01:99 128 128", false),
            ("", false),
        ] {
            assert_eq!(is_lock_on(line, 99), expected, "{line}");
        }
    }
}
