//! `image`: decoded wholly, by its bytes. Neither its name nor its media type counts.
//!
//! All frames of an animation are decoded; of a TIFF with several pages the first, of an icon the best picture.

use std::io::{self, BufRead, Cursor, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;

use bytes::Bytes;
use image::codecs::gif::GifDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{AnimationDecoder, ImageDecoder, ImageError, ImageReader, Limits};

use super::image_ends::has_end;
use super::source::{Case, Finding, Trouble, bad, cannot, go_on};
use crate::config::{ImageFormat, ImageRule};
use crate::domain::in_short;

/// The largest file.
const MAX_BYTES: u64 = 64 << 20;
/// The most memory that decoding may take.
const MAX_ALLOC_BYTES: u64 = 512 << 20;

/// An image of an allowed format and size that can be decoded.
pub(super) fn judge(rule: &ImageRule, case: &Case) -> Finding {
    let bytes = case.whole(MAX_BYTES)?;
    case.go_on()?;
    let Some(format) = format_of(&bytes) else {
        return bad("not an image of a known format");
    };
    if !rule.formats.contains(&format) {
        let allowed: Vec<_> = rule.formats.iter().map(|format| format.as_str()).collect();
        let (found, allowed) = (format.as_str(), allowed.join(", "));
        return bad(format!("is {found}; allowed are {allowed}"));
    }
    let (width, height) = guarded(|| {
        let sheet = Sheet {
            format,
            max_pixels: rule.max_pixels,
            stop: &case.stop,
        };
        sheet.decode(&bytes)
    })?;
    if !has_end(format, &bytes) {
        return bad(format!("{}, but cut off before its end", format.as_str()));
    }
    Ok(format!("{}, {width} × {height} pixels", format.as_str()))
}

/// Runs a decoder; its panic is no verdict on the content, and gets no further.
fn guarded<T>(decode: impl FnOnce() -> Result<T, Trouble>) -> Result<T, Trouble> {
    match catch_unwind(AssertUnwindSafe(decode)) {
        Ok(found) => found,
        Err(_) => cannot("the decoder broke down over it"),
    }
}

fn format_of(bytes: &[u8]) -> Option<ImageFormat> {
    let guessed = image::guess_format(bytes).ok()?;
    ImageFormat::ALL
        .into_iter()
        .find(|format| coded(*format) == guessed)
}

fn coded(format: ImageFormat) -> image::ImageFormat {
    match format {
        ImageFormat::Bmp => image::ImageFormat::Bmp,
        ImageFormat::Gif => image::ImageFormat::Gif,
        ImageFormat::Ico => image::ImageFormat::Ico,
        ImageFormat::Jpeg => image::ImageFormat::Jpeg,
        ImageFormat::Png => image::ImageFormat::Png,
        ImageFormat::Tiff => image::ImageFormat::Tiff,
        ImageFormat::WebP => image::ImageFormat::WebP,
    }
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_ALLOC_BYTES);
    limits
}

type Size = (u32, u32);

/// One image on its way through its decoder.
struct Sheet<'a> {
    format: ImageFormat,
    max_pixels: u64,
    stop: &'a AtomicBool,
}

