//! Published files that passed an `image` verifier.

use crate::app::{App, Error, Result};
use crate::domain::{
    Picture, PolicyVerifier, Scope, SourceId, Version, numbered_picture_name, picture_name,
};
use crate::store::{FirstWithFile, PicturePage, PicturePlace, PicturesQuery, WhichPictures};

impl App {
    /// Returns published pictures behind a place in the order of their files' names, so many at most.
    pub async fn pictures(&self, after: Option<PicturePlace>, limit: usize) -> Result<PicturePage> {
        self.pictures_that(WhichPictures::After { after, limit })
            .await
    }

    /// Returns the published picture with a name, and its version.
    ///
    /// The name of a file belongs to the source that was added first among those that publish a file of this name,
    /// whatever became of it: others never take it over. `STEM~ID.EXT` is the picture of the source with that number.
    pub async fn picture(&self, name: &str) -> Result<(Picture, Version)> {
        let source = match &numbered_picture_name(name) {
            Some((_, source)) => Some(*source),
            None => self.read(FirstWithFile(name.to_owned())).await?,
        };
        let picture = match source {
            Some(source) => self.picture_of(source).await?,
            None => None,
        };
        let picture = picture.filter(|one| {
            one.name == name || picture_name(&one.file_name, one.source_id, false) == name
        });
        let missing = || Error::not_found(format!("no picture `{}`", name.escape_debug()));
        let picture = picture.ok_or_else(missing)?;
        let version = self.ports.store.find_version(picture.version_id).await?;
        Ok((picture, version.ok_or_else(missing)?))
    }

    async fn picture_of(&self, source: SourceId) -> Result<Option<Picture>> {
        let mut page = self.pictures_that(WhichPictures::Of(source)).await?;
        Ok(page.pictures.pop())
    }

    async fn pictures_that(&self, which: WhichPictures) -> Result<PicturePage> {
        let policy = self.policy_to_show().await?;
        let is_image =
            |one: &&PolicyVerifier| one.kind == "builtin image" && one.scope == Scope::Source;
        let verifiers = policy.verifiers.iter().filter(is_image);
        let verifiers: Vec<_> = verifiers.map(|one| one.name.clone()).collect();
        if verifiers.is_empty() {
            return Ok(PicturePage::default());
        }
        self.read(PicturesQuery { verifiers, which }).await
    }
}
