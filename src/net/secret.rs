//! Secrets by name: filled in just before a request, and struck out of every text that comes back.
//!
//! Never stores or prints a value.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_PAD_INDIFFERENT, URL_SAFE_PAD_INDIFFERENT};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{ETAG, HeaderMap, HeaderValue, LAST_MODIFIED, LOCATION};
use secrecy::{ExposeSecret as _, SecretString};

use super::failure::Failure;
use super::signature::SIGNING_PREFIX;
use super::spelling::{
    base64_forms, hex_forms, replace, replace_ending, replace_run_ending, replace_runs,
};
use crate::config::{LEAST_SECRET_BYTES as LEAST_BYTES, Secrets};
use crate::domain::{Address, FailureKind, Template, decode_percent};

/// The secrets of one source, with what they must not be seen as.
#[derive(Clone, Default)]
pub(super) struct Scrubber {
    /// What is struck out, longest first, and the name that takes its place.
    values: Vec<(String, String)>,
    /// Base64 and hexadecimal digits that a value is written with, and the same name.
    digits: Vec<(String, String)>,
}

impl Scrubber {
    /// Returns `text` with every value replaced by its name: in whatever case, since a host is shown in lower case; as it is,
    /// percent-encoded in whole or in part, as form data, in a JSON string or as HTML; in base64 (also as a part of a longer
    /// text, such as `user:secret`) and in hexadecimal digits; and its beginning at the end of a text that was cut.
    pub(super) fn scrub(&self, text: String) -> String {
        if self.is_empty() {
            return text;
        }
        let text = self.digits.iter().fold(text, |text, (digits, name)| {
            replace_runs(&text, digits, name)
        });
        self.values
            .iter()
            .fold(text, |text, (value, name)| replace(&text, value, name))
    }

    /// Returns `text`, the rest of one that was cut, without the end of a value at its beginning.
    pub(super) fn scrub_ending(&self, text: String) -> String {
        let text = self.digits.iter().fold(text, |text, (digits, name)| {
            replace_run_ending(&text, digits, name)
        });
        self.values.iter().fold(text, |text, (value, name)| {
            replace_ending(&text, value, name)
        })
    }

    /// Strikes the values out of the fields of an answer's head, before anything is read from it. A validator that holds one is
    /// removed: it must neither be kept nor come back changed. Where a redirect leads has to be followed as it is.
    pub(super) fn scrub_fields(&self, headers: &mut HeaderMap) {
        if self.is_empty() {
            return;
        }
        let mut spoiled = Vec::new();
        for (name, value) in headers.iter_mut() {
            let text = field_text(value);
            let clean = self.scrub(text.clone());
            if clean == text || *name == LOCATION {
                continue;
            }
            match HeaderValue::from_str(&clean) {
                Ok(clean) if *name != ETAG && *name != LAST_MODIFIED => *value = clean,
                _ => spoiled.push(name.clone()),
            }
        }
        for name in spoiled {
            headers.remove(name);
        }
    }

    /// Tells whether there is nothing to strike out.
    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Adds a value, in whatever way it may come back: as it is; what it is the base64 of, such as the `user:password` of
    /// `Authorization: Basic`, and the password alone; and all of it in base64 and hexadecimal digits.
    pub(super) fn add(&mut self, name: &str, value: &str) {
        self.add_shown(&format!("${{{name}}}"), value);
    }

    /// Adds a value that stands in the configuration as it is, with what is shown in its place.
    pub(super) fn add_shown(&mut self, shown: &str, value: &str) {
        if value.is_empty() {
            return;
        }
        self.add_text(shown, value);
        // As a field's value has it, or a signing secret.
        let bare = ["Basic ", "Bearer ", SIGNING_PREFIX]
            .iter()
            .find_map(|prefix| value.strip_prefix(prefix))
            .map_or(value, str::trim);
        if bare != value && bare.len() >= LEAST_BYTES {
            self.add_text(shown, bare);
        }
        if let Some(decoded) = decoded(bare) {
            match String::from_utf8(decoded) {
                Ok(text) if !text.contains(char::is_control) => {
                    let password = text.split_once(':').map(|(_, password)| password);
                    for part in [Some(text.as_str()), password].into_iter().flatten() {
                        if part.len() >= LEAST_BYTES {
                            self.add_text(shown, part);
                        }
                    }
                }
                // A key: in base64 it is the value itself.
                Ok(text) => self.add_hex(shown, text.as_bytes()),
                Err(error) => self.add_hex(shown, error.as_bytes()),
            }
        }
        for forms in [&mut self.values, &mut self.digits] {
            forms.sort_by_key(|(form, _)| std::cmp::Reverse(form.len()));
            forms.dedup();
        }
    }

    fn add_text(&mut self, shown: &str, text: &str) {
        self.values.push((text.to_owned(), shown.to_owned()));
        self.add_digits(shown, text.as_bytes());
        let single: Result<Vec<u8>, _> = text.chars().map(u8::try_from).collect();
        // ISO-8859-1, as old servers have it.
        if let Some(single) = single.ok().filter(|_| !text.is_ascii()) {
            self.add_digits(shown, &single);
        }
    }

