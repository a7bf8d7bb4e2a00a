//! Erases the bytes of a purged history everywhere: overwritten in the catalogue, removed from the folders of sets,
//! from the trash and from the remains of killed processes in `tmp/`.
//!
//! Large stored files stay in the trash for their days, which the output of the removal says.

use std::collections::HashSet;
use std::path::PathBuf;

use chrono::{DateTime, Utc};

use crate::app::{App, Error, ErrorKind, Result};
use crate::archive::FileLock;
use crate::domain::{Digest, Edition, SourceId, parse_id};
use crate::store::{
    Changed, ContentsOf, DeletedEditions, PurgedAt, SetsQuery, SourceChange, StoreError,
    UnclaimedPaths, Withdrawals,
};

const READ_MEANWHILE: &str = "another process reads the catalogue; it goes when the last one that has the catalogue open ends";

/// A place where content of a purged history remains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remains {
    /// A file or a folder.
    pub path: PathBuf,
    /// Why it remains, and until when.
    pub why: String,
}

/// The remedy when there is no room for a purge.
const MAKE_ROOM: &str = "a purge has to write before it can delete, and nothing is kept aside for it here: make 8 MiB of room on that disk (what lies in trash/ may be deleted at once) and run again; with 64 MiB free, the next pass keeps a reserve for the next time";

/// Adds the remedy to the error of a purge that lacks room.
pub fn make_room_first(error: Error) -> Error {
    if error.is_out_of_space() {
        error.hint(MAKE_ROOM)
    } else {
        error
    }
}

/// A purge under way.
#[derive(Default)]
pub(in crate::app) struct Purge {
    /// Size and digest of every version of the purged sources; empty without a purge.
    contents: HashSet<(u64, Digest)>,
    remains: Vec<Remains>,
    /// The sets whose published folder shows a file of a purged source.
    showing: Vec<String>,
    /// The newest edition of each set before the purge.
    newest_editions: Vec<Edition>,
}

impl App {
    /// Keeps a reserve of disk space for a purge, unless it exists or the disk has too little. Never fails.
    pub(crate) async fn make_reserve(&self) {
        if let Err(error) = self
            .with_archive(|archive| archive.machine().make_reserve())
            .await
        {
            tracing::warn!("{error}");
        }
    }

    /// Checks that new contents can be kept: the place of objects is there, and the disk has room.
    pub async fn check_room(&self) -> Result<()> {
        self.with_archive(|archive| {
            archive.objects().check()?;
            archive.machine().check_room()
        })
        .await
    }

