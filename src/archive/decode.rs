//! Decoding: from the whole blob at the end of a chain to the requested blob, with its digest checked.
//!
//! Never returns bytes that differ from their digest, except by [`Blobs::beginning`], and never takes more memory than
//! the recorded sizes allow, whatever the stored forms claim. Reports damage only when bytes are wrong or missing, not
//! when the store is unavailable.

use std::borrow::Cow;
use std::io::{self, Read, Write};
use std::sync::Arc;

use bytes::Bytes;
use tempfile::NamedTempFile;

use super::codec::{
    LARGE_BYTES, MAX_DELTA_BYTES, decompress, decompress_delta, decompress_stream, max_stored_bytes,
};
use super::objects::{Objects, Unreachable};
use super::{ArchiveError, Blobs};
use crate::domain::{BlobForm, BlobLink, Content, Digest, Digester, StoredBody};

const COPY_BUFFER_BYTES: usize = 128 << 10;

impl Blobs {
    /// Decodes `chain[0]` and checks its digest.
    ///
    /// A whole blob over 4 MiB is returned as a temporary file. Fails with [`ArchiveError::Damaged`], naming the link
    /// whose stored form is wrong or missing, or with another error when the store is unavailable.
    ///
    /// Memory is that of [`super::CodecLoad::of_read`]; the caller limits concurrent calls.
    pub fn read(&self, chain: &[BlobLink]) -> Result<Content, ArchiveError> {
        let chain = trim_chain(chain)?;
        if let [link] = chain
            && link.size_bytes > LARGE_BYTES
        {
            return self.read_to_file(link);
        }
        read_in_memory(chain, &self.objects).map(|content| Content::Memory(Bytes::from(content)))
    }

    /// Returns the first bytes of content that [`Blobs::read`] would return as a file, **unchecked**: the caller marks
    /// them as such, and withdraws them when `read` fails. `None` for other content, which is read quickly.
    pub fn beginning(
        &self,
        chain: &[BlobLink],
        most: usize,
    ) -> Result<Option<Bytes>, ArchiveError> {
        let [link] = trim_chain(chain)? else {
            return Ok(None);
        };
        if link.size_bytes <= LARGE_BYTES {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        self.open_content(link)?
            .take(link.size_bytes.min(most as u64))
            .read_to_end(&mut bytes)
            .map_err(|error| unreadable(link, error, &self.objects))?;
        Ok(Some(Bytes::from(bytes)))
    }

    /// Opens the content of a whole blob.
    fn open_content<'a>(&self, link: &'a BlobLink) -> Result<Box<dyn Read + 'a>, ArchiveError> {
        let stored = open(link, &self.objects)?;
        Ok(match link.form {
            BlobForm::Zstd => Box::new(
                decompress_stream(stored)
                    .map_err(|error| unreadable(link, error, &self.objects))?,
            ),
            BlobForm::Raw | BlobForm::Delta => stored,
        })
    }

    fn read_to_file(&self, link: &BlobLink) -> Result<Content, ArchiveError> {
        let frame = self.open_content(link)?;
        let temp_dir = self.temp.path();
        let file = NamedTempFile::new_in(temp_dir)
            .map_err(ArchiveError::io("make a file in", temp_dir))?;
        copy_checked(link, frame, file.as_file()).map_err(|error| match error {
            CopyError::Read(error) => unreadable(link, error, &self.objects),
            CopyError::Write(error) => ArchiveError::io("write", file.path())(error),
            CopyError::Wrong => damaged(link, "its content is not the one that was recorded"),
        })?;
        Ok(Content::File {
            path: Arc::new(file.into_temp_path()),
            size_bytes: link.size_bytes,
        })
    }
}

/// Returns whether decoding `chain` in memory counts as large work.
pub(super) fn is_large(chain: &[BlobLink]) -> bool {
    chain.iter().any(|link| link.size_bytes > LARGE_BYTES)
}

/// Decodes `chain[0]` in memory and checks its digest.
pub(super) fn read_in_memory(
    chain: &[BlobLink],
    objects: &Objects,
) -> Result<Vec<u8>, ArchiveError> {
    let chain = trim_chain(chain)?;
    // A correct result proves every link correct, so only the last digest is checked. After a mismatch, each link's
    // digest is checked to find the first bad one.
    match decode(chain, objects, false) {
        Ok(content) if Digest::of(&content) == chain[0].digest => Ok(content),
        Ok(_) | Err(ArchiveError::Damaged { .. }) => decode(chain, objects, true),
        Err(error) => Err(error),
    }
}

