//! Which process keeps others from writing to the catalogue, as the system knows it. Never opens the catalogue's files:
//! closing one of them would end this process's own locks.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Returns the process that holds the catalogue at `path` for writing, where the system tells (Linux: `/proc/locks`).
pub(super) fn holder_of(path: &Path) -> Option<u32> {
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    // In WAL mode whoever writes holds a byte of the shared memory.
    let mut shared = path.as_os_str().to_owned();
    shared.push("-shm");
    [Path::new(&shared), path].into_iter().find_map(|file| {
        let inode = std::fs::metadata(file).ok()?.ino();
        locks.lines().find_map(|line| writer_in(line, inode))
    })
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
        // One of another container has no number here.
        .filter(|process| *process > 0)
}

#[cfg(test)]
mod tests {
    use super::writer_in;

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
}
