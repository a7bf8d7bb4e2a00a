//! The address of a source: an absolute `https` URL (RFC 3986) that may hold secrets by name.

use std::fmt;

use url::Url;

use super::credential::holds_credential;
use super::dated::{Day, PLACE};
use super::likely_address::likely_address;
use super::masked::{blanked, literal_parameter, masked};
use super::template::Template;
use super::text::is_invisible;

/// The longest accepted address, in bytes. Servers and proxies commonly refuse longer ones (RFC 9110 §4.1 recommends
/// support for 8,000).
const MAX_ADDRESS_BYTES: usize = 8000;

/// An absolute, normalised URL. Each `${NAME}` in it is replaced by a secret at fetch time; `{date}` stands for the day
/// of a dated source.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(transparent)]
pub struct Address(String);

/// Why a text is no address of a source. Each message states what is accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Longer than `MAX_ADDRESS_BYTES`.
    #[error("address of {length} bytes is too long: at most {MAX_ADDRESS_BYTES} are accepted")]
    TooLong {
        /// The length of the text, in bytes.
        length: usize,
    },
    /// Not a URL, or one without a scheme.
    #[error("`{text}` is not an absolute address: {reason}")]
    Malformed {
        /// The given text, [`masked`].
        text: String,
        /// What is expected, or the address that was probably meant.
        reason: String,
    },
    /// A scheme that gannet does not fetch.
    #[error(
        "`{text}` has the scheme `{scheme}`: only https is accepted, and http with --allow-http"
    )]
    Scheme {
        /// The given text, [`masked`].
        text: String,
        /// The scheme of the text.
        scheme: String,
    },
    /// Plain HTTP without permission.
    #[error("`{text}` is plain http: use https, or allow it for this source with --allow-http")]
    PlainHttp {
        /// The given text, [`masked`].
        text: String,
    },
    /// An invisible character, most often copied along with the address.
    #[error("`{text}` has an invisible character (U+{:04X}) {place}: {advice}", u32::from(*.character))]
    Invisible {
        /// The given text without invisible characters, [`masked`].
        text: String,
        /// The character.
        character: char,
        /// "in front", "at its end", "in its host" or "in its path".
        place: &'static str,
        /// How to write the address.
        advice: String,
    },
    /// A user name or password in the address. The message does not repeat the address: it holds a secret.
    #[error(
        "the address holds a user name or password: give it with --user 'NAME:${{PASSWORD}}', or a token with --header 'Authorization: Bearer ${{TOKEN}}'"
    )]
    Credentials,
    /// A `{date}` in the host, or as the port.
    #[error("`{text}` has {PLACE} in its host: it stands for the day in the path or in the query")]
    Date {
        /// The given text, [`masked`].
        text: String,
    },
    /// A `${` that is not followed by a name and `}`.
    #[error(
        "`{text}` has a malformed secret: expected ${{NAME}}, with letters, digits and _ in the name"
    )]
    Secret {
        /// The given text, [`masked`].
        text: String,
    },
}

impl Address {
    /// Parses and normalises an address.
    ///
    /// The fragment is dropped, since no server receives it (RFC 9110 §4.2.5).
    pub fn parse(text: &str, allow_http: bool) -> Result<Self, AddressError> {
        let text = text.trim_ascii();
        if text.len() > MAX_ADDRESS_BYTES {
            return Err(AddressError::TooLong { length: text.len() });
        }
        if let Some(error) = invisible(text) {
            return Err(error);
        }
        let Some(template) = Template::parse(text) else {
            return Err(AddressError::Secret { text: masked(text) });
        };
        if has_day_in_host(text) {
            return Err(AddressError::Date { text: masked(text) });
        }
        let mut url = match Url::parse(&template.fill(|name| name)) {
            Ok(url) => url,
            Err(error) => return Err(malformed(text, &error.to_string())),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(AddressError::Credentials);
        }
        check_scheme(url.scheme(), text, allow_http)?;
        if url.host_str().is_none_or(str::is_empty) {
            return Err(malformed(text, "no host"));
        }
        url.set_fragment(None);
        // The URL parser would percent-encode the braces of a `${NAME}` and of `{date}`.
        Ok(Self(if is_template(text) {
            text.to_owned()
        } else {
            url.into()
        }))
    }

    /// Wraps an address from the catalogue, which was parsed before it was stored.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// Returns the address as stored and shown, with secrets by name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether the address has one file a day: it holds `{date}`.
    pub fn is_dated(&self) -> bool {
        places_of_day(&self.0).next().is_some()
    }

    /// Returns the address of a day's file, normalised.
    #[must_use]
    pub fn on(&self, day: Day) -> Self {
        let text = with_day(&self.0, &day.to_string());
        // The same text with another date in it was parsed when it was stored.
        Self::parse(&text, true).unwrap_or(Self(text))
    }

