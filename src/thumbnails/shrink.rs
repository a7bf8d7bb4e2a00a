//! Makes a thumbnail of the bytes of a picture, with bounded memory and time.
//!
//! Only the first picture of an animation, or the first page, is decoded. Whatever the bytes are, the result is a
//! thumbnail or none: never an error, never a panic.

use std::io::{self, BufRead, Cursor, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits};

use crate::domain::{self, PictureFacts};

/// Larger files get no thumbnail.
pub const MAX_PICTURE_BYTES: u64 = 64 << 20;
/// Pictures with more pixels get none: 40 million of them take 120 MB to decode, or three times as much in the worst format.
const MAX_PIXELS: u64 = 40_000_000;
/// The most memory for the decoded pixels.
const MAX_DECODED_BYTES: u64 = 192 << 20;
/// The most time for reading a picture.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest side of a thumbnail: twice what a page shows, for dense screens.
const SIDE: u32 = 320;
/// A picture with more pixels is decoded while no other such picture is.
const LIGHT_PIXELS: u64 = 4_000_000;
const JPEG_QUALITY: u8 = 82;

static HEAVY: Mutex<()> = Mutex::new(());

/// A small picture: a PNG or a JPEG.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thumbnail(pub Vec<u8>);

/// What becomes of the bytes of a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shrunk {
    /// A thumbnail.
    Small(Thumbnail),
    /// Nothing: the bytes are no picture, or drawing it would take too much.
    Undrawn,
}

impl Shrunk {
    /// Returns the thumbnail with these bytes; that there is none, without any.
    pub(super) fn of(bytes: Vec<u8>) -> Self {
        if bytes.is_empty() {
            Self::Undrawn
        } else {
            Self::Small(Thumbnail(bytes))
        }
    }

    /// Returns the thumbnail.
    pub fn thumbnail(self) -> Option<Thumbnail> {
        match self {
            Self::Small(thumbnail) => Some(thumbnail),
            Self::Undrawn => None,
        }
    }
}

impl Thumbnail {
    /// Returns the media type.
    pub fn media_type(&self) -> &'static str {
        if self.0.starts_with(b"\x89PNG") {
            "image/png"
        } else {
            "image/jpeg"
        }
    }
}

/// Returns the format and the dimensions of a picture, by its bytes; `None` for other bytes. Blocks.
pub fn picture_facts(bytes: &[u8]) -> Option<PictureFacts> {
    let read = || {
        let reader = timed(bytes, Instant::now() + PATIENCE)?;
        let format = format_of(reader.format()?)?;
        let (width, height) = reader.into_dimensions().ok()?;
        Some(PictureFacts {
            format,
            width,
            height,
        })
    };
    catch_unwind(AssertUnwindSafe(read)).ok()?
}

fn format_of(format: ImageFormat) -> Option<domain::ImageFormat> {
    Some(match format {
        ImageFormat::Bmp => domain::ImageFormat::Bmp,
        ImageFormat::Gif => domain::ImageFormat::Gif,
        ImageFormat::Ico => domain::ImageFormat::Ico,
        ImageFormat::Jpeg => domain::ImageFormat::Jpeg,
        ImageFormat::Png => domain::ImageFormat::Png,
        ImageFormat::Tiff => domain::ImageFormat::Tiff,
        ImageFormat::WebP => domain::ImageFormat::WebP,
        _ => return None,
    })
}

/// Returns a reader of a picture, which knows the format and holds little memory.
fn timed(bytes: &[u8], deadline: Instant) -> Option<ImageReader<Timed<'_>>> {
    let bytes = Cursor::new(bytes);
    let mut reader = ImageReader::new(Timed { bytes, deadline });
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    reader.limits(limits);
    reader.with_guessed_format().ok()
}

/// Makes the thumbnail of a picture. Blocks.
pub(super) fn shrink(bytes: &[u8]) -> Shrunk {
    let made = catch_unwind(AssertUnwindSafe(|| {
        shrunk(bytes, Instant::now() + PATIENCE)
    }));
    // Decoders of hostile bytes may panic.
    Shrunk::of(made.ok().flatten().unwrap_or_default())
}

fn shrunk(bytes: &[u8], deadline: Instant) -> Option<Vec<u8>> {
    let mut decoder = timed(bytes, deadline)?.into_decoder().ok()?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || pixels > MAX_PIXELS || decoder.total_bytes() > MAX_DECODED_BYTES {
        return None;
    }
    let turn =
        (pixels > LIGHT_PIXELS).then(|| HEAVY.lock().unwrap_or_else(PoisonError::into_inner));
    let orientation = decoder.orientation().ok();
    let picture = DynamicImage::from_decoder(decoder).ok()?;
    let is_small = width <= SIDE && height <= SIDE;
    let mut small = if is_small {
        picture
    } else {
        picture.thumbnail(SIDE, SIDE)
    };
    drop(turn);
    if let Some(orientation) = orientation {
        small.apply_orientation(orientation);
    }
    encoded(&small, is_small)
}

