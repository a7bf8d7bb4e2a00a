//! Checks that an image's container is complete: decoders stop at the end of the picture and do not miss the rest.

use flate2::Crc;

use super::input::{RuleFailure, bad};

/// Checks the chunks up to IEND, with the checksum of each (PNG §5.3).
pub(super) fn png(bytes: &[u8]) -> Result<(), RuleFailure> {
    let mut rest = bytes.get(8..).unwrap_or_default();
    loop {
        let length = rest.first_chunk().map(|bytes| u32::from_be_bytes(*bytes));
        // The kind and the data, then their checksum.
        let chunk = length.and_then(|length| rest.get(4..)?.get(..length as usize + 4));
        let Some(chunk) = chunk else {
            return bad("cut off before its end");
        };
        rest = &rest[4 + chunk.len()..];
        let Some((sum, after)) = rest.split_first_chunk() else {
            return bad("cut off before its end");
        };
        let mut crc = Crc::new();
        crc.update(chunk);
        let kind = &chunk[..4];
        if crc.sum() != u32::from_be_bytes(*sum) {
            let kind = kind.escape_ascii();
            return bad(format!("the checksum of a chunk `{kind}` is wrong"));
        }
        if kind == b"IEND" {
            return Ok(());
        }
        rest = after;
    }
}

/// Checks that the chunks end where the container does.
pub(super) fn webp(bytes: &[u8]) -> Result<(), RuleFailure> {
    let length = |bytes: &[u8]| bytes.first_chunk().map(|four| u32::from_le_bytes(*four));
    let body = length(bytes.get(4..).unwrap_or_default())
        .and_then(|length| bytes.get(8..)?.get(..length as usize));
    let Some(mut rest) = body.and_then(|body| body.get(4..)) else {
        return bad("cut off before its end");
    };
    while !rest.is_empty() {
        let length = length(rest.get(4..).unwrap_or_default());
        // A chunk of odd length is followed by a padding byte, which may be missing at the end.
        let Some(after) = length.and_then(|length| rest.get(8..)?.get(length as usize..)) else {
            return bad("a chunk goes beyond the end");
        };
        let fill = usize::from(length.is_some_and(|length| length % 2 == 1));
        rest = after.get(fill..).unwrap_or_default();
    }
    Ok(())
}
