//! The built-in rules with their parameters, as the configuration file and a verifier's fingerprint spell them.
//!
//! The fingerprint is the digest of a rule's serialised form. If the form changes, all its verdicts become stale.

use std::time::Duration;

use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::schema::is_false;
use super::{Percent, Schema};
use crate::config::values::{non_empty, some_long_duration, some_size, sorted, within};
use crate::domain::text_form::from_text;
use crate::domain::{Digest, ImageFormat, Provider};

/// A built-in rule. Its serde name is the value of `builtin` in the configuration file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Builtin {
    /// Well-formed UTF-8.
    Utf8,
    /// One well-formed JSON text (RFC 8259), with optional demands.
    Json(JsonRule),
    /// A table (RFC 4180).
    Csv(CsvRule),
    /// One well-formed XML document.
    Xml,
    /// An image that decodes completely.
    Image(ImageRule),
    /// Content with a given digest.
    Sha256(Sha256Rule),
    /// A length within bounds.
    Size(SizeRule),
    /// Content whose `Last-Modified` is recent.
    Fresh(FreshRule),
    /// Not an HTML page, such as an error page under 200.
    NotHtml,
    /// Currency rates as their provider gives them. No configuration names it: it judges the sources with the setting
    /// `rates`.
    #[serde(skip_deserializing)]
    Rates(RatesRule),
}

/// The parameters of `rates`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RatesRule {
    /// Whose rates they are.
    pub provider: Provider,
}

/// The parameters of `json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "JsonKeys")]
pub struct JsonRule {
    /// The schema that accepts the content.
    #[serde(flatten)]
    pub schema: Option<Schema>,
    /// Whether a key must occur only once in an object.
    #[serde(
        rename = "duplicates",
        skip_serializing_if = "is_false",
        serialize_with = "as_refuse"
    )]
    pub unique_keys: bool,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct JsonKeys {
    schema: Option<Schema>,
    /// Stands in `schema`, if there is one.
    format: Option<bool>,
    #[serde(deserialize_with = "duplicates")]
    duplicates: bool,
}

impl TryFrom<JsonKeys> for JsonRule {
    type Error = &'static str;

    fn try_from(keys: JsonKeys) -> Result<Self, Self::Error> {
        match keys.format {
            Some(_) => Err("`format` means nothing without `schema`"),
            None => Ok(Self {
                schema: keys.schema,
                unique_keys: keys.duplicates,
            }),
        }
    }
}

impl From<Schema> for JsonRule {
    fn from(schema: Schema) -> Self {
        Self {
            schema: Some(schema),
            unique_keys: false,
        }
    }
}

/// Reads whether keys must be unique.
fn duplicates<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    from_text(deserializer, |text| match text {
        "allow" => Ok(false),
        "refuse" => Ok(true),
        other => Err(format!(
            r#"`{}` is neither "allow" nor "refuse""#,
            other.escape_debug()
        )),
    })
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes the field")]
fn as_refuse<S: Serializer>(_: &bool, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str("refuse")
}

/// The parameters of `csv`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CsvRule {
    /// The separator of columns: `,` by default.
    #[serde(deserialize_with = "delimiter")]
    pub delimiter: u8,
    /// The exact first row, which is then no data row.
    #[serde(deserialize_with = "header")]
    pub header: Option<Vec<String>>,
    /// The number of columns of every row; by default that of the first row.
    #[serde(deserialize_with = "within::<1, 1_000_000, _, _>")]
    pub columns: Option<u32>,
    /// The least number of data rows.
    #[serde(deserialize_with = "within::<1, { u32::MAX }, _, _>")]
    pub min_rows: Option<u32>,
    /// The largest number of data rows.
    #[serde(deserialize_with = "within::<1, { u32::MAX }, _, _>")]
    pub max_rows: Option<u32>,
    /// The least number of data rows, as a share of the last good version's.
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

fn delimiter<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    from_text(deserializer, |text| match text.as_bytes() {
        [byte @ (b'\t' | b' '..=b'~')] if *byte != b'"' => Ok(*byte),
        _ => Err(format!(
            r#"`{}` is not a delimiter: give one ASCII character that is not a quote, such as "," ";" or "\t""#,
            text.escape_debug()
        )),
    })
}

fn header<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    const EMPTY: &str = r#"empty; give the texts of the first row, such as ["id", "price"]"#;
    non_empty(deserializer, EMPTY).map(Some)
}

/// The parameters of `image`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImageRule {
    /// The accepted formats, in the order of their names; by default all that can be decoded.
    #[serde(deserialize_with = "formats")]
    pub formats: Vec<ImageFormat>,
    /// The largest number of pixels, width times height; by default 100 million.
    #[serde(deserialize_with = "within::<1, { u32::MAX }, _, _>")]
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

fn formats<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<ImageFormat>, D::Error> {
    let all = ImageFormat::ALL.map(ImageFormat::as_str).join(", ");
    let nothing = format!("allows nothing; give some of {all}");
    non_empty(deserializer, &nothing).map(sorted)
}

/// The expected content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", try_from = "Sha256Keys")]
pub enum Sha256Rule {
    /// The content with this digest.
    Digest(Digest),
    /// Content whose digest stands in a list: the content of another source, given by name or address.
    Companion(String),
}

const ONE_DIGEST: &str = "sha256 needs either `digest`, `sha256:` and 64 hexadecimal digits, or `companion`, the source that lists digests";

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Sha256Keys {
    digest: Option<Digest>,
    #[serde(deserialize_with = "companion")]
    companion: Option<String>,
}

