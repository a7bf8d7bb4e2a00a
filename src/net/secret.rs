//! Named secrets: filled in just before a request, and struck out of every returned text.
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

/// The secrets of one source, in every form that is struck out.
#[derive(Clone, Default)]
pub(super) struct Scrubber {
    /// Values, longest first, each with the name that replaces it.
    values: Vec<(String, String)>,
    /// Base64 and hexadecimal forms of values, each with the same name.
    digits: Vec<(String, String)>,
}

impl Scrubber {
    /// Returns `text` with every value replaced by its name. Finds values in any case (hosts are shown in lower case);
    /// verbatim, percent-encoded in whole or in part, as form data, in a JSON string or as HTML; in base64 (also within
    /// a longer text, such as `user:secret`) and hexadecimal digits; and the beginning of a value at the end of a cut
    /// text.
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

    /// Returns `text`, the rest of a cut text, without the end of a value at its beginning.
    pub(super) fn scrub_ending(&self, text: String) -> String {
        let text = self.digits.iter().fold(text, |text, (digits, name)| {
            replace_run_ending(&text, digits, name)
        });
        self.values.iter().fold(text, |text, (value, name)| {
            replace_ending(&text, value, name)
        })
    }

    /// Strikes the values out of the fields of a head, before anything is read from it. A validator with a value is
    /// removed: it must neither be stored nor come back changed. `Location` is kept, since the redirect must be
    /// followed.
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

    /// Returns whether there is nothing to strike out.
    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Adds a value, in all forms in which it may come back: verbatim; decoded from base64, such as the `user:password`
    /// of `Authorization: Basic`, and the password alone; and all of these in base64 and hexadecimal digits.
    pub(super) fn add(&mut self, name: &str, value: &str) {
        self.add_shown(&format!("${{{name}}}"), value);
    }

    /// Adds a value that the configuration holds literally, with the text to show in its place.
    pub(super) fn add_shown(&mut self, shown: &str, value: &str) {
        if value.is_empty() {
            return;
        }
        self.add_text(shown, value);
        // As in a header field, or a signing secret.
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
                // A binary key: the value is its base64.
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
        // ISO-8859-1, as in old servers.
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

/// Returns the bytes that a value is the base64 of, in either alphabet, padded or not; `None` when they are too short
/// for a secret.
fn decoded(value: &str) -> Option<Vec<u8>> {
    let decoded = STANDARD_PAD_INDIFFERENT
        .decode(value)
        .or_else(|_| URL_SAFE_PAD_INDIFFERENT.decode(value));
    decoded.ok().filter(|bytes| bytes.len() >= LEAST_BYTES)
}

/// Returns the text of a field: UTF-8, else ISO-8859-1.
fn field_text(value: &HeaderValue) -> String {
    let bytes = value.as_bytes();
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

/// Returns the address to fetch. Values are percent-encoded everywhere, so that none can leave its path segment, query
/// parameter or host.
pub(super) fn expand_address(
    address: &Address,
    secrets: &Secrets,
    scrubber: &mut Scrubber,
) -> Result<url::Url, Failure> {
    let text = expand(address.as_str(), secrets, scrubber, encode_percent)?;
    parse(&text)
}

/// Returns a configured address. A single `${NAME}` is replaced by the value verbatim, since many services hand out
/// secret addresses; elsewhere a value is percent-encoded.
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
    // A server may repeat only a part of the address.
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

/// Returns the value of a header, with its secrets filled in.
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

/// Returns a configured signing secret, which may be literal.
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
