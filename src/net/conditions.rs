//! Conditional requests (RFC 9110 §13): which validators an answer gives, to which address they are sent back, and
//! whether a 304 is about what they stand for.
//!
//! Never sends a validator to another address than the one that gave it: `"1"` there may be another file (RFC 9111 §4). Nor
//! with other fields, by which the server may choose another representation of the file (RFC 9110 §12.5.5).

use std::borrow::Cow;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::{
    DATE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};
use url::Url;

use super::retry::file_date;
use super::secret::Scrubber;
use crate::domain::{Digest, Validators};

/// The longest validator that is kept: it comes back with every request.
const MAX_VALIDATOR_BYTES: usize = 4096;

/// Half a digest tells addresses apart, and sets of fields.
const IDENTITY_CHARS: usize = 32;

/// Sixteen bits of a digest tell one value from the next. They confirm no guess: one in 65,536 fits by chance, so that no
/// short secret can be found out from a catalogue.
const VALUE_CHARS: usize = 4;

/// Query parameters that show that an address is signed for a while.
const SIGNATURES: [&str; 4] = ["sig", "signature", "x-amz-signature", "x-goog-signature"];

/// What else belongs to such a signature, and changes with it, at the usual storage services.
const SIGNED_WITH: [&str; 16] = [
    "se",
    "ske",
    "skoid",
    "sks",
    "skt",
    "sktid",
    "skv",
    "sp",
    "spr",
    "sr",
    "st",
    "sv",
    "jwt",
    "expires",
    "key-pair-id",
    "policy",
];

/// What is asked: an address, with fields of the source's own.
pub(super) struct RequestIdentity {
    address: String,
    /// What stood for an address with secrets in it before.
    former_address: Option<String>,
    fields: String,
    is_own: bool,
}

impl RequestIdentity {
    /// Returns what stands for a request to `url`, which is the source's own address or where it led. `fields` are those that
    /// the source or the configuration sets.
    pub(super) fn new(url: &Url, own: &Url, fields: &HeaderMap, scrubber: &Scrubber) -> Self {
        let unsigned = unsigned(url);
        let plain = hex(unsigned.as_str().as_bytes(), IDENTITY_CHARS);
        let shown = scrubber.scrub(unsigned.as_str().to_owned());
        let has_secret = shown != unsigned.as_str();
        let address = if has_secret {
            let shown = hex(shown.as_bytes(), IDENTITY_CHARS - VALUE_CHARS);
            format!("{shown}{}", &plain[..VALUE_CHARS])
        } else {
            plain.clone()
        };
        Self {
            address,
            former_address: has_secret.then_some(plain),
            fields: fields_identity(fields),
            is_own: url == own,
        }
    }
}

/// Returns the validators that were given `now` and that tell two contents apart.
///
/// A date of change does only when the answer was made at least a second later: the file may change once more within the same
/// second, and that would be `304 Not Modified` for ever (RFC 9110 §8.8.2.2). No more does an entity tag that is made of
/// that second, as nginx does with the size beside it. Any other tag is taken at its word, a weak one too: that is what
/// `If-None-Match` compares (§13.1.2).
pub(super) fn validators(
    headers: &HeaderMap,
    asked: &RequestIdentity,
    now: DateTime<Utc>,
) -> Validators {
    let given = given(headers, asked);
    let date = |name| file_date(headers.get(name)?.to_str().ok()?, now);
    let Some(changed_at) = date(LAST_MODIFIED) else {
        return given;
    };
    // Without the server's time, the time of receipt stands for it (RFC 9110 §6.6.1).
    let answered_at = date(DATE).unwrap_or(now);
    if answered_at - changed_at >= TimeDelta::seconds(1) {
        return given;
    }
    Validators {
        etag: given.etag.filter(|etag| !is_made_of(etag, changed_at)),
        last_modified: None,
        ..given
    }
}

/// Returns whether an entity tag is made of a time in seconds, as digits of a usual base.
fn is_made_of(etag: &str, time: DateTime<Utc>) -> bool {
    let etag = etag.to_ascii_lowercase();
    let seconds = time.timestamp();
    let forms = [
        seconds.to_string(),
        format!("{seconds:x}"),
        in_base_36(seconds),
    ];
    // Whole numbers: a longer one is a finer time, or a digest.
    let is_in = |form: &String| {
        etag.match_indices(form.as_str()).any(|(at, _)| {
            let digits = |c: char| c.is_ascii_alphanumeric();
            !etag[..at].ends_with(digits) && !etag[at + form.len()..].starts_with(digits)
        })
    };
    // Caddy writes time and size in base 36 without anything between them.
    forms.iter().any(is_in)
        || etag
            .trim_start_matches("w/")
            .trim_matches('"')
            .starts_with(&forms[2])
}

fn in_base_36(number: i64) -> String {
    let mut digits = Vec::new();
    let mut rest = u32::try_from(number).unwrap_or_default();
    while rest > 0 {
        digits.extend(char::from_digit(rest % 36, 36));
        rest /= 36;
    }
    digits.iter().rev().collect()
}

