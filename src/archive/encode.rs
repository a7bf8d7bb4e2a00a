//! Encoding: the choice of a content's stored form and its place.
//!
//! Never makes a deep, large or unprofitable delta, and never fails because of an unreadable base: the content is then
//! stored whole.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read, Write as _};
use std::path::Path;

use super::codec::{LARGE_BYTES, MAX_DELTA_BYTES, compress, compress_delta, compress_stream};
use super::decode::read_in_memory;
use super::objects::NewObject;
use super::{ArchiveError, Blobs};
use crate::domain::{BlobForm, BlobLink, Content, Digest, NewBlob, StoredBody};

/// Longest stored form in the catalogue; longer ones become objects.
const MAX_INLINE_BYTES: u64 = 1 << 20;

/// Most deltas between a blob and a whole one: the cost of a read at worst.
const MAX_DEPTH: u32 = 24;

/// A delta must be this many times smaller than the whole form. Otherwise a whole blob makes later reads shorter, and
/// damage less far-reaching, for little more room.
const MIN_GAIN: u64 = 2;

/// The stored form of a content. A large one is written, and becomes an object once the catalogue has its name
/// ([`Blobs::keep`]).
#[derive(Debug)]
pub struct EncodedBlob {
    blob: NewBlob,
    object: Option<NewObject>,
}

impl EncodedBlob {
    /// Returns the name of the object that a large form becomes.
    pub fn object(&self) -> Option<&str> {
        self.object.as_ref().map(NewObject::name)
    }
}

/// The whole form of a content, before it is stored.
enum WholeForm<'a> {
    Raw(Cow<'a, [u8]>),
    Zstd(Vec<u8>),
    Streamed(NewObject, u64),
}

impl WholeForm<'_> {
    fn stored_bytes(&self) -> u64 {
        match self {
            Self::Raw(content) => content.len() as u64,
            Self::Zstd(frame) => frame.len() as u64,
            Self::Streamed(_, stored_bytes) => *stored_bytes,
        }
    }
}

impl Blobs {
    /// Makes the stored form of `content`.
    ///
    /// `base` is the chain of the version to use as base, its own link first; empty for none. A damaged base is not
    /// used. `digest` is the digest of `content`.
    ///
    /// Memory is that of [`super::CodecLoad::of_encode`]; the caller limits concurrent calls.
    pub fn encode(
        &self,
        content: &Content,
        digest: Digest,
        base: &[BlobLink],
    ) -> Result<EncodedBlob, ArchiveError> {
        if let Some(head) = usable(base, content.size_bytes())
            && let Some(blob) = self.encode_on(head, content, digest, base)?
        {
            return Ok(blob);
        }
        let whole = self.whole(content, digest)?;
        self.encode_whole(whole, content.size_bytes(), digest)
    }

    /// Makes a large form an object, durable on return; a small one is in the blob already.
    pub fn keep(&self, encoded: EncodedBlob) -> Result<NewBlob, ArchiveError> {
        if let Some(object) = encoded.object {
            self.objects.put(object)?;
        }
        Ok(encoded.blob)
    }

    /// Makes a delta of `content`. Returns `None` when that is impossible or does not pay.
    fn encode_on(
        &self,
        head: &BlobLink,
        content: &Content,
        digest: Digest,
        base: &[BlobLink],
    ) -> Result<Option<EncodedBlob>, ArchiveError> {
        let size_bytes = content.size_bytes();
        let Some(delta) = self.delta(content, digest, base)? else {
            return Ok(None);
        };
        let gained = delta.len() as u64 * MIN_GAIN;
        // Compressing the whole just to compare would cost many times the delta. The blob at the end of the chain, an
        // earlier version of the same file, predicts the result; only a close call is measured.
        if gained * 2 > self.estimated_whole(base, size_bytes) {
            let whole = self.whole(content, digest)?;
            if gained > whole.stored_bytes() {
                return self.encode_whole(whole, size_bytes, digest).map(Some);
            }
        }
        let stored_bytes = delta.len() as u64;
        let (body, object) = self.body(digest, delta)?;
        let blob = NewBlob {
            digest,
            size_bytes,
            form: BlobForm::Delta,
            base: Some(head.id),
            depth: head.depth + 1,
            stored_bytes,
            body,
        };
        Ok(Some(EncodedBlob { blob, object }))
    }

    /// Returns the delta of a content against its base; `None` when the base cannot be read or the delta cannot pay.
    fn delta(
        &self,
        content: &Content,
        digest: Digest,
        base: &[BlobLink],
    ) -> Result<Option<Vec<u8>>, ArchiveError> {
        let Ok(base_bytes) = read_in_memory(base, &self.objects) else {
            return Ok(None);
        };
        // A whole form is never longer than the raw content, so a delta longer than this cannot pay.
        let limit = content.size_bytes() / MIN_GAIN;
        let limit = usize::try_from(limit).expect("content of a delta is in memory");
        compress_delta(&load(content)?, &base_bytes, limit)
            .map_err(|source| ArchiveError::Encode { digest, source })
    }

