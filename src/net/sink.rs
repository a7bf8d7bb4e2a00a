//! Receives the bytes of a body: decodes, counts and digests them, into memory or a temporary file.
//!
//! Blocks while it works; the caller moves large pieces to a blocking thread. Never reads from the network. Dropping
//! the sink removes the temporary file.

use std::io::{self, Read as _, Write};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use flate2::read::GzDecoder;
use flate2::write::MultiGzDecoder;
use tempfile::NamedTempFile;

use super::failure::Failure;
use super::response_head::Coding;
use crate::domain::{Content, Digest, Digester, FailureKind, format_size};
use crate::files::explain_io_error;

/// Longest content that stays in memory.
const MEMORY_BYTES: usize = 256 << 10;

/// Begins each gzip member (RFC 1952 §2.3.1).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Longest gzip header with all its optional fields.
const MOST_UNDECIDED_BYTES: usize = 256 << 10;

pub(super) struct Sink {
    decoder: Decoder,
}

enum Decoder {
    /// No byte arrived yet: a body without any is empty content in any coding.
    Begin(Coding, Box<Spool>),
    Identity(Box<Spool>),
    /// Decodes all members of the stream (RFC 1952 §2.2).
    Gzip(Box<MultiGzDecoder<Spool>>),
    /// The beginning of a [`Coding::GzipFile`] body, too short to decide.
    Undecided(Vec<u8>, Box<Spool>),
}

impl Sink {
    /// Returns a sink for at most `cap` bytes of decoded content. `announced` is the length on the wire, if known:
    /// longer content goes to a file from the start.
    pub(super) fn new(
        coding: Coding,
        cap: u64,
        announced: Option<u64>,
        temp_dir: &Arc<Path>,
    ) -> Self {
        let is_large = announced.is_some_and(|length| length > MEMORY_BYTES as u64);
        let spool = Spool {
            digester: Digester::default(),
            size_bytes: 0,
            cap,
            memory: Vec::new(),
            memory_bytes: if is_large { 0 } else { MEMORY_BYTES },
            file: None,
            temp_dir: Arc::clone(temp_dir),
            failure: None,
        };
        Self {
            decoder: Decoder::Begin(coding, Box::new(spool)),
        }
    }

    /// Writes the next piece, as it came over the wire.
    pub(super) fn write(mut self, piece: &[u8]) -> Result<Self, Failure> {
        if piece.is_empty() {
            return Ok(self);
        }
        self.decoder = match self.decoder {
            Decoder::Begin(Coding::Identity, spool) => Decoder::Identity(spool),
            Decoder::Begin(Coding::Gzip, spool) => gunzip(spool),
            Decoder::Begin(Coding::GzipFile, spool) => return Self::decide(piece.to_vec(), spool),
            Decoder::Undecided(mut wire, spool) => {
                wire.extend_from_slice(piece);
                return Self::decide(wire, spool);
            }
            begun => begun,
        };
        self.put(piece)?;
        Ok(self)
    }

    /// Decides on the coding of a gzip file, once enough bytes arrived.
    fn decide(wire: Vec<u8>, spool: Box<Spool>) -> Result<Self, Failure> {
        let decoder = match holds_gzip(&wire) {
            None if wire.len() <= MOST_UNDECIDED_BYTES => {
                return Ok(Self {
                    decoder: Decoder::Undecided(wire, spool),
                });
            }
            Some(true) => gunzip(spool),
            Some(false) | None => Decoder::Identity(spool),
        };
        let mut sink = Self { decoder };
        sink.put(&wire)?;
        Ok(sink)
    }

    fn put(&mut self, piece: &[u8]) -> Result<(), Failure> {
        match &mut self.decoder {
            Decoder::Begin(_, spool) | Decoder::Identity(spool) | Decoder::Undecided(_, spool) => {
                spool.put(piece)
            }
            Decoder::Gzip(decoder) => {
                let written = decoder.write_all(piece);
                written.map_err(|error| gzip_failure(decoder.get_mut(), &error))
            }
        }
    }

    /// Returns the complete content with its digest.
    pub(super) fn finish(self) -> Result<(Content, Digest), Failure> {
        match self.decoder {
            Decoder::Begin(_, spool) | Decoder::Identity(spool) => Ok(spool.finish()),
            // Too short for gzip within gzip: the content is plain.
            Decoder::Undecided(wire, mut spool) => {
                spool.put(&wire)?;
                Ok(spool.finish())
            }
            Decoder::Gzip(mut decoder) => {
                let finished = decoder.try_finish();
                finished.map_err(|error| gzip_failure(decoder.get_mut(), &error))?;
                let spool = decoder.finish().map_err(|error| broken_gzip(&error))?;
                Ok(spool.finish())
            }
        }
    }
}

