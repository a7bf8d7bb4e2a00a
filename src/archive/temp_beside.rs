//! Temporary files beside their target, for published files (or those of one host) on another file system than `tmp/`,
//! from where they cannot be moved.
//!
//! Never used where a file can be moved from `tmp/`. Files of a killed process are removed with its run folder, and by
//! the next publication into the same folder.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::TempPath;

use super::ArchiveError;
use super::file::give;
use crate::files::Owner;

/// Prefix of their names. Web servers do not serve a name with a leading dot, and no published file has one.
const TEMPORARY: &str = ".gannet-";

/// File in the run folder that lists the folders with such files, each ended by a NUL.
const FOLDERS: &str = "beside";

/// Registers `folder` in the run folder, so that its files are removed if this process is killed, and removes files of
/// dead processes. The caller holds the lock of the published files, so none of them is in use.
pub(super) fn begin(folder: &Path, temp_dir: &Path) -> Result<(), ArchiveError> {
    sweep(folder, TEMPORARY)?;
    let list = temp_dir.join(FOLDERS);
    let noted = || -> io::Result<()> {
        let mut file = File::options().append(true).create(true).open(&list)?;
        file.write_all(&[folder.as_os_str().as_bytes(), b"\0"].concat())?;
        file.sync_data()
    };
    noted().map_err(ArchiveError::io("write", &list))
}

/// Copies a file into `folder` under a hidden name; durable on return.
pub(super) fn copy(
    from: &Path,
    folder: &Path,
    temp_dir: &Path,
    mode: u32,
    owner: Owner,
) -> Result<TempPath, ArchiveError> {
    let copied = || -> io::Result<TempPath> {
        let mut file = tempfile::Builder::new()
            .prefix(&prefix(temp_dir))
            .tempfile_in(folder)?;
        io::copy(&mut File::open(from)?, &mut file)?;
        file.as_file()
            .set_permissions(Permissions::from_mode(mode))?;
        file.as_file().sync_all()?;
        Ok(file.into_temp_path())
    };
    let file = copied().map_err(ArchiveError::io("write a file in", folder))?;
    give(owner, &file)?;
    Ok(file)
}

/// Removes the files that the dead owner of a run folder left in the registered folders.
pub(super) fn sweep_of_dead(temp_dir: &Path) {
    let Ok(folders) = fs::read(temp_dir.join(FOLDERS)) else {
        return;
    };
    for folder in folders
        .split(|byte| *byte == 0)
        .filter(|one| !one.is_empty())
    {
        // A folder that is missing or unreadable does not stop the sweep.
        let _ = sweep(Path::new(OsStr::from_bytes(folder)), &prefix(temp_dir));
    }
}

/// Removes the files in a folder whose names begin with `prefix`.
pub(super) fn sweep(folder: &Path, prefix: &str) -> Result<(), ArchiveError> {
    let entries = fs::read_dir(folder).map_err(ArchiveError::io("list", folder))?;
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            // A file that cannot be removed now is tried again by the next sweep.
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

/// Returns the prefix of the files that one process makes.
fn prefix(temp_dir: &Path) -> String {
    let owner = temp_dir.file_name().unwrap_or_default().to_string_lossy();
    format!("{TEMPORARY}{owner}-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_dead_processes_left_goes_and_nothing_else() {
        let data = tempfile::tempdir().expect("a folder");
        let (dead, other) = (data.path().join("run-dead"), data.path().join("run-other"));
        let folders = ["a", "b\nc", "gone"].map(|name| data.path().join(name));
        for folder in folders.iter().chain([&dead, &other]) {
            fs::create_dir(folder).expect("a folder");
        }
        let from = data.path().join("from");
        fs::write(&from, "content").expect("a file");
        let copy = |folder: &Path, temp: &Path| {
            let made = copy(&from, folder, temp, 0o644, Owner::default()).expect("a copy");
            made.keep().expect("kept")
        };
        for folder in &folders {
            begin(folder, &dead).expect("begun");
            copy(folder, &dead);
        }
        fs::remove_dir_all(&folders[2]).expect("removed");
        let kept = copy(&folders[0], &other);
        fs::write(folders[0].join("published"), "").expect("a file");
        sweep_of_dead(&dead);
        sweep_of_dead(&data.path().join("run-none"));
        let left = |folder: &Path| fs::read_dir(folder).expect("a folder").count();
        assert!(kept.exists());
        assert_eq!((left(&folders[0]), left(&folders[1])), (2, 0));
        // The next publisher holds the lock, so the file is not in use.
        begin(&folders[0], &other).expect("begun");
        assert_eq!(left(&folders[0]), 1);
    }
}