/// Returns the validators of an answer; one that is too long is dropped. Each byte becomes one character
/// (ISO-8859-1), so that any byte can be sent back.
fn given(headers: &HeaderMap, asked: &RequestIdentity) -> Validators {
    let keep = |name: HeaderName| {
        let value = headers.get(name)?.as_bytes();
        let fits = !value.is_empty() && value.len() <= MAX_VALIDATOR_BYTES;
        fits.then(|| value.iter().copied().map(char::from).collect())
    };
    Validators {
        etag: keep(ETAG),
        last_modified: keep(LAST_MODIFIED),
        address: Some(asked.address.clone()),
        fields: Some(asked.fields.clone()),
    }
}

/// Returns the validators of a 304: each field from the answer, else as it was sent (RFC 9111 §4.3.4).
pub(super) fn renewed(
    headers: &HeaderMap,
    asked: &RequestIdentity,
    sent: &Validators,
    now: DateTime<Utc>,
) -> Validators {
    let new = validators(headers, asked, now);
    Validators {
        etag: new.etag.or_else(|| sent.etag.clone()),
        last_modified: new.last_modified.or_else(|| sent.last_modified.clone()),
        ..new
    }
}

/// Returns the validators if they were given to the same request. Those of an older catalogue, which did not keep the address,
/// are taken to be of the source's own address; where the fields were not kept, of these.
pub(super) fn for_request<'a>(
    validators: Option<&'a Validators>,
    asked: &RequestIdentity,
) -> Option<&'a Validators> {
    validators.filter(|validators| {
        let is_of_address = match &validators.address {
            Some(address) => {
                *address == asked.address || asked.former_address.as_ref() == Some(address)
            }
            None => asked.is_own,
        };
        let is_of_fields = validators.fields.as_ref();
        is_of_address && is_of_fields.is_none_or(|fields| *fields == asked.fields)
    })
}

/// Adds the conditions to a request.
pub(super) fn insert(fields: &mut HeaderMap, validators: &Validators) {
    let conditions = [
        (IF_NONE_MATCH, &validators.etag),
        (IF_MODIFIED_SINCE, &validators.last_modified),
    ];
    for (name, value) in conditions {
        // A validator that no field can carry never came from one: it is not sent.
        let value = value.as_deref().map(bytes_of);
        if let Some(value) = value.and_then(|value| HeaderValue::from_bytes(&value).ok()) {
            fields.insert(name, value);
        }
    }
}

/// Tells whether a 304 with this head is about the content that `sent` stands for: its own validators, where it has
/// any, are the ones that were sent (RFC 9111 §4.3.4).
pub(super) fn confirms(headers: &HeaderMap, asked: &RequestIdentity, sent: &Validators) -> bool {
    let new = given(headers, asked);
    match (&sent.etag, &new.etag) {
        // A weak tag may be made anew each time: it does not tell that the content is another.
        (Some(sent), Some(new)) => (is_weak(sent) && is_weak(new)) || opaque(sent) == opaque(new),
        // Without an entity tag to compare, the date decides.
        _ => match (&sent.last_modified, &new.last_modified) {
            (Some(sent), Some(new)) => sent.trim() == new.trim(),
            _ => true,
        },
    }
}

fn is_weak(etag: &str) -> bool {
    etag.trim_start().starts_with("W/")
}

/// Returns what is compared of an entity tag: weak or strong is all one to `If-None-Match` (RFC 9110 §13.1.2), and some
/// servers mark the tag of a gzip-coded body (`"a-gzip"`) on 200 but not on 304.
fn opaque(etag: &str) -> &str {
    let tag = etag.trim();
    let tag = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"');
    tag.strip_suffix("-gzip")
        .unwrap_or(tag)
        .trim_end_matches('-')
}

/// Returns what tells one set of fields from another; an empty text for an empty set.
fn fields_identity(fields: &HeaderMap) -> String {
    let mut lines: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}: {}\n", hex(value.as_bytes(), VALUE_CHARS)))
        .collect();
    if lines.is_empty() {
        return String::new();
    }
    lines.sort();
    hex(lines.concat().as_bytes(), IDENTITY_CHARS)
}

fn hex(bytes: &[u8], chars: usize) -> String {
    let mut digest = Digest::of(bytes).to_hex();
    digest.truncate(chars);
    digest
}

/// Returns an address without a signature that is new at every redirect: it leads to the same file.
fn unsigned(url: &Url) -> Cow<'_, Url> {
    if url.query().is_none() && url.fragment().is_none() {
        return Cow::Borrowed(url);
    }
    let mut url = url.clone();
    url.set_fragment(None);
    let named = |name: &str, names: &[&str]| {
        let name = name.to_ascii_lowercase();
        names.contains(&&*name)
    };
    if url.query_pairs().any(|(name, _)| named(&name, &SIGNATURES)) {
        let kept: Vec<(String, String)> = url
            .query_pairs()
            .filter(|(name, _)| {
                let lower = name.to_ascii_lowercase();
                let of_signer = lower.starts_with("x-amz-") || lower.starts_with("x-goog-");
                !of_signer && !named(name, &SIGNATURES) && !named(name, &SIGNED_WITH)
            })
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        url.query_pairs_mut().clear().extend_pairs(kept);
    }
    Cow::Owned(url)
}

/// Returns the bytes that [`given`] made a text of; one of an older catalogue, which kept UTF-8 only, may hold what is no single byte.
fn bytes_of(value: &str) -> Vec<u8> {
    let single: Option<Vec<u8>> = value.chars().map(|c| u8::try_from(c).ok()).collect();
    single.unwrap_or_else(|| value.as_bytes().to_vec())
}

#[cfg(test)]
mod tests;
