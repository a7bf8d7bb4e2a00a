//! The body of a request: from memory, or from a file in pieces.
//!
//! Never holds more than one piece of a file, and never sends another length than announced.

use std::io;
use std::sync::{Arc, OnceLock};

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, Stream, TryStreamExt as _};
use reqwest::Body;
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;

use crate::domain::Content;

/// Bytes of a file that are read at once.
const PIECE_BYTES: u64 = 128 << 10;

pub(super) struct Upload {
    failure: Arc<OnceLock<io::Error>>,
}

impl Upload {
    /// Opens the content. Returns the body to send, and the upload to ask for the cause of a failure.
    pub(super) async fn open(content: &Content) -> io::Result<(Body, Self)> {
        let failure = Arc::new(OnceLock::new());
        let body = match content {
            Content::Memory(bytes) => Body::from(bytes.clone()),
            Content::File { path, size_bytes } => {
                let file = File::open(&**path).await?;
                let failure = Arc::clone(&failure);
                let pieces = pieces(file, *size_bytes).map_err(move |error| {
                    // The HTTP library reports a broken body like a broken connection, so the cause is stored here.
                    let _ = failure.set(error);
                    io::Error::other("the body cannot be read")
                });
                Body::wrap_stream(pieces)
            }
        };
        Ok((body, Self { failure }))
    }

    /// Returns why the body could not be read, if that was the cause of a failure.
    pub(super) fn failure(&self) -> Option<io::Error> {
        // A copy: the connection may still hold the body, and with it the original.
        let error = self.failure.get()?;
        Some(io::Error::new(error.kind(), error.to_string()))
    }
}

/// Reads exactly `size_bytes` of a file.
fn pieces(file: File, size_bytes: u64) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    stream::try_unfold((file, size_bytes), |(file, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let size = left.min(PIECE_BYTES);
        let mut piece = BytesMut::with_capacity(usize::try_from(size).unwrap_or(0));
        let mut part = file.take(size);
        if part.read_buf(&mut piece).await? == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the file has become shorter",
            ));
        }
        let left = left - piece.len() as u64;
        Ok(Some((piece.freeze(), (part.into_inner(), left))))
    })
}
