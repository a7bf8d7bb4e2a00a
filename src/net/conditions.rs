//! Conditional requests (RFC 9110 §13): which validators a response gives, to which requests they are sent back, and
//! whether a 304 is about the stored content.
//!
//! Never sends a validator to another address than the one that gave it: there, `"1"` may be another file (RFC 9111
//! §4). Nor with other header fields, by which the server may choose another representation (RFC 9110 §12.5.5).

use std::borrow::Cow;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::{
    DATE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};
use url::Url;

use super::retry::file_date;
use super::secret::Scrubber;
use crate::domain::{Digest, Validators};

/// Longest validator that is stored; each is sent with every request.
const MAX_VALIDATOR_BYTES: usize = 4096;

/// Half a digest identifies an address, or a set of fields.
const IDENTITY_CHARS: usize = 32;

/// Sixteen bits of a digest distinguish one field's value from its next. They confirm no guess (one in 65,536 fits by
/// chance), so no short secret can be recovered from a catalogue.
const VALUE_CHARS: usize = 4;

/// Query parameters of an address with a temporary signature.
const SIGNATURES: [&str; 4] = ["sig", "signature", "x-amz-signature", "x-goog-signature"];

/// Further parameters of such signatures at the usual storage services; they change with the signature.
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

/// Identity of a request: its address, and the fields that the source sets.
pub(super) struct RequestIdentity {
    address: String,
    /// Identity that earlier releases stored for an address with secrets.
    former_address: Option<String>,
    fields: String,
    is_own: bool,
}

impl RequestIdentity {
    /// Returns the identity of a request to `url`, which is the source's own address or the target of a redirect.
    /// `fields` are those of the source and the configuration.
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

/// Returns the validators of a response, received `now`, that distinguish two contents.
///
/// `Last-Modified` does so only if the response was made at least a second later: a second change within the same
/// second would be `304 Not Modified` for ever (RFC 9110 §8.8.2.2). The same holds for an entity tag made of that
/// second, such as nginx's with time and size. Any other tag is trusted, a weak one too, since `If-None-Match` compares
/// weakly (§13.1.2).
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
    // Without `Date`, the time of receipt stands in (RFC 9110 §6.6.1).
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

/// Returns whether an entity tag contains a time in seconds, in a usual base.
fn is_made_of(etag: &str, time: DateTime<Utc>) -> bool {
    let etag = etag.to_ascii_lowercase();
    let seconds = time.timestamp();
    let forms = [
        seconds.to_string(),
        format!("{seconds:x}"),
        in_base_36(seconds),
    ];
    // Whole numbers only: a longer one is a finer time, or a digest.
    let is_in = |form: &String| {
        etag.match_indices(form.as_str()).any(|(at, _)| {
            let digits = |c: char| c.is_ascii_alphanumeric();
            !etag[..at].ends_with(digits) && !etag[at + form.len()..].starts_with(digits)
        })
    };
    // Caddy writes time and size in base 36 without a separator.
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

/// Returns the validators of a response, without any that is too long. Each byte becomes one character (ISO-8859-1), so
/// that any byte can be sent back.
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

/// Returns the validators after a 304: each field from the response, else as it was sent (RFC 9111 §4.3.4).
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

/// Returns the validators if the same request gave them. Older catalogues stored no address (the source's own is
/// assumed) and no fields (the present ones are assumed).
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

pub(super) fn insert(fields: &mut HeaderMap, validators: &Validators) {
    let conditions = [
        (IF_NONE_MATCH, &validators.etag),
        (IF_MODIFIED_SINCE, &validators.last_modified),
    ];
    for (name, value) in conditions {
        // A validator that no field can hold did not come from a response: it is not sent.
        let value = value.as_deref().map(bytes_of);
        if let Some(value) = value.and_then(|value| HeaderValue::from_bytes(&value).ok()) {
            fields.insert(name, value);
        }
    }
}

/// Returns whether a 304 with this head is about the content of `sent`: validators in the head must equal those that
/// were sent (RFC 9111 §4.3.4).
pub(super) fn confirms(headers: &HeaderMap, asked: &RequestIdentity, sent: &Validators) -> bool {
    let new = given(headers, asked);
    match (&sent.etag, &new.etag) {
        // A server may make a weak tag anew each time: a difference does not mean other content.
        (Some(sent), Some(new)) => (is_weak(sent) && is_weak(new)) || opaque(sent) == opaque(new),
        // Without two entity tags, the dates decide.
        _ => match (&sent.last_modified, &new.last_modified) {
            (Some(sent), Some(new)) => sent.trim() == new.trim(),
            _ => true,
        },
    }
}

fn is_weak(etag: &str) -> bool {
    etag.trim_start().starts_with("W/")
}

/// Returns the part of an entity tag that is compared: `If-None-Match` ignores weakness (RFC 9110 §13.1.2), and some
/// servers mark the tag of a gzip-coded body (`"a-gzip"`) on 200 but not on 304.
fn opaque(etag: &str) -> &str {
    let tag = etag.trim();
    let tag = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"');
    tag.strip_suffix("-gzip")
        .unwrap_or(tag)
        .trim_end_matches('-')
}

/// Returns a text that identifies a set of fields; empty for an empty set.
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

/// Returns an address without its temporary signature, which differs in every redirect to the same file.
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

/// Returns the bytes of a text made by [`given`]. Older catalogues stored UTF-8 only, so a text may hold characters
/// beyond a byte.
fn bytes_of(value: &str) -> Vec<u8> {
    let single: Option<Vec<u8>> = value.chars().map(|c| u8::try_from(c).ok()).collect();
    single.unwrap_or_else(|| value.as_bytes().to_vec())
}

#[cfg(test)]
mod tests;
