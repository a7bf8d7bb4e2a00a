//! The bond between the catalogue and the archive beside it: each is used with the other alone.
//!
//! Never deletes anything, whichever of the two is the wrong one.

use std::fmt;
use std::path::Path;
use std::sync::atomic::Ordering;

use super::{App, Error, ErrorKind, OtherContents, Result};
use crate::archive::{Archive, ArchiveError};
use crate::domain::{ArchiveMark, Digest, Mismatch, is_out_of_space, to_hex};
use crate::store::{Fact, StoreError};

/// Objects that are looked for in a catalogue at once.
const PAGE: usize = 1024;

/// What adopting an archive came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdoptedArchive {
    /// Objects that no version of this catalogue names, and that are kept.
    pub unknown_objects: usize,
    /// Sets that are published, and of which this catalogue has published no edition: they stay until it does.
    pub unknown_sets: usize,
}

impl fmt::Display for AdoptedArchive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} objects", self.unknown_objects)?;
        match self.unknown_sets {
            0 => {}
            1 => f.write_str(" and 1 published set")?,
            sets => write!(f, " and {sets} published sets")?,
        }
        f.write_str(" that it does not know")
    }
}

/// Refuses to begin a catalogue beside an archive that has lost its own.
pub fn refuse_lost_catalogue(data_dir: &Path) -> Result<()> {
    let archive = Archive::open_for_reading(data_dir);
    // A mark that cannot be read is one.
    if matches!(archive.machine().mark(), Ok(None)) && !archive.blobs().has_objects()? {
        return Ok(());
    }
    let message = format!(
        "{} holds an archive whose catalogue (gannet.db) is missing or empty",
        data_dir.display()
    );
    Err(refusal(message, &archive))
}

