//! Limits concurrent encoding and decoding by memory. A permit is acquired before a thread is taken.
//!
//! A permit moves into the work it is for, so that work which outlives a dropped task still counts.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::codec::LARGE_BYTES;
use super::decode::{is_large, trim_chain};
use super::encode::usable;
use crate::domain::BlobLink;

/// Most contents streamed through the codec at once, a few MiB of memory each.
const MAX_STREAMS: u32 = 4;

/// Permits in all: enough for exact fractions.
const PERMITS: u32 = 1 << 20;

/// Memory class of encoding or decoding one content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodecLoad {
    /// Content and base up to 4 MiB: one for each core at once.
    Small,
    /// Content of any length, piece by piece: a few at once.
    Stream,
    /// Content and base up to 32 MiB, both in memory: one at once.
    Large,
}

impl CodecLoad {
    /// Returns the class of [`super::Blobs::read`] for this chain.
    pub fn of_read(chain: &[BlobLink]) -> Self {
        match trim_chain(chain) {
            Ok([link]) if link.size_bytes > LARGE_BYTES => Self::Stream,
            Ok(chain) if is_large(chain) => Self::Large,
            _ => Self::Small,
        }
    }

    /// Returns the class of [`super::Blobs::encode`] for content of this size and this base.
    pub fn of_encode(size_bytes: u64, base: &[BlobLink]) -> Self {
        if usable(base, size_bytes).is_some() && (size_bytes > LARGE_BYTES || is_large(base)) {
            Self::Large
        } else if size_bytes > LARGE_BYTES {
            Self::Stream
        } else {
            Self::Small
        }
    }

    /// Returns the number of permits: small enough for the allowed number of such works at once, too large for one
    /// more.
    fn permits(self, cores: u32) -> u32 {
        let at_once = match self {
            Self::Small => cores,
            Self::Stream => cores.min(MAX_STREAMS),
            Self::Large => 1,
        };
        PERMITS / (at_once + 1) + 1
    }
}

/// Limits concurrent encoding and decoding.
#[derive(Debug)]
pub struct CodecLimit {
    permits: Arc<Semaphore>,
    cores: u32,
}

impl CodecLimit {
    /// Returns the limit for a machine with this many cores.
    pub fn new(cores: usize) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(PERMITS as usize)),
            // Beyond 256 cores the fractions would not be exact.
            cores: u32::try_from(cores).unwrap_or(1).clamp(1, 256),
        }
    }

    /// Waits for a permit, which the caller moves into the task that does the work.
    pub async fn permit(&self, load: CodecLoad) -> OwnedSemaphorePermit {
        Arc::clone(&self.permits)
            .acquire_many_owned(load.permits(self.cores))
            .await
            .expect("the semaphore is never closed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{BlobForm, BlobId, Digest, StoredBody};

    const MIB: u64 = 1 << 20;

    /// Returns a chain of contents of these sizes, the last one stored whole.
    fn chain(sizes: &[u64]) -> Vec<BlobLink> {
        let links = sizes.iter().enumerate().map(|(place, size)| {
            let depth = sizes.len() - 1 - place;
            BlobLink {
                id: BlobId(1),
                digest: Digest::of(b""),
                size_bytes: *size,
                form: if depth == 0 {
                    BlobForm::Zstd
                } else {
                    BlobForm::Delta
                },
                depth: u32::try_from(depth).expect("a short chain"),
                body: StoredBody::Inline(Vec::new()),
            }
        });
        links.collect()
    }

    #[test]
    fn what_is_held_in_memory_decides() {
        use CodecLoad::{Large, Small, Stream};
        for (sizes, expected) in [
            (&[][..], Small),
            (&[4 * MIB], Small),
            (&[4 * MIB + 1], Stream),
            (&[1000 * MIB], Stream),
            (&[4 * MIB, 4 * MIB], Small),
            (&[MIB, 5 * MIB], Large),
            (&[5 * MIB, MIB, MIB], Large),
        ] {
            assert_eq!(CodecLoad::of_read(&chain(sizes)), expected, "{sizes:?}");
        }
        for (size, base, expected) in [
            (MIB, &[][..], Small),
            (MIB, &[MIB], Small),
            (MIB, &[5 * MIB], Large),
            (5 * MIB, &[], Stream),
            (5 * MIB, &[MIB], Large),
            (32 * MIB, &[MIB, MIB], Large),
            (33 * MIB, &[MIB], Stream),
            (5 * MIB, &[33 * MIB], Stream),
            (MIB, &[33 * MIB], Small),
        ] {
            let load = CodecLoad::of_encode(size, &chain(base));
            assert_eq!(load, expected, "{size} on {base:?}");
        }
    }

    #[test]
    fn as_many_fit_as_may_be_at_once_and_no_more() {
        for cores in 1..=256 {
            for (load, at_once) in [
                (CodecLoad::Small, cores),
                (CodecLoad::Stream, cores.min(4)),
                (CodecLoad::Large, 1),
            ] {
                let each = load.permits(cores);
                assert!(each * at_once <= PERMITS, "{load:?}, {cores}");
                assert!(each * (at_once + 1) > PERMITS, "{load:?}, {cores}");
            }
            let both = CodecLoad::Large.permits(cores) + CodecLoad::Small.permits(cores);
            assert!(cores == 1 || both <= PERMITS, "a large one leaves room");
        }
    }
}
