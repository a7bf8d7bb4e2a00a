//! Blobs: contents in their stored form, small ones in the catalogue, large ones as objects.
//!
//! Never touches published files, and never writes rows; the caller does.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::ArchiveError;
use super::objects::Objects;
use super::temp_dir::TempDir;
use crate::domain::{Digest, StoredObject};

/// The codec and the store of objects.
#[derive(Debug)]
pub struct Blobs {
    pub(super) objects: Objects,
    /// Folder for large decoded contents.
    pub(super) temp: Arc<TempDir>,
}

impl Blobs {
    pub(super) fn new(objects: Objects, temp: Arc<TempDir>) -> Self {
        Self { objects, temp }
    }

    /// Returns whether an object exists with its recorded length, without reading it. Fails when the store is
    /// unavailable.
    pub fn has_object(&self, object: &StoredObject) -> Result<bool, ArchiveError> {
        let found = self.objects.open(&object.name)?;
        Ok(found.is_some_and(|found| found.size_bytes == object.size_bytes))
    }

    /// Returns all objects, each with the digest of its content.
    pub fn objects(&self) -> Result<Vec<(Digest, String)>, ArchiveError> {
        self.objects.list()
    }

    /// Returns whether there is any object.
    pub fn has_objects(&self) -> Result<bool, ArchiveError> {
        Ok(!self.objects.is_empty()?)
    }

    /// Removes an unrecorded object of this process; no error when it is missing.
    pub fn delete_object(&self, name: &str) -> Result<(), ArchiveError> {
        self.objects.delete(name)
    }

    /// Moves an object to the trash, where it can still be read; no error when it is missing.
    pub fn discard_object(&self, name: &str, now: DateTime<Utc>) -> Result<(), ArchiveError> {
        self.objects.discard(name, now)
    }

    /// Moves an object back from the trash. Returns whether it was there.
    pub fn rescue_object(&self, name: &str) -> Result<bool, ArchiveError> {
        self.objects.rescue(name)
    }
}
