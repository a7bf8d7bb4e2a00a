//! Reads the head of a response: validators, media type, file name, content coding.
//!
//! Never touches the body. An unreadable field counts as absent, except for a content coding.

use std::path::Path;

use chrono::{DateTime, Utc};
use reqwest::header::{
    self, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap,
    HeaderName, LAST_MODIFIED, TRANSFER_ENCODING,
};

use super::failure::Failure;
use super::file_name::disposition_name;
use super::retry;
use super::secret::Scrubber;
use crate::domain::{FailureKind, LastModified, safe_part, shortened, truncate_line};

const MAX_MEDIA_TYPE_BYTES: usize = 200;

/// Characters stored of a date that cannot be read.
const MAX_DATE_CHARS: usize = 60;

/// The content coding of a response (RFC 9110 §8.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Identity,
    Gzip,
    /// Labelled gzip, and a gzip file by name or type: the label may mean the file itself or another layer. The decoded
    /// bytes decide.
    GzipFile,
}

/// Codings that change the bytes and are not decoded here: IANA's registry, and others in use. Any other token
/// (`utf-8`, `none`, `binary`) is a server's mistake, and the content is plain.
const OTHER_CODINGS: [&str; 20] = [
    "aes128gcm",
    "br",
    "brotli",
    "bz2",
    "bzip2",
    "compress",
    "dcb",
    "dcz",
    "deflate",
    "exi",
    "lz4",
    "lzma",
    "pack200-gzip",
    "raw-deflate",
    "sdch",
    "snappy",
    "xz",
    "zip",
    "zlib",
    "zstd",
];

/// Returns the server's name for the file, made safe. Secrets are struck out after decoding and before shortening.
pub(super) fn file_name(headers: &HeaderMap, scrubber: &Scrubber) -> Option<String> {
    let field = headers.get(CONTENT_DISPOSITION)?;
    disposition_name(field.as_bytes()).and_then(|name| safe_part(&scrubber.scrub(name)))
}

/// Returns the media type with its parameters.
pub(super) fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = text(headers, &CONTENT_TYPE)?.trim();
    let printable = value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    (printable && !value.is_empty() && value.len() <= MAX_MEDIA_TYPE_BYTES)
        .then(|| value.to_owned())
}

/// Returns `Last-Modified`: a time, or the text when it cannot be read as one.
pub(super) fn last_modified(headers: &HeaderMap, now: DateTime<Utc>) -> Option<LastModified> {
    let field = String::from_utf8_lossy(headers.get(LAST_MODIFIED)?.as_bytes());
    let field = field.trim();
    match retry::file_date(field, now) {
        Some(time) => Some(LastModified::At(time)),
        None if field.is_empty() => None,
        None => {
            let shown = shortened(&truncate_line(&field), MAX_DATE_CHARS);
            Some(LastModified::Unreadable(shown))
        }
    }
}

/// Returns the time before which the server wants no further request.
pub(super) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    retry::retry_after(text(headers, &header::RETRY_AFTER)?, now)
}

/// Returns when the exhausted rate limit of a refused request resets; `None` while requests are left.
pub(super) fn rate_limit_reset(headers: &HeaderMap, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let field = |names: [&str; 3]| {
        names
            .iter()
            .find_map(|name| headers.get(*name)?.to_str().ok())
    };
    let left = field([
        "x-ratelimit-remaining",
        "x-rate-limit-remaining",
        "ratelimit-remaining",
    ]);
    if left.is_some_and(|left| left.trim() != "0") {
        return None;
    }
    let reset = field(["x-ratelimit-reset", "x-rate-limit-reset", "ratelimit-reset"])?;
    retry::rate_limit_reset(reset, now)
}

/// Refuses framing that the HTTP library accepts: a length beside a transfer coding, of which one must be wrong (RFC
/// 9112 §6.3), and a transfer coding other than `chunked`, which was not requested and is not decoded.
pub(super) fn check_framing(headers: &HeaderMap) -> Result<(), Failure> {
    let mut transfer = headers.get_all(TRANSFER_ENCODING).iter();
    let Some(first) = transfer.next() else {
        return Ok(());
    };
    let detail = if headers.contains_key(CONTENT_LENGTH) {
        "the answer has both a Content-Length and a Transfer-Encoding"
    } else if transfer.next().is_some() || !first.as_bytes().eq_ignore_ascii_case(b"chunked") {
        "the answer has a transfer coding other than chunked"
    } else {
        return Ok(());
    };
    Err(Failure::new(FailureKind::Protocol, detail))
}

/// Returns the content coding to decode. `names` are the names of the file.
pub(super) fn coding(headers: &HeaderMap, names: &[&str]) -> Result<Coding, Failure> {
    let fields: Vec<String> = headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .map(|field| String::from_utf8_lossy(field.as_bytes()).into_owned())
        .collect();
    let lower = fields.join(",").to_ascii_lowercase();
    let codings: Vec<&str> = lower
        .split(',')
        .map(token)
        .filter(|coding| is_coding(coding))
        .collect();
    match codings[..] {
        [] => Ok(Coding::Identity),
        ["gzip"] if is_gzip_file(headers, names) => Ok(Coding::GzipFile),
        ["gzip"] => Ok(Coding::Gzip),
        _ => {
            let sent = fields.join(", ");
            let shown = shortened(&sent.replace(char::is_control, ""), 80);
            let why = if codings.iter().all(|coding| *coding == "gzip") {
                "only one layer of gzip is undone"
            } else {
                "only gzip is asked for and undone"
            };
            let detail = format!("the body has the content coding `{shown}`: {why}");
            Err(Failure::new(FailureKind::Decode, detail))
        }
    }
}

