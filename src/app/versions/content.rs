//! Reads kept bytes, checked, and heals damaged ones.

use bytes::Bytes;

use crate::app::{App, Error, ErrorKind, Result};
use crate::archive::{CodecLoad, EncodedBlob};
use crate::domain::{
    Action, BlobLink, Content, Digest, NewBlob, NewEvent, SourceId, Version, VersionId, WorkerId,
};
use crate::store::Fact;

/// Content up to this length is compressed in less time than handing it to another thread and back takes.
const SMALL_BYTES: u64 = 16 << 10;

/// The result of healing a blob.
pub(crate) enum Healing {
    /// The blob's bytes are good.
    NotNeeded,
    /// Good bytes replaced the damaged ones.
    Done,
    /// The blob cannot be read now.
    Unknown(Error),
}

impl App {
    /// Returns a version's bytes after checking them against its digest.
    ///
    /// Damaged and unreadable bytes are errors. Unless the store is read-only, damage also appends an event and deletes
    /// the source's validators: the next request is unconditional, and a copy that still matches replaces the damaged
    /// one.
    pub async fn content(&self, version: &Version) -> Result<Content> {
        let read = match self.ports.store.chain(version).await {
            Ok(chain) => self.decode(chain).await,
            Err(error) => Err(error.into()),
        };
        match read {
            Err(error) if error.kind == ErrorKind::Damaged => {
                let error = self.damage_of(version, error).await?;
                if self.ports.store.can_write() {
                    self.record_damage(version.source_id, version.id, &error)
                        .await?;
                }
                Err(error)
            }
            read => read,
        }
    }

    /// Encodes `content` as a delta against `base`, or whole, and stores it for this worker to record.
    pub(crate) async fn encode(
        &self,
        content: Content,
        digest: Digest,
        base: Vec<BlobLink>,
        worker: &WorkerId,
    ) -> Result<NewBlob> {
        let encoded = if base.is_empty() && content.size_bytes() <= SMALL_BYTES {
            self.ports.archive.blobs().encode(&content, digest, &base)?
        } else {
            let load = CodecLoad::of_encode(content.size_bytes(), &base);
            let encode = self.with_codec(load, move |archive| {
                archive.blobs().encode(&content, digest, &base)
            });
            encode.await?
        };
        self.keep(encoded, worker).await
    }

    async fn keep(&self, encoded: EncodedBlob, worker: &WorkerId) -> Result<NewBlob> {
        let Some(name) = encoded.object() else {
            return Ok(self.ports.archive.blobs().keep(encoded)?);
        };
        // Before its file is there: what a worker that is killed leaves is known by its name.
        let pending = Fact::ObjectPending {
            name: name.to_owned(),
            worker: worker.clone(),
        };
        self.record(pending).await?;
        self.with_archive(move |archive| archive.blobs().keep(encoded))
            .await
    }

    async fn decode(&self, chain: Vec<BlobLink>) -> Result<Content> {
        let load = CodecLoad::of_read(&chain);
        self.with_codec(load, move |archive| archive.blobs().read(&chain))
            .await
    }

    /// Adds the version and its source to the error of damage.
    async fn damage_of(&self, version: &Version, error: Error) -> Result<Error> {
        let source = self.source_by_id(version.source_id).await?;
        let name = source.map_or_else(|| "a purged source".to_owned(), |one| one.settings.name);
        let message = format!("v{} of {name} is damaged: {}", version.id, error.message);
        Ok(Error { message, ..error })
    }

    /// Returns the first bytes of a large version **before** they are checked, to show until [`App::content`] has
    /// checked all of them; `None` for a smaller one, which is quick to read.
    pub async fn beginning(&self, version: &Version, most: usize) -> Result<Option<Bytes>> {
        let chain = self.ports.store.chain(version).await?;
        self.with_archive(move |archive| archive.blobs().beginning(&chain, most))
            .await
    }

    async fn record_damage(
        &self,
        source: SourceId,
        version: VersionId,
        error: &Error,
    ) -> Result<()> {
        let event = NewEvent::of(Action::Damaged).source(source);
        let event = event.version(version).detail(error.message.clone());
        self.record(Fact::Event(event)).await?;
        self.record(Fact::ForgetValidators(source)).await
    }

    /// Stores `content`, just fetched and equal in digest to the source's newest version, in the place of that
    /// version's damaged blob. A blob that cannot be read now is not replaced.
    pub(crate) async fn heal(
        &self,
        version: &Version,
        content: Content,
        worker: &WorkerId,
    ) -> Result<Healing> {
        match self.content(version).await {
            Ok(_) => return Ok(Healing::NotNeeded),
            Err(error) if error.kind == ErrorKind::Damaged => {}
            Err(error) if error.is_of_file() => return Ok(Healing::Unknown(error)),
            Err(error) => return Err(error),
        }
        let digest = version.digest;
        let blob = self.encode(content, digest, Vec::new(), worker).await?;
        if let Some(object) = self
            .ports
            .store
            .replace_blob(version.id, blob, self.stamp())
            .await?
        {
            self.discard_objects(vec![object]).await;
        }
        Ok(Healing::Done)
    }
}
