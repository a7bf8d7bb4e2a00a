//! Having the bytes of a purged history nowhere: overwritten in the catalogue, gone from the folders of sets, from the trash and from
//! what killed processes left in `tmp/`.
//!
//! Large stored files in the trash stay their days there, which the removal itself says.

use std::collections::HashSet;
use std::path::PathBuf;

use chrono::{DateTime, Utc};

use crate::app::{App, Error, ErrorKind, Result};
use crate::archive::FileLock;
use crate::domain::{Digest, SourceId, parse_id};
use crate::store::{Changed, SetsQuery, SourceChange, StoreError};

const READ_MEANWHILE: &str = "another process reads the catalogue; it goes when the last one that has the catalogue open ends";

/// A place where content of a purged history is still to be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remains {
    /// A file or a folder.
    pub path: PathBuf,
    /// Why, and until when.
    pub why: String,
}

/// What to do when there is no room for a purge.
const MAKE_ROOM: &str = "a purge has to write before it can delete, and nothing is kept aside for it here: make 8 MiB of room on that disk (what lies in trash/ may be deleted at once) and run again; with 64 MiB free, the next pass keeps a reserve for the next time";

/// Says what to do first, when it is for want of room that a purge cannot go ahead.
pub fn make_room_first(error: Error) -> Error {
    if error.is_out_of_space() {
        error.hint(MAKE_ROOM)
    } else {
        error
    }
}

/// A purge on its way.
#[derive(Default)]
pub(in crate::app) struct Purge {
    /// What every version of the purged sources holds, by size and digest; nothing without a purge.
    contents: HashSet<(u64, Digest)>,
    remains: Vec<Remains>,
}

impl App {
    /// Keeps room for a purge on a full disk, unless it is kept or the disk has too little to begin with. Nothing fails for want of it.
    pub(crate) async fn make_reserve(&self) {
        if let Err(error) = self
            .with_archive(|archive| archive.machine().make_reserve())
            .await
        {
            tracing::warn!("{error}");
        }
    }

    /// Notes what is to be found nowhere once these sources are purged, and has it overwritten when it is deleted.
    pub(in crate::app) async fn begin_purge(&self, sources: Vec<SourceId>) -> Result<Purge> {
        let contents = self.ports.store.contents_of(sources).await?;
        match self.ports.store.overwrite_deleted(true).await {
            // What has no room for an empty transaction has none for the purge.
            Err(error) if !matches!(error, StoreError::Full { .. }) => return Err(error.into()),
            _ => {}
        }
        let remains = match self
            .with_archive(|archive| archive.machine().erase_left_content())
            .await
        {
            Ok(left) => remains_of(left),
            Err(error) => vec![Remains {
                path: self.config().data_dir.join("tmp"),
                why: error.to_string(),
            }],
        };
        Ok(Purge { contents, remains })
    }

    /// Records changes. A purge that a full disk leaves no room to overwrite is recorded without that.
    pub(in crate::app) async fn change_or_purge(
        &self,
        changes: Vec<SourceChange>,
        purge: &mut Purge,
    ) -> Result<Vec<Changed>> {
        if purge.contents.is_empty() {
            return Ok(self
                .ports
                .store
                .change_sources(changes, self.stamp())
                .await?);
        }
        match self
            .ports
            .store
            .change_sources(changes.clone(), self.stamp())
            .await
        {
            Err(StoreError::Full { place }) => {
                self.ports.store.overwrite_deleted(false).await?;
                let done = self
                    .ports
                    .store
                    .change_sources(changes, self.stamp())
                    .await?;
                purge.remains.push(Remains {
                    path: place.into(),
                    why: "the disk has no room to overwrite it; the next versions that are kept do"
                        .to_owned(),
                });
                Ok(done)
            }
            done => Ok(done?),
        }
    }

