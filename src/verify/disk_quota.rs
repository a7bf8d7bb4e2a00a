//! Measures the working folder of a program while the program runs.
//!
//! Never ends the program, and never follows a link.

use std::fs::{self, Metadata, Permissions, ReadDir};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::time::sleep;

/// Shortest pause between two measurements.
const PERIOD: Duration = Duration::from_millis(100);
/// A pause is this many times as long as the measurement before, up to `MAX_PAUSE`.
const PARTS: u32 = 10;
const MAX_PAUSE: Duration = Duration::from_secs(2);
/// Least size that a file counts for, so that the number of empty files is bounded too.
const LEAST_BYTES: u64 = 4096;
/// Unit of `st_blocks`, whatever the blocks of the file system (stat(3type)).
const BLOCK_BYTES: u64 = 512;

/// Why a program must be ended.
#[derive(Debug)]
pub(super) enum Overrun {
    /// The folder holds more bytes than allowed.
    TooMuch,
    /// The folder cannot be measured.
    Unmeasured(io::Error),
}

/// Returns once the folder holds more than `most` bytes, or cannot be measured; otherwise never.
pub(super) async fn overrun(folder: &Path, most: u64) -> Overrun {
    let mut pause = PERIOD;
    loop {
        sleep(pause).await;
        let (folder, begun) = (folder.to_owned(), Instant::now());
        let measured = tokio::task::spawn_blocking(move || used(&folder, most)).await;
        match measured.map_err(io::Error::other).flatten() {
            Ok(used) if used > most => return Overrun::TooMuch,
            Ok(_) => {}
            Err(error) => return Overrun::Unmeasured(error),
        }
        pause = (begun.elapsed() * PARTS).clamp(PERIOD, MAX_PAUSE);
    }
}

/// Returns the disk space of all files below the folder; stops counting beyond `most`.
fn used(folder: &Path, most: u64) -> io::Result<u64> {
    let mut total = 0;
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in entries(&folder)?.into_iter().flatten() {
            // A file deleted meanwhile takes no space.
            let Ok((metadata, path)) =
                entry.and_then(|entry| Ok((entry.metadata()?, entry.path())))
            else {
                continue;
            };
            total += room(&metadata);
            if total > most {
                return Ok(total);
            }
            if metadata.is_dir() {
                let mode = metadata.permissions().mode();
                // A program may close a folder to its owner and still write in the folder.
                if mode & 0o500 != 0o500 {
                    let _ = fs::set_permissions(&path, Permissions::from_mode(mode | 0o700));
                }
                folders.push(path);
            }
        }
    }
    Ok(total)
}

/// Lists a folder; `None` when the folder was deleted meanwhile or is another user's.
fn entries(folder: &Path) -> io::Result<Option<ReadDir>> {
    use ErrorKind::{NotADirectory, NotFound, PermissionDenied};
    match fs::read_dir(folder) {
        Ok(entries) => Ok(Some(entries)),
        Err(error) if matches!(error.kind(), NotFound | NotADirectory | PermissionDenied) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Returns the disk space of a file; one with several names counts its share for each.
fn room(metadata: &Metadata) -> u64 {
    let names = if metadata.is_dir() {
        1
    } else {
        metadata.nlink().max(1)
    };
    (metadata.blocks() * BLOCK_BYTES / names).max(LEAST_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use tempfile::TempDir;

    fn folder_with(kib: usize) -> TempDir {
        let folder = TempDir::new().expect("a folder");
        fs::create_dir(folder.path().join("a")).expect("a folder");
        fs::write(folder.path().join("a/b"), vec![1; kib << 10]).expect("room");
        folder
    }

    #[test]
    fn all_that_is_below_counts_once() {
        let folder = folder_with(256);
        let before = used(folder.path(), u64::MAX).expect("a size");
        assert!((256 << 10..300 << 10).contains(&before), "{before}");
        // A sparse file and a link take almost no space; another name adds nothing.
        let sparse = File::create(folder.path().join("sparse")).expect("a file");
        sparse.set_len(1 << 40).expect("a length");
        std::os::unix::fs::symlink("/", folder.path().join("link")).expect("a link");
        fs::hard_link(folder.path().join("a/b"), folder.path().join("b")).expect("a link");
        let after = used(folder.path(), u64::MAX).expect("a size");
        assert!((before..before + (32 << 10)).contains(&after), "{after}");
        assert_eq!(used(&folder.path().join("none"), 1).expect("a size"), 0);
    }

    #[test]
    fn closed_folders_and_empty_files_count() {
        let folder = folder_with(256);
        fs::set_permissions(folder.path().join("a"), Permissions::from_mode(0o300))
            .expect("a mode");
        let closed = used(folder.path(), u64::MAX).expect("a size");
        assert!(closed > 256 << 10, "{closed}");
        for number in 0..100 {
            File::create(folder.path().join(number.to_string())).expect("a file");
        }
        let with_files = used(folder.path(), u64::MAX).expect("a size");
        assert_eq!(with_files, closed + 100 * LEAST_BYTES);
    }

    #[tokio::test]
    async fn tells_when_it_is_too_much() {
        let folder = folder_with(256);
        let told = overrun(folder.path(), 256 << 10).await;
        assert!(matches!(told, Overrun::TooMuch), "{told:?}");
    }
}
