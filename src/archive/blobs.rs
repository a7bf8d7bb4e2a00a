//! Blobs: contents in their stored form, small ones in the catalogue, large ones as objects.
//!
//! Never touches published files, and never writes rows; the caller does.

use std::sync::Arc;

use super::objects::Objects;
use super::temp_dir::TempDir;

/// The codec, over the store of objects.
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
}
