//! The engines of the catalogue: which one opens the catalogue at a place.
//!
//! Never names a table; the engines do.

use std::io;
use std::path::PathBuf;

pub use super::sqlite::Store;

use super::error::Result;
use super::options::StoreOptions;
use crate::config::CataloguePlace;

/// What is at the place of a catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CatalogueState {
    /// Nothing.
    Missing,
    /// A catalogue without contents.
    Empty,
    /// A catalogue, or what seems to be one.
    Present,
}

impl Store {
    /// Opens or creates the catalogue at a place, and migrates it; see [`Store::open_with`].
    pub fn open_at(place: &CataloguePlace, options: StoreOptions) -> Result<Self> {
        Self::open_with(&file_at(place), options)
    }

    /// Opens an existing catalogue for reading only; see [`Store::open_for_reading`].
    pub fn open_at_for_reading(place: &CataloguePlace) -> Result<Self> {
        Self::open_for_reading(&file_at(place))
    }

    /// Returns what is at the place of a catalogue, without opening it.
    pub fn state_at(place: &CataloguePlace) -> io::Result<CatalogueState> {
        match std::fs::metadata(file_at(place)) {
            Ok(file) if file.len() > 0 => Ok(CatalogueState::Present),
            Ok(_) => Ok(CatalogueState::Empty),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(CatalogueState::Missing),
            Err(error) => Err(error),
        }
    }

    /// Returns the length of the catalogue at a place, with the log of its writes; 0 when it cannot be read.
    pub fn bytes_at(place: &CataloguePlace) -> u64 {
        let file = file_at(place);
        let log = file.with_extension("db-wal");
        let lengths =
            [file, log].map(|path| std::fs::metadata(path).map_or(0, |facts| facts.len()));
        lengths.iter().sum()
    }

    /// Returns the configuration file that the policy of the catalogue at a place came from; `None` where there is no
    /// policy, or the catalogue cannot be read.
    pub fn policy_file_at(place: &CataloguePlace) -> Option<PathBuf> {
        Self::policy_file(&file_at(place))
    }
}

fn file_at(place: &CataloguePlace) -> PathBuf {
    match place {
        CataloguePlace::Folder(folder) => folder.join(place.name()),
    }
}
