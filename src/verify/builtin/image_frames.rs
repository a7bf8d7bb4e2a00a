//! Decoders for formats that hold several pictures. Each picture is decoded as it is stored; nothing converts its
//! colours.

use bytes::Bytes;
use tiff::TiffError;
use tiff::tags::Tag;

use super::image::{ImageDecoding, MAX_ALLOC_BYTES, Size, too_large};
use super::image_container;
use super::input::{RuleFailure, bad, cannot, go_on};
use super::picture_formats::{ImageKind, kind_of};
use super::stoppable::Stoppable;
use crate::domain::{ImageFormat, truncate_line};

/// TIFF's number of the LZW compression.
const LZW: u16 = 5;
/// Most pages of a TIFF: the chain of pages may have no end.
const MAX_PAGES: usize = 10_000;

impl ImageDecoding<'_> {
    /// Decodes every frame of a PNG, whatever its depth.
    pub(super) fn png(&self, bytes: &Bytes) -> Result<Size, RuleFailure> {
        let limits = png::Limits {
            bytes: MAX_ALLOC_BYTES,
        };
        let reader = Stoppable::new(bytes, self.stop);
        let mut decoder = png::Decoder::new_with_limits(reader, limits);
        decoder.ignore_checksums(false);
        // No pixel depends on a profile, which may be much longer than its compressed form.
        decoder.set_ignore_iccp_chunk(true);
        let header = self.png_made(decoder.read_header_info())?;
        let size = (header.width, header.height);
        self.allowed(size.0, size.1)?;
        let mut reader = self.png_made(decoder.read_info())?;
        let info = reader.info();
        // A picture before the first frame is not part of the animation.
        let before = u32::from(info.frame_control().is_none());
        let frames = info
            .animation_control()
            .map_or(1, |control| control.num_frames + before);
        let Some(length) = reader.output_buffer_size() else {
            return too_large();
        };
        if length > MAX_ALLOC_BYTES {
            return too_large();
        }
        let mut pixels = vec![0; length];
        for _ in 0..frames {
            go_on(self.stop)?;
            self.png_made(reader.next_frame(&mut pixels))?;
        }
        self.png_made(reader.finish())?;
        image_container::png(bytes).map(|()| size)
    }

    fn png_made<T>(&self, made: Result<T, png::DecodingError>) -> Result<T, RuleFailure> {
        made.or_else(|error| {
            go_on(self.stop)?;
            match error {
                png::DecodingError::LimitsExceeded => too_large(),
                other => bad(truncate_line(&other)),
            }
        })
    }

    pub(super) fn gif(&self, bytes: &Bytes) -> Result<Size, RuleFailure> {
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::Indexed);
        options.check_lzw_end_code(true);
        options.check_frame_consistency(true);
        let limit = std::num::NonZeroU64::new(MAX_ALLOC_BYTES as u64);
        options
            .set_memory_limit(limit.map_or(gif::MemoryLimit::Unlimited, gif::MemoryLimit::Bytes));
        let mut decoder = self.gif_made(options.read_info(Stoppable::new(bytes, self.stop)))?;
        let size = (decoder.width().into(), decoder.height().into());
        self.allowed(size.0, size.1)?;
        let mut frames: u64 = 0;
        while self.gif_made(decoder.next_frame_info())?.is_some() {
            go_on(self.stop)?;
            let mut pixels = vec![0; decoder.buffer_size()];
            self.gif_made(decoder.read_into_buffer(&mut pixels))?;
            frames += 1;
        }
        if frames == 0 {
            return bad("gif without a picture");
        }
        Ok(size)
    }

    fn gif_made<T>(&self, made: Result<T, gif::DecodingError>) -> Result<T, RuleFailure> {
        made.or_else(|error| {
            go_on(self.stop)?;
            match error {
                gif::DecodingError::OutOfMemory | gif::DecodingError::MemoryLimit => too_large(),
                other => bad(truncate_line(&other)),
            }
        })
    }

    pub(super) fn tiff(&self, bytes: &Bytes) -> Result<Size, RuleFailure> {
        let reader = Stoppable::new(bytes, self.stop);
        let mut limits = tiff::decoder::Limits::default();
        limits.decoding_buffer_size = MAX_ALLOC_BYTES;
        limits.intermediate_buffer_size = MAX_ALLOC_BYTES;
        let mut decoder = self
            .tiff_made(tiff::decoder::Decoder::new(reader))?
            .with_limits(limits);
        let mut first = None;
        for _ in 0..MAX_PAGES {
            let size = self.tiff_made(decoder.dimensions())?;
            self.allowed(size.0, size.1)?;
            first.get_or_insert(size);
            let compression: Option<u16> =
                self.tiff_made(decoder.find_tag_unsigned(Tag::Compression))?;
            if compression == Some(LZW) {
                let offsets = self.tiff_made(decoder.find_tag_unsigned_vec(Tag::StripOffsets))?;
                old_lzw(bytes, offsets)?;
            }
            self.tiff_made(decoder.colortype())?;
            self.tiff_made(decoder.read_image())?;
            go_on(self.stop)?;
            if !decoder.more_images() {
                return Ok(first.unwrap_or(size));
            }
            self.tiff_made(decoder.next_image())?;
        }
        cannot(format!("more than {MAX_PAGES} pages"))
    }

    fn tiff_made<T>(&self, made: Result<T, TiffError>) -> Result<T, RuleFailure> {
        made.or_else(|error| {
            go_on(self.stop)?;
            match error {
                TiffError::LimitsExceeded | TiffError::IntSizeError => too_large(),
                TiffError::UnsupportedError(why) => cannot(format!(
                    "the decoder does not read it: {}",
                    truncate_line(&why)
                )),
                TiffError::UsageError(why) => cannot(truncate_line(&why)),
                other => bad(truncate_line(&other)),
            }
        })
    }

    /// Decodes every picture of an icon: a PNG of any kind, or a bitmap without a file header.
    pub(super) fn ico(&self, bytes: &Bytes) -> Result<Size, RuleFailure> {
        let count = bytes
            .get(4..6)
            .map_or(0, |two| u16::from_le_bytes([two[0], two[1]]));
        let Some(entries) = bytes.get(6..6 + 16 * usize::from(count)) else {
            return bad("the list of its pictures is cut off");
        };
        let mut best = None;
        for entry in entries.as_chunks::<16>().0 {
            go_on(self.stop)?;
            let size = self.icon(bytes, entry)?;
            best = best.max(Some(size));
        }
        best.map_or_else(|| bad("ico without a picture"), Ok)
    }

    fn icon(&self, bytes: &Bytes, entry: &[u8; 16]) -> Result<Size, RuleFailure> {
        let number = |at: usize| {
            let four = [entry[at], entry[at + 1], entry[at + 2], entry[at + 3]];
            u32::from_le_bytes(four) as usize
        };
        let (length, offset) = (number(8), number(12));
        let Some(end) = offset.checked_add(length).filter(|end| *end <= bytes.len()) else {
            return bad("a picture goes beyond the end");
        };
        let picture = bytes.slice(offset..end);
        if kind_of(&picture) == Some(ImageKind::Decoded(ImageFormat::Png)) {
            return self.png(&picture);
        }
        // An icon with only this picture, since the decoder reads one picture of a file.
        let mut alone = vec![0, 0, 1, 0, 1, 0];
        alone.extend_from_slice(&entry[..12]);
        alone.extend_from_slice(&22_u32.to_le_bytes());
        alone.extend_from_slice(&picture);
        self.decoded(&alone.into(), image::ImageFormat::Ico)
    }
}

