//! Large stored forms, a file each: `objects/ab/cdef…-owner-random`, after the digest of the content and the process that
//! made it.
//!
//! Never rewrites one and never gives two writers the same name, so an object that a row names cannot be taken away
//! by another that failed to record its own.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use tempfile::NamedTempFile;

use super::ArchiveError;
use super::file::{give, is_inside, make_folder, sync_folder};
use super::temp::OWNER;
use super::trash::Trash;
use crate::domain::{Digest, StoredBody};
use crate::files::{Owner, read_plain};

/// A stored form up to this long is kept in the catalogue.
pub(super) const MAX_INLINE_BYTES: u64 = 1 << 20;

/// For this account alone: bodies of sources that only it may see lie there.
const MODE: u32 = 0o700;

/// The folder of large stored forms.
#[derive(Debug)]
pub(super) struct Objects {
    folder: PathBuf,
    owner: Owner,
    trash: Trash,
}

impl Objects {
    /// Keeps objects below `folder`, which exists.
    pub(super) fn new(folder: PathBuf, owner: Owner, trash: Trash) -> Self {
        Self {
            folder,
            owner,
            trash,
        }
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
            .prefix(&format!(
                "{}-{}-",
                &digest.to_hex()[2..],
                owner_tag(temp_dir)
            ))
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
        let file = match read_plain(&path) {
            // What a sweep took for unneeded, on the word of another catalogue perhaps.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                read_plain(&self.trash.find(&below(name)).ok_or(error)?)?
            }
            opened => opened?,
        };
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

    /// Moves an object to the trash; fine when it is gone already.
    pub(super) fn discard(&self, name: &str, now: DateTime<Utc>) -> Result<(), ArchiveError> {
        self.path(name)?;
        self.trash.put(&below(name), now)
    }

    /// Moves an object back from the trash. Returns whether it lay there.
    pub(super) fn rescue(&self, name: &str, temp_dir: &Path) -> Result<bool, ArchiveError> {
        let path = self.path(name)?;
        let folder = path.parent().unwrap_or(&self.folder);
        if make_folder(folder, MODE, self.owner)? {
            sync_folder(&self.folder)?;
        }
        // What a killed process leaves of a copy goes as an object that no blob names.
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let digest = file.split('-').next().unwrap_or_default();
        let unfinished = format!("{digest}-{}-", owner_tag(temp_dir));
        self.trash.put_back(&below(name), (folder, &unfinished))
    }

    /// Returns all objects, each with the digest of its content.
    pub(super) fn all(&self) -> Result<Vec<(Digest, String)>, ArchiveError> {
        objects_below(&self.folder)
    }

    /// Tells whether there is any object.
    pub(super) fn are_there(&self) -> Result<bool, ArchiveError> {
        for folder in entries(&self.folder)? {
            if !entries(&folder.path())?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn path(&self, name: &str) -> Result<PathBuf, ArchiveError> {
        if is_inside(name) {
            Ok(self.folder.join(name))
        } else {
            Err(ArchiveError::BadPath(name.to_owned()))
        }
    }
}

/// Returns the objects below a folder, each with the digest of its content.
pub(super) fn objects_below(folder: &Path) -> Result<Vec<(Digest, String)>, ArchiveError> {
    let mut objects = Vec::new();
    for folder in entries(folder)? {
        let prefix = folder.file_name();
        for object in entries(&folder.path())? {
            let name = Path::new(&prefix).join(object.file_name());
            if let Some(name) = name.to_str()
                && let Some(digest) = digest_in(name)
            {
                objects.push((digest, name.to_owned()));
            }
        }
    }
    Ok(objects)
}

/// Returns the process that made an object, by the name of its folder for temporary files; nothing for one of an older gannet.
pub(super) fn owner_in(name: &str) -> Option<String> {
    let mut parts = name.split('-').skip(1);
    let tag = parts.next()?;
    parts.next().map(|_| format!("{OWNER}{tag}"))
}

/// Where an object lies in the data folder.
fn below(name: &str) -> String {
    format!("objects/{name}")
}

/// Returns the part of an owner's name that tells it from others.
fn owner_tag(temp_dir: &Path) -> &str {
    let name = temp_dir.file_name().and_then(|name| name.to_str());
    name.map_or("", |name| name.trim_start_matches(OWNER))
}

/// Reads the digest in the name of an object; what has none is no object.
fn digest_in(name: &str) -> Option<Digest> {
    let (hex, _) = name.split_once('-')?;
    hex.replacen('/', "", 1).parse().ok()
}

/// Returns what lies in a folder; nothing when there is none.
fn entries(folder: &Path) -> Result<Vec<fs::DirEntry>, ArchiveError> {
    let listed = match fs::read_dir(folder) {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(Vec::new());
        }
        listed => listed.and_then(Iterator::collect),
    };
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