/// Writes what is transparent, or has every pixel of the picture, without loss.
fn encoded(small: &DynamicImage, is_whole: bool) -> Option<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    let written = if small.color().has_alpha() {
        let small = DynamicImage::from(small.to_rgba8());
        small.write_to(&mut bytes, ImageFormat::Png)
    } else if is_whole {
        let small = DynamicImage::from(small.to_rgb8());
        small.write_to(&mut bytes, ImageFormat::Png)
    } else {
        let encoder = JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY);
        small.to_rgb8().write_with_encoder(encoder)
    };
    written.ok().map(|()| bytes.into_inner())
}

/// Bytes in memory, as a stream that fails after a deadline.
struct Timed<'a> {
    bytes: Cursor<&'a [u8]>,
    deadline: Instant,
}

impl Timed<'_> {
    fn go_on(&self) -> io::Result<()> {
        if Instant::now() >= self.deadline {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(())
    }
}

impl Read for Timed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.go_on().and_then(|()| self.bytes.read(buffer))
    }
}

impl BufRead for Timed<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.go_on()?;
        self.bytes.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.bytes.consume(count);
    }
}

impl Seek for Timed<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.bytes.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::codecs::gif::GifEncoder;
    use image::{Frame, GrayImage, RgbImage, RgbaImage};

    fn written(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).expect("memory");
        bytes.into_inner()
    }

    fn picture(width: u32, height: u32) -> DynamicImage {
        let pixel = |x: u32, y: u32| image::Rgb([x.to_le_bytes()[0], y.to_le_bytes()[0], 99]);
        RgbImage::from_fn(width, height, pixel).into()
    }

    fn thumbnail(bytes: &[u8]) -> Option<Thumbnail> {
        shrink(bytes).thumbnail()
    }

    fn size(bytes: &[u8]) -> Option<(u32, u32)> {
        let small = image::load_from_memory(&thumbnail(bytes)?.0).expect("a picture");
        Some((small.width(), small.height()))
    }

    #[test]
    fn every_format_becomes_small() {
        for format in [
            ImageFormat::Bmp,
            ImageFormat::Gif,
            ImageFormat::Jpeg,
            ImageFormat::Png,
            ImageFormat::Tiff,
            ImageFormat::WebP,
        ] {
            let picture = match format {
                ImageFormat::Gif => picture(1000, 500).to_rgba8().into(),
                _ => picture(1000, 500),
            };
            assert_eq!(
                size(&written(&picture, format)),
                Some((320, 160)),
                "{format:?}"
            );
        }
        let facts = picture_facts(&written(&picture(1000, 500), ImageFormat::Tiff));
        assert_eq!(
            facts.map(|facts| facts.to_string()).as_deref(),
            Some("tiff, 1000 × 500 pixels")
        );
        let icon = picture(64, 64).to_rgba8().into();
        assert_eq!(size(&written(&icon, ImageFormat::Ico)), Some((64, 64)));
        let grey = GrayImage::new(2, 3).into();
        assert_eq!(size(&written(&grey, ImageFormat::Png)), Some((2, 3)));
        let narrow = size(&written(&picture(3000, 1), ImageFormat::Png));
        assert_eq!(narrow, Some((320, 1)));
    }

    #[test]
    fn what_is_transparent_stays_so() {
        let clear: DynamicImage = RgbaImage::new(1000, 500).into();
        let small = thumbnail(&written(&clear, ImageFormat::Png)).expect("a thumbnail");
        assert_eq!(small.media_type(), "image/png");
        let plain =
            thumbnail(&written(&picture(1000, 500), ImageFormat::Png)).expect("a thumbnail");
        assert_eq!(plain.media_type(), "image/jpeg");
    }

    #[test]
    fn an_animation_shows_its_first_picture() {
        let mut bytes = Vec::new();
        let mut encoder = GifEncoder::new(&mut bytes);
        for red in [200, 100, 50] {
            let pixels = RgbaImage::from_pixel(8, 8, image::Rgba([red, 0, 0, 255]));
            encoder.encode_frame(Frame::new(pixels)).expect("memory");
        }
        drop(encoder);
        let small = image::load_from_memory(&thumbnail(&bytes).expect("a thumbnail").0);
        assert_eq!(
            small.expect("a picture").to_rgba8().get_pixel(0, 0).0,
            [200, 0, 0, 255]
        );
    }

    #[test]
    fn hostile_bytes_have_none() {
        let png = written(&picture(64, 64), ImageFormat::Png);
        for bytes in [
            &b""[..],
            b"<html>",
            b"GIF89a",
            &png[..png.len() / 2],
            b"<svg/>",
        ] {
            assert_eq!(shrink(bytes), Shrunk::Undrawn, "{} bytes", bytes.len());
        }
        for bytes in [&b""[..], b"<html>", b"GIF89a", b"<svg/>"] {
            assert_eq!(picture_facts(bytes), None, "{} bytes", bytes.len());
        }
        // A BMP of 30,000 × 30,000 pixels in a few bytes.
        let mut bomb = b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
        bomb.extend(30_000_i32.to_le_bytes());
        bomb.extend(30_000_i32.to_le_bytes());
        bomb.extend(b"\x01\0\x20\0\0\0\0\0");
        bomb.extend([0; 20]);
        assert_eq!(shrink(&bomb), Shrunk::Undrawn);
        assert_eq!(shrunk(&png, Instant::now()), None);
    }
}