fn gunzip(spool: Box<Spool>) -> Decoder {
    Decoder::Gzip(Box::new(MultiGzDecoder::new(*spool)))
}

/// Returns whether `wire` begins with gzip that contains gzip; `None` when more bytes are needed.
fn holds_gzip(wire: &[u8]) -> Option<bool> {
    let mut first = [0; 2];
    match GzDecoder::new(wire).read_exact(&mut first) {
        Ok(()) => Some(first == GZIP_MAGIC),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => None,
        Err(_) => Some(false),
    }
}

struct Spool {
    digester: Digester,
    size_bytes: u64,
    cap: u64,
    memory: Vec<u8>,
    /// Longest content in memory.
    memory_bytes: usize,
    file: Option<NamedTempFile>,
    temp_dir: Arc<Path>,
    /// Why writing stopped: a decoder in between passes on an `io::Error` only.
    failure: Option<Failure>,
}

impl Spool {
    fn put(&mut self, piece: &[u8]) -> Result<(), Failure> {
        self.size_bytes += piece.len() as u64;
        if self.size_bytes > self.cap {
            return Err(too_large(self.cap, " once decoded"));
        }
        self.digester.update(piece);
        if self.file.is_none() && self.memory.len() + piece.len() <= self.memory_bytes {
            self.memory.extend_from_slice(piece);
            return Ok(());
        }
        self.spill(piece).map_err(|error| {
            let detail = format!(
                "cannot keep the body in {}: {}",
                self.temp_dir.display(),
                explain_io_error(&error, &self.temp_dir)
            );
            Failure::new(FailureKind::Storage, detail)
        })
    }

    /// Appends to the temporary file; on the first call makes it, with the content from memory.
    fn spill(&mut self, piece: &[u8]) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            return file.write_all(piece);
        }
        let mut file = NamedTempFile::with_prefix_in("fetch-", &self.temp_dir)?;
        file.write_all(&std::mem::take(&mut self.memory))?;
        file.write_all(piece)?;
        self.file = Some(file);
        Ok(())
    }

    fn finish(self) -> (Content, Digest) {
        let digest = self.digester.finish();
        let content = match self.file {
            None => Content::Memory(Bytes::from(self.memory)),
            Some(file) => Content::File {
                path: Arc::new(file.into_temp_path()),
                size_bytes: self.size_bytes,
            },
        };
        (content, digest)
    }
}

