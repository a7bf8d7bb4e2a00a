//! `[storage]`: where the catalogue and the large objects are. Both are in the data folder: the section has no keys
//! yet.
//!
//! Never opens a place.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The settings of the storage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct StorageConfig {}

/// The place of a catalogue. Displayed as messages name it, after "in".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CataloguePlace {
    /// A file in this folder.
    Folder(PathBuf),
}

/// The place of large objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectsPlace {
    /// Files below this folder.
    Folder(PathBuf),
}

impl StorageConfig {
    /// Returns the place of the catalogue.
    pub(super) fn catalogue_place(&self, data_dir: &Path) -> CataloguePlace {
        let Self {} = self;
        CataloguePlace::Folder(data_dir.to_owned())
    }

    /// Returns the place of large objects.
    pub(super) fn objects_place(&self, data_dir: &Path) -> ObjectsPlace {
        let Self {} = self;
        ObjectsPlace::in_folder(data_dir)
    }
}

impl CataloguePlace {
    /// Returns the name of the catalogue there, as hints name it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Folder(_) => "gannet.db",
        }
    }
}

impl fmt::Display for CataloguePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => folder.display().fmt(f),
        }
    }
}

impl ObjectsPlace {
    /// Returns the place of objects in a data folder.
    pub fn in_folder(data_dir: &Path) -> Self {
        Self::Folder(data_dir.join("objects"))
    }
}