impl TryFrom<Sha256Keys> for Sha256Rule {
    type Error = &'static str;

    fn try_from(keys: Sha256Keys) -> Result<Self, Self::Error> {
        match (keys.digest, keys.companion) {
            (Some(digest), None) => Ok(Self::Digest(digest)),
            (None, Some(companion)) => Ok(Self::Companion(companion)),
            _ => Err(ONE_DIGEST),
        }
    }
}

fn companion<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    from_text(deserializer, |text| {
        if text.is_empty() || text.chars().any(char::is_control) {
            return Err(format!(
                "`{}` names no source: give the name or the address of the source that lists digests",
                text.escape_debug()
            ));
        }
        Ok(Some(text.to_owned()))
    })
}

/// Bounds of the content's length, all inclusive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SizeRule {
    /// The least length, in bytes.
    #[serde(deserialize_with = "some_size")]
    pub min: Option<u64>,
    /// The largest length, in bytes.
    #[serde(deserialize_with = "some_size")]
    pub max: Option<u64>,
    /// The least length, as a share of the last good version's.
    pub min_of_last: Option<Percent>,
    /// The largest length, as a share of the last good version's.
    pub max_of_last: Option<Percent>,
}

impl SizeRule {
    fn has_shares(&self) -> bool {
        self.min_of_last.is_some() || self.max_of_last.is_some()
    }
}

impl Serialize for SizeRule {
    /// Without shares, the form is that of gannet versions that had none: its verdicts must not become stale.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("min", &self.min)?;
        map.serialize_entry("max", &self.max)?;
        if self.has_shares() {
            map.serialize_entry("min_of_last", &self.min_of_last)?;
            map.serialize_entry("max_of_last", &self.max_of_last)?;
        }
        map.end()
    }
}

/// The parameters of `fresh`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "FreshKeys")]
pub struct FreshRule {
    /// The longest time from the last modification to the fetch.
    #[serde(rename = "max_age_s", serialize_with = "as_seconds")]
    pub max_age: Duration,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct FreshKeys {
    #[serde(deserialize_with = "some_long_duration")]
    max_age: Option<Duration>,
}

impl TryFrom<FreshKeys> for FreshRule {
    type Error = &'static str;

    fn try_from(keys: FreshKeys) -> Result<Self, Self::Error> {
        let max_age = keys
            .max_age
            .ok_or(r#"fresh needs `max_age`, such as max_age = "3d""#)?;
        Ok(Self { max_age })
    }
}

fn as_seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(duration.as_secs())
}

/// The facts of the last good version that a rule needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PreviousNeed {
    /// Nothing.
    Nothing,
    /// The length.
    Size,
    /// The length and the bytes.
    Content,
}

impl Builtin {
    /// Returns the facts that the rule needs of the last good version.
    pub fn needs_previous(&self) -> PreviousNeed {
        match self {
            Self::Csv(rule) if rule.min_rows_of_last.is_some() => PreviousNeed::Content,
            Self::Size(rule) if rule.has_shares() => PreviousNeed::Size,
            _ => PreviousNeed::Nothing,
        }
    }

    /// Returns the name or address of the other source that the rule needs.
    pub fn companion(&self) -> Option<&str> {
        match self {
            Self::Sha256(Sha256Rule::Companion(source)) => Some(source),
            _ => None,
        }
    }

    /// Returns why the rule would fail, or pass, every content, with the key of the configuration file to blame. `has`
    /// returns whether a key is in the file, even if its value is unreadable.
    pub(in crate::config) fn contradiction(
        &self,
        has: impl Fn(&str) -> bool,
    ) -> Option<(&'static str, String)> {
        match self {
            Self::Csv(rule) => {
                let columns = rule.header.as_ref().map(Vec::len).zip(rule.columns);
                let header = columns.filter(|(count, columns)| *count != *columns as usize);
                let header = header.map(|(count, _)| {
                    ("header", format!("`verifier.header` has {count} columns, which `verifier.columns` contradicts"))
                });
                let rows = || inverted_bounds(("min_rows", rule.min_rows), ("max_rows", rule.max_rows));
                header.or_else(rows)
            }
            Self::Sha256(_) if has("digest") && has("companion") => {
                Some(("builtin", format!("`verifier.builtin`: {ONE_DIGEST}")))
            }
            Self::Size(_) if !["min", "max", "min_of_last", "max_of_last"].into_iter().any(has) => Some((
                "builtin",
                r#"`verifier.builtin`: size needs `min`, `max`, `min_of_last` or `max_of_last`, such as min = "10B", max = "1MiB", min_of_last = "50%""#.to_owned(),
            )),
            Self::Size(rule) => inverted_bounds(("min", rule.min), ("max", rule.max)).or_else(|| {
                inverted_bounds(
                    ("min_of_last", rule.min_of_last),
                    ("max_of_last", rule.max_of_last),
                )
            }),
            _ => None,
        }
    }
}

/// Returns the problem with bounds whose minimum exceeds the maximum.
fn inverted_bounds<T: PartialOrd>(
    (least_key, least): (&str, Option<T>),
    (most_key, most): (&str, Option<T>),
) -> Option<(&'static str, String)> {
    let (_, _) = least.zip(most).filter(|(least, most)| least > most)?;
    Some((
        "builtin",
        format!("`verifier.{least_key}` is more than `verifier.{most_key}`: no content could pass"),
    ))
}
