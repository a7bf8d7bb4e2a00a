//! Opens files and folders below a folder, one name after the other.
//!
//! Never follows a link below the folder, whoever put it there and whenever: each name is looked up in the folder that was
//! opened before.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, openat};

/// How folders on the way are opened: on Linux it is enough that this account may search them.
#[cfg(target_os = "linux")]
const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY);
#[cfg(not(target_os = "linux"))]
const FOLDER: OFlags = OFlags::DIRECTORY;

/// Opens a file for reading, without waiting for the other end of a pipe. The folder itself may be reached by links. The
/// path is made of plain names.
pub(super) fn open_beneath(folder: &Path, path: &str) -> io::Result<File> {
    let (way, name) = path.rsplit_once('/').unwrap_or(("", path));
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW;
    open_at(&follow(folder, way)?, name, flags).map(File::from)
}

/// Opens a folder likewise, for reading its names; the folder itself if the path is empty.
pub(super) fn open_folder_beneath(folder: &Path, path: &str) -> io::Result<OwnedFd> {
    open_at(&follow(folder, path)?, ".", OFlags::DIRECTORY)
}

/// Opens the folder, and one after the other those that the path names.
fn follow(folder: &Path, path: &str) -> io::Result<OwnedFd> {
    let mut folder = openat(CWD, folder, FOLDER | OFlags::CLOEXEC, Mode::empty())?;
    for name in path.split('/').filter(|name| !name.is_empty()) {
        folder = open_at(&folder, name, FOLDER | OFlags::NOFOLLOW)?;
    }
    Ok(folder)
}

fn open_at(folder: &OwnedFd, name: &str, flags: OFlags) -> io::Result<OwnedFd> {
    Ok(openat(
        folder,
        name,
        flags | OFlags::CLOEXEC,
        Mode::empty(),
    )?)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read as _;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::faces::http::cached_file::open_cached;

    fn read(folder: &Path, path: &str) -> io::Result<String> {
        let mut text = String::new();
        open_beneath(folder, path)?.read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn links_lead_to_the_folder_and_nowhere_below_it() {
        let outer = tempfile::tempdir().expect("a folder");
        let at = |path: &str| outer.path().join(path);
        fs::create_dir_all(at("real/host/deep")).expect("folders");
        fs::write(at("real/host/deep/file"), "content").expect("a file");
        fs::write(at("secret"), "secret").expect("a file");
        symlink(at("real"), at("published")).expect("a link");
        symlink(at("real/host"), at("real/other")).expect("a link");
        symlink(at("secret"), at("real/host/link")).expect("a link");
        symlink("deep", at("real/host/near")).expect("a link");
        for folder in ["real", "published"] {
            let folder = at(folder);
            let found = read(&folder, "host/deep/file").expect("a file");
            assert_eq!(found, "content");
            for (path, is_there) in [
                ("", true),
                ("host/deep", true),
                ("other", false),
                ("host/near", false),
            ] {
                assert_eq!(
                    open_folder_beneath(&folder, path).is_ok(),
                    is_there,
                    "{path}"
                );
            }
            for path in [
                "other/deep/file",
                "host/link",
                "host/near/file",
                "host/none",
            ] {
                assert!(read(&folder, path).is_err(), "{path}");
                assert!(open_cached(&folder, path).is_err(), "{path}");
            }
        }
    }
}