impl App {
    /// Makes sure that the catalogue is the archive's own, and counts both marks up. Both get one when neither has.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] when the two do not belong together, with which it is and the ways on.
    pub async fn join_archive(&self) -> Result<()> {
        if let Some(error) = self.archive_mismatch().await? {
            return Err(error);
        }
        // On a full disk nothing is counted, which harms nothing: the command says by itself what it could not do.
        let mark = match self.ports.store.next_archive_mark(new_id()?).await {
            Err(StoreError::Full { .. }) => return Ok(()),
            mark => mark?,
        };
        self.with_archive(move |archive| match archive.machine().set_mark(&mark) {
            Err(ArchiveError::Unavailable { source, .. }) if is_out_of_space(source.kind()) => {
                Ok(())
            }
            set => set,
        })
        .await?;
        // Not before: what the archive's mark failed for is tried again by the next change.
        self.ports.joined.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Begins a pass: its first change counts the marks up anew, so that no copy of the catalogue from before it passes for the
    /// right one. A pass with nothing to do writes nothing.
    pub(crate) fn begin_work(&self) {
        self.ports.joined.store(false, Ordering::Relaxed);
    }

    /// Does what [`Self::join_archive`] does, unless that was done for the work at hand.
    pub(crate) async fn join_archive_once(&self) -> Result<()> {
        if self.has_joined() {
            return Ok(());
        }
        self.join_archive().await
    }

    /// Returns whether the work at hand changed something, or was about to.
    pub(crate) fn has_joined(&self) -> bool {
        self.ports.joined.load(Ordering::Relaxed)
    }

    /// Returns why the catalogue is not the archive's own, if it is not.
    pub async fn archive_mismatch(&self) -> Result<Option<Error>> {
        // First: whoever counts up writes the catalogue first.
        let archive = match self.ports.archive.machine().mark() {
            // Whose the archive is cannot be told then.
            Err(error) => {
                return Ok(Some(Error::from(error).hint(
                    "`gannet config adopt-archive` writes the mark of the archive anew, for the catalogue beside it; nothing is deleted",
                )));
            }
            archive => archive?,
        };
        let catalogue = match self.ports.store.archive_mark().await {
            // Whose the catalogue is cannot be told then: it is read, and not changed.
            Err(error) if error.is_damage() => return Ok(Some(error.into())),
            catalogue => catalogue?,
        };
        let why = match ArchiveMark::mismatch(archive.as_ref(), catalogue.as_ref()) {
            Some(Mismatch::Foreign) => {
                "belongs to another archive than the one beside it".to_owned()
            }
            Some(Mismatch::Older { catalogue, archive }) => format!(
                "is an older copy: it counts {catalogue} openings and passes, the archive beside it {archive}"
            ),
            Some(Mismatch::Unmarked) => {
                "carries no mark of the archive beside it: it is an older copy, or another store's"
                    .to_owned()
            }
            None if archive.is_none() && self.names_no_object().await? => {
                "names none of the objects in the archive beside it".to_owned()
            }
            None => return Ok(None),
        };
        let path = self.config().data_dir.join("gannet.db");
        let message = format!("{} {why}", path.display());
        Ok(Some(refusal(message, &self.ports.archive)))
    }

    /// Tells of an archive without a mark whether all its objects are strange to the catalogue.
    async fn names_no_object(&self) -> Result<bool> {
        let objects = self
            .with_archive(|archive| archive.blobs().objects())
            .await?;
        let unknown = self.unnamed(&objects).await?.len();
        // A first fetch that was killed may have left one or two.
        Ok(unknown > 0 && unknown == objects.len())
    }

    /// Returns those of `objects` that no version names.
    async fn unnamed(&self, objects: &[(Digest, String)]) -> Result<Vec<String>> {
        let mut unnamed = Vec::new();
        for page in objects.chunks(PAGE) {
            unnamed.extend(self.ports.store.unnamed(page.to_vec()).await?);
        }
        Ok(unnamed)
    }

    /// Takes what lies in the archive for this catalogue's, whichever catalogue it was of. Objects that no version names are
    /// kept for good, and of `other` contents what the catalogue does not know for the days of the trash.
    pub async fn adopt_archive(&self, other: &OtherContents) -> Result<AdoptedArchive> {
        self.keep_unknown(other).await?;
        // One that cannot be read is replaced, too.
        let archive = self.ports.archive.machine().mark().ok().flatten();
        let catalogue = match self.ports.store.archive_mark().await {
            Err(error) if error.is_damage() => None,
            catalogue => catalogue?,
        };
        let generation = [&archive, &catalogue]
            .into_iter()
            .flatten()
            .map(|mark| mark.generation)
            .max();
        let id = match catalogue.or(archive) {
            Some(mark) => mark.id,
            None => new_id()?,
        };
        let mark = ArchiveMark {
            id,
            generation: generation.unwrap_or(0) + 1,
        };
        // The archive's own catalogue may name by now what this one was about to name, or to give up.
        let loose = self.ports.store.loose_objects(self.now()).await?;
        let forget = Fact::ObjectsGone(loose);
        self.ports.store.record(forget, self.stamp()).await?;
        let objects = self
            .with_archive(|archive| archive.blobs().objects())
            .await?;
        let mut kept = self.unnamed(&objects).await?;
        let sets = self.unknown_editions().await?;
        let adopted = AdoptedArchive {
            unknown_objects: kept.len(),
            unknown_sets: sets.len(),
        };
        let detail = format!("{adopted} are kept");
        kept.extend(sets);
        self.ports
            .store
            .adopt_archive(mark.clone(), kept, detail, self.stamp())
            .await?;
        self.with_archive(move |archive| archive.machine().set_mark(&mark))
            .await?;
        Ok(adopted)
    }

    /// Returns the editions that readers see of sets of which the catalogue has published none.
    async fn unknown_editions(&self) -> Result<Vec<String>> {
        let mut unknown = Vec::new();
        for set in self
            .with_archive(|archive| archive.sets().linked_sets())
            .await?
        {
            if self.published_edition(&set).await?.is_none() {
                unknown.extend(self.ports.archive.sets().linked_edition(&set));
            }
        }
        Ok(unknown)
    }
}

fn refusal(message: String, archive: &Archive) -> Error {
    let copies = archive.machine().catalogue_copies();
    let copies = if copies.is_empty() {
        String::new()
    } else {
        format!(", or a copy made before a migration: {}", copies.join(", "))
    };
    Error::new(ErrorKind::Unavailable, message).hint(format!(
        "put the right gannet.db back (from a backup{copies}); or `gannet config adopt-archive` takes what lies there for this catalogue's. Nothing is deleted either way"
    ))
}

fn new_id() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        let message = format!("cannot make an id for the archive: {error}");
        Error::new(ErrorKind::Unavailable, message)
    })?;
    Ok(to_hex(&bytes))
}