impl Write for Spool {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        match self.put(piece) {
            Ok(()) => Ok(piece.len()),
            Err(failure) => {
                self.failure = Some(failure);
                Err(io::Error::other("the content was not taken"))
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns the failure of a body over the cap.
pub(super) fn too_large(cap: u64, when: &str) -> Failure {
    let cap = format_size(cap);
    let detail =
        format!("the body is larger{when} than {cap}: allow more for this source with --max-size");
    Failure::new(FailureKind::TooLarge, detail)
}

fn gzip_failure(spool: &mut Spool, error: &io::Error) -> Failure {
    spool.failure.take().unwrap_or_else(|| broken_gzip(error))
}

fn broken_gzip(error: &io::Error) -> Failure {
    let detail = format!("the gzip stream is cut short or broken: {error}");
    Failure::new(FailureKind::Decode, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).expect("memory takes all");
        encoder.finish().expect("memory takes all")
    }

    fn run(
        coding: Coding,
        cap: u64,
        wire: &[u8],
        step: usize,
    ) -> Result<(Vec<u8>, Digest), Failure> {
        let dir = tempfile::tempdir().expect("a folder");
        let mut sink = Sink::new(coding, cap, None, &Arc::from(dir.path()));
        for piece in wire.chunks(step) {
            sink = sink.write(piece)?;
        }
        let (content, digest) = sink.finish()?;
        let bytes = match (content.as_memory(), content.as_file()) {
            (Some(bytes), _) => bytes.to_vec(),
            (None, Some(path)) => std::fs::read(path).expect("a readable file"),
            (None, None) => unreachable!("content is in one place"),
        };
        assert_eq!(content.size_bytes(), bytes.len() as u64);
        drop(content);
        assert_eq!(std::fs::read_dir(dir.path()).expect("a folder").count(), 0);
        Ok((bytes, digest))
    }

    #[test]
    fn spills_past_the_limit_of_memory() {
        for length in [0, 1, MEMORY_BYTES, MEMORY_BYTES + 1, 3 * MEMORY_BYTES] {
            let bytes = vec![7; length];
            let (found, digest) = run(Coding::Identity, 1 << 30, &bytes, 100_000).expect("content");
            assert!(found == bytes && digest == Digest::of(&bytes), "{length}");
        }
    }

    #[test]
    fn holds_to_the_cap() {
        let zeros = vec![0; 1 << 20];
        let kind = |result: Result<_, Failure>| result.map_err(|failure| failure.kind).err();
        assert_eq!(kind(run(Coding::Identity, 10, b"0123456789", 3)), None);
        let over = run(Coding::Identity, 9, b"0123456789", 3);
        assert_eq!(kind(over), Some(FailureKind::TooLarge));
        let bomb = gzip(&zeros);
        assert!(bomb.len() < 20_000);
        let failure = run(Coding::Gzip, 20_000, &bomb, 4096).expect_err("a bomb");
        assert_eq!(failure.kind, FailureKind::TooLarge);
        assert!(failure.detail.contains("decoded") && failure.detail.contains("--max-size"));
        assert_eq!(kind(run(Coding::Gzip, 1 << 20, &bomb, 4096)), None);
    }

    #[test]
    fn a_broken_stream_is_never_content() {
        let whole = gzip(&b"content that is long enough to be cut ".repeat(20));
        let kind = |wire: &[u8]| {
            run(Coding::Gzip, 1 << 20, wire, 5)
                .map_err(|failure| failure.kind)
                .err()
        };
        for length in 1..whole.len() {
            assert_eq!(
                kind(&whole[..length]),
                Some(FailureKind::Decode),
                "{length}"
            );
        }
        for garbage in [&b"\0"[..], b"garbage after the end", b"\x1f\x8b"] {
            let wire = [&whole, garbage].concat();
            assert_eq!(kind(&wire), Some(FailureKind::Decode), "{garbage:?}");
        }
        let mut flipped = whole.clone();
        let crc = flipped.len() - 6;
        flipped[crc] ^= 1;
        assert_eq!(kind(&flipped), Some(FailureKind::Decode));
        assert_eq!(kind(b"not gzip at all"), Some(FailureKind::Decode));
    }

    #[test]
    fn a_body_without_a_byte_is_empty_whatever_its_coding() {
        for coding in [Coding::Identity, Coding::Gzip, Coding::GzipFile] {
            let (bytes, _) = run(coding, 10, b"", 1).expect("content");
            assert!(bytes.is_empty(), "{coding:?}");
        }
    }

    #[test]
    fn one_layer_of_a_gzip_file_goes_when_there_are_two() {
        let plain = b"a,b\n1,2\n".repeat(9);
        let file = gzip(&plain);
        let noise: Vec<u8> = (0..100_000_u32)
            .map(|at| at.wrapping_mul(2_654_435_761).to_be_bytes()[0])
            .collect();
        let large = gzip(&noise);
        for (wire, expected) in [
            (gzip(&file), &file),
            (file.clone(), &file),
            (gzip(&large), &large),
            (large.clone(), &large),
            (gzip(b""), &gzip(b"")),
            (plain.clone(), &plain),
            (b"\x1f\x8b".to_vec(), &b"\x1f\x8b".to_vec()),
            (gzip(&gzip(b"")), &gzip(b"")),
        ] {
            for step in [1, 7, 4096, 1 << 20] {
                let (bytes, _) = run(Coding::GzipFile, 1 << 20, &wire, step).expect("content");
                assert!(bytes == *expected, "{} bytes by {step}", wire.len());
            }
        }
    }

    proptest! {
        #[test]
        fn members_decode_to_their_sum(
            members in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 1..4),
            step in 1_usize..200,
        ) {
            let wire: Vec<u8> = members.iter().flat_map(|member| gzip(member)).collect();
            let (bytes, digest) = run(Coding::Gzip, 1 << 20, &wire, step).expect("content");
            prop_assert_eq!(digest, Digest::of(&bytes));
            prop_assert_eq!(bytes, members.concat());
        }
    }
}
