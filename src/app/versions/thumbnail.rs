//! Thumbnails of versions that are pictures.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;

use crate::app::{App, Error, ErrorKind, Result};
use crate::domain::{Content, Digest, PictureFacts, Version};
use crate::thumbnails::{MAX_PICTURE_BYTES, Thumbnail, Thumbnails, picture_facts};

impl App {
    /// Returns the thumbnail of a version; `None` when its content is no picture that can be decoded within limits.
    pub async fn thumbnail(&self, version: &Version) -> Result<Option<Thumbnail>> {
        let digest = version.digest;
        if version.size_bytes > MAX_PICTURE_BYTES {
            return Ok(None);
        }
        let kept = self.with_thumbnails(move |all| all.kept(digest)).await?;
        if let Some(kept) = kept {
            return Ok(kept.thumbnail());
        }
        let place = self.place().await;
        // Somebody else may have made it meanwhile.
        let kept = self.with_thumbnails(move |all| all.kept(digest)).await?;
        if let Some(kept) = kept {
            return Ok(kept.thumbnail());
        }
        let content = self.content(version).await?;
        let made = self.with_thumbnails(move |all| {
            let _place = place;
            Ok(all.make(digest, &whole(&content)?))
        });
        let made: io::Result<_> = made.await?;
        // A purge meanwhile looked for it in vain.
        if self.ports.store.find_version(version.id).await?.is_none() {
            self.forget_thumbnails(vec![digest]).await;
        }
        Ok(made.map_err(|error| unavailable(&error))?.thumbnail())
    }

    /// Returns the format and the dimensions of a version; `None` when it is no picture, or too large a file.
    pub async fn picture_facts(&self, version: &Version) -> Result<Option<PictureFacts>> {
        if version.size_bytes > MAX_PICTURE_BYTES {
            return Ok(None);
        }
        let place = self.place().await;
        let content = self.content(version).await?;
        let facts = self.with_thumbnails(move |_| {
            let _place = place;
            Ok(picture_facts(&whole(&content)?))
        });
        let facts: io::Result<_> = facts.await?;
        facts.map_err(|error| unavailable(&error))
    }

    /// Waits until one more picture may be read. The place goes to the thread that reads: it outlives a caller who is
    /// gone.
    async fn place(&self) -> Option<OwnedSemaphorePermit> {
        let places = Arc::clone(&self.ports.shrinking);
        places.acquire_owned().await.ok()
    }

    /// Removes the thumbnails of contents that are purged. Returns which remain, each with the reason.
    pub(in crate::app) async fn forget_thumbnails(
        &self,
        contents: Vec<Digest>,
    ) -> Vec<(PathBuf, String)> {
        let forgotten = self.with_thumbnails(move |all| all.forget(&contents)).await;
        forgotten.unwrap_or_else(|error| {
            let folder = self.config().data_dir.join("thumbnails");
            vec![(folder, error.to_string())]
        })
    }

    /// Does something with the thumbnails on a blocking thread.
    async fn with_thumbnails<T: Send + 'static>(
        &self,
        task: impl FnOnce(&Thumbnails) -> T + Send + 'static,
    ) -> Result<T> {
        let thumbnails = Arc::clone(&self.ports.thumbnails);
        let done = tokio::task::spawn_blocking(move || task(&thumbnails));
        done.await.map_err(|error| unavailable(&error))
    }
}

fn whole(content: &Content) -> io::Result<Bytes> {
    Ok(match content {
        Content::Memory(bytes) => bytes.clone(),
        Content::File { path, .. } => fs::read(&**path)?.into(),
    })
}

fn unavailable(error: &dyn std::fmt::Display) -> Error {
    let message = format!("cannot make a thumbnail: {error}");
    Error::new(ErrorKind::Unavailable, message)
}
