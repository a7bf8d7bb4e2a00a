//! A fresh folder for one run of a program, with a read-only copy of the content or of a set's files.
//!
//! No argument, variable or link names the archive: the program gets a copy. Dropping the folder removes everything in
//! it.

use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};

use super::SetFiles;
use crate::domain::Content;
use crate::files::remove_tree;

/// Name of the copy when the version's name cannot be a file name.
const FALLBACK_NAME: &str = "content";
/// Folder of a set's files.
const SET_FOLDER: &str = "files";
const MANIFEST: &str = "manifest.json";

/// The folder and the copy in it.
#[derive(Debug)]
pub(super) struct WorkFolder {
    folder: PathBuf,
    copy: PathBuf,
    /// The manifest, for a set.
    manifest: Option<PathBuf>,
    copy_bytes: u64,
}

impl WorkFolder {
    /// Makes the folder as [`Self::new`] does, on a blocking thread.
    pub(super) async fn with_content(
        parent: &Path,
        name: &str,
        content: &Content,
    ) -> io::Result<Self> {
        let (parent, name, content) = (parent.to_owned(), name.to_owned(), content.clone());
        let make = move || Self::new(&parent, &name, &content);
        tokio::task::spawn_blocking(make)
            .await
            .map_err(io::Error::other)?
    }

    /// Makes the folder below `parent`, with a copy of the content under `name`. Blocks.
    pub(super) fn new(parent: &Path, name: &str, content: &Content) -> io::Result<Self> {
        let folder = make_folder(parent)?;
        let copy = folder.join(if is_one_part(name) {
            name
        } else {
            FALLBACK_NAME
        });
        // From here on, an error removes the folder: it drops `made`.
        let made = Self {
            folder,
            copy,
            manifest: None,
            copy_bytes: content.size_bytes(),
        };
        write_copy(&made.copy, content)?;
        Ok(made)
    }

    /// Makes the folder below `parent`, with the set's files in a folder of their own, and the manifest beside that
    /// folder. Blocks.
    pub(super) fn for_set(parent: &Path, files: &SetFiles) -> io::Result<Self> {
        let folder = make_folder(parent)?;
        let (manifest, text) = (folder.join(MANIFEST), files.manifest());
        let sizes = files.files.iter().map(|file| file.content.size_bytes());
        let made = Self {
            copy: folder.join(SET_FOLDER),
            manifest: Some(manifest.clone()),
            folder,
            copy_bytes: sizes.sum::<u64>() + text.len() as u64,
        };
        fs::create_dir(&made.copy)?;
        for file in &files.files {
            if !is_one_part(&file.file) {
                return Err(io::ErrorKind::InvalidFilename.into());
            }
            write_copy(&made.copy.join(&file.file), &file.content)?;
        }
        fs::set_permissions(&made.copy, Permissions::from_mode(0o500))?;
        fs::write(&manifest, text)?;
        fs::set_permissions(&manifest, Permissions::from_mode(0o400))?;
        Ok(made)
    }

    /// Returns the absolute path of a set's manifest.
    pub(super) fn manifest(&self) -> Option<&Path> {
        self.manifest.as_deref()
    }

    /// Returns the absolute path of the folder.
    pub(super) fn path(&self) -> &Path {
        &self.folder
    }

    /// Returns the absolute path of the copy, or of the folder with a set's copies.
    pub(super) fn copy(&self) -> &Path {
        &self.copy
    }

    /// Returns the size of all copies, in bytes.
    pub(super) fn copy_bytes(&self) -> u64 {
        self.copy_bytes
    }
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        // Files that cannot be removed go with the rest of gannet's temporary files.
        let _ = remove_tree(&self.folder);
    }
}

fn make_folder(parent: &Path) -> io::Result<PathBuf> {
    let parent = std::path::absolute(parent)?;
    let folder = tempfile::Builder::new()
        .prefix("verify-")
        .tempdir_in(parent)?;
    Ok(folder.keep())
}

/// Writes a read-only copy.
fn write_copy(to: &Path, content: &Content) -> io::Result<()> {
    match content {
        Content::Memory(bytes) => File::create_new(to)?.write_all(bytes)?,
        Content::File { path, .. } => {
            fs::copy(path.as_ref(), to)?;
        }
    }
    fs::set_permissions(to, Permissions::from_mode(0o400))
}

fn is_one_part(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(part)), None) if part.len() == name.len())
        && !name.contains('\0')
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use tempfile::TempDir;

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
