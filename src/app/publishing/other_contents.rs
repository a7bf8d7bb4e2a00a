//! Published files and sets with other contents than the catalogue published: another catalogue, a newer one say, put
//! them there.

use std::fmt;

use crate::app::{App, Result};
use crate::domain::VersionId;
use crate::store::{ExpectedFile, ExpectedFiles, VersionWith};

/// Published contents that this catalogue did not publish there, and will replace sooner or later.
#[derive(Clone, Debug, Default)]
pub struct OtherContents {
    /// The files, by source.
    pub files: Vec<OtherFile>,
    /// The sets whose links lead to another edition, by name.
    pub sets: Vec<String>,
}

/// A published file with other contents than the catalogue published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherFile {
    /// Below `published/`.
    pub path: String,
    /// The version that the catalogue published there; `None` when it never published one.
    pub published: Option<VersionId>,
    /// The version of the same source with these contents; `None` when the catalogue has none.
    pub holds: Option<VersionId>,
}

impl fmt::Display for OtherFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.holds {
            Some(version) => write!(f, "holds v{version}")?,
            None => f.write_str("holds contents that this catalogue does not know")?,
        }
        match self.published {
            Some(version) => write!(f, ", and v{version} takes its place"),
            None => f.write_str(", until a version passes"),
        }
    }
}

impl OtherContents {
    /// Reports whether all contents are as the catalogue published them.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.sets.is_empty()
    }

    /// Returns how many files and sets have contents that may exist nowhere else.
    pub fn unknown(&self) -> usize {
        self.files
            .iter()
            .filter(|file| file.holds.is_none())
            .count()
            + self.sets.len()
    }
}

impl App {
    /// Returns this catalogue's published files and sets whose contents differ from what it published. Reads every
    /// published file.
    pub async fn other_contents(&self) -> Result<OtherContents> {
        let mut other = OtherContents::default();
        for file in self.read(ExpectedFiles).await? {
            other.files.extend(self.other_content(file).await?);
        }
        for set in self
            .with_archive(|archive| archive.sets().linked_sets())
            .await?
        {
            // A set without a published edition keeps its folder until it has one.
            if let Some(edition) = self.published_edition(&set).await?
                && !self.lies_there(edition).await?
            {
                other.sets.push(set);
            }
        }
        Ok(other)
    }

    async fn other_content(&self, file: ExpectedFile) -> Result<Option<OtherFile>> {
        let path = file.path.clone();
        let found = self
            .with_archive(move |archive| archive.published().looks().content(&path))
            .await?;
        let Some((digest, _)) = found else {
            return Ok(None);
        };
        if file
            .published
            .is_some_and(|(_, published)| published == digest)
        {
            return Ok(None);
        }
        Ok(Some(OtherFile {
            holds: self.read(VersionWith(file.source_id, digest)).await?,
            published: file.published.map(|(version, _)| version),
            path: file.path,
        }))
    }

    /// Copies contents that may exist nowhere else to the trash, before they are replaced.
    pub(in crate::app) async fn keep_unknown(&self, other: &OtherContents) -> Result<()> {
        let now = self.now();
        let files = other.files.iter().filter(|file| file.holds.is_none());
        for path in files.map(|file| file.path.clone()) {
            self.with_archive(move |archive| archive.published().keep_copy(&path, now))
                .await?;
        }
        for set in other.sets.clone() {
            self.with_archive(move |archive| archive.sets().keep_copy(&set, now))
                .await?;
        }
        Ok(())
    }
}
