//! The folder of `export`: files that are checked as they are written, and their manifest.
//!
//! Never replaces a file with a different one. The manifest is replaced, and keeps the entries of earlier exports.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::app::{Error, ErrorKind};
use crate::domain::{Content, Digest, io_words};

/// The manifest's name in the folder.
pub(crate) const MANIFEST: &str = "manifest.json";

/// One file of the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ManifestEntry {
    /// The path relative to the folder.
    pub(crate) path: String,
    pub(crate) source: String,
    pub(crate) address: String,
    pub(crate) version_id: i64,
    pub(crate) digest: String,
    pub(crate) size_bytes: u64,
    pub(crate) fetched_at: String,
    pub(crate) verified: String,
}

#[derive(Default, Serialize, Deserialize)]
struct Manifest {
    files: Vec<ManifestEntry>,
}

/// The outcome for one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placed {
    /// It is new.
    Written,
    /// The same file was there already.
    Kept,
}

/// The folder of an export in progress.
pub(crate) struct ExportFolder {
    root: PathBuf,
    entries: BTreeMap<String, ManifestEntry>,
}

impl ExportFolder {
    /// Creates the folder if needed, and reads the manifest of an earlier export.
    pub(crate) fn open(root: &Path) -> Result<Self, Error> {
        fs::create_dir_all(root).map_err(|cause| failed("make", root, &cause))?;
        let path = root.join(MANIFEST);
        let manifest = match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|_| foreign(&path))?,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Manifest::default(),
            Err(cause) => return Err(failed("read", &path, &cause)),
        };
        let entries = manifest.files.into_iter();
        Ok(Self {
            root: root.to_owned(),
            entries: entries.map(|entry| (entry.path.clone(), entry)).collect(),
        })
    }

    /// Writes one file, whole or not at all, and checks that the written bytes have this digest.
    pub(crate) fn place(
        &mut self,
        entry: ManifestEntry,
        digest: Digest,
        content: &Content,
    ) -> Result<Placed, Error> {
        let path = self.root.join(&entry.path);
        let placed = if path.symlink_metadata().is_ok() {
            keep(&path, digest)?;
            Placed::Kept
        } else {
            write(&path, digest, content)?;
            Placed::Written
        };
        self.entries.insert(entry.path.clone(), entry);
        Ok(placed)
    }

    /// Writes the manifest, replacing an earlier one.
    pub(crate) fn finish(self) -> Result<(), Error> {
        let path = self.root.join(MANIFEST);
        let manifest = Manifest {
            files: self.entries.into_values().collect(),
        };
        let write = || -> io::Result<()> {
            let mut file = temporary_file(&self.root)?;
            serde_json::to_writer_pretty(&mut file, &manifest)?;
            file.write_all(b"\n")?;
            file.as_file().sync_all()?;
            file.persist(&path)?;
            Ok(())
        };
        write().map_err(|cause| failed("write", &path, &cause))
    }
}

fn keep(path: &Path, digest: Digest) -> Result<(), Error> {
    let found = File::open(path)
        .and_then(|mut file| Digest::of_reader(&mut file))
        .map_err(|cause| failed("read", path, &cause))?;
    if found == digest {
        Ok(())
    } else {
        Err(foreign(path))
    }
}

fn write(path: &Path, digest: Digest, content: &Content) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(path);
    let write = || -> io::Result<Digest> {
        fs::create_dir_all(folder)?;
        let mut file = temporary_file(folder)?;
        let found = match content {
            Content::Memory(bytes) => Digest::of_copy(&mut &**bytes, &mut file)?,
            Content::File { path, .. } => Digest::of_copy(&mut File::open(&**path)?, &mut file)?,
        };
        if found == digest {
            file.as_file().sync_all()?;
            file.persist_noclobber(path)?;
        }
        Ok(found)
    };
    let found = write().map_err(|cause| failed("write", path, &cause))?;
    if found == digest {
        return Ok(());
    }
    let message = format!("{}: the content has {found}, not {digest}", path.display());
    Err(Error::new(ErrorKind::Damaged, message))
}