/// Returns the name of a listed coding, without quotes, parameter, and the historic prefix `x-` (RFC 9110 §8.4.1.3).
fn token(listed: &str) -> &str {
    let bare = listed.split(';').next().unwrap_or_default();
    let bare = bare.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\''));
    bare.strip_prefix("x-").unwrap_or(bare)
}

fn is_coding(token: &str) -> bool {
    token.contains("gzip") || OTHER_CODINGS.contains(&token)
}

fn is_gzip_file(headers: &HeaderMap, names: &[&str]) -> bool {
    let is_named_so = names.iter().any(|name| {
        let extension = Path::new(name).extension();
        extension.is_some_and(|it| it.eq_ignore_ascii_case("gz") || it.eq_ignore_ascii_case("tgz"))
    });
    let essence = text(headers, &CONTENT_TYPE)
        .and_then(|value| value.split(';').next())
        .map(|value| value.trim().to_ascii_lowercase());
    is_named_so
        || essence.is_some_and(|essence| {
            matches!(
                &*essence,
                "application/gzip" | "application/x-gzip" | "application/x-tgz"
            ) || essence.ends_with("+gzip")
        })
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    std::str::from_utf8(headers.get(name)?.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    fn headers(fields: &[(&'static str, &[u8])]) -> HeaderMap {
        let field = |(name, value): &(&'static str, &[u8])| {
            let value = HeaderValue::from_bytes(value).expect("a value");
            (HeaderName::from_static(name), value)
        };
        fields.iter().map(field).collect()
    }

    #[test]
    fn decides_on_the_coding() {
        let gzip = Ok(Coding::Gzip);
        let identity = Ok(Coding::Identity);
        let file = Ok(Coding::GzipFile);
        for (encoding, media_type, name, expected) in [
            ("", "text/csv", "a.csv", identity),
            ("identity", "text/csv", "a.csv", identity),
            ("GZip", "text/csv", "a.csv", gzip),
            ("x-gzip", "text/csv", "a.csv", gzip),
            ("gzip, identity", "text/csv", "a.csv", gzip),
            ("gzip", "text/csv", "a.tar.GZ", file),
            ("gzip", "text/csv", "a.tgz", file),
            ("gzip", "application/gzip; x=1", "a", file),
            ("gzip", "application/vnd.oci.layer.tar+gzip", "a", file),
            ("gzip, gzip", "text/csv", "a.csv", Err("gzip, gzip")),
            ("br", "text/csv", "a.csv", Err("br")),
            ("zstd", "text/csv", "a.csv", Err("zstd")),
            ("Deflate", "text/csv", "a.csv", Err("Deflate")),
            ("x-Compress", "text/csv", "a.csv", Err("x-Compress")),
            ("utf-8, BR;q=1", "text/csv", "a.csv", Err("utf-8, BR;q=1")),
            ("GZip,x-gzip", "text/csv", "a.csv", Err("GZip,x-gzip")),
            ("pack200-gzip", "a/b", "a.jar", Err("pack200-gzip")),
            ("utf-8", "text/csv", "a.csv", identity),
            ("UTF8", "text/csv", "a.csv", identity),
            ("none", "text/csv", "a.csv", identity),
            ("binary", "text/csv", "a.csv", identity),
            ("8bit", "text/csv", "a.csv", identity),
            ("iso-8859-1, identity", "text/csv", "a.csv", identity),
            ("aws-chunked", "text/csv", "a.csv", identity),
            ("\"gzip\"", "text/csv", "a.csv", gzip),
            ("gzip;q=1.0", "text/csv", "a.csv", gzip),
            ("utf-8, gzip", "text/csv", "a.csv", gzip),
        ] {
            let fields = [
                ("content-encoding", encoding.as_bytes()),
                ("content-type", media_type.as_bytes()),
            ];
            let found = coding(&headers(&fields), &[name]).map_err(|failure| failure.detail);
            match (found, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{encoding} {name}"),
                (Err(detail), Err(named)) => {
                    assert!(detail.contains(&format!("`{named}`: only ")), "{detail}");
                    let is_layered = named.to_lowercase().contains("gzip,");
                    assert_eq!(detail.contains("one layer"), is_layered, "{detail}");
                }
                (found, _) => panic!("{encoding} {name}: {found:?}"),
            }
        }
    }

    #[test]
    fn media_types_are_short_and_printable() {
        for (value, expected) in [
            (
                &b" text/csv; charset=utf-8 "[..],
                Some("text/csv; charset=utf-8"),
            ),
            (b"text/\xc3\xa9", None),
            (&[b'a'; 201], None),
            (b"", None),
        ] {
            let found = media_type(&headers(&[("content-type", value)]));
            assert_eq!(found.as_deref(), expected);
        }
    }
}
