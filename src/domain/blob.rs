//! How the bytes of versions are stored, and which earlier version each is a delta against.

use super::{BlobId, Digest};

/// The encoding of a blob's stored bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlobForm {
    /// The content itself.
    Raw,
    /// A zstd frame (RFC 8878).
    Zstd,
    /// A zstd frame whose prefix is the content of another blob.
    Delta,
}

/// Where the stored form of a blob is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoredBody {
    /// In the catalogue, in the blob's row.
    Inline(Vec<u8>),
    /// In the archive's `objects/` folder, under this name.
    Object(String),
}

impl StoredBody {
    /// Returns the name of its object, if it has one.
    pub fn object(&self) -> Option<&str> {
        match self {
            Self::Inline(_) => None,
            Self::Object(name) => Some(name),
        }
    }
}

/// A large stored form, as the archive's `objects/` folder should hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredObject {
    /// The file name in `objects/`.
    pub name: String,
    /// The length of the file.
    pub size_bytes: u64,
}

/// One stored blob: a link of the chain from a delta to a blob that needs no base.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobLink {
    /// The blob's id.
    pub id: BlobId,
    /// The digest of the decoded content.
    pub digest: Digest,
    /// The length of the decoded content.
    pub size_bytes: u64,
    /// The encoding of `body`.
    pub form: BlobForm,
    /// The number of deltas from this blob to one that needs no base; 0 for such a blob.
    pub depth: u32,
    /// The stored form.
    pub body: StoredBody,
}

/// A blob that is to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBlob {
    /// The digest of the content.
    pub digest: Digest,
    /// The length of the content.
    pub size_bytes: u64,
    /// The encoding of `body`.
    pub form: BlobForm,
    /// The base of a delta.
    pub base: Option<BlobId>,
    /// One more than the depth of the base; 0 without a base.
    pub depth: u32,
    /// The length of the stored form.
    pub stored_bytes: u64,
    /// The stored form. An object must be durable before the blob is recorded.
    pub body: StoredBody,
}

/// Returns the ordinal of the base of the version `ordinal` (from 0) of the same source: `r − 8^k`, `k` the largest
/// with `8^k` dividing `r`. `None` for the first version, which has no base.
///
/// These are skip deltas of radix 8. Reading a version decodes at most 7 deltas for each octal digit of its ordinal,
/// so reads stay bounded as the history grows, and no stored form is ever rewritten.
pub fn base_ordinal(ordinal: u64) -> Option<u64> {
    if ordinal == 0 {
        return None;
    }
    let mut step = 1_u64;
    while let Some(next) = step.checked_mul(8)
        && ordinal.is_multiple_of(next)
    {
        step = next;
    }
    Some(ordinal - step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bases_are_skip_deltas_of_radix_8() {
        let table = [
            (1, 0),
            (7, 6),
            (8, 0),
            (9, 8),
            (16, 8),
            (63, 62),
            (64, 0),
            (72, 64),
            (512, 0),
            (513, 512),
            (576, 512),
            // An ordinal that only a damaged row can hold.
            (1 << 63, 0),
            (u64::MAX, u64::MAX - 1),
        ];
        for (ordinal, base) in table {
            assert_eq!(base_ordinal(ordinal), Some(base), "{ordinal}");
        }
        assert_eq!(base_ordinal(0), None);
    }

    #[test]
    fn chains_stay_short() {
        let depth = |mut ordinal| {
            let mut steps = 0;
            while let Some(base) = base_ordinal(ordinal) {
                ordinal = base;
                steps += 1;
            }
            steps
        };
        assert_eq!((0..500).map(depth).max(), Some(7 + 7 + 6));
        assert!((0..87_600).map(depth).max() <= Some(6 * 7));
    }
}
