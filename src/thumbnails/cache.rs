//! The folder of thumbnails: one file for each content, named by the digest of that content.
//!
//! A file holds the SHA-256 of what follows, then the thumbnail, or nothing where the content has none. A file that does
//! not fit is as good as missing. An obstacle in the folder's place costs time, and fails nothing.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use tempfile::NamedTempFile;

use super::shrink::{Shrunk, shrink};
use crate::domain::Digest;
use crate::files::{self, Owner};

/// The most bytes of all files together.
const MAX_BYTES: u64 = 256 << 20;
/// The most bytes of a file that are read.
const MAX_FILE_BYTES: u64 = 4 << 20;
const DIGEST_BYTES: usize = 32;

/// The thumbnails of a data folder.
#[derive(Debug)]
pub struct Thumbnails {
    folder: PathBuf,
    max_bytes: u64,
    /// The bytes of all files; `None` until they were counted.
    used: Mutex<Option<u64>>,
}

impl Thumbnails {
    /// Returns the thumbnails of a data folder. Touches nothing.
    pub fn of(data_dir: &Path) -> Self {
        Self {
            folder: data_dir.join("thumbnails"),
            max_bytes: MAX_BYTES,
            used: Mutex::new(None),
        }
    }

    /// Returns what is kept for a content: its thumbnail, or that there is none; `None` when that is not known. Blocks.
    pub fn kept(&self, content: Digest) -> Option<Shrunk> {
        let mut options = File::options();
        let file = files::open_plain(options.read(true), &self.place(content)).ok()?;
        let mut bytes = Vec::new();
        file.take(MAX_FILE_BYTES).read_to_end(&mut bytes).ok()?;
        let (digest, thumbnail) = bytes.split_at_checked(DIGEST_BYTES)?;
        if digest != Digest::of(thumbnail).0 {
            return None;
        }
        Some(Shrunk::of(thumbnail.to_vec()))
    }

    /// Makes the thumbnail of a content and keeps it, or that there is none. Blocks.
    pub fn make(&self, content: Digest, bytes: &[u8]) -> Shrunk {
        let made = shrink(bytes);
        if let Err(error) = self.keep(content, &made) {
            tracing::debug!(
                "cannot keep a thumbnail in {}: {error}",
                self.folder.display()
            );
        }
        made
    }

    /// Removes the thumbnails of these contents, and what killed processes left. Returns which remain, each with the reason.
    /// Blocks.
    pub fn forget(&self, contents: &[Digest]) -> Vec<(PathBuf, String)> {
        let is_left = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default();
            name.as_encoded_bytes().starts_with(b".")
        };
        let files = self.files().unwrap_or_default().into_iter();
        let left = files.map(|file| file.2).filter(is_left);
        let paths = contents.iter().map(|content| self.place(*content));
        let remains = |path: PathBuf| match fs::remove_file(&path) {
            Err(error) if !is_absence(&error) => Some((path, error.to_string())),
            _ => None,
        };
        paths.chain(left).filter_map(remains).collect()
    }

    fn keep(&self, content: Digest, made: &Shrunk) -> io::Result<()> {
        let owner = Owner::of(self.folder.parent().unwrap_or(&self.folder));
        files::refuse_all_but_folder(&self.folder)?;
        files::make_folder(&self.folder, 0o700, owner)?;
        let bytes = match made {
            Shrunk::Small(thumbnail) => &thumbnail.0[..],
            Shrunk::Undrawn => &[],
        };
        let mut file = NamedTempFile::new_in(&self.folder)?;
        file.write_all(&Digest::of(bytes).0)?;
        file.write_all(bytes)?;
        owner.give(file.path())?;
        file.persist(self.place(content))
            .map_err(|error| error.error)?;
        self.count((bytes.len() + DIGEST_BYTES) as u64)
    }

    /// Counts a new file; removes the oldest ones when all together are too large.
    fn count(&self, new_bytes: u64) -> io::Result<()> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let total = match *used {
            Some(before) => before + new_bytes,
            None => self.files()?.iter().map(|file| file.1).sum(),
        };
        *used = Some(total);
        if total <= self.max_bytes {
            return Ok(());
        }
        // Counted again: other processes add and remove files, too.
        let mut files = self.files()?;
        files.sort();
        let mut left: u64 = files.iter().map(|file| file.1).sum();
        for (_, size, path) in files {
            if left <= self.max_bytes / 4 * 3 {
                break;
            }
            fs::remove_file(path)?;
            left -= size;
        }
        *used = Some(left);
        Ok(())
    }

    /// Returns time, size and path of each file.
    fn files(&self) -> io::Result<Vec<(SystemTime, u64, PathBuf)>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            // One that another process removed meanwhile is none.
            let Ok(found) = entry.metadata() else {
                continue;
            };
            if found.is_file() {
                files.push((found.modified()?, found.len(), entry.path()));
            }
        }
        Ok(files)
    }

    fn place(&self, content: Digest) -> PathBuf {
        self.folder.join(content.to_hex())
    }
}

