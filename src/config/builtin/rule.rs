//! The built-in rules with their parameters.

use std::time::Duration;

use super::{Percent, Schema};
use crate::domain::Digest;
use crate::domain::words::words;

/// A rule of gannet's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Builtin {
    /// Well-formed UTF-8.
    Utf8,
    /// One well-formed JSON text (RFC 8259).
    Json(JsonRule),
    /// Rows of a table (RFC 4180).
    Csv(CsvRule),
    /// One well-formed XML document.
    Xml,
    /// An image that can be decoded wholly.
    Image(ImageRule),
    /// A length within bounds.
    Size(SizeRule),
    /// Exactly this content.
    Sha256(Digest),
    /// The content that a list of digests names: another source, by name or address.
    Companion(String),
    /// Last modified not longer than this before it was fetched.
    Fresh(Duration),
    /// Not an HTML page, such as an error page under 200.
    NotHtml,
}

/// What a JSON text has to be beyond well-formed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JsonRule {
    /// What the schema accepts.
    pub schema: Option<Schema>,
    /// Without a key that stands twice in one object.
    pub unique_keys: bool,
}

impl From<Schema> for JsonRule {
    fn from(schema: Schema) -> Self {
        Self {
            schema: Some(schema),
            unique_keys: false,
        }
    }
}

/// What a table has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvRule {
    /// What stands between columns: `,`.
    pub delimiter: u8,
    /// The first row, exactly; it is no data row then.
    pub header: Option<Vec<String>>,
    /// How many columns every row has; as many as the first when not given.
    pub columns: Option<u32>,
    /// Least data rows.
    pub min_rows: Option<u32>,
    /// Most data rows.
    pub max_rows: Option<u32>,
    /// Least data rows, as a share of the last good version's.
    pub min_rows_of_last: Option<Percent>,
}

impl Default for CsvRule {
    fn default() -> Self {
        Self {
            delimiter: b',',
            header: None,
            columns: None,
            min_rows: None,
            max_rows: None,
            min_rows_of_last: None,
        }
    }
}

/// What an image has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageRule {
    /// Which formats may be: all that can be decoded.
    pub formats: Vec<ImageFormat>,
    /// Most pixels, width times height: 100 million.
    pub max_pixels: u64,
}

impl Default for ImageRule {
    fn default() -> Self {
        Self {
            formats: ImageFormat::ALL.to_vec(),
            max_pixels: 100_000_000,
        }
    }
}

words!(
    "a format of images":
    /// A format of images that can be decoded.
    #[expect(missing_docs, reason = "the names say it")]
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

/// Bounds of a length, all inclusive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SizeRule {
    /// Least, in bytes.
    pub min: Option<u64>,
    /// Most, in bytes.
    pub max: Option<u64>,
    /// Least, as a share of the last good version's length.
    pub min_of_last: Option<Percent>,
    /// Most, as a share of the last good version's length.
    pub max_of_last: Option<Percent>,
}

/// What a rule has to know of the last good version before the judged one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PreviousNeed {
    /// Nothing.
    Nothing,
    /// Its length.
    Size,
    /// Its bytes too.
    Content,
}

impl Builtin {
    /// Returns what the rule has to know of the last good version.
    pub fn needs_previous(&self) -> PreviousNeed {
        match self {
            Self::Csv(rule) if rule.min_rows_of_last.is_some() => PreviousNeed::Content,
            Self::Size(rule) if rule.min_of_last.is_some() || rule.max_of_last.is_some() => {
                PreviousNeed::Size
            }
            _ => PreviousNeed::Nothing,
        }
    }

    /// Returns which other source the rule has to know: a name or an address.
    pub fn companion(&self) -> Option<&str> {
        match self {
            Self::Companion(source) => Some(source),
            _ => None,
        }
    }
}