fn decode(
    chain: &[BlobLink],
    objects: &Objects,
    check_each: bool,
) -> Result<Vec<u8>, ArchiveError> {
    // Room for the largest content from the start: versions grow, and each step would reallocate.
    let room = chain.iter().map(|link| link.size_bytes).max().unwrap_or(0);
    let room = usize::try_from(room.min(MAX_DELTA_BYTES)).expect("a few MiB");
    let mut content = Vec::with_capacity(room);
    let mut base = Vec::with_capacity(if chain.len() > 1 { room } else { 0 });
    for link in chain.iter().rev() {
        std::mem::swap(&mut base, &mut content);
        decode_link(link, &base, objects, &mut content)?;
        if check_each && Digest::of(&content) != link.digest {
            return Err(damaged(
                link,
                "its content is not the one that was recorded",
            ));
        }
    }
    Ok(content)
}

fn decode_link(
    link: &BlobLink,
    base: &[u8],
    objects: &Objects,
    content: &mut Vec<u8>,
) -> Result<(), ArchiveError> {
    let size = usize::try_from(link.size_bytes)
        .ok()
        .filter(|_| link.size_bytes <= MAX_DELTA_BYTES)
        .ok_or_else(|| damaged(link, "it is too large to be part of a delta"))?;
    let stored = load(link, objects)?;
    let decoded = match link.form {
        BlobForm::Raw if stored.len() == size => {
            content.clear();
            content.extend_from_slice(&stored);
            Ok(())
        }
        BlobForm::Raw => return Err(damaged(link, "its stored form has another length")),
        BlobForm::Zstd => decompress(&stored, size, content),
        BlobForm::Delta => decompress_delta(&stored, base, size, content),
    };
    decoded.map_err(|error| damaged(link, error.to_string()))
}

/// Returns the stored form of a blob that is decoded in memory.
fn load<'a>(link: &'a BlobLink, objects: &Objects) -> Result<Cow<'a, [u8]>, ArchiveError> {
    match &link.body {
        StoredBody::Inline(form) => Ok(Cow::Borrowed(form)),
        StoredBody::Object(_) => {
            let mut form = Vec::new();
            open(link, objects)?
                .read_to_end(&mut form)
                .map_err(|error| unreadable(link, error, objects))?;
            Ok(Cow::Owned(form))
        }
    }
}

fn open<'a>(link: &'a BlobLink, objects: &Objects) -> Result<Box<dyn Read + 'a>, ArchiveError> {
    match &link.body {
        StoredBody::Inline(form) => Ok(Box::new(form.as_slice())),
        StoredBody::Object(name) => {
            let object = match objects.open(name) {
                Err(ArchiveError::BadPath(_)) => {
                    Err(damaged(link, format!("`{name}` names no object")))
                }
                Ok(None) => Err(damaged(link, format!("its object {name} is missing"))),
                Ok(Some(object)) => Ok(object),
                Err(error) => Err(error),
            }?;
            if object.size_bytes > max_stored_bytes(link.size_bytes) {
                return Err(damaged(link, format!("its object {name} is too long")));
            }
            Ok(object.bytes)
        }
    }
}

/// Cuts a chain behind its first whole blob.
pub(super) fn trim_chain(chain: &[BlobLink]) -> Result<&[BlobLink], ArchiveError> {
    let last = chain.last().ok_or(ArchiveError::EmptyChain)?;
    chain
        .iter()
        .position(|link| link.form != BlobForm::Delta)
        .map(|alone| &chain[..=alone])
        .ok_or_else(|| damaged(last, "the blob that it is a delta against is missing"))
}

enum CopyError {
    Read(io::Error),
    Write(io::Error),
    Wrong,
}

fn copy_checked(
    link: &BlobLink,
    content: impl Read,
    mut file: impl Write,
) -> Result<(), CopyError> {
    // Reading one byte more than recorded detects excess.
    let mut content = content.take(link.size_bytes.saturating_add(1));
    let mut digester = Digester::default();
    let mut size_bytes = 0;
    let mut buffer = vec![0; COPY_BUFFER_BYTES];
    loop {
        let count = content.read(&mut buffer).map_err(CopyError::Read)?;
        if count == 0 {
            break;
        }
        size_bytes += count as u64;
        digester.update(&buffer[..count]);
        file.write_all(&buffer[..count]).map_err(CopyError::Write)?;
    }
    if size_bytes == link.size_bytes && digester.finish() == link.digest {
        Ok(())
    } else {
        Err(CopyError::Wrong)
    }
}

/// Distinguishes a damaged stored form from an unavailable store.
fn unreadable(link: &BlobLink, error: io::Error, objects: &Objects) -> ArchiveError {
    match (&link.body, error.downcast::<Unreachable>()) {
        (StoredBody::Object(name), Ok(error)) => objects.unavailable(name, error),
        (StoredBody::Inline(_), Ok(error)) => damaged(link, error.to_string()),
        (_, Err(error)) => damaged(link, error.to_string()),
    }
}

fn damaged(link: &BlobLink, reason: impl Into<String>) -> ArchiveError {
    ArchiveError::Damaged {
        id: link.id,
        digest: link.digest,
        reason: reason.into(),
    }
}