    /// Estimates the whole form of content of this size, by the ratio of the chain's whole blob.
    fn estimated_whole(&self, base: &[BlobLink], size_bytes: u64) -> u64 {
        let Some(alone) = base.iter().find(|link| link.form != BlobForm::Delta) else {
            return 0;
        };
        let stored_bytes = match &alone.body {
            StoredBody::Inline(form) => form.len() as u64,
            StoredBody::Object(name) => {
                let object = self.objects.open(name).ok().flatten();
                object.map_or(0, |object| object.size_bytes)
            }
        };
        // Both are below 2^26: larger content is not part of a delta.
        stored_bytes * size_bytes / alone.size_bytes.max(1)
    }

    fn whole<'a>(
        &self,
        content: &'a Content,
        digest: Digest,
    ) -> Result<WholeForm<'a>, ArchiveError> {
        if content.size_bytes() > LARGE_BYTES {
            return self.stream(content, digest);
        }
        let bytes = load(content)?;
        match compress(&bytes).map_err(|source| ArchiveError::Encode { digest, source })? {
            Some(frame) => Ok(WholeForm::Zstd(frame)),
            None => Ok(WholeForm::Raw(bytes)),
        }
    }

    fn stream<'a>(&self, content: &Content, digest: Digest) -> Result<WholeForm<'a>, ArchiveError> {
        let mut object = self.objects.create(digest)?;
        let size_bytes = content.size_bytes();
        let compressed = match content {
            Content::Memory(bytes) => compress_stream(&bytes[..], size_bytes, &mut object),
            Content::File { path, .. } => open(path, size_bytes)
                .and_then(|bytes| compress_stream(bytes, size_bytes, &mut object)),
        };
        let stored_bytes = compressed
            .and_then(|()| object.size_bytes())
            .map_err(ArchiveError::io("compress to", object.place()))?;
        Ok(WholeForm::Streamed(object, stored_bytes))
    }

    fn encode_whole(
        &self,
        whole: WholeForm<'_>,
        size_bytes: u64,
        digest: Digest,
    ) -> Result<EncodedBlob, ArchiveError> {
        let stored_bytes = whole.stored_bytes();
        let (form, (body, object)) = match whole {
            WholeForm::Raw(bytes) => (BlobForm::Raw, self.body(digest, bytes.into_owned())?),
            WholeForm::Zstd(frame) => (BlobForm::Zstd, self.body(digest, frame)?),
            WholeForm::Streamed(object, _) if stored_bytes <= MAX_INLINE_BYTES => {
                let bytes = object.into_bytes()?;
                (BlobForm::Zstd, (StoredBody::Inline(bytes), None))
            }
            WholeForm::Streamed(object, _) => (BlobForm::Zstd, as_object(object)),
        };
        let blob = NewBlob {
            digest,
            size_bytes,
            form,
            base: None,
            depth: 0,
            stored_bytes,
            body,
        };
        Ok(EncodedBlob { blob, object })
    }

    /// Returns the body of a form that is in memory. A large one is written to the temporary folder.
    fn body(
        &self,
        digest: Digest,
        form: Vec<u8>,
    ) -> Result<(StoredBody, Option<NewObject>), ArchiveError> {
        if form.len() as u64 <= MAX_INLINE_BYTES {
            return Ok((StoredBody::Inline(form), None));
        }
        let mut object = self.objects.create(digest)?;
        object
            .write_all(&form)
            .map_err(ArchiveError::io("write", object.place()))?;
        Ok(as_object(object))
    }
}

fn as_object(object: NewObject) -> (StoredBody, Option<NewObject>) {
    (StoredBody::Object(object.name().to_owned()), Some(object))
}

/// Returns the blob that may be the base of content of this size.
pub(super) fn usable(base: &[BlobLink], size_bytes: u64) -> Option<&BlobLink> {
    let head = base.first()?;
    let fits =
        size_bytes <= MAX_DELTA_BYTES && base.iter().all(|link| link.size_bytes <= MAX_DELTA_BYTES);
    (fits && head.depth < MAX_DEPTH).then_some(head)
}

/// Returns the bytes of content that is small enough for memory.
fn load(content: &Content) -> Result<Cow<'_, [u8]>, ArchiveError> {
    match content {
        Content::Memory(bytes) => Ok(Cow::Borrowed(bytes)),
        Content::File { path, size_bytes } => {
            let mut bytes = Vec::new();
            open(path, *size_bytes)
                .and_then(|mut file| {
                    bytes.reserve_exact(usize::try_from(*size_bytes).map_err(io::Error::other)?);
                    file.read_to_end(&mut bytes)
                })
                .map_err(ArchiveError::io("read", path))?;
            Ok(Cow::Owned(bytes))
        }
    }
}

/// Opens a content's file. Fails when its length differs: it must not be stored under this digest.
fn open(path: &Path, size_bytes: u64) -> io::Result<File> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    if length == size_bytes {
        return Ok(file);
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidData,
        format!("it has {length} bytes instead of {size_bytes}"),
    ))
}
