//! A fresh folder for one run of a program, with a read-only copy of the content in it.
//!
//! The content itself is never within the program's reach by name. Dropping the folder removes all that is in it.

use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};

use tempfile::TempDir;

use crate::domain::Content;

/// What the copy is called when the version's name could not be a file's.
const FALLBACK_NAME: &str = "content";

/// The folder and the copy in it.
#[derive(Debug)]
pub(super) struct WorkFolder {
    folder: TempDir,
    copy: PathBuf,
}

impl WorkFolder {
    /// Makes the folder below `parent`, with the content under `name` in it. Blocks.
    pub(super) fn new(parent: &Path, name: &str, content: &Content) -> io::Result<Self> {
        let parent = std::path::absolute(parent)?;
        let folder = tempfile::Builder::new()
            .prefix("verify-")
            .tempdir_in(parent)?;
        let copy = folder.path().join(if is_one_part(name) {
            name
        } else {
            FALLBACK_NAME
        });
        match content {
            Content::Memory(bytes) => File::create_new(&copy)?.write_all(bytes)?,
            Content::File { path, .. } => {
                fs::copy(path.as_ref(), &copy)?;
            }
        }
        fs::set_permissions(&copy, Permissions::from_mode(0o400))?;
        Ok(Self { folder, copy })
    }

    /// Returns the folder, absolute.
    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the copy, absolute.
    pub(super) fn copy(&self) -> &Path {
        &self.copy
    }
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        // A program may have closed folders to their owner: they are opened, so that what is in them can go.
        if fs::remove_dir_all(self.folder.path()).is_err() {
            open_folders(self.folder.path());
            // What remains even so is removed with the rest of gannet's temporary files.
            let _ = fs::remove_dir_all(self.folder.path());
        }
    }
}

fn is_one_part(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(part)), None) if part.len() == name.len())
        && !name.contains('\0')
}

/// Lets the owner into every folder below; follows no links.
fn open_folders(folder: &Path) {
    let _ = fs::set_permissions(folder, Permissions::from_mode(0o700));
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_folders(&entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn the_copy_lies_inside_whatever_the_name() {
        let parent = TempDir::new().expect("a folder");
        let content = Content::Memory(Bytes::from_static(b"x"));
        for (name, expected) in [
            ("a.json", "a.json"),
            ("-rf", "-rf"),
            ("..", "content"),
            ("a/b", "content"),
            ("a/", "content"),
            ("", "content"),
            ("a\0", "content"),
        ] {
            let folder = WorkFolder::new(parent.path(), name, &content).expect("a folder");
            assert_eq!(folder.copy(), folder.path().join(expected), "{name:?}");
            assert_eq!(
                folder
                    .copy()
                    .metadata()
                    .expect("a file")
                    .permissions()
                    .mode()
                    & 0o777,
                0o400
            );
        }
        assert_eq!(parent.path().read_dir().expect("a folder").count(), 0);
    }

    #[test]
    fn closed_folders_go_too() {
        let parent = TempDir::new().expect("a folder");
        let content = Content::Memory(Bytes::from_static(b"x"));
        let folder = WorkFolder::new(parent.path(), "a", &content).expect("a folder");
        fs::create_dir_all(folder.path().join("b/c")).expect("folders");
        fs::set_permissions(folder.path().join("b"), Permissions::from_mode(0o000))
            .expect("a mode");
        drop(folder);
        assert_eq!(parent.path().read_dir().expect("a folder").count(), 0);
    }
}