    /// Returns the host in lower case, with the port when it is not the scheme's own: `example.org`, `127.0.0.1:8443`.
    pub fn host(&self) -> String {
        if !is_template(&self.0) {
            // The address is normalised and holds no user name: host and port stand between `://` and the path.
            let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
            return rest.split('/').next().unwrap_or_default().to_owned();
        }
        let url = self.to_url();
        let host = url.host_str().unwrap_or_default().to_owned();
        match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host,
        }
    }

    /// Returns the address as a URL with every `${NAME}` replaced by `NAME` and `{date}` by `date`: for making names,
    /// never for fetching.
    pub fn to_url(&self) -> Url {
        let text = with_day(&self.0, "date");
        Url::parse(&Template(&text).fill(|name| name))
            .expect("an Address was parsed when it was made")
    }

    /// Describes the literal secrets in the address, those not written as `${NAME}`: a parameter by its name (in the
    /// query, or behind a `;` in the path), or a part of the path that looks like a token.
    pub fn literal_secrets(&self) -> Vec<String> {
        let (path, _) = self.0.split_once(['?', '#']).unwrap_or((&self.0, ""));
        let path = path.split_once("://").map_or(path, |(_, rest)| rest);
        let (_, path) = path.split_once('/').unwrap_or_default();
        let in_path = path.split('/').flat_map(|part| part.split(';').skip(1));
        let mut found: Vec<_> = in_path
            .chain(query_parts(&self.0))
            .filter_map(literal_parameter)
            .map(|name| format!("the parameter `{}`", name.escape_debug()))
            .collect();
        if found.is_empty() && holds_credential(&blanked(path)) {
            found.push("a part of the path".to_owned());
        }
        found
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns where `{date}` begins in an address: that of a secret `${date}` is none.
fn places_of_day(text: &str) -> impl Iterator<Item = usize> {
    let places = text.match_indices(PLACE).map(|(at, _)| at);
    places.filter(|at| !text[..*at].ends_with('$'))
}

fn has_day_in_host(text: &str) -> bool {
    let host = text.find("://").map_or(0, |scheme| scheme + 3);
    let end = text[host..].find(['/', '?', '#']);
    let end = end.map_or(text.len(), |end| host + end);
    places_of_day(text).any(|at| at < end)
}

/// Returns whether an address is kept as it was typed, since it stands for others.
fn is_template(text: &str) -> bool {
    text.contains("${") || places_of_day(text).next().is_some()
}

/// Returns an address with `day` in each place of `{date}`.
fn with_day(text: &str, day: &str) -> String {
    let (mut filled, mut rest) = (String::with_capacity(text.len()), 0);
    for at in places_of_day(text) {
        filled = filled + &text[rest..at] + day;
        rest = at + PLACE.len();
    }
    filled + &text[rest..]
}

fn check_scheme(scheme: &str, text: &str, allow_http: bool) -> Result<(), AddressError> {
    match scheme {
        "https" => Ok(()),
        "http" if allow_http => Ok(()),
        "http" => Err(AddressError::PlainHttp { text: masked(text) }),
        // The URL parser takes `example.org` for the scheme of `example.org:8443/x`.
        _ if likely_address(text).is_some() => Err(malformed(text, "")),
        other => Err(AddressError::Scheme {
            text: masked(text),
            scheme: other.to_owned(),
        }),
    }
}

fn malformed(text: &str, cause: &str) -> AddressError {
    const WITHOUT_SCHEME: &str = "relative URL without a base";
    let reason = match likely_address(text) {
        Some(meant) => format!("did you mean {meant}?"),
        None if cause.is_empty() || cause == WITHOUT_SCHEME => {
            "expected https://host/path".to_owned()
        }
        None => format!("expected https://host/path ({cause})"),
    };
    AddressError::Malformed {
        text: masked(text),
        reason,
    }
}

/// Returns the undecoded parts of an address's query, such as `id=1`.
fn query_parts(address: &str) -> impl Iterator<Item = &str> {
    let query = address.split_once('?').map_or("", |(_, query)| query);
    let query = query.split_once('#').map_or(query, |(query, _)| query);
    query.split('&').filter(|part| !part.is_empty())
}

/// Returns an error for the first invisible character. In a path the character may be intended; the advice then shows
/// its percent-encoded form.
fn invisible(text: &str) -> Option<AddressError> {
    let (at, character) = text.char_indices().find(|(_, c)| is_invisible(*c))?;
    let end = text.find("://").map_or(0, |scheme| scheme + 3);
    let path = text[end..].find(['/', '?', '#']);
    let path = path.map_or(text.len(), |path| path + end);
    let place = if at == 0 {
        "in front"
    } else if at + character.len_utf8() == text.len() {
        "at its end"
    } else if at < path {
        "in its host"
    } else {
        "in its path"
    };
    // An invisible space may have separated two words, so the message shows a plain space in its place.
    let visible = text.replace(char::is_whitespace, " ");
    let visible = visible.replace(is_invisible, "");
    let mut bytes = [0; 4];
    let sent = character.encode_utf8(&mut bytes).as_bytes();
    let sent: String = url::form_urlencoded::byte_serialize(sent).collect();
    let advice = if place == "in its path" {
        format!("type the address without it, or with {sent} where it is meant")
    } else {
        "type the address without it".to_owned()
    };
    Some(AddressError::Invisible {
        text: masked(visible.trim()),
        character,
        place,
        advice,
    })
}

#[cfg(test)]
mod tests;
