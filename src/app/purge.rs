//! Having the bytes of a purged history nowhere: overwritten in the catalogue, gone from the folders of sets and from the trash.
//!
//! Large stored files in the trash stay their days there, which the removal itself says.

use std::collections::HashSet;
use std::path::PathBuf;

use super::{App, Result};
use crate::domain::{Digest, SourceId};
use crate::store::{Changed, SourceChange, StoreError};

const READ_MEANWHILE: &str = "another process reads the catalogue; it goes when the last one that has the catalogue open ends";

/// A place where content of a purged history is still to be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remains {
    /// A file or a folder.
    pub path: PathBuf,
    /// Why, and until when.
    pub why: String,
}

/// A purge on its way.
#[derive(Default)]
pub(super) struct Purge {
    /// What every version of the purged sources holds, by size and digest; nothing without a purge.
    contents: HashSet<(u64, Digest)>,
    remains: Vec<Remains>,
}

impl App {
    /// Notes what is to be found nowhere once these sources are purged, and has it overwritten when it is deleted.
    pub(super) async fn begin_purge(&self, sources: Vec<SourceId>) -> Result<Purge> {
        let contents = self.store.contents_of(sources).await?;
        match self.store.overwrite_deleted(true).await {
            // What has no room for an empty transaction has none for the purge.
            Err(error) if !matches!(error, StoreError::Full { .. }) => return Err(error.into()),
            _ => {}
        }
        Ok(Purge {
            contents,
            remains: Vec::new(),
        })
    }

    /// Records changes. A purge that a full disk leaves no room to overwrite is recorded without that.
    pub(super) async fn change_or_purge(
        &self,
        changes: Vec<SourceChange>,
        purge: &mut Purge,
    ) -> Result<Vec<Changed>> {
        if purge.contents.is_empty() {
            return Ok(self.store.change_sources(changes, self.stamp()).await?);
        }
        match self
            .store
            .change_sources(changes.clone(), self.stamp())
            .await
        {
            Err(StoreError::Full { path }) => {
                self.store.overwrite_deleted(false).await?;
                let done = self.store.change_sources(changes, self.stamp()).await?;
                purge.remains.push(Remains {
                    path,
                    why: "the disk has no room to overwrite it; the next versions that are kept do"
                        .to_owned(),
                });
                Ok(done)
            }
            done => Ok(done?),
        }
    }

    /// Takes away what is left of purged contents outside of the catalogue's rows. Returns where some may still be found.
    pub(super) async fn end_purge(&self, purge: Purge) -> Vec<Remains> {
        let Purge {
            contents,
            mut remains,
        } = purge;
        if contents.is_empty() {
            return remains;
        }
        let data_dir = self.config().data_dir.clone();
        let catalogue = |file: &str| data_dir.join(file);
        match self.erase_editions(contents).await {
            Ok(left) => remains.extend(left),
            Err(error) => remains.push(Remains {
                path: data_dir.join("sets"),
                why: error.to_string(),
            }),
        }
        let why = match self.store.empty_log().await {
            Ok(true) => None,
            Ok(false) => Some(READ_MEANWHILE.to_owned()),
            Err(error) => Some(error.to_string()),
        };
        for file in ["gannet.db", "gannet.db-wal"] {
            remains.extend(why.clone().map(|why| Remains {
                path: catalogue(file),
                why,
            }));
        }
        let copies = self.archive.catalogue_copies().into_iter();
        remains.extend(copies.map(|copy| {
            Remains {
                path: catalogue(&copy),
                why:
                    "a copy of the catalogue from before an upgrade; delete it when nobody needs it"
                        .to_owned(),
            }
        }));
        remains
    }

    async fn erase_editions(&self, contents: HashSet<(u64, Digest)>) -> Result<Vec<Remains>> {
        let _lock = self.lock_published().await?;
        let left = self
            .with_archive(move |archive| archive.erase_editions(&contents))
            .await?;
        Ok(left
            .into_iter()
            .map(|(path, why)| Remains { path, why })
            .collect())
    }
}
