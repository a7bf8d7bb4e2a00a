//! Ties the catalogue and the archive beside it together: neither is used with another counterpart.
//!
//! Never deletes anything, whichever of the two is wrong.

use std::fmt;
use std::sync::atomic::Ordering;

use super::{App, Error, ErrorKind, OtherContents, Result};
use crate::archive::{Archive, ArchiveError};
use crate::config::Config;
use crate::domain::{ArchiveMark, Digest, Mismatch, is_out_of_space, to_hex};
use crate::store::{CatalogueMark, Fact, LooseObjects, StoreError, UnnamedObjects};

/// Objects looked up in a catalogue at once.
const PAGE: usize = 1024;

/// The result of adopting an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdoptedArchive {
    /// Objects that no version of this catalogue names; they are kept.
    pub unknown_objects: usize,
    /// Published sets of which this catalogue has published no edition: their folders stay until it does.
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

/// Refuses to create a catalogue beside an archive whose own catalogue is lost.
pub fn refuse_lost_catalogue(config: &Config) -> Result<()> {
    let archive = Archive::open_for_reading(&config.data_dir, &config.objects_place());
    // An unreadable mark counts as a mark.
    if matches!(archive.machine().mark(), Ok(None)) && archive.objects().is_empty()? {
        return Ok(());
    }
    let message = format!(
        "{} holds an archive whose catalogue ({}) is missing or empty",
        config.data_dir.display(),
        config.catalogue_place().name()
    );
    Err(refusal(message, &archive, config))
}

impl App {
    /// Checks that the catalogue belongs to the archive, and increments both marks. Both get a mark when neither has
    /// one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] when they do not belong together; the message names the wrong one and the remedies.
    pub async fn join_archive(&self) -> Result<()> {
        if let Some(error) = self.archive_mismatch().await? {
            return Err(error);
        }
        // On a full disk no mark is incremented, which is harmless: the command itself reports the full disk.
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
        // Not before: after a failure of the archive's mark, the next change tries again.
        self.ports.joined.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Begins a pass: its first change increments the marks, so that an older copy of the catalogue is noticed. A pass
    /// with nothing to do writes nothing.
    pub(crate) fn begin_work(&self) {
        self.ports.joined.store(false, Ordering::Relaxed);
    }

    /// Does the same as [`Self::join_archive`], once per unit of work.
    pub(crate) async fn join_archive_once(&self) -> Result<()> {
        if self.has_joined() {
            return Ok(());
        }
        self.join_archive().await
    }

    /// Returns whether the present work changed something, or was about to.
    pub(crate) fn has_joined(&self) -> bool {
        self.ports.joined.load(Ordering::Relaxed)
    }

    /// Returns an error when the catalogue does not belong to the archive.
    pub async fn archive_mismatch(&self) -> Result<Option<Error>> {
        // The archive's mark is read first: a writer increments the catalogue's mark first.
        let archive = match self.ports.archive.machine().mark() {
            // The archive's owner is then unknown. A machine that opens no file at the moment spoils no mark.
            Err(error) => {
                let error = Error::from(error);
                return Ok(Some(if error.concerns_all() {
                    error
                } else {
                    error.hint("`gannet config adopt-archive` writes the mark of the archive anew, for the catalogue beside it; nothing is deleted")
                }));
            }
            archive => archive?,
        };
        let catalogue = match self.ports.store.read(CatalogueMark).await {
            // The catalogue's owner is then unknown: it is read, and not changed.
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
        let message = format!("{} {why}", self.ports.store.place());
        let config = self.config();
        Ok(Some(refusal(message, &self.ports.archive, &config)))
    }

    /// Reports, for an archive without a mark, whether the catalogue names none of its objects.
    async fn names_no_object(&self) -> Result<bool> {
        let objects = self
            .with_archive(|archive| archive.objects().list())
            .await?;
        let unknown = self.unnamed(&objects).await?.len();
        // A killed first fetch may have left one or two.
        Ok(unknown > 0 && unknown == objects.len())
    }

    /// Returns those of `objects` that no version names.
    async fn unnamed(&self, objects: &[(Digest, String)]) -> Result<Vec<String>> {
        let mut unnamed = Vec::new();
        for page in objects.chunks(PAGE) {
            unnamed.extend(self.read(UnnamedObjects(page.to_vec())).await?);
        }
        Ok(unnamed)
    }

    /// Takes the archive over for this catalogue. Objects that no version names are kept for good; unknown contents
    /// among `other` are kept for as long as the trash is.
    pub async fn adopt_archive(&self, other: &OtherContents) -> Result<AdoptedArchive> {
        self.keep_unknown(other).await?;
        let mark = self.mark_to_adopt().await?;
        // The archive's own catalogue may name by now what this one was about to name, or to give up.
        let loose = self.read(LooseObjects(self.now())).await?;
        self.record(Fact::ObjectsGone(loose)).await?;
        let objects = self
            .with_archive(|archive| archive.objects().list())
            .await?;
        let mut kept = self.unnamed(&objects).await?;
        let sets = self.unknown_editions().await?;
        let adopted = AdoptedArchive {
            unknown_objects: kept.len(),
            unknown_sets: sets.len(),
        };
        let detail = format!("{adopted} are kept");
        kept.extend(sets);
        self.record(Fact::ArchiveAdopted {
            mark: mark.clone(),
            kept,
            detail,
        })
        .await?;
        self.with_archive(move |archive| archive.machine().set_mark(&mark))
            .await?;
        Ok(adopted)
    }

    /// Returns the mark for an adopted archive: with the catalogue's id, or else the archive's, and a higher generation
    /// than either has; a new one at the end of the range. An unreadable mark is replaced, too.
    async fn mark_to_adopt(&self) -> Result<ArchiveMark> {
        let archive = self.ports.archive.machine().mark().ok().flatten();
        let catalogue = match self.ports.store.read(CatalogueMark).await {
            Err(error) if error.is_damage() => None,
            catalogue => catalogue?,
        };
        let marks = [&archive, &catalogue].into_iter().flatten();
        let newest = marks.map(|mark| mark.generation).max();
        let next = catalogue
            .or(archive)
            .zip(newest)
            .and_then(|(mark, generation)| ArchiveMark { generation, ..mark }.next());
        match next {
            Some(next) => Ok(next),
            None => Ok(ArchiveMark {
                id: new_id()?,
                generation: 1,
            }),
        }
    }

    /// Returns the editions that readers see of sets of which this catalogue has published none.
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

fn refusal(message: String, archive: &Archive, config: &Config) -> Error {
    let copies = archive.machine().catalogue_copies();
    let copies = if copies.is_empty() {
        String::new()
    } else {
        format!(", or a copy made before a migration: {}", copies.join(", "))
    };
    let place = config.catalogue_place();
    let name = place.name();
    Error::new(ErrorKind::Unavailable, message).hint(format!(
        "put the right {name} back (from a backup{copies}); or `gannet config adopt-archive` takes what lies there for this catalogue's. Nothing is deleted either way"
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
