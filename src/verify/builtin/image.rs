//! `image`: all pictures of the file can be decoded: all frames of an animation, pages of a TIFF and pictures of an
//! icon.
//!
//! Only the bytes decide; the file's name and its media type are ignored.

use std::cell::RefCell;
use std::sync::MutexGuard;
use std::sync::atomic::AtomicBool;

use bytes::Bytes;
use image::codecs::webp::WebPDecoder;
use image::{AnimationDecoder, ImageDecoder, ImageError, ImageReader, Limits};

use super::heavy::alone;
use super::input::{RuleFailure, RuleInput, RuleResult, bad, cannot, go_on};
use super::picture_formats::{ImageKind, kind_of};
use super::stoppable::Stoppable;
use super::{image_container, jpeg};
use crate::config::ImageRule;
use crate::domain::{ImageFormat, PictureFacts, truncate_line};

const MAX_BYTES: u64 = 64 << 20;
/// Most memory for decoding.
pub(super) const MAX_ALLOC_BYTES: usize = 512 << 20;
/// A picture with more pixels is decoded alone: several at once could take several times half a GiB.
const LIGHT_PIXELS: u64 = 4_000_000;

/// Passes an image of an allowed format and size that can be decoded.
pub(super) fn judge(rule: &ImageRule, input: &RuleInput) -> RuleResult {
    let bytes = input.whole(MAX_BYTES)?;
    input.go_on()?;
    let format = format_of(&bytes, rule)?;
    let decoding = ImageDecoding {
        format,
        max_pixels: rule.max_pixels,
        stop: &input.stop,
        turn: RefCell::new(None),
    };
    let (width, height) = decoding
        .decode(&bytes)
        .map_err(|failure| decoding.named(failure))?;
    let facts = PictureFacts {
        format,
        width,
        height,
    };
    Ok(facts.to_string())
}

fn format_of(bytes: &[u8], rule: &ImageRule) -> Result<ImageFormat, RuleFailure> {
    let (found, format) = match kind_of(bytes) {
        None => return bad("not an image of a known format"),
        Some(ImageKind::Decoded(format)) => (format.as_str(), Some(format)),
        Some(ImageKind::Undecoded(name)) => (name, None),
    };
    match format {
        Some(format) if rule.formats.contains(&format) => Ok(format),
        None if rule.formats.len() == ImageFormat::ALL.len() => {
            cannot(format!("is {found}, which this rule has no decoder for"))
        }
        _ => {
            let allowed: Vec<_> = rule.formats.iter().map(|format| format.as_str()).collect();
            bad(format!("is {found}; allowed are {}", allowed.join(", ")))
        }
    }
}

pub(super) fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_ALLOC_BYTES as u64);
    limits
}

pub(super) type Size = (u32, u32);

/// One image on its way through its decoder.
pub(super) struct ImageDecoding<'a> {
    pub(super) format: ImageFormat,
    max_pixels: u64,
    pub(super) stop: &'a AtomicBool,
    /// The turn for heavy work, held while a large picture is decoded.
    turn: RefCell<Option<MutexGuard<'static, ()>>>,
}

