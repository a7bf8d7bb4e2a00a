//! Whether an image's bytes go on to its end: decoders fill up what is missing, and say nothing.

use crate::config::ImageFormat;

/// Tells whether the end that the format knows of is there; `true` for formats whose decoder tells.
pub(super) fn has_end(format: ImageFormat, bytes: &[u8]) -> bool {
    let found = match format {
        ImageFormat::Jpeg => jpeg(bytes),
        ImageFormat::Png => png(bytes),
        ImageFormat::WebP => webp(bytes),
        ImageFormat::Bmp | ImageFormat::Gif | ImageFormat::Ico | ImageFormat::Tiff => Some(true),
    };
    found.unwrap_or(false)
}

/// Walks the segments up to the EOI marker (ITU-T T.81 §B.1.1).
fn jpeg(bytes: &[u8]) -> Option<bool> {
    const EOI: u8 = 0xD9;
    const START_OF_SCAN: u8 = 0xDA;
    let mut rest = bytes.get(2..)?;
    loop {
        let at = rest.iter().position(|byte| *byte == 0xFF)?;
        let fill = rest[at..].iter().position(|byte| *byte != 0xFF)?;
        let code = rest[at + fill];
        rest = &rest[at + fill + 1..];
        match code {
            EOI => return Some(true),
            // A stuffed byte, or a marker that stands alone.
            0x00 | 0x01 | 0xD0..=0xD8 => {}
            _ => {
                let length = rest.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))?;
                rest = rest.get(usize::from(length)..)?;
                if code == START_OF_SCAN {
                    rest = &rest[entropy_coded(rest)..];
                }
            }
        }
    }
}

/// Returns how long the coded data is: it ends before a marker that is no restart.
fn entropy_coded(bytes: &[u8]) -> usize {
    let ends = |pair: &[u8]| pair[0] == 0xFF && !matches!(pair[1], 0x00 | 0xD0..=0xD7 | 0xFF);
    let found = bytes.windows(2).position(ends);
    found.unwrap_or(bytes.len())
}

/// Walks the chunks up to IEND (PNG §5.3).
fn png(bytes: &[u8]) -> Option<bool> {
    let mut rest = bytes.get(8..)?;
    loop {
        let length = rest.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))?;
        let kind = rest.get(4..8)?;
        // Length, kind, data, CRC.
        let end = usize::try_from(length).ok()?.checked_add(12)?;
        let after = rest.get(end..)?;
        if kind == b"IEND" {
            return Some(true);
        }
        rest = after;
    }
}

/// Compares the container's length with what is there.
fn webp(bytes: &[u8]) -> Option<bool> {
    let length = bytes
        .get(4..)?
        .first_chunk()
        .map(|bytes| u32::from_le_bytes(*bytes))?;
    let end = usize::try_from(length).ok()?.checked_add(8)?;
    Some(end <= bytes.len())
}