fn is_absence(error: &io::Error) -> bool {
    let kinds = [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory];
    kinds.contains(&error.kind())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn picture(width: u32) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let picture = image::DynamicImage::new_rgb8(width, 8);
        picture
            .write_to(&mut bytes, image::ImageFormat::Png)
            .expect("memory");
        bytes.into_inner()
    }

    fn digest(number: u8) -> Digest {
        Digest::of(&[number])
    }

    #[test]
    fn a_thumbnail_is_made_once_and_anew_when_it_is_lost_or_damaged() {
        let data = tempfile::tempdir().expect("a folder");
        let cache = Thumbnails::of(data.path());
        assert_eq!(cache.kept(digest(1)), None);
        assert!(!cache.folder.exists());
        let made = cache.make(digest(1), &picture(9));
        assert_ne!(made, Shrunk::Undrawn);
        assert_eq!(cache.kept(digest(1)), Some(made.clone()));
        assert_eq!(cache.make(digest(2), b"no picture"), Shrunk::Undrawn);
        assert_eq!(cache.kept(digest(2)), Some(Shrunk::Undrawn));
        let permissions = fs::metadata(&cache.folder)
            .expect("a folder")
            .permissions()
            .mode();
        assert_eq!(permissions & 0o777, 0o700);
        let path = cache.place(digest(1));
        let good = fs::read(&path).expect("a file");
        for damaged in [
            &b""[..],
            &good[..20],
            &good[..good.len() - 1],
            &[&good[..], b"x"].concat(),
        ] {
            fs::write(&path, damaged).expect("a file");
            assert_eq!(cache.kept(digest(1)), None, "{} bytes", damaged.len());
            assert_eq!(cache.make(digest(1), &picture(9)), made);
            assert_eq!(fs::read(&path).expect("a file"), good);
        }
        fs::remove_dir_all(&cache.folder).expect("removed");
        assert_eq!(cache.kept(digest(1)), None);
        assert_eq!(cache.make(digest(1), &picture(9)), made);
        assert_eq!(cache.kept(digest(1)), Some(made));
    }

    #[test]
    fn purged_contents_have_no_thumbnail() {
        let data = tempfile::tempdir().expect("a folder");
        let cache = Thumbnails::of(data.path());
        assert_eq!(cache.forget(&[digest(1)]), []);
        for number in [1, 2] {
            cache.make(digest(number), &picture(9));
        }
        fs::write(cache.folder.join(".tmpAbc"), "left by a killed process").expect("a file");
        assert_eq!(cache.forget(&[digest(1), digest(3)]), []);
        let left = cache.files().expect("a list");
        let left: Vec<_> = left.into_iter().map(|file| file.2).collect();
        assert_eq!(left, [cache.place(digest(2))]);
    }

    #[test]
    fn an_obstacle_fails_nothing() {
        let data = tempfile::tempdir().expect("a folder");
        let cache = Thumbnails::of(data.path());
        fs::write(&cache.folder, "precious").expect("a file");
        assert_ne!(cache.make(digest(1), &picture(9)), Shrunk::Undrawn);
        assert_eq!(cache.kept(digest(1)), None);
        fs::remove_file(&cache.folder).expect("removed");
        let elsewhere = tempfile::tempdir().expect("a folder");
        std::os::unix::fs::symlink(elsewhere.path(), &cache.folder).expect("a link");
        assert_ne!(cache.make(digest(1), &picture(9)), Shrunk::Undrawn);
        assert_eq!(elsewhere.path().read_dir().expect("a list").count(), 0);
    }

    #[test]
    fn the_oldest_ones_go_when_there_are_too_many() {
        let data = tempfile::tempdir().expect("a folder");
        Thumbnails::of(data.path()).make(digest(0), &picture(9));
        let one = fs::metadata(Thumbnails::of(data.path()).place(digest(0)));
        let size = one.expect("a file").len();
        let cache = Thumbnails {
            max_bytes: 4 * size,
            ..Thumbnails::of(data.path())
        };
        for number in 0..4 {
            cache.make(digest(number), &picture(9));
            let age = std::time::Duration::from_secs(100 - u64::from(number));
            let file = fs::File::open(cache.place(digest(number))).expect("a file");
            let now = file.metadata().and_then(|found| found.modified());
            file.set_modified(now.expect("a time") - age).expect("set");
        }
        // The counter of a process that was there before is too low by what others added.
        *cache.used.lock().expect("not poisoned") = Some(4 * size);
        cache.make(digest(4), &picture(9));
        let left: Vec<_> = (0..5)
            .filter(|one| cache.kept(digest(*one)).is_some())
            .collect();
        assert_eq!(left, [2, 3, 4]);
        assert_eq!(*cache.used.lock().expect("not poisoned"), Some(3 * size));
    }
}
