//! The codec: zstd frames (RFC 8878), standalone or with another content as their prefix.
//!
//! Pure: no files, no digests. The catalogue records size and digest of every content, so no frame repeats them.

use std::cell::RefCell;
use std::io::{self, Read, Write};

use zstd::zstd_safe::{
    CCtx, CParameter, DCtx, DParameter, FrameFormat, ParamSwitch, ResetDirective, Strategy,
    get_error_name,
};

/// Largest content of a delta: making one needs content and base in memory.
pub(super) const MAX_DELTA_BYTES: u64 = 32 << 20;

/// Content above this is never in memory when it is stored whole; a delta of it counts as large work.
pub(super) const LARGE_BYTES: u64 = 4 << 20;

/// Bytes of a large content that are compressed at a time.
const PIECE_BYTES: usize = 1 << 20;
/// Content above this is compressed at a fast level when it is stored whole.
const MAX_THOROUGH_BYTES: u64 = 16 << 20;

/// Shorter content is not compressed: the headers of a frame and its block would use up the gain.
const MIN_FRAME_BYTES: usize = 32;

/// Content up to this length is compressed in a context that each thread reuses: making one takes longer than the work.
const SMALL_BYTES: usize = 0xffff;

thread_local! {
    static SMALL_ENCODER: RefCell<Option<CCtx<'static>>> = const { RefCell::new(None) };
}

/// Returns the level for content that is stored whole.
///
/// Measured on text: level 6 saves 3 to 7 % over level 3 for 2.5 to 4 times the time, which a file of this size costs
/// once in its history; many small or very large files would delay their first fetches. For large tables of numbers the
/// fast levels are also the smaller ones: of 20 MiB, level 3 makes 6.9 MB, level 1 makes 6.1, and level -2 with
/// compressed literals 5.6, a tenth faster.
fn level_for(size_bytes: u64) -> i32 {
    match size_bytes {
        0..=0xffff => 3,
        0x1_0000..=MAX_THOROUGH_BYTES => 6,
        _ => -2,
    }
}

/// Compresses `content` alone. Returns `None` when that saves nothing.
pub(super) fn compress(content: &[u8]) -> io::Result<Option<Vec<u8>>> {
    if content.len() < MIN_FRAME_BYTES {
        return Ok(None);
    }
    let compress_with = |encoder: &mut CCtx<'_>| {
        set(
            encoder,
            &[
                CParameter::CompressionLevel(level_for(content.len() as u64)),
                CParameter::ContentSizeFlag(false),
            ],
        )?;
        compress_below(encoder, content, content.len() - 1)
    };
    if content.len() > SMALL_BYTES {
        return compress_with(&mut CCtx::try_create().ok_or_else(out_of_memory)?);
    }
    SMALL_ENCODER.with_borrow_mut(|kept| {
        // A context that failed is not reused.
        let mut encoder = kept
            .take()
            .or_else(CCtx::try_create)
            .ok_or_else(out_of_memory)?;
        let frame = compress_with(&mut encoder)?;
        encoder
            .reset(ResetDirective::SessionAndParameters)
            .map_err(zstd_error)?;
        *kept = Some(encoder);
        Ok(frame)
    })
}

/// Compresses `content` against `base`. Returns `None` when the result would be longer than `limit` bytes.
///
/// The window spans both, so that all of the base is in reach. The fast strategy with matches of at least 7 bytes finds
/// the long stretches that an edit leaves unchanged; lazier strategies lose them to short matches elsewhere: on records
/// with changing time-stamps it makes 6.5 KB, level 3 makes 14 and level 9 makes 8. Its hash table must grow with the
/// base, or the base's beginning is forgotten. Beyond a few MiB, long-distance matching does that in less memory and
/// leaves mostly new text to the strategy; a lazier one then saves a tenth on the deltas of a growing log, for 1.7
/// times the time.
pub(super) fn compress_delta(
    content: &[u8],
    base: &[u8],
    limit: usize,
) -> io::Result<Option<Vec<u8>>> {
    let total = base.len() + content.len();
    let total_log = total.next_power_of_two().trailing_zeros();
    let long_distance = total as u64 > LARGE_BYTES;
    let (strategy, min_match, hash_log) = if long_distance {
        (Strategy::ZSTD_lazy2, 6, 17)
    } else {
        (
            Strategy::ZSTD_fast,
            7,
            total_log.saturating_sub(2).clamp(12, 19),
        )
    };
    let mut encoder = CCtx::try_create().ok_or_else(out_of_memory)?;
    set(
        &mut encoder,
        &[
            CParameter::CompressionLevel(1),
            CParameter::Strategy(strategy),
            CParameter::MinMatch(min_match),
            CParameter::WindowLog(total_log.clamp(10, 27)),
            CParameter::HashLog(hash_log),
            CParameter::ChainLog(16),
            CParameter::SearchLog(2),
            CParameter::EnableLongDistanceMatching(long_distance),
            CParameter::ContentSizeFlag(false),
            // A delta may have a few dozen bytes, so the four of the magic number matter; no other tool can decode a
            // delta anyway.
            CParameter::Format(FrameFormat::Magicless),
        ],
    )?;
    encoder.ref_prefix(base).map_err(zstd_error)?;
    compress_below(&mut encoder, content, limit)
}