    /// Records which contents must be erased when these sources are purged, and has the catalogue overwrite them.
    /// Refuses changes whose conditions do not hold: files are erased before the purge is recorded.
    pub(in crate::app) async fn begin_purge(
        &self,
        sources: Vec<SourceId>,
        changes: &[SourceChange],
    ) -> Result<Purge> {
        if sources.is_empty() {
            return Ok(Purge::default());
        }
        self.check_conditions(changes).await?;
        let showing = SetsQuery::Showing(sources.clone());
        let showing = self.read(showing).await?;
        let newest_editions = self.newest_editions().await?;
        let contents = ContentsOf(self.with_days(sources).await?);
        let contents = self.read(contents).await?;
        match self.ports.store.overwrite_deleted(true).await {
            // A disk without room for an empty transaction has none for the purge.
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
        Ok(Purge {
            contents,
            remains,
            showing,
            newest_editions,
        })
    }

    /// Refuses changes whose conditions do not hold.
    async fn check_conditions(&self, changes: &[SourceChange]) -> Result<()> {
        let is_condition = |change: &&SourceChange| matches!(change, SourceChange::Seen(..));
        let conditions: Vec<_> = changes.iter().filter(is_condition).cloned().collect();
        if !conditions.is_empty() {
            let stamp = self.stamp();
            self.ports.store.change_sources(conditions, stamp).await?;
        }
        Ok(())
    }

    /// Records changes. A purge without room for overwriting on a full disk is recorded without overwriting.
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

    /// Erases remains of purged contents outside of the catalogue's rows. Returns where some remain.
    pub(in crate::app) async fn end_purge(&self, purge: Purge) -> Vec<Remains> {
        let mut remains = purge.remains;
        if purge.contents.is_empty() {
            return remains;
        }
        let digests = purge.contents.iter().map(|(_, digest)| *digest).collect();
        remains.extend(remains_of(self.forget_thumbnails(digests).await));
        let erased = match self.lock_published().await {
            Ok(lock) => self.erase_editions(purge.contents, &lock).await,
            Err(error) => Err(error),
        };
        remains.extend(erased.unwrap_or_else(|error| {
            vec![Remains {
                path: self.config().data_dir.join("sets"),
                why: error.to_string(),
            }]
        }));
        remains.extend(self.remains_of_catalogue().await);
        remains
    }

    /// Empties the catalogue's log. Returns the files of the catalogue that still have purged contents.
    async fn remains_of_catalogue(&self) -> Vec<Remains> {
        let data_dir = self.config().data_dir.clone();
        let mut remains = Vec::new();
        let why = match self.ports.store.empty_log().await {
            Ok(true) => None,
            Ok(false) => Some(READ_MEANWHILE.to_owned()),
            Err(error) => Some(error.to_string()),
        };
        if let Some(why) = why {
            let files = self.ports.store.files().into_iter();
            remains.extend(files.map(|path| Remains {
                path,
                why: why.clone(),
            }));
        }
        let copies = self.ports.archive.machine().catalogue_copies().into_iter();
        remains.extend(copies.map(|copy| {
            Remains {
                path: data_dir.join(&copy),
                why:
                    "a copy of the catalogue from before an upgrade; delete it when nobody needs it"
                        .to_owned(),
            }
        }));
        remains
    }

    /// Erases what can be published again before the purge is recorded: a kill afterwards leaves only the folders that
    /// readers see, which the catalogue marks for removal.
    pub(in crate::app) async fn erase_before_purge(&self, purge: &Purge, lock: &FileLock) {
        if purge.contents.is_empty() {
            return;
        }
        if let Err(error) = self.erase_editions(purge.contents.clone(), lock).await {
            tracing::warn!("{error}: tried again when the purge is recorded");
        }
    }

    /// Judges the sets that showed a purged file, before their folders go: the next editions replace them if they pass.
    pub(in crate::app) async fn judge_sets_after(&self, purge: &mut Purge) {
        if let Err(error) = self.judge_sets_now(&purge.showing).await {
            tracing::warn!("{error}: left to the next pass");
        }
        let editions = std::mem::take(&mut purge.newest_editions);
        if let Err(error) = self.record_older_editions(editions).await {
            tracing::warn!("{error}");
        }
    }

    /// Completes interrupted purges and removals, where this process may. Returns the sets whose folders were updated
    /// only now.
    pub async fn finish_removals(&self) -> Result<Vec<String>> {
        let sets = self.read(SetsQuery::Purged).await?;
        let has_files = !self.read(Withdrawals(false)).await?.is_empty();
        if !has_files && sets.is_empty() || !self.policy_standing().await?.is_in_force() {
            return Ok(Vec::new());
        }
        self.settle_removed(false).await?;
        for set in &sets {
            if let Err(error) = self.settle_set(set).await {
                tracing::warn!("{error}: left to the next pass");
            }
        }
        let left = self.read(SetsQuery::Purged).await?;
        let mut done = sets;
        done.retain(|set| !left.contains(set));
        if !done.is_empty() {
            self.ports.store.empty_log().await?;
        }
        Ok(done)
    }

    /// Returns when the last of these sources was purged, if every selector is the name of a purged source and matches
    /// no other.
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
            match self.read(PurgedAt(selector.clone())).await? {
                Some(at) => last = last.max(Some(at)),
                None => return Ok(None),
            }
        }
        Ok(last)
    }

    /// Reports whether the edition that readers of a set see was purged and its folder is still there.
    pub(in crate::app) async fn is_purged(&self, set: &str) -> Result<bool> {
        let sets = self.read(SetsQuery::Purged).await?;
        Ok(sets.iter().any(|one| one == set))
    }

    /// Deletes the folders of a set's purged editions, even those in use.
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
        let deleted = self.read(DeletedEditions(ids)).await?;
        self.with_archive(move |archive| {
            let gone = folders.iter().filter(|(id, _)| deleted.contains(id));
            gone.map(|(_, folder)| archive.sets().erase_folder(folder))
                .fold(Ok(()), std::result::Result::and)
        })
        .await
    }

    /// Returns published files with these contents that belong to no source: those of purged sources whose rows no
    /// longer name a path.
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
        let stray = self.read(UnclaimedPaths(found)).await?.into_iter();
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