impl Sheet<'_> {
    fn decode(&self, bytes: &Bytes) -> Result<Size, Trouble> {
        let reader = || Stoppable {
            bytes: Cursor::new(bytes.clone()),
            stop: self.stop,
        };
        match self.format {
            ImageFormat::Gif => {
                let decoder = self.made(GifDecoder::new(reader()))?;
                self.frames(decoder)
            }
            ImageFormat::WebP => {
                let decoder = self.made(WebPDecoder::new(reader()))?;
                if decoder.has_animation() {
                    self.frames(decoder)
                } else {
                    self.still(decoder)
                }
            }
            ImageFormat::Png => {
                let decoder = self.made(PngDecoder::with_limits(reader(), limits()))?;
                if !self.made(decoder.is_apng())? {
                    return self.still(decoder);
                }
                let size = self.sized(&decoder)?;
                self.all(self.made(decoder.apng())?)?;
                Ok(size)
            }
            other => {
                let mut reader = ImageReader::with_format(reader(), coded(other));
                reader.limits(limits());
                let decoder = self.made(reader.into_decoder())?;
                self.still(decoder)
            }
        }
    }

    fn still(&self, mut decoder: impl ImageDecoder) -> Result<Size, Trouble> {
        let size = self.sized(&decoder)?;
        let mut limits = limits();
        self.made(limits.reserve(decoder.total_bytes()))?;
        self.made(decoder.set_limits(limits))?;
        let length = usize::try_from(decoder.total_bytes());
        let length = length.map_err(|_| Trouble::Cannot("too many pixels".to_owned()))?;
        self.made(decoder.read_image(&mut vec![0; length]))?;
        Ok(size)
    }

    fn frames<'d>(
        &self,
        mut decoder: impl ImageDecoder + AnimationDecoder<'d>,
    ) -> Result<Size, Trouble> {
        let size = self.sized(&decoder)?;
        self.made(decoder.set_limits(limits()))?;
        self.all(decoder)?;
        Ok(size)
    }

    fn all<'d>(&self, decoder: impl AnimationDecoder<'d>) -> Result<(), Trouble> {
        let mut frames: u64 = 0;
        for frame in decoder.into_frames() {
            go_on(self.stop)?;
            self.made(frame)?;
            frames += 1;
        }
        if frames == 0 {
            return bad(format!("{} without a picture", self.format.as_str()));
        }
        Ok(())
    }

    /// Returns width and height as the header says, when they are allowed.
    fn sized(&self, decoder: &impl ImageDecoder) -> Result<Size, Trouble> {
        let (width, height) = decoder.dimensions();
        if u64::from(width) * u64::from(height) > self.max_pixels {
            return bad(format!(
                "{}, {width} × {height} pixels are more than {}",
                self.format.as_str(),
                self.max_pixels
            ));
        }
        Ok((width, height))
    }

    /// Turns what a decoder says into what it means for the content.
    fn made<T>(&self, result: Result<T, ImageError>) -> Result<T, Trouble> {
        result.or_else(|error| {
            go_on(self.stop)?;
            let format = self.format.as_str();
            match error {
                ImageError::Limits(_) => cannot(format!(
                    "decoding takes more than {} MiB of memory",
                    MAX_ALLOC_BYTES >> 20
                )),
                ImageError::Unsupported(_) => cannot(format!("{format}: {}", in_short(&error))),
                _ => bad(format!("damaged {format}: {}", in_short(&error))),
            }
        })
    }
}

/// Bytes in memory, as a stream that can be stopped.
struct Stoppable<'a> {
    bytes: Cursor<Bytes>,
    stop: &'a AtomicBool,
}

impl Read for Stoppable<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        go_on(self.stop)?;
        self.bytes.read(buffer)
    }
}

impl BufRead for Stoppable<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        go_on(self.stop)?;
        self.bytes.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.bytes.consume(count);
    }
}