/// Decodes a standalone frame and replaces `content` by the result, of at most `size` bytes.
pub(super) fn decompress(frame: &[u8], size: usize, content: &mut Vec<u8>) -> io::Result<()> {
    let decoder = DCtx::try_create().ok_or_else(out_of_memory)?;
    decompress_exactly(decoder, frame, size, content)
}

/// Decodes a frame made by [`compress_delta`] with the same `base`.
pub(super) fn decompress_delta(
    frame: &[u8],
    base: &[u8],
    size: usize,
    content: &mut Vec<u8>,
) -> io::Result<()> {
    let mut decoder = DCtx::try_create().ok_or_else(out_of_memory)?;
    decoder
        .set_parameter(DParameter::Format(FrameFormat::Magicless))
        .and_then(|_| decoder.ref_prefix(base))
        .map_err(zstd_error)?;
    decompress_exactly(decoder, frame, size, content)
}

/// Compresses a stream, in a few MiB of memory whatever its length.
///
/// The result has one frame for every 1 MiB, which together are a valid zstd stream (RFC 8878 §3). Compressing each
/// piece at once takes half the time of zstd's own streaming, whose window wraps around in a buffer. Little is lost
/// between frames, since the level's window is no longer than a piece.
pub(super) fn compress_stream(
    mut content: impl Read,
    size_bytes: u64,
    mut frames: impl Write,
) -> io::Result<()> {
    let mut encoder = zstd::bulk::Compressor::new(level_for(size_bytes))?;
    // Levels below 1 leave literals uncompressed by default.
    encoder.set_parameter(CParameter::LiteralCompressionMode(ParamSwitch::Enable))?;
    let mut piece = Vec::with_capacity(PIECE_BYTES);
    let mut frame = Vec::with_capacity(zstd::zstd_safe::compress_bound(PIECE_BYTES));
    loop {
        piece.clear();
        content
            .by_ref()
            .take(PIECE_BYTES as u64)
            .read_to_end(&mut piece)?;
        if piece.is_empty() {
            return frames.flush();
        }
        frame.clear();
        encoder.compress_to_buffer(&piece, &mut frame)?;
        frames.write_all(&frame)?;
    }
}

/// Returns a reader of the content of one or more standalone frames. The caller limits how much it reads.
pub(super) fn decompress_stream<'a>(frames: impl Read + 'a) -> io::Result<impl Read + 'a> {
    zstd::stream::read::Decoder::new(frames)
}

/// Returns the maximum length of the stored form of a content of this size.
pub(super) fn max_stored_bytes(size_bytes: u64) -> u64 {
    // ZSTD_COMPRESSBOUND, rounded up.
    size_bytes
        .saturating_add(size_bytes >> 8)
        .saturating_add(1024)
}

fn compress_below(
    encoder: &mut CCtx<'_>,
    content: &[u8],
    limit: usize,
) -> io::Result<Option<Vec<u8>>> {
    let mut frame = Vec::with_capacity(limit);
    match encoder.compress2(&mut frame, content) {
        Ok(_) => {
            frame.shrink_to_fit();
            Ok(Some(frame))
        }
        // The only possible failure with valid parameters: the result exceeds `limit` bytes.
        Err(code) if get_error_name(code).contains("Destination buffer is too small") => Ok(None),
        Err(code) => Err(zstd_error(code)),
    }
}

fn decompress_exactly(
    mut decoder: DCtx<'_>,
    frame: &[u8],
    size: usize,
    content: &mut Vec<u8>,
) -> io::Result<()> {
    content.clear();
    content.reserve_exact(size);
    decoder.decompress(content, frame).map_err(zstd_error)?;
    if content.len() == size {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidData,
        format!("decodes to {} bytes instead of {size}", content.len()),
    ))
}

fn set(encoder: &mut CCtx<'_>, parameters: &[CParameter]) -> io::Result<()> {
    parameters
        .iter()
        .try_for_each(|parameter| encoder.set_parameter(*parameter).map(drop))
        .map_err(zstd_error)
}

fn zstd_error(code: usize) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, get_error_name(code))
}

fn out_of_memory() -> io::Error {
    io::ErrorKind::OutOfMemory.into()
}