/// Creates a file with the permissions that the umask allows; a temporary file is private by default.
fn temporary_file(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

fn failed(doing: &str, path: &Path, cause: &io::Error) -> Error {
    let message = format!("cannot {doing} {}: {}", path.display(), io_words(cause));
    Error::new(ErrorKind::Unavailable, message)
}

fn foreign(path: &Path) -> Error {
    let message = format!("{} exists already with other content", path.display());
    Error::new(ErrorKind::Conflict, message).hint("export into another folder")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str, content: &[u8]) -> ManifestEntry {
        ManifestEntry {
            path: path.to_owned(),
            source: "prices".to_owned(),
            address: "https://example.org/prices.csv".to_owned(),
            version_id: 1,
            digest: Digest::of(content).to_string(),
            size_bytes: content.len() as u64,
            fetched_at: "2026-01-31T12:00:00.000Z".to_owned(),
            verified: "passed".to_owned(),
        }
    }

    fn place(
        folder: &mut ExportFolder,
        path: &str,
        content: &'static [u8],
    ) -> Result<Placed, ErrorKind> {
        let bytes = Content::Memory(bytes::Bytes::from_static(content));
        folder
            .place(entry(path, content), Digest::of(content), &bytes)
            .map_err(|error| error.kind)
    }

    #[test]
    fn a_second_export_adds_and_keeps() {
        let temporary = tempfile::tempdir().expect("a folder");
        let root = temporary.path().join("out");
        let mut first = ExportFolder::open(&root).expect("opened");
        assert_eq!(place(&mut first, "prices/1", b"one"), Ok(Placed::Written));
        first.finish().expect("a manifest");
        let mut second = ExportFolder::open(&root).expect("opened");
        assert_eq!(place(&mut second, "prices/1", b"one"), Ok(Placed::Kept));
        assert_eq!(place(&mut second, "rates/2", b"two"), Ok(Placed::Written));
        second.finish().expect("a manifest");
        assert_eq!(fs::read(root.join("rates/2")).expect("a file"), b"two");
        let manifest: Manifest =
            serde_json::from_slice(&fs::read(root.join(MANIFEST)).expect("a file")).expect("JSON");
        assert_eq!(
            manifest.files,
            [entry("prices/1", b"one"), entry("rates/2", b"two")]
        );
    }

    #[test]
    fn another_file_is_never_replaced() {
        let temporary = tempfile::tempdir().expect("a folder");
        let mut folder = ExportFolder::open(temporary.path()).expect("opened");
        fs::create_dir(temporary.path().join("prices")).expect("a folder");
        fs::write(temporary.path().join("prices/1"), "mine").expect("a file");
        assert_eq!(
            place(&mut folder, "prices/1", b"one"),
            Err(ErrorKind::Conflict)
        );
        assert_eq!(
            fs::read(temporary.path().join("prices/1")).expect("a file"),
            b"mine"
        );
        fs::write(temporary.path().join(MANIFEST), "{\"name\": \"a web app\"}").expect("a file");
        let error = ExportFolder::open(temporary.path())
            .map(|_| ())
            .expect_err("not ours");
        assert_eq!(error.kind, ErrorKind::Conflict);
    }

    #[test]
    fn content_that_is_not_its_digest_is_not_written() {
        let temporary = tempfile::tempdir().expect("a folder");
        let mut folder = ExportFolder::open(temporary.path()).expect("opened");
        let bytes = Content::Memory(bytes::Bytes::from_static(b"one"));
        let error = folder
            .place(entry("prices/1", b"two"), Digest::of(b"two"), &bytes)
            .expect_err("damaged");
        assert_eq!(error.kind, ErrorKind::Damaged);
        let left = fs::read_dir(temporary.path().join("prices")).expect("a folder");
        assert_eq!(left.count(), 0);
    }
}