    fn add_digits(&mut self, shown: &str, bytes: &[u8]) {
        let digits = base64_forms(bytes).map(|digits| (digits, shown.to_owned()));
        self.digits.extend(digits);
        self.add_hex(shown, bytes);
    }

    fn add_hex(&mut self, shown: &str, bytes: &[u8]) {
        let digits = hex_forms(bytes).map(|digits| (digits, shown.to_owned()));
        self.digits.extend(digits);
    }
}

/// Returns what a value is the base64 of, in either alphabet, padded or not; nothing when that is too short to be a secret.
fn decoded(value: &str) -> Option<Vec<u8>> {
    let decoded = STANDARD_PAD_INDIFFERENT
        .decode(value)
        .or_else(|_| URL_SAFE_PAD_INDIFFERENT.decode(value));
    decoded.ok().filter(|bytes| bytes.len() >= LEAST_BYTES)
}

/// Returns the text of a field: UTF-8, or else ISO-8859-1, where each byte is a character.
fn field_text(value: &HeaderValue) -> String {
    let bytes = value.as_bytes();
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

/// Returns the address to fetch. A value is percent-encoded wherever it stands, so that it cannot leave its place: not
/// a path segment, not a query parameter, not the host.
pub(super) fn expand_address(
    address: &Address,
    secrets: &Secrets,
    scrubber: &mut Scrubber,
) -> Result<url::Url, Failure> {
    let text = expand(address.as_str(), secrets, scrubber, encode_percent)?;
    parse(&text)
}

/// Returns an address that stands in the configuration. One that is a single `${NAME}` is the value as it is, since
/// many services hand out an address that is a secret as a whole; anywhere else a value stays in its place.
pub(super) fn expand_configured(
    text: &str,
    secrets: &Secrets,
    scrubber: &mut Scrubber,
) -> Result<url::Url, Failure> {
    let Some(name) = Template(text).whole_name() else {
        let url = parse(&expand(text, secrets, scrubber, encode_percent)?)?;
        let password = decode_percent(url.password().unwrap_or_default());
        if !text.contains("${") && password.len() >= LEAST_BYTES {
            scrubber.add_shown("[password]", &password);
        }
        return Ok(url);
    };
    let value = value_of(name, secrets)?;
    let url = parse(value.expose_secret())?;
    // A server that repeats the address repeats a part of it.
    let parts = [
        Some(value.expose_secret()),
        Some(url.as_str()),
        Some(url.path()).filter(|path| *path != "/"),
        url.query(),
        url.host_str(),
    ];
    for part in parts.into_iter().flatten() {
        scrubber.add(name, part);
    }
    Ok(url)
}

fn parse(text: &str) -> Result<url::Url, Failure> {
    let mut url = url::Url::parse(text).map_err(|error| {
        let detail = format!("the address with its secrets filled in is malformed: {error}");
        Failure::new(FailureKind::Secret, detail)
    })?;
    url.set_fragment(None);
    Ok(url)
}

/// Returns the value of a header.
pub(super) fn expand_value(
    value: &str,
    secrets: &Secrets,
    scrubber: &mut Scrubber,
) -> Result<String, Failure> {
    expand(value, secrets, scrubber, str::to_owned)
}

fn expand(
    text: &str,
    secrets: &Secrets,
    scrubber: &mut Scrubber,
    encode: impl Fn(&str) -> String,
) -> Result<String, Failure> {
    Template(text).expand(|name| {
        let value = value_of(name, secrets)?;
        scrubber.add(name, value.expose_secret());
        Ok(encode(value.expose_secret()))
    })
}

/// Returns a signing secret as the configuration has it, which may be the value itself.
pub(super) fn expand_signing(
    text: &str,
    secrets: &Secrets,
    scrubber: &mut Scrubber,
) -> Result<String, Failure> {
    let value = expand_value(text, secrets, scrubber)?;
    if Template(text.trim()).whole_name().is_none() {
        scrubber.add_shown("[signing secret]", value.trim());
    }
    Ok(value)
}

pub(super) fn value_of(name: &str, secrets: &Secrets) -> Result<SecretString, Failure> {
    let refused = |why: &str| {
        let detail = format!("the secret {name} {why}");
        Failure::new(FailureKind::Secret, detail)
    };
    let value = secrets
        .get(name)
        .ok_or_else(|| refused("has no value: set it in the secrets file or in the environment"))?;
    if secrets.is_too_short(name) {
        return Err(refused(
            "has fewer than 6 bytes: it could not be struck out of what is stored and shown; write it as it is if it is no secret",
        ));
    }
    Ok(value)
}

/// All but the unreserved characters (RFC 3986 §2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

fn encode_percent(value: &str) -> String {
    utf8_percent_encode(value, RESERVED).to_string()
}

#[cfg(test)]
mod tests;
