//! Opens and reads what the system holds in memory: never waits for a disk.

use std::fs::File;
use std::io;
use std::path::Path;

/// Opens a file below a folder for reading without waiting; follows no link below the folder. Returns `WouldBlock` when the names
/// on the way to it are not in memory, or where the system cannot tell.
#[cfg(target_os = "linux")]
pub(super) fn open_cached(folder: &Path, path: &str) -> io::Result<File> {
    use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
    use rustix::io::Errno;

    let (to_folder, to_file) = (
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOFOLLOW,
    );
    let below = ResolveFlags::CACHED | ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    let folder = openat2(CWD, folder, to_folder, Mode::empty(), ResolveFlags::CACHED);
    match folder.and_then(|folder| openat2(folder, path, to_file, Mode::empty(), below)) {
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
pub(super) fn open_cached(_: &Path, _: &str) -> io::Result<File> {
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
        std::fs::write(folder.path().join("file"), "content").expect("written");
        let open = || open_cached(folder.path(), "file");
        let would_block = |error: &io::Error| error.kind() == io::ErrorKind::WouldBlock;
        match open().and_then(|file| read_cached(&file, 7)) {
            Ok(bytes) => assert_eq!(bytes, b"content"),
            // Not every file system can say what it holds in memory.
            Err(error) => assert!(would_block(&error), "{error}"),
        }
        let beyond = open().and_then(|file| read_cached(&file, 8));
        assert!(would_block(&beyond.expect_err("too long")));
    }
}