/// Refuses LZW from before TIFF 6: the bits of its codes are in reverse order, which the decoder takes for damage.
fn old_lzw(bytes: &[u8], offsets: Option<Vec<u64>>) -> Result<(), RuleFailure> {
    let first = offsets.and_then(|offsets| usize::try_from(*offsets.first()?).ok());
    match first.and_then(|first| bytes.get(first..)) {
        Some([0, second, ..]) if second & 1 == 1 => {
            cannot("LZW as it was before TIFF 6, which the decoder does not read")
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use tiff::encoder::{TiffEncoder, colortype};

    use crate::config::{Builtin, ImageRule};
    use crate::domain::VerdictOutcome;
    use crate::verify::builtin::tests::{Fixture, assert_cannot, assert_fails, assert_passes};

    fn any() -> Builtin {
        Builtin::Image(ImageRule::default())
    }

    fn noise(length: u32) -> Vec<u8> {
        let mixed = |at: u32| at.wrapping_mul(2_654_435_761).to_be_bytes()[0];
        (0..length).map(mixed).collect()
    }

    /// A PNG of 8 × 8 pixels with the given number of frames.
    fn png_of(
        color: png::ColorType,
        depth: png::BitDepth,
        pixel_bytes: u32,
        frames: u32,
    ) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 8, 8);
        encoder.set_color(color);
        encoder.set_depth(depth);
        if frames > 1 {
            encoder.set_animated(frames, 0).expect("frames");
        }
        let mut writer = encoder.write_header().expect("memory");
        for _ in 0..frames {
            let pixels = noise(64 * pixel_bytes);
            writer.write_image_data(&pixels).expect("memory");
        }
        writer.finish().expect("memory");
        bytes
    }

    fn icon(pictures: &[Vec<u8>]) -> Vec<u8> {
        let count = u8::try_from(pictures.len()).expect("few");
        let mut bytes = vec![0, 0, 1, 0, count, 0];
        let mut offset = 6 + 16 * pictures.len();
        for picture in pictures {
            bytes.extend([8, 8, 0, 0, 1, 0, 32, 0]);
            for number in [picture.len(), offset] {
                bytes.extend(u32::try_from(number).expect("small").to_le_bytes());
            }
            offset += picture.len();
        }
        [bytes, pictures.concat()].concat()
    }

    #[test]
    fn pngs_of_every_depth_pass_still_and_moving() {
        use png::{BitDepth, ColorType};
        for (color, depth, pixel_bytes) in [
            (ColorType::Grayscale, BitDepth::Eight, 1),
            (ColorType::Grayscale, BitDepth::Sixteen, 2),
            (ColorType::GrayscaleAlpha, BitDepth::Eight, 2),
            (ColorType::Rgb, BitDepth::Eight, 3),
            (ColorType::Rgb, BitDepth::Sixteen, 6),
            (ColorType::Rgba, BitDepth::Sixteen, 8),
        ] {
            for frames in [1, 3] {
                let bytes = png_of(color, depth, pixel_bytes, frames);
                assert_passes(&any(), &bytes);
                for at in 30..bytes.len() {
                    let mut damaged = bytes.clone();
                    damaged[at] ^= 0x10;
                    assert_fails(&any(), &damaged, "png");
                }
                assert_passes(&any(), &icon(&[bytes]));
            }
        }
    }

    #[test]
    fn every_picture_of_an_icon_counts() {
        let png = png_of(png::ColorType::Rgb, png::BitDepth::Eight, 3, 1);
        let grey = png_of(png::ColorType::Grayscale, png::BitDepth::Eight, 1, 1);
        let both = icon(&[png.clone(), grey.clone()]);
        assert_passes(&any(), &both);
        assert_fails(&any(), &both[..both.len() - 1], "beyond the end");
        let mut broken = grey;
        broken[45] ^= 1;
        assert_fails(&any(), &icon(&[png, broken]), "damaged ico");
        assert_fails(&any(), &icon(&[]), "ico without a picture");
        assert_fails(&any(), b"\0\0\x01\0\x09\0", "cut off");
    }

    #[test]
    fn tiffs_are_read_as_they_are_stored() {
        let mut files = Vec::new();
        let mut bytes = Cursor::new(Vec::new());
        let mut encoder = TiffEncoder::new_big(&mut bytes).expect("memory");
        encoder
            .write_image::<colortype::RGB8>(8, 8, &noise(192))
            .expect("memory");
        files.push(bytes.into_inner());
        let mut bytes = Cursor::new(Vec::new());
        let mut encoder = TiffEncoder::new(&mut bytes).expect("memory");
        encoder
            .write_image::<colortype::CMYK8>(8, 8, &noise(256))
            .expect("memory");
        encoder
            .write_image::<colortype::Gray8>(8, 8, &noise(64))
            .expect("memory");
        files.push(bytes.into_inner());
        for bytes in &files {
            assert_passes(&any(), bytes);
            for share in [2, 5, 8] {
                let (at, hole) = (bytes.len() * share / 10, bytes.len() / 20);
                let cut = [&bytes[..at], &bytes[at + hole..]].concat();
                let (outcome, detail) = Fixture::default().judged(&any(), &cut);
                assert_ne!(outcome, VerdictOutcome::Passed, "{detail}");
            }
        }
    }

    #[test]
    fn what_the_decoder_does_not_read_is_not_judged() {
        let mut bytes = Cursor::new(Vec::new());
        let mut encoder = TiffEncoder::new(&mut bytes).expect("memory");
        encoder
            .write_image::<colortype::Gray8>(8, 8, &noise(64))
            .expect("memory");
        let grey = bytes.into_inner();
        // The same file with another value of one tag: a palette, and an unknown compression.
        for (tag, value, expected) in [
            (0x0106_u16, 3_u16, "Palette"),
            (0x0103, 999, "does not read"),
        ] {
            let mut other = grey.clone();
            let entry = [&tag.to_le_bytes()[..], b"\x03\0\x01\0\0\0"].concat();
            let at = other
                .windows(8)
                .position(|part| part == entry)
                .expect("the tag");
            other[at + 8..at + 10].copy_from_slice(&value.to_le_bytes());
            assert_cannot(&any(), &other, expected);
        }
    }
}
