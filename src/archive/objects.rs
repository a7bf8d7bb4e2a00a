//! Large stored forms, a file each: `objects/ab/cdef…-random`, after the digest of the content.
//!
//! Never rewrites one and never gives two writers the same name, so an object that a row names cannot be taken away
//! by another that failed to record its own.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tempfile::NamedTempFile;

use super::ArchiveError;
use super::file::{give, is_inside, make_folder, sync_folder};
use crate::domain::{Digest, StoredBody};
use crate::files::Owner;

/// A stored form up to this long is kept in the catalogue.
pub(super) const MAX_INLINE_BYTES: u64 = 1 << 20;

/// For this account alone: bodies of sources that only it may see lie there.
const MODE: u32 = 0o700;

/// The folder of large stored forms.
#[derive(Debug)]
pub(super) struct Objects {
    folder: PathBuf,
    owner: Owner,
}

impl Objects {
    /// Keeps objects below `folder`, which exists.
    pub(super) fn new(folder: PathBuf, owner: Owner) -> Self {
        Self { folder, owner }
    }

    /// Keeps a stored form that is in memory. An object is durable on return.
    pub(super) fn keep(
        &self,
        digest: Digest,
        form: Vec<u8>,
        temp_dir: &Path,
    ) -> Result<StoredBody, ArchiveError> {
        if form.len() as u64 <= MAX_INLINE_BYTES {
            return Ok(StoredBody::Inline(form));
        }
        let mut file = Self::create(digest, temp_dir)?;
        file.write_all(&form)
            .map_err(ArchiveError::io("write", file.path()))?;
        self.keep_file(digest, file).map(StoredBody::Object)
    }

    /// Makes the file that a stored form is written to before it is kept.
    pub(super) fn create(digest: Digest, temp_dir: &Path) -> Result<NamedTempFile, ArchiveError> {
        tempfile::Builder::new()
            .prefix(&format!("{}-", &digest.to_hex()[2..]))
            .rand_bytes(8)
            .tempfile_in(temp_dir)
            .map_err(ArchiveError::io("make a file in", temp_dir))
    }

    /// Moves a file made by [`Self::create`] to its place. Returns its name; it is durable then.
    pub(super) fn keep_file(
        &self,
        digest: Digest,
        file: NamedTempFile,
    ) -> Result<String, ArchiveError> {
        file.as_file()
            .sync_all()
            .map_err(ArchiveError::io("sync", file.path()))?;
        give(self.owner, file.path())?;
        let prefix = digest.to_hex()[..2].to_owned();
        let folder = self.folder.join(&prefix);
        if make_folder(&folder, MODE, self.owner)? {
            sync_folder(&self.folder)?;
        }
        let name = file
            .path()
            .file_name()
            .and_then(|name| name.to_str())
            .map(|name| format!("{prefix}/{name}"))
            .expect("the name is hexadecimal digits and random letters");
        let target = self.folder.join(&name);
        move_to(file, &target, self.owner).map_err(ArchiveError::io("make", &target))?;
        sync_folder(&folder)?;
        Ok(name)
    }

    /// Opens an object and returns its length with it.
    pub(super) fn open(&self, name: &str) -> io::Result<(File, u64)> {
        let path = self
            .path(name)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok((file, length))
    }

    /// Removes an object; fine when it is gone already.
    pub(super) fn delete(&self, name: &str) -> Result<(), ArchiveError> {
        let path = self.path(name)?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(ArchiveError::io("remove", &path)(error))
            }
            _ => Ok(()),
        }
    }

    /// Returns the objects that were written before `time`, each with the digest of its content.
    pub(super) fn older_than(
        &self,
        time: SystemTime,
    ) -> Result<Vec<(Digest, String)>, ArchiveError> {
        let mut old = Vec::new();
        for folder in entries(&self.folder)? {
            let prefix = folder.file_name();
            for object in entries(&folder.path())? {
                let path = object.path();
                let modified = match object.metadata().and_then(|metadata| metadata.modified()) {
                    // Another process removed it in the meantime.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    modified => modified.map_err(ArchiveError::io("examine", &path))?,
                };
                let name = Path::new(&prefix).join(object.file_name());
                if modified < time
                    && let Some(name) = name.to_str()
                    && let Some(digest) = digest_in(name)
                {
                    old.push((digest, name.to_owned()));
                }
            }
        }
        Ok(old)
    }

    fn path(&self, name: &str) -> Result<PathBuf, ArchiveError> {
        if is_inside(name) {
            Ok(self.folder.join(name))
        } else {
            Err(ArchiveError::BadPath(name.to_owned()))
        }
    }
}

/// Reads the digest in the name of an object; what has none is no object.
fn digest_in(name: &str) -> Option<Digest> {
    let (hex, _) = name.split_once('-')?;
    hex.replacen('/', "", 1).parse().ok()
}

fn entries(folder: &Path) -> Result<Vec<fs::DirEntry>, ArchiveError> {
    let listed = fs::read_dir(folder).and_then(Iterator::collect);
    listed.map_err(ArchiveError::io("list", folder))
}

/// Moves a durable file to a name that nobody has. Copies it where `objects/` was linked or mounted to another disk: what a
/// crash leaves of that is an object that no blob names, and goes as such.
fn move_to(file: NamedTempFile, target: &Path, owner: Owner) -> io::Result<()> {
    let file = match file.persist_noclobber(target) {
        Ok(_) => return Ok(()),
        Err(error) if error.error.kind() == io::ErrorKind::CrossesDevices => error.file,
        Err(error) => return Err(error.error),
    };
    let mut copy = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(target)?;
    let copied = File::open(file.path())
        .and_then(|mut from| io::copy(&mut from, &mut copy))
        .and_then(|_| copy.sync_all())
        .and_then(|()| owner.give(target));
    if copied.is_err() {
        let _ = fs::remove_file(target);
    }
    copied
}
