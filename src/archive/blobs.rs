//! Blobs: contents in the form in which they are stored, the small ones beside their rows in the catalogue, the large ones as objects.
//!
//! Never looks at published files, and never records anything: whoever calls keeps the rows.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::object_name::is_of_any;
use super::objects::Objects;
use super::temp_dir::TempDir;
use super::{ArchiveError, Machine};
use crate::domain::{Digest, StoredObject};

/// The codec and the objects behind it.
#[derive(Debug)]
pub struct Blobs {
    pub(super) objects: Objects,
    /// Where large contents that are decoded go.
    pub(super) temp: Arc<TempDir>,
}

impl Blobs {
    pub(super) fn new(objects: Objects, temp: Arc<TempDir>) -> Self {
        Self { objects, temp }
    }

    /// Tells whether an object is where it should be and as long as it should be; reads nothing of it. An error says that this cannot
    /// be told now.
    pub fn has_object(&self, object: &StoredObject) -> Result<bool, ArchiveError> {
        let found = self.objects.open(&object.name)?;
        Ok(found.is_some_and(|found| found.size_bytes == object.size_bytes))
    }

    /// Returns all objects, each with the digest of its content.
    pub fn objects(&self) -> Result<Vec<(Digest, String)>, ArchiveError> {
        self.objects.list()
    }

    /// Returns the objects whose makers have ended, each with the digest of its content: no live process can be about to record one.
    ///
    /// Such an object that no blob names has no use in this catalogue any more.
    pub fn ownerless_objects(
        &self,
        machine: &Machine,
    ) -> Result<Vec<(Digest, String)>, ArchiveError> {
        // In this order: whoever made one that was listed and is not alive by now has recorded it, or never will.
        let mut objects = self.objects.list()?;
        let alive: HashSet<String> = machine.live_owners()?.into_iter().collect();
        objects.retain(|(_, name)| !is_of_any(name, &alive));
        Ok(objects)
    }

    /// Tells whether there is any object.
    pub fn has_objects(&self) -> Result<bool, ArchiveError> {
        Ok(!self.objects.is_empty()?)
    }

    /// Removes an object that this process made and recorded nowhere; fine when it is gone already.
    pub fn delete_object(&self, name: &str) -> Result<(), ArchiveError> {
        self.objects.delete(name)
    }

    /// Moves an object to the trash, from which it is still read; fine when it is gone already.
    pub fn discard_object(&self, name: &str, now: DateTime<Utc>) -> Result<(), ArchiveError> {
        self.objects.discard(name, now)
    }

    /// Moves an object back from the trash. Returns whether it lay there.
    pub fn rescue_object(&self, name: &str) -> Result<bool, ArchiveError> {
        self.objects.rescue(name)
    }
}
