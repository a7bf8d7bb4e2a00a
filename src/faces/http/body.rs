//! The bytes of an answer: from memory, or piece by piece from a file.

use std::io::{self, SeekFrom};
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use tempfile::TempPath;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use crate::domain::Content;

/// The bytes that are read from a file at once.
const PIECE_BYTES: usize = 64 << 10;

/// Bytes that can be sent, in whole or in part.
pub(super) enum Sendable {
    /// Bytes in memory.
    Memory(Bytes),
    /// An open file of this length.
    File(File, u64, Option<Arc<TempPath>>),
}

impl Sendable {
    /// Opens content; its temporary file stays until the last piece is sent.
    pub(super) async fn of(content: Content) -> io::Result<Self> {
        Ok(match content {
            Content::Memory(bytes) => Self::Memory(bytes),
            Content::File { path, size_bytes } => {
                Self::File(File::open(&**path).await?, size_bytes, Some(path))
            }
        })
    }

    pub(super) fn size_bytes(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File(_, size_bytes, _) => *size_bytes,
        }
    }

    /// Returns `length` bytes from an offset on, which lie within.
    pub(super) async fn body(self, from: u64, length: u64) -> io::Result<Body> {
        let (mut file, keep) = match self {
            Self::Memory(bytes) => {
                let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
                let range = place(from)..place(from.saturating_add(length));
                return Ok(Body::from(bytes.slice(range)));
            }
            Self::File(file, _, keep) => (file, keep),
        };
        file.seek(SeekFrom::Start(from)).await?;
        let pieces =
            stream::try_unfold((file, length, keep), |(mut file, left, keep)| async move {
                let most = usize::try_from(left).map_or(PIECE_BYTES, |left| left.min(PIECE_BYTES));
                let mut piece = vec![0; most];
                let read = file.read(&mut piece).await?;
                piece.truncate(read);
                let next = (file, left - read as u64, keep);
                io::Result::Ok((read > 0).then_some((Bytes::from(piece), next)))
            });
        Ok(Body::from_stream(pieces))
    }
}