impl ImageDecoding<'_> {
    fn decode(&self, bytes: &Bytes) -> Result<Size, RuleFailure> {
        match self.format {
            ImageFormat::Gif => self.gif(bytes),
            ImageFormat::Ico => self.ico(bytes),
            ImageFormat::Jpeg => self.jpeg(bytes),
            ImageFormat::Png => self.png(bytes),
            ImageFormat::Tiff => self.tiff(bytes),
            ImageFormat::WebP => self.webp(bytes),
            ImageFormat::Bmp => self.decoded(bytes, image::ImageFormat::Bmp),
        }
    }

    fn jpeg(&self, bytes: &Bytes) -> Result<Size, RuleFailure> {
        let allow = |width, height| self.allowed(width, height);
        let size = jpeg::check(bytes, self.stop, allow)?;
        // The strict reader found no damage, so a failure is a limitation of the decoder.
        match self.decoded(bytes, image::ImageFormat::Jpeg) {
            Err(RuleFailure::Bad(why)) => cannot(why),
            Err(other) => Err(other),
            Ok(_) => Ok(size),
        }
    }

    fn webp(&self, bytes: &Bytes) -> Result<Size, RuleFailure> {
        let decoder = WebPDecoder::new(Stoppable::new(bytes, self.stop));
        let mut decoder = self.made(decoder)?;
        if !decoder.has_animation() {
            let size = self.still(decoder)?;
            return image_container::webp(bytes).map(|()| size);
        }
        let size = self.sized(&decoder)?;
        self.made(decoder.set_limits(limits()))?;
        for frame in decoder.into_frames() {
            go_on(self.stop)?;
            self.made(frame)?;
        }
        image_container::webp(bytes).map(|()| size)
    }

    pub(super) fn decoded(
        &self,
        bytes: &Bytes,
        format: image::ImageFormat,
    ) -> Result<Size, RuleFailure> {
        let mut reader = ImageReader::with_format(Stoppable::new(bytes, self.stop), format);
        reader.limits(limits());
        let decoder = self.made(reader.into_decoder())?;
        self.still(decoder)
    }

    fn still(&self, mut decoder: impl ImageDecoder) -> Result<Size, RuleFailure> {
        let size = self.sized(&decoder)?;
        let mut limits = limits();
        self.made(limits.reserve(decoder.total_bytes()))?;
        self.made(decoder.set_limits(limits))?;
        let length = usize::try_from(decoder.total_bytes());
        let length = length.map_err(|_| RuleFailure::Cannot("too many pixels".to_owned()))?;
        self.made(decoder.read_image(&mut vec![0; length]))?;
        Ok(size)
    }

    /// Returns width and height from the header. Fails when the rule does not allow them.
    fn sized(&self, decoder: &impl ImageDecoder) -> Result<Size, RuleFailure> {
        let (width, height) = decoder.dimensions();
        self.allowed(width, height)?;
        Ok((width, height))
    }

    /// Fails for more pixels than the rule allows; waits for the turn when there are many.
    pub(super) fn allowed(&self, width: u32, height: u32) -> Result<(), RuleFailure> {
        let pixels = u64::from(width) * u64::from(height);
        if pixels > self.max_pixels {
            return bad(format!(
                "{}, {width} × {height} pixels are more than {}",
                self.format.as_str(),
                self.max_pixels
            ));
        }
        let mut turn = self.turn.borrow_mut();
        if pixels > LIGHT_PIXELS && turn.is_none() {
            *turn = Some(alone(self.stop)?);
        }
        Ok(())
    }

    /// Translates a decoder's error: the content is bad, or cannot be judged.
    fn made<T>(&self, result: Result<T, ImageError>) -> Result<T, RuleFailure> {
        result.or_else(|error| {
            go_on(self.stop)?;
            match error {
                ImageError::Limits(_) => too_large(),
                ImageError::Unsupported(_) => cannot(truncate_line(&error)),
                _ => bad(truncate_line(&error)),
            }
        })
    }

    /// Adds the format's name to a failure.
    fn named(&self, failure: RuleFailure) -> RuleFailure {
        let format = self.format.as_str();
        match failure {
            RuleFailure::Bad(why) if !why.starts_with(format) => {
                RuleFailure::Bad(format!("damaged {format}: {why}"))
            }
            RuleFailure::Cannot(why) if !why.starts_with("stopped") => {
                RuleFailure::Cannot(format!("{format}: {why}"))
            }
            other => other,
        }
    }
}

/// A lack of memory is not the content's fault: it cannot be judged.
pub(super) fn too_large<T>() -> Result<T, RuleFailure> {
    cannot(format!(
        "decoding takes more than {} MiB of memory",
        MAX_ALLOC_BYTES >> 20
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Builtin;
    use crate::verify::builtin::tests::{assert_cannot, assert_fails, assert_passes};
    use image::codecs::gif::GifEncoder;
    use image::{DynamicImage, Frame, RgbImage, RgbaImage};
    use std::io::Cursor;

    fn any() -> Builtin {
        Builtin::Image(ImageRule::default())
    }

    /// A picture that no encoder makes very small.
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

    fn coded(format: ImageFormat) -> image::ImageFormat {
        image::ImageFormat::from_extension(format.as_str()).expect("a format")
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
            let Some(ImageKind::Decoded(format)) = kind_of(&bytes) else {
                panic!("no format");
            };
            let format = format.as_str();
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
        // A transfer that broke off, padded with zeros.
        let mut jpeg = encoded(ImageFormat::Jpeg);
        let half = jpeg.len() / 2;
        jpeg[half..].fill(0);
        assert_fails(&any(), &jpeg, "jpeg");
        // Bytes behind the end are ignored.
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
        for bytes in [&b""[..], b"GIF", b"<html>", b"\x89PNG\r\n\x1a"] {
            assert_fails(&any(), bytes, "not an image of a known format");
        }
        assert_fails(&any(), b"\x89PNG\r\n\x1a\n", "damaged png");
        assert_fails(&any(), b"GIF89a", "damaged gif");
    }

    #[test]
    fn a_format_without_a_decoder_is_not_judged_unless_it_is_not_allowed() {
        let only = Builtin::Image(ImageRule {
            formats: vec![ImageFormat::Png],
            ..ImageRule::default()
        });
        for (bytes, name) in [
            (&b"<svg xmlns='http://www.w3.org/2000/svg'/>"[..], "svg"),
            (b"\0\0\0\x1Cftypavif\0\0\0\0", "avif"),
            (b"P6 1 1 255 abc", "netpbm"),
        ] {
            let why = format!("is {name}, which this rule has no decoder for");
            assert_cannot(&any(), bytes, &why);
            assert_fails(&only, bytes, &format!("is {name}; allowed are png"));
        }
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
        // A header alone suffices: 60000 × 60000, then nothing.
        let mut bomb =
            b"\x89PNG\r\n\x1a\n\0\0\0\x0DIHDR\0\0\xEA\x60\0\0\xEA\x60\x08\x02\0\0\0".to_vec();
        let crc = 0_u32;
        bomb.extend(crc.to_be_bytes());
        let (outcome, detail) =
            crate::verify::builtin::tests::Fixture::default().judged(&any(), &bomb);
        assert_eq!(outcome, crate::domain::VerdictOutcome::Failed, "{detail}");
    }

    #[test]
    fn memory_is_limited() {
        // 30000 × 30000 pixels of 4 bytes in a small file, with that many pixels allowed.
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
}
