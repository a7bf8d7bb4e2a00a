//! Recognises the format of an image by its first bytes.

use crate::domain::ImageFormat;

/// Bytes of a text that are searched for the root of an SVG.
const SVG_WINDOW_BYTES: usize = 4 << 10;

/// Formats that are recognised but not decoded, with their bytes at an offset.
const OTHERS: [(usize, &[u8], &str); 28] = [
    (4, b"ftypavif", "avif"),
    (4, b"ftypavis", "avif"),
    (4, b"ftypheic", "heic"),
    (4, b"ftypheix", "heic"),
    (4, b"ftyphevc", "heic"),
    (4, b"ftypmif1", "heif"),
    (4, b"ftypmsf1", "heif"),
    (4, b"ftypcrx ", "cr3"),
    (0, b"\xFF\x0A", "jpeg-xl"),
    (0, b"\0\0\0\x0CJXL \r\n\x87\n", "jpeg-xl"),
    (0, b"\0\0\0\x0CjP  \r\n\x87\n", "jpeg-2000"),
    (0, b"\xFF\x4F\xFF\x51", "jpeg-2000"),
    (0, b"II\xBC\x01", "jpeg-xr"),
    (0, b"8BPS", "psd"),
    (0, b"qoif", "qoi"),
    (0, b"DDS ", "dds"),
    (0, b"\x76\x2F\x31\x01", "openexr"),
    (0, b"#?RADIANCE", "hdr"),
    (0, b"farbfeld", "farbfeld"),
    (0, b"\0\0\x02\0", "cur"),
    (0, b"icns", "icns"),
    (0, b"AT&TFORM", "djvu"),
    (0, b"\x8AMNG\r\n\x1A\n", "mng"),
    (0, b"\x8BJNG\r\n\x1A\n", "jng"),
    (0, b"gimp xcf", "xcf"),
    (0, b"\xD7\xCD\xC6\x9A", "wmf"),
    (40, b" EMF", "emf"),
    (0, b"/* XPM */", "xpm"),
];

/// The format of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ImageKind {
    /// A format with a decoder here.
    Decoded(ImageFormat),
    /// A format without a decoder here.
    Undecoded(&'static str),
}

/// Returns the format of an image; `None` for other bytes.
pub(super) fn kind_of(bytes: &[u8]) -> Option<ImageKind> {
    let known = match bytes {
        [b'B', b'M', ..] => ImageFormat::Bmp,
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => ImageFormat::Gif,
        [0, 0, 1, 0, ..] => ImageFormat::Ico,
        [0xFF, 0xD8, 0xFF, ..] => ImageFormat::Jpeg,
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => ImageFormat::Png,
        // 42 is classic TIFF, 43 is BigTIFF.
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => ImageFormat::Tiff,
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => ImageFormat::WebP,
        _ => return other(bytes).map(ImageKind::Undecoded),
    };
    Some(ImageKind::Decoded(known))
}

fn other(bytes: &[u8]) -> Option<&'static str> {
    let stands = |(at, magic, _): &&(usize, &[u8], &str)| {
        bytes.get(*at..).is_some_and(|rest| rest.starts_with(magic))
    };
    if let Some((_, _, name)) = OTHERS.iter().find(stands) {
        return Some(name);
    }
    match bytes {
        [b'P', b'1'..=b'7', space, ..] if space.is_ascii_whitespace() => Some("netpbm"),
        _ => is_svg(bytes).then_some("svg"),
    }
}

/// Returns whether a text begins with markup and soon has the root of an SVG.
fn is_svg(bytes: &[u8]) -> bool {
    let window = &bytes[..bytes.len().min(SVG_WINDOW_BYTES)];
    // Drops the zero bytes of ASCII in UTF-16.
    let text: Vec<u8> = window.iter().copied().filter(|byte| *byte != 0).collect();
    let text = String::from_utf8_lossy(&text);
    let text = text.trim_start_matches(|c: char| !c.is_ascii_graphic());
    let is_root = |at: usize| {
        let after = text[at..].chars().nth("<svg".len());
        after.is_none_or(|c| c.is_ascii_whitespace() || matches!(c, '>' | '/'))
    };
    text.starts_with('<')
        && (text.match_indices("<svg").any(|(at, _)| is_root(at)) || text.contains(":svg "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_their_first_bytes() {
        for (bytes, name) in [
            (&b"\0\0\0\x1Cftypavif\0\0"[..], "avif"),
            (b"\0\0\0\x18ftypheic", "heic"),
            (b"\xFF\x0A\xFA", "jpeg-xl"),
            (b"8BPS\0\x01", "psd"),
            (b"P6 1 1 255 abc", "netpbm"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "svg"),
            (
                b"\xEF\xBB\xBF<?xml version='1.0'?>\n<!-- x -->\n<svg>",
                "svg",
            ),
            (b"<!DOCTYPE svg PUBLIC 'x'>\n<svg:svg xmlns:svg='x'>", "svg"),
        ] {
            assert_eq!(kind_of(bytes), Some(ImageKind::Undecoded(name)), "{name}");
        }
        for bytes in [
            &b""[..],
            b"GIF",
            b"<html>",
            b"{\"a\": \"<svg>\"}",
            b"P6",
            b"<svgx>",
        ] {
            assert_eq!(kind_of(bytes), None, "{bytes:?}");
        }
        let big = kind_of(b"II\x2B\0\x08\0\0\0");
        assert_eq!(big, Some(ImageKind::Decoded(ImageFormat::Tiff)));
    }
}
