//! Opens and reads what the system holds in memory: never waits for a disk.

use std::fs::File;
use std::io;
use std::path::Path;

/// Opens a file, but no link, for reading without waiting. Returns `WouldBlock` when the names on the way to it are not in memory, or where
/// the system cannot tell.
#[cfg(target_os = "linux")]
pub(super) fn open_cached(path: &Path) -> io::Result<File> {
    use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
    use rustix::io::Errno;

    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOFOLLOW;
    match openat2(CWD, path, flags, Mode::empty(), ResolveFlags::CACHED) {
        Ok(file) => Ok(file.into()),
        // Before Linux 5.12, or in a sandbox.
        Err(Errno::NOSYS | Errno::INVAL | Errno::PERM) => Err(io::ErrorKind::WouldBlock.into()),
        Err(error) => Err(error.into()),
    }
}

/// Reads `length` bytes from the beginning of a file without waiting. Returns `WouldBlock` when not all of them are in memory,
/// or where the system cannot tell.
#[cfg(target_os = "linux")]
pub(super) fn read_cached(file: &File, length: usize) -> io::Result<Vec<u8>> {
    use rustix::io::{Errno, ReadWriteFlags, preadv2};

    let mut bytes = vec![0; length];
    let mut into = [io::IoSliceMut::new(&mut bytes)];
    match preadv2(file, &mut into, 0, ReadWriteFlags::NOWAIT) {
        Ok(read) if read == length => Ok(bytes),
        Ok(_) | Err(Errno::OPNOTSUPP | Errno::NOSYS) => Err(io::ErrorKind::WouldBlock.into()),
        Err(error) => Err(error.into()),
    }
}

/// Other systems cannot tell what is in memory.
#[cfg(not(target_os = "linux"))]
pub(super) fn open_cached(_: &Path) -> io::Result<File> {
    Err(io::ErrorKind::WouldBlock.into())
}

/// Other systems cannot tell what is in memory.
#[cfg(not(target_os = "linux"))]
pub(super) fn read_cached(_: &File, _: usize) -> io::Result<Vec<u8>> {
    Err(io::ErrorKind::WouldBlock.into())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn what_was_just_written_is_read_without_waiting() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        std::fs::write(&path, "content").expect("written");
        let would_block = |error: &io::Error| error.kind() == io::ErrorKind::WouldBlock;
        match open_cached(&path).and_then(|file| read_cached(&file, 7)) {
            Ok(bytes) => assert_eq!(bytes, b"content"),
            // Not every file system can say what it holds in memory.
            Err(error) => assert!(would_block(&error), "{error}"),
        }
        let beyond = open_cached(&path).and_then(|file| read_cached(&file, 8));
        assert!(would_block(&beyond.expect_err("too long")));
    }
}
