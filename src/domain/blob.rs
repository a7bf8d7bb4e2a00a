//! How the bytes of versions are stored, and which earlier version each is a delta against.

use super::{BlobId, Digest};

/// The form in which a blob's bytes lie in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlobForm {
    /// The bytes themselves.
    Raw,
    /// A zstd frame (RFC 8878).
    Zstd,
    /// A zstd frame that needs the content of another blob as its prefix.
    Delta,
}

/// Where a stored form lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoredBody {
    /// In the catalogue, beside the row that names it.
    Inline(Vec<u8>),
    /// In the archive's `objects/` folder, under this name.
    Object(String),
}

/// A large stored form, as it should lie in the archive's `objects/` folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredObject {
    /// Under which name.
    pub name: String,
    /// Its length.
    pub size_bytes: u64,
}

/// One blob as it is stored: a link of the chain that leads from a delta to a blob that stands alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobLink {
    /// Which blob.
    pub id: BlobId,
    /// The digest of its content, decoded.
    pub digest: Digest,
    /// The length of its content, decoded.
    pub size_bytes: u64,
    /// The form of `body`.
    pub form: BlobForm,
    /// How many deltas lie between this blob and one that stands alone; 0 for one that does.
    pub depth: u32,
    /// The stored form.
    pub body: StoredBody,
}

/// A blob that is about to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBlob {
    /// The digest of the content.
    pub digest: Digest,
    /// The length of the content.
    pub size_bytes: u64,
    /// The form of `body`.
    pub form: BlobForm,
    /// The blob that a delta needs.
    pub base: Option<BlobId>,
    /// The base's depth and one; 0 without a base.
    pub depth: u32,
    /// The length of the stored form.
    pub stored_bytes: u64,
    /// The stored form. An object is durable before the blob is recorded.
    pub body: StoredBody,
}

/// Returns the ordinal of the version that the version `ordinal` (from 0) of the same source is stored as a delta
/// against: `r − 8^k`, `k` the largest with `8^k` dividing `r`. Nothing for the first version, which stands alone.
///
/// These are skip deltas of radix 8: reading one goes through at most 7 steps for each octal digit of its ordinal,
/// so reads stay bounded however long the history grows, and no stored form is ever rewritten.
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
            // As a damaged row may say.
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