impl Seek for Stoppable<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.bytes.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Builtin;
    use crate::verify::builtin::tests::{assert_cannot, assert_fails, assert_passes};
    use image::codecs::gif::GifEncoder;
    use image::{DynamicImage, Frame, RgbImage, RgbaImage};

    fn any() -> Builtin {
        Builtin::Image(ImageRule::default())
    }

    /// A picture that no coder makes very small.
    fn picture() -> DynamicImage {
        let noise = |x: u32, y: u32| {
            let mixed = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)).wrapping_mul(97);
            mixed.to_le_bytes()
        };
        let pixels = RgbImage::from_fn(48, 32, |x, y| {
            let [a, b, c, _] = noise(x, y);
            image::Rgb([a, b, c])
        });
        DynamicImage::ImageRgb8(pixels)
    }

    fn encoded(format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let picture = match format {
            ImageFormat::Ico | ImageFormat::Gif => picture().to_rgba8().into(),
            _ => picture(),
        };
        picture.write_to(&mut bytes, coded(format)).expect("memory");
        bytes.into_inner()
    }

    fn animation(frames: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = GifEncoder::new(&mut bytes);
        for number in 0..frames {
            let pixels = RgbaImage::from_fn(16, 16, |x, y| {
                image::Rgba([u8::try_from(x * y + number).expect("small"), 0, 0, 255])
            });
            encoder.encode_frame(Frame::new(pixels)).expect("memory");
        }
        drop(encoder);
        bytes
    }

    #[test]
    fn every_format_is_decoded() {
        for format in ImageFormat::ALL {
            let bytes = encoded(format);
            assert_passes(&any(), &bytes);
            let only = |format| {
                Builtin::Image(ImageRule {
                    formats: vec![format],
                    ..ImageRule::default()
                })
            };
            assert_passes(&only(format), &bytes);
            let other = if format == ImageFormat::Png {
                ImageFormat::Jpeg
            } else {
                ImageFormat::Png
            };
            let expected = format!("is {}; allowed are {}", format.as_str(), other.as_str());
            assert_fails(&only(other), &bytes, &expected);
        }
        assert_passes(&any(), &animation(3));
    }

    #[test]
    fn a_part_of_an_image_fails() {
        for bytes in ImageFormat::ALL
            .map(encoded)
            .into_iter()
            .chain([animation(3)])
        {
            let format = format_of(&bytes).expect("a format").as_str();
            for share in [1, 5, 9] {
                assert_fails(&any(), &bytes[..16.max(bytes.len() * share / 10)], format);
            }
        }
        // The last bytes, which decoders do not miss.
        for format in [
            ImageFormat::Jpeg,
            ImageFormat::Png,
            ImageFormat::WebP,
            ImageFormat::Gif,
        ] {
            let bytes = encoded(format);
            assert_fails(&any(), &bytes[..bytes.len() - 1], format.as_str());
        }
        // A transfer that broke off, filled up with zeros.
        let mut jpeg = encoded(ImageFormat::Jpeg);
        let half = jpeg.len() / 2;
        jpeg[half..].fill(0);
        assert_fails(&any(), &jpeg, "jpeg");
        // What comes behind the end is nobody's business.
        assert_passes(
            &any(),
            &[&encoded(ImageFormat::Jpeg)[..], b"\0\0\n"].concat(),
        );
    }

    #[test]
    fn damage_fails() {
        let mut png = encoded(ImageFormat::Png);
        let half = png.len() / 2;
        png[half] ^= 0x55;
        assert_fails(&any(), &png, "damaged png");
    }

    #[test]
    fn what_is_no_image_fails() {
        for bytes in [
            &b""[..],
            b"GIF",
            b"<html>",
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            b"P6 1 1 255 abc",
            b"\x89PNG\r\n\x1a",
        ] {
            assert_fails(&any(), bytes, "not an image of a known format");
        }
        assert_fails(&any(), b"\x89PNG\r\n\x1a\n", "damaged png");
        assert_fails(&any(), b"GIF89a", "damaged gif");
    }

    #[test]
    fn pixels_are_counted_before_decoding() {
        let rule = |max_pixels| {
            Builtin::Image(ImageRule {
                max_pixels,
                ..ImageRule::default()
            })
        };
        for format in ImageFormat::ALL {
            let bytes = encoded(format);
            assert_passes(&rule(48 * 32), &bytes);
            assert_fails(
                &rule(48 * 32 - 1),
                &bytes,
                "48 × 32 pixels are more than 1535",
            );
        }
        // A header alone says enough: 60000 × 60000, then nothing.
        let mut bomb =
            b"\x89PNG\r\n\x1a\n\0\0\0\x0DIHDR\0\0\xEA\x60\0\0\xEA\x60\x08\x02\0\0\0".to_vec();
        let crc = 0_u32;
        bomb.extend(crc.to_be_bytes());
        let (outcome, detail) =
            crate::verify::builtin::tests::Known::default().judged(&any(), &bomb);
        assert_eq!(outcome, crate::domain::VerdictOutcome::Failed, "{detail}");
    }

    #[test]
    fn memory_is_limited() {
        // 30000 × 30000 pixels of 4 bytes in a small file, allowed by their number.
        let mut bytes = b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
        bytes.extend(30_000_i32.to_le_bytes());
        bytes.extend(30_000_i32.to_le_bytes());
        bytes.extend(b"\x01\0\x20\0\0\0\0\0");
        bytes.extend([0; 20]);
        let rule = Builtin::Image(ImageRule {
            max_pixels: 1_000_000_000,
            ..ImageRule::default()
        });
        assert_cannot(&rule, &bytes, "more than 512 MiB of memory");
        assert_cannot(&any(), &vec![0; 1 + (64 << 20)], "that this rule reads");
    }

    #[test]
    fn a_panic_is_no_verdict() {
        let found = guarded::<()>(|| panic!("a decoder's own mistake"));
        assert!(
            matches!(&found, Err(Trouble::Cannot(why)) if why.contains("broke down")),
            "{found:?}"
        );
    }
}
