//! Reading kept bytes back, checked, and healing the ones that are damaged.

use bytes::Bytes;

use crate::app::{App, Error, ErrorKind, Result};
use crate::archive::{CodecLoad, EncodedBlob};
use crate::domain::{
    Action, BlobLink, Content, Digest, NewBlob, NewEvent, SourceId, Version, VersionId, WorkerId,
};
use crate::store::Fact;

/// Content up to this length is compressed in less time than handing it to another thread and back takes.
const SMALL_BYTES: u64 = 16 << 10;

/// What became of a blob that was to be healed.
pub(crate) enum Healing {
    /// Its bytes are good.
    NotNeeded,
    /// Good bytes took the place of damaged ones.
    Done,
    /// Whether its bytes are good cannot be told now.
    Unknown(Error),
}

impl App {
    /// Returns a version's bytes after checking them against its digest.
    ///
    /// Damage is an error, and so are bytes that cannot be read now. Damage is, unless the store is opened for reading only, an event, too, and the source's validators
    /// are forgotten, so that its next request asks for the whole file and a copy that still matches takes the damaged one's place.
    pub async fn content(&self, version: &Version) -> Result<Content> {
        let read = match self.ports.store.chain(version).await {
            Ok(chain) => self.decode(chain).await,
            Err(error) => Err(error.into()),
        };
        match read {
            Err(error) if error.kind == ErrorKind::Damaged => {
                let error = self.damage_of(version, error).await?;
                if self.ports.store.can_write() {
                    self.note_damage(version.source_id, version.id, &error)
                        .await?;
                }
                Err(error)
            }
            read => read,
        }
    }

    /// Makes the stored form of `content` as a delta against `base`, or whole, and keeps it, for this worker to record.
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
        self.ports.store.record(pending, self.stamp()).await?;
        self.with_archive(move |archive| archive.blobs().keep(encoded))
            .await
    }

    async fn decode(&self, chain: Vec<BlobLink>) -> Result<Content> {
        let load = CodecLoad::of_read(&chain);
        self.with_codec(load, move |archive| archive.blobs().read(&chain))
            .await
    }

    /// Names the version and the source of damage.
    async fn damage_of(&self, version: &Version, error: Error) -> Result<Error> {
        let source = self.source_by_id(version.source_id).await?;
        let name = source.map_or_else(|| "a purged source".to_owned(), |one| one.settings.name);
        let message = format!("v{} of {name} is damaged: {}", version.id, error.message);
        Ok(Error { message, ..error })
    }

    /// Returns the first bytes of a large version **before** they are checked, for eyes that wait until [`App::content`]
    /// has checked all of them; nothing for a smaller one, which is read in no time.
    pub async fn beginning(&self, version: &Version, most: usize) -> Result<Option<Bytes>> {
        let chain = self.ports.store.chain(version).await?;
        self.with_archive(move |archive| archive.blobs().beginning(&chain, most))
            .await
    }

    async fn note_damage(&self, source: SourceId, version: VersionId, error: &Error) -> Result<()> {
        let event = NewEvent::of(Action::Damaged).source(source);
        let event = event.version(version).detail(error.message.clone());
        self.ports
            .store
            .record(Fact::Event(event), self.stamp())
            .await?;
        let forget = Fact::ForgetValidators(source);
        self.ports.store.record(forget, self.stamp()).await?;
        Ok(())
    }

    /// Stores `content`, just fetched and equal in digest to the source's newest version, in the place of that
    /// version's blob if that is damaged. Nothing takes the place of a blob that cannot be read now.
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
