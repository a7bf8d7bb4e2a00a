//! Temporary files beside their target: where the published files, or those of one host, lie on another file system than `tmp/`,
//! from which none can be moved there.
//!
//! Never made where a file can be moved from `tmp/`. Those that a killed process left are removed when its folder is, and by the
//! next publication into the same folder.

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

/// How their names begin: with a dot, which web servers do not serve. No published file is called so, for a name from an address
/// begins with none.
const TEMPORARY: &str = ".gannet-";

/// In a process's own folder: the folders in which it makes such files, each ended by a NUL.
const FOLDERS: &str = "beside";

/// Begins to make temporary files in `folder`, so that whoever finds this process dead looks there. Removes those that dead ones left;
/// whoever calls holds the lock of the published files, so none is in use.
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

/// Copies a file into `folder`, hidden from those who read there; durable when this returns.
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

/// Removes the files that the dead owner of a temporary folder left elsewhere.
pub(super) fn sweep_of_dead(temp_dir: &Path) {
    let Ok(folders) = fs::read(temp_dir.join(FOLDERS)) else {
        return;
    };
    for folder in folders
        .split(|byte| *byte == 0)
        .filter(|one| !one.is_empty())
    {
        // A folder that is gone, or cannot be read now, keeps no other from being swept.
        let _ = sweep(Path::new(OsStr::from_bytes(folder)), &prefix(temp_dir));
    }
}

/// Removes the files in a folder whose names begin so.
pub(super) fn sweep(folder: &Path, prefix: &str) -> Result<(), ArchiveError> {
    let entries = fs::read_dir(folder).map_err(ArchiveError::io("list", folder))?;
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            // What cannot be removed now is tried again by the next one who looks.
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

/// Names the process that made a file.
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
        // Whoever publishes there next holds the lock: nobody is at it.
        begin(&folders[0], &other).expect("begun");
        assert_eq!(left(&folders[0]), 1);
    }
}
