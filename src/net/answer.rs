//! Reads the head of an answer: validators, media type, name, content coding.
//!
//! Never touches the body. A field that cannot be read is as good as absent, except for a content coding.

use std::path::Path;

use chrono::{DateTime, Utc};
use reqwest::header::{
    self, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderMap,
    HeaderName, LAST_MODIFIED, TRANSFER_ENCODING,
};

use super::failure::Failure;
use super::file_name::disposition_name;
use super::retry;
use crate::domain::{FailureKind, Validators, safe_part};

/// The longest validator that is kept: it comes back with every request.
const MAX_VALIDATOR_BYTES: usize = 4096;

/// The longest media type that is kept.
const MAX_MEDIA_TYPE_BYTES: usize = 200;

/// How the content is coded on its way (RFC 9110 §8.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Identity,
    Gzip,
}

/// Returns the validators as they came; one that is too long or not UTF-8 is dropped.
pub(super) fn validators(headers: &HeaderMap) -> Validators {
    let keep = |name: HeaderName| {
        let value = text(headers, &name)?;
        (!value.is_empty() && value.len() <= MAX_VALIDATOR_BYTES).then(|| value.to_owned())
    };
    Validators {
        etag: keep(ETAG),
        last_modified: keep(LAST_MODIFIED),
    }
}

/// Returns the validators of a 304: each field from the answer, else as it was sent (RFC 9111 §4.3.4).
pub(super) fn renewed_validators(headers: &HeaderMap, sent: &Validators) -> Validators {
    let new = validators(headers);
    Validators {
        etag: new.etag.or_else(|| sent.etag.clone()),
        last_modified: new.last_modified.or_else(|| sent.last_modified.clone()),
    }
}

/// Returns the name that the server gives to the file, made safe.
pub(super) fn file_name(headers: &HeaderMap) -> Option<String> {
    let field = headers.get(CONTENT_DISPOSITION)?;
    disposition_name(field.as_bytes()).and_then(|name| safe_part(&name))
}

/// Returns the media type with its parameters.
pub(super) fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = text(headers, &CONTENT_TYPE)?.trim();
    let printable = value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    (printable && !value.is_empty() && value.len() <= MAX_MEDIA_TYPE_BYTES)
        .then(|| value.to_owned())
}

/// Returns when the server last changed the file.
pub(super) fn last_modified(headers: &HeaderMap, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    retry::http_date(text(headers, &LAST_MODIFIED)?, now)
}

/// Returns when the server wants to be asked again.
pub(super) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    retry::retry_after(text(headers, &header::RETRY_AFTER)?, now)
}

/// Refuses framing that the HTTP library lets pass: a length beside a transfer coding, where one of the two lies
/// (RFC 9112 §6.3), and a transfer coding other than `chunked`, which was not asked for and is not undone.
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

/// Returns the content coding to undo. `names` are what the file is called; a gzip file that is also labelled as
/// gzip-coded is one: servers that label `.tar.gz` so mean the file itself.
pub(super) fn coding(headers: &HeaderMap, names: &[&str]) -> Result<Coding, Failure> {
    let mut codings = Vec::new();
    for field in headers.get_all(CONTENT_ENCODING) {
        let field = String::from_utf8_lossy(field.as_bytes()).to_ascii_lowercase();
        let listed = field.split(',').map(str::trim);
        codings.extend(
            listed
                .filter(|coding| !matches!(*coding, "" | "identity"))
                .map(str::to_owned),
        );
    }
    match codings.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Ok(Coding::Identity),
        ["gzip" | "x-gzip"] if is_gzip_file(headers, names) => Ok(Coding::Identity),
        ["gzip" | "x-gzip"] => Ok(Coding::Gzip),
        _ => {
            let shown: String = codings.join(", ").chars().take(80).collect();
            let detail = format!("the content coding `{shown}` was not asked for: only gzip is");
            Err(Failure::new(FailureKind::Decode, detail))
        }
    }
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
    fn validators_are_kept_verbatim_or_not_at_all() {
        let long = vec![b'x'; MAX_VALIDATOR_BYTES + 1];
        for (etag, expected) in [
            (&b"W/\"a-gzip\""[..], Some("W/\"a-gzip\"")),
            (b"unquoted", Some("unquoted")),
            (b"\"\xff\"", None),
            (&long, None),
        ] {
            let found = validators(&headers(&[("etag", etag)]));
            assert_eq!(found.etag.as_deref(), expected);
        }
    }

    #[test]
    fn decides_on_the_coding() {
        let gzip = Ok(Coding::Gzip);
        let identity = Ok(Coding::Identity);
        for (encoding, media_type, name, expected) in [
            ("", "text/csv", "a.csv", identity),
            ("identity", "text/csv", "a.csv", identity),
            ("GZip", "text/csv", "a.csv", gzip),
            ("x-gzip", "text/csv", "a.csv", gzip),
            ("gzip, identity", "text/csv", "a.csv", gzip),
            ("gzip", "text/csv", "a.tar.GZ", identity),
            ("gzip", "text/csv", "a.tgz", identity),
            ("gzip", "application/gzip; x=1", "a", identity),
            ("gzip", "application/vnd.oci.layer.tar+gzip", "a", identity),
            ("gzip, gzip", "text/csv", "a.csv", Err("gzip, gzip")),
            ("br", "text/csv", "a.csv", Err("br")),
        ] {
            let fields = [
                ("content-encoding", encoding.as_bytes()),
                ("content-type", media_type.as_bytes()),
            ];
            let found = coding(&headers(&fields), &[name]).map_err(|failure| failure.detail);
            match (found, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{encoding} {name}"),
                (Err(detail), Err(named)) => assert!(detail.contains(&format!("`{named}`"))),
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