    /// Takes away what is left of purged contents outside of the catalogue's rows. Returns where some may still be found.
    pub(in crate::app) async fn end_purge(&self, purge: Purge) -> Vec<Remains> {
        let Purge {
            contents,
            mut remains,
        } = purge;
        if contents.is_empty() {
            return remains;
        }
        let data_dir = self.config().data_dir.clone();
        let catalogue = |file: &str| data_dir.join(file);
        let erased = match self.lock_published().await {
            Ok(lock) => self.erase_editions(contents, &lock).await,
            Err(error) => Err(error),
        };
        match erased {
            Ok(left) => remains.extend(left),
            Err(error) => remains.push(Remains {
                path: data_dir.join("sets"),
                why: error.to_string(),
            }),
        }
        let why = match self.ports.store.empty_log().await {
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
        let copies = self.ports.archive.machine().catalogue_copies().into_iter();
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

    /// Takes away what can be published again before the purge is recorded: whoever is killed from then on leaves no more than the
    /// folders that readers see, of which the catalogue knows that they have to go.
    pub(in crate::app) async fn erase_before_purge(&self, purge: &Purge, lock: &FileLock) {
        if purge.contents.is_empty() {
            return;
        }
        if let Err(error) = self.erase_editions(purge.contents.clone(), lock).await {
            tracing::warn!("{error}: tried again when the purge is recorded");
        }
    }

    /// Does what a purge or a removal that was cut off had still to do, where this process may. Returns the sets whose folders
    /// followed only now.
    pub async fn finish_removals(&self) -> Result<Vec<String>> {
        let sets = self.ports.store.set_names(SetsQuery::Purged).await?;
        let has_files = !self.ports.store.withdrawals(false).await?.is_empty();
        if !has_files && sets.is_empty() || !self.policy_standing().await?.is_in_force() {
            return Ok(Vec::new());
        }
        self.settle_removed(false).await?;
        for set in &sets {
            if let Err(error) = self.settle_set(set).await {
                tracing::warn!("{error}: left to the next pass");
            }
        }
        let left = self.ports.store.set_names(SetsQuery::Purged).await?;
        let mut done = sets;
        done.retain(|set| !left.contains(set));
        if !done.is_empty() {
            self.ports.store.empty_log().await?;
        }
        Ok(done)
    }

    /// Returns when the last of these sources was purged, where each is the name of a source that was purged and none matches any
    /// other.
    pub async fn purged_before(&self, selectors: &[String]) -> Result<Option<DateTime<Utc>>> {
        let mut last = None;
        for selector in selectors {
            if let Some(id) = parse_id(selector)
                && self.parts_if_damaged(SourceId(id)).await?.is_some()
            {
                return Ok(None);
            }
            match self.sources(std::slice::from_ref(selector)).await {
                Err(error) if error.kind == ErrorKind::NotFound => {}
                _ => return Ok(None),
            }
            match self.ports.store.purged_at(selector.clone()).await? {
                Some(at) => last = last.max(Some(at)),
                None => return Ok(None),
            }
        }
        Ok(last)
    }

    /// Tells whether the edition that readers of a set see was purged, and its folder has not followed yet.
    pub(in crate::app) async fn is_purged(&self, set: &str) -> Result<bool> {
        let sets = self.ports.store.set_names(SetsQuery::Purged).await?;
        Ok(sets.iter().any(|one| one == set))
    }

    /// Deletes the folders of a set's editions that went with a purged member, whoever may be inside.
    pub(in crate::app) async fn erase_purged_editions(
        &self,
        set: &str,
        _lock: &FileLock,
    ) -> Result<()> {
        let set = set.to_owned();
        let folders = self
            .with_archive(move |archive| archive.sets().replaced(&set))
            .await?;
        let ids = folders.iter().map(|(id, _)| *id).collect();
        let deleted = self.ports.store.deleted_editions(ids).await?;
        self.with_archive(move |archive| {
            let gone = folders.iter().filter(|(id, _)| deleted.contains(id));
            gone.map(|(_, folder)| archive.sets().erase_folder(folder))
                .fold(Ok(()), std::result::Result::and)
        })
        .await
    }

    /// Returns the published files that have one of these contents and are of no source: what purged sources leave whose rows do not
    /// say any more where their files lay.
    pub(in crate::app) async fn stray_files(
        &self,
        contents: HashSet<(u64, Digest)>,
    ) -> Result<Vec<PathBuf>> {
        if contents.is_empty() {
            return Ok(Vec::new());
        }
        let found = self
            .with_archive(move |archive| archive.published().with_contents(&contents))
            .await?;
        let stray = self.ports.store.unclaimed(found).await?.into_iter();
        Ok(stray.map(|path| self.published_file(&path)).collect())
    }

    async fn erase_editions(
        &self,
        contents: HashSet<(u64, Digest)>,
        _lock: &FileLock,
    ) -> Result<Vec<Remains>> {
        let left = self
            .with_archive(move |archive| archive.sets().erase(&contents))
            .await?;
        Ok(remains_of(left))
    }
}

fn remains_of(left: Vec<(PathBuf, String)>) -> Vec<Remains> {
    left.into_iter()
        .map(|(path, why)| Remains { path, why })
        .collect()
}
