//! Pictures: the formats that are known, what the `image` rule found of one, and the names under which published ones
//! are served.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};

use super::text_form::{prints_text, reads_text};
use super::words::words;
use super::{Digest, SourceId, VersionId};

words!(
    "a format of images":
    /// An image format that gannet can decode.
    #[expect(missing_docs, reason = "the names say it")]
    #[derive(PartialOrd, Ord)]
    pub enum ImageFormat {
        Bmp = "bmp",
        Gif = "gif",
        Ico = "ico",
        Jpeg = "jpeg",
        Png = "png",
        Tiff = "tiff",
        WebP = "webp",
    }
);
prints_text!(ImageFormat);
reads_text!(ImageFormat);

impl ImageFormat {
    /// Returns the registered media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Bmp => "image/bmp",
            Self::Gif => "image/gif",
            Self::Ico => "image/vnd.microsoft.icon",
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Tiff => "image/tiff",
            Self::WebP => "image/webp",
        }
    }
}

/// What the `image` rule finds of a picture that passes, in pixels. `Display` is the detail of the verdict, which
/// `FromStr` reads back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureFacts {
    /// The format, by the bytes.
    pub format: ImageFormat,
    /// The width.
    pub width: u32,
    /// The height.
    pub height: u32,
}

impl fmt::Display for PictureFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { format, .. } = self;
        write!(f, "{format}, {} × {} pixels", self.width, self.height)
    }
}

impl FromStr for PictureFacts {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let (format, size) = text.split_once(", ")?;
            let (width, height) = size.strip_suffix(" pixels")?.split_once(" × ")?;
            Some(Self {
                format: format.parse().ok()?,
                width: width.parse().ok()?,
                height: height.parse().ok()?,
            })
        };
        read().ok_or_else(|| "no facts of a picture".to_owned())
    }
}

/// A published file that passed an `image` verifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The name under which it is served.
    pub name: String,
    /// The name of the published file.
    pub file_name: String,
    /// The source.
    pub source_id: SourceId,
    /// The source's name.
    pub source: String,
    /// The published version.
    pub version_id: VersionId,
    /// The digest of its bytes.
    pub digest: Digest,
    /// Its length.
    pub size_bytes: u64,
    /// What the verifier found.
    pub facts: PictureFacts,
    /// Since when it is published; `None` when the log does not say.
    pub published_at: Option<DateTime<Utc>>,
}

/// Returns the name under which a picture is served: that of its published file when the source `is_first` among all
/// sources whose files have this name, or else one with the source's number, which is the source's for good. A file's name
/// that looks like one with a number is never served without its own.
pub fn picture_name(file_name: &str, source: SourceId, is_first: bool) -> String {
    if is_first && numbered_picture_name(file_name).is_none() {
        return file_name.to_owned();
    }
    match file_name.rsplit_once('.') {
        Some((stem, extension)) => format!("{stem}~{source}.{extension}"),
        None => format!("{file_name}~{source}"),
    }
}

/// Returns the file's name and the source's number in a name that has a number; `None` for any other name.
pub fn numbered_picture_name(name: &str) -> Option<(String, SourceId)> {
    let (stem, extension) = match name.rsplit_once('.') {
        Some((stem, extension)) => (stem, Some(extension)),
        None => (name, None),
    };
    let (stem, number) = stem.rsplit_once('~')?;
    let id = number.parse().ok().map(SourceId)?;
    // Each source has one number only: no sign and no zeros before it.
    if id.to_string() != number {
        return None;
    }
    let file_name = match extension {
        Some(extension) => format!("{stem}.{extension}"),
        None => stem.to_owned(),
    };
    Some((file_name, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_read_back() {
        for format in ImageFormat::ALL {
            let facts = PictureFacts {
                format,
                width: 48,
                height: u32::MAX,
            };
            assert_eq!(facts.to_string().parse(), Ok(facts));
        }
        for text in [
            "",
            "png",
            "png, 4 × 4",
            "svg, 4 × 4 pixels",
            "png, 4 × -4 pixels",
            "looks fine",
        ] {
            assert!(text.parse::<PictureFacts>().is_err(), "{text}");
        }
    }

    #[test]
    fn names_with_a_number_read_back() {
        for file in [
            "logo.png", "logo", "a~3.png", "a.b.c", "x@id=1", ".png", "a.",
        ] {
            let name = picture_name(file, SourceId(7), false);
            let expected = Some((file.to_owned(), SourceId(7)));
            assert_eq!(numbered_picture_name(&name), expected, "{name}");
        }
        for (file, is_first, name) in [
            ("logo.png", true, "logo.png"),
            ("logo.png", false, "logo~7.png"),
            ("logo~3.png", true, "logo~3~7.png"),
            ("logo~03.png", true, "logo~03.png"),
        ] {
            assert_eq!(picture_name(file, SourceId(7), is_first), name);
        }
        for name in ["logo.png", "logo~.png", "logo~07.png", "logo~+7.png", "~x"] {
            assert_eq!(numbered_picture_name(name), None, "{name}");
        }
    }
}
