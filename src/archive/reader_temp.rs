//! The temporary folder of an archive opened for reading, for large contents: outside the data folder.
//!
//! Folders of killed processes are removed by the next process of the account that needs such a folder, or opens an
//! archive for writing. Never removes a folder whose owner lives: each owner locks a file in its folder.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::TempDir;

use super::lock::FileLock;
use crate::files::remove_tree;

const PREFIX: &str = "gannet-read-";
/// Attempts to remove a folder in which another thread still makes files.
const TRIES: usize = 10;

/// A private folder in the system's place for temporary files, made on first use and removed when dropped.
#[derive(Debug)]
pub(super) struct ReaderTemp {
    made: OnceLock<Option<(TempDir, FileLock)>>,
    /// Used when the folder cannot be made: writing there fails with the system's reason.
    fallback: PathBuf,
}

impl ReaderTemp {
    pub(super) fn new(data_dir: &Path) -> Self {
        Self {
            made: OnceLock::new(),
            fallback: data_dir.join("tmp"),
        }
    }

    pub(super) fn path(&self) -> &Path {
        let make = || {
            sweep();
            make().ok()
        };
        match self.made.get_or_init(make) {
            Some((folder, _)) => folder.path(),
            None => &self.fallback,
        }
    }

    pub(super) fn remove(&self) {
        let Some(Some((folder, _))) = self.made.get() else {
            return;
        };
        for _ in 0..TRIES {
            if remove_tree(folder.path()).is_ok() || !folder.path().exists() {
                break;
            }
        }
    }
}

fn make() -> io::Result<(TempDir, FileLock)> {
    let folder = tempfile::Builder::new().prefix(PREFIX).tempdir()?;
    let lock = FileLock::of_folder(folder.path())?;
    Ok((folder, lock))
}

/// Removes the folders of this account's killed processes. One that cannot be removed is left to the next sweep.
pub(super) fn sweep() {
    sweep_in(&tempfile::env::temp_dir());
}

fn sweep_in(parent: &Path) {
    let account = rustix::process::geteuid().as_raw();
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let found = entry.metadata();
        if found.is_ok_and(|found| found.is_dir() && found.uid() == account)
            && FileLock::is_owner_alive(&entry.path()).is_ok_and(|is_held| !is_held)
        {
            let _ = remove_tree(&entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::archive::lock::RUN_LOCK;

    #[test]
    fn only_folders_of_dead_processes_go() {
        let parent = tempfile::tempdir().expect("a folder");
        let at = |name: &str| parent.path().join(name);
        for name in [
            "gannet-read-dead",
            "gannet-read-live",
            "gannet-read-half",
            "other",
        ] {
            fs::create_dir(at(name)).expect("a folder");
            fs::write(at(name).join(".tmpAbC"), "secret").expect("a file");
        }
        for name in ["gannet-read-dead", "gannet-read-live", "other"] {
            fs::write(at(name).join(RUN_LOCK), "").expect("a file");
        }
        symlink(at("other"), at("gannet-read-link")).expect("a link");
        let live = File::open(at("gannet-read-live").join(RUN_LOCK)).expect("a file");
        live.lock().expect("locked");
        sweep_in(parent.path());
        assert!(!at("gannet-read-dead").exists());
        for name in ["gannet-read-live", "gannet-read-half", "other"] {
            assert!(at(name).join(".tmpAbC").exists(), "{name}");
        }
    }

    #[test]
    fn a_folder_is_removed_on_demand_with_what_is_in_it() {
        let temp = ReaderTemp::new(Path::new("/nowhere"));
        temp.remove();
        let folder = temp.path().to_owned();
        fs::write(folder.join(".tmpAbC"), "secret").expect("a file");
        sweep();
        assert!(folder.exists(), "its owner lives");
        temp.remove();
        assert!(!folder.exists());
    }
}
