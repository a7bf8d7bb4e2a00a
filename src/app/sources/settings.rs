//! Checks an operator's settings of a source and fills in the defaults.

use crate::app::{Error, Result};
use crate::domain::{
    Address, MAX_DAYS, MAX_NAME_BYTES, RESERVED_HEADERS, SettingsPatch, SourceSettings, Template,
    VersionRef, host_in_name, masked, safe_part, segment_name, value_holds_credential,
};
use crate::net::unreachable_host;

const MAX_TAGS: usize = 64;
const MAX_HEADERS: usize = 64;
const MAX_HEADER_BYTES: usize = 8192;

/// Parts of header names whose values are secrets: those must not be stored.
const SECRET_HEADERS: [&str; 12] = [
    "auth",
    "cookie",
    "credential",
    "jwt",
    "key",
    "passphrase",
    "passw",
    "pwd",
    "secret",
    "session",
    "signature",
    "token",
];

/// Words that may precede a secret: the registered authentication schemes (RFC 9110 §16.4.1), and other common ones.
const SCHEMES: [&str; 17] = [
    "apikey",
    "aws4-hmac-sha256",
    "basic",
    "bearer",
    "digest",
    "dpop",
    "genie-key",
    "geniekey",
    "jwt",
    "key",
    "negotiate",
    "oauth",
    "privatetoken",
    "splunk",
    "ssws",
    "token",
    "vapid",
];

/// The operator's settings of a new source; missing ones get their defaults.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewSource {
    /// The address to fetch.
    pub address: String,
    /// The other settings. Without a name, the file's name is used.
    pub settings: SettingsPatch,
    /// Whether the address may contain what seems to be a secret.
    pub literal: bool,
}

impl NewSource {
    /// Returns a source with this address and defaults for the other settings.
    pub fn at(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            ..Self::default()
        }
    }

    /// Returns the address with only the permissions that it needs.
    #[must_use]
    pub fn alone(&self) -> Self {
        Self {
            address: self.address.clone(),
            settings: SettingsPatch {
                allow_http: self.settings.allow_http,
                allow_private: self.settings.allow_private,
                ..SettingsPatch::default()
            },
            literal: self.literal,
        }
    }

    /// Checks everything except whether name and address are free.
    pub fn check(&self) -> Result<()> {
        self.clone().into_settings().map(drop)
    }

    /// Checks everything except whether name and address are free. Without a name, uses the file's.
    pub fn into_settings(self) -> Result<SourceSettings> {
        let allow_http = self.settings.allow_http.unwrap_or_default();
        let address = parse_address(&self.address, allow_http)?;
        if !self.literal {
            refuse_literal_secrets(&address)?;
        }
        check_host(&address, self.settings.allow_private.unwrap_or_default())?;
        let settings = checked_patch(self.settings)?;
        let name = settings.name.clone();
        let name = name.unwrap_or_else(|| default_name(&address));
        let defaults = SourceSettings::new(name, address);
        settings
            .apply_to(&defaults)
            .map_err(|error| Error::invalid(error.to_string()))
    }
}

/// Checks each setting of a patch by itself.
pub fn check_settings(patch: &SettingsPatch) -> Result<()> {
    checked_patch(patch.clone()).map(drop)
}

/// Checks and normalizes a patch's settings, except whether the source's other settings allow its address.
pub(in crate::app) fn checked_patch(patch: SettingsPatch) -> Result<SettingsPatch> {
    Ok(SettingsPatch {
        name: patch.name.map(checked_name).transpose()?,
        tags: patch.tags.map(checked_tags).transpose()?,
        headers: patch.headers.map(checked_headers).transpose()?,
        user: patch.user.map(checked_user).transpose()?,
        days: checked_days("days", patch.days, 1)?,
        final_after: checked_days("final_after", patch.final_after, 0)?,
        ..patch
    })
}

/// Checks a number of days.
#[expect(clippy::option_option, reason = "as in the patch")]
fn checked_days(
    setting: &str,
    days: Option<Option<u32>>,
    least: u32,
) -> Result<Option<Option<u32>>> {
    match days.flatten() {
        Some(number) if !(least..=MAX_DAYS).contains(&number) => Err(Error::invalid(format!(
            "`{setting}` is {number}: from {least} to {MAX_DAYS} days are accepted"
        ))),
        _ => Ok(days),
    }
}

fn parse_address(text: &str, allow_http: bool) -> Result<Address> {
    Address::parse(text, allow_http).map_err(|error| Error::invalid(error.to_string()))
}

/// Refuses an address that seems to contain a secret: catalogue, log and every list would show it.
pub(in crate::app) fn refuse_literal_secrets(address: &Address) -> Result<()> {
    let Some(what) = address.literal_secrets().into_iter().next() else {
        return Ok(());
    };
    let message =
        format!("{what} of the address looks like a secret, which would be stored and shown");
    Err(Error::invalid(message).hint(
        "put its value into the secrets file or the environment and write ${NAME} in its place; or say --literal when it is none",
    ))
}

/// Refuses a host that every fetch would refuse, judged by the address alone.
pub(in crate::app) fn check_host(address: &Address, allow_private: bool) -> Result<()> {
    match unreachable_host(&address.to_url(), allow_private) {
        Some(problem) => Err(Error::invalid(format!("cannot fetch {address}: {problem}"))),
        None => Ok(()),
    }
}

/// Returns the file's name, or the host for an address without one, as a valid name: `2024`, which looks like an id,
/// gets the host as its prefix.
fn default_name(address: &Address) -> String {
    let host = host_in_name(address);
    let segment = segment_name(&address.to_url());
    if segment == "index" {
        return checked_name(host.clone()).unwrap_or_else(|_| format!("file-{host}"));
    }
    let name = not_a_version(segment).replace(['[', ']', '{', '}'], "_");
    let with_host = format!("{host}-{name}");
    checked_name(name)
        .or_else(|_| checked_name(with_host))
        .unwrap_or_else(|_| format!("file-{host}"))
}

/// Changes a name that would be read as a version: `a~2` is the second version before the newest.
fn not_a_version(name: String) -> String {
    if is_version_suffixed(&name) {
        name.replace(['~', '@', ':'], "-")
    } else {
        name
    }
}

/// Reports whether `name` reads as a version of a source: `a~2`, `a@2h`, `a:published`.
fn is_version_suffixed(name: &str) -> bool {
    let version = name.parse::<VersionRef>();
    version.is_ok_and(|version| version.source().is_some_and(|source| source != name))
}

/// Checks a name: it must not look like an id, a version, a tag or a glob, and must be printable.
fn checked_name(name: String) -> Result<String> {
    let shown = masked(&name);
    let bad = |why: &str| Err(Error::invalid(format!("`{shown}` cannot be a name: {why}")));
    let number = name.strip_prefix('v').filter(|rest| !rest.is_empty());
    let number = number.unwrap_or(&name);
    if name.is_empty() || name.len() > MAX_NAME_BYTES {
        return bad("it takes 1 to 200 bytes");
    }
    // Many file names contain a digest.
    if shown != name && name.contains(['@', '=']) {
        return bad("what looks like a secret in it would be shown in every list");
    }
    let part = name.replace(['/', ':', '.'], "-");
    if name.trim() != name || name.starts_with('-') || safe_part(&part).as_ref() != Some(&part) {
        return bad(
            "it takes printable characters except \\ * ? \" < > | and no space or dash in front",
        );
    }
    if name.bytes().all(|c| c == b'.') {
        return bad("a file of dots alone is a folder to every system");
    }
    if number.bytes().all(|c| c.is_ascii_digit()) {
        return bad(if name.starts_with('v') {
            "v and a number is a version's id; put another letter in it"
        } else {
            "a number is taken for an id; put a letter in it"
        });
    }
    if is_version_suffixed(&name) {
        return bad("~N, @TIME and :published behind a name mean versions of it");
    }
    if name.starts_with("set:") {
        return bad("set: selects a set");
    }
    if name.starts_with("tag:") || name.contains(['*', '?', '[', ']', '{', '}']) {
        return bad("tag: and the characters * ? [ ] { } select several sources");
    }
    Ok(name)
}

fn checked_tags(mut tags: Vec<String>) -> Result<Vec<String>> {
    // Those that are there twice count, as in the description of the API.
    if tags.len() > MAX_TAGS {
        return Err(Error::invalid(format!(
            "{} tags: at most {MAX_TAGS} are accepted",
            tags.len()
        )));
    }
    for tag in &tags {
        if tag == "none" {
            let message = "`none` cannot be a tag: that is how no tags are shown";
            return Err(
                Error::invalid(message).hint("`gannet edit SOURCE --no-tags` takes tags away")
            );
        }
        if tag.is_empty()
            || tag.len() > 64
            || !tag
                .chars()
                .all(|c| c.is_alphanumeric() || "-_./".contains(c))
        {
            return Err(Error::invalid(format!(
                "`{}` cannot be a tag: it takes 1 to 64 letters, digits and - _ . /",
                masked(tag)
            )));
        }
    }
    tags.sort();
    tags.dedup();
    Ok(tags)
}

fn checked_headers(mut headers: Vec<(String, String)>) -> Result<Vec<(String, String)>> {
    if headers.len() > MAX_HEADERS {
        return Err(Error::invalid(format!(
            "{} headers: at most {MAX_HEADERS} are accepted",
            headers.len()
        )));
    }
    for (name, value) in &headers {
        check_header(name, value)?;
    }
    // The order of different names has no meaning (RFC 9110 §5.3); that of equal names is kept.
    headers.sort_by_cached_key(|(name, _)| name.to_ascii_lowercase());
    Ok(headers)
}

/// Checks a header. Its value, which may be a secret, never appears in a message.
fn check_header(name: &str, value: &str) -> Result<()> {
    let bad = |why: String| Err(Error::invalid(why));
    // A token (RFC 9110 §5.6.2).
    let is_token_char = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || !name.chars().all(is_token_char) {
        return bad(format!(
            "`{name}` is not the name of a header: expected 'Name: value'"
        ));
    }
    let lower = name.to_ascii_lowercase();
    if RESERVED_HEADERS.contains(&lower.as_str()) {
        return bad(format!("the header `{name}` is gannet's own to set"));
    }
    if value.len() > MAX_HEADER_BYTES || value.chars().any(|c| c.is_control() && c != '\t') {
        return bad(format!(
            "the value of the header `{name}` is too long or has control characters"
        ));
    }
    let is_secret = SECRET_HEADERS.iter().any(|part| lower.contains(part));
    if (is_secret && !is_all_by_name(value)) || value_holds_credential(value) {
        let message = format!("the value of the header `{name}` would be kept in plain text");
        return Err(Error::invalid(message).hint(format!(
            "put it in the secrets file or the environment and give '{name}: ${{NAME}}'; only a scheme such as Bearer may stand before it"
        )));
    }
    if Template::parse(value).is_none() {
        return bad(format!(
            "the header `{name}` has a malformed secret: expected ${{NAME}}"
        ));
    }
    Ok(())
}

/// Checks a name and a password for basic authentication. Neither appears in a message: either may be the secret.
fn checked_user(user: Option<String>) -> Result<Option<String>> {
    let Some(text) = &user else {
        return Ok(None);
    };
    let bad = |why: &str| {
        Err(Error::invalid(why.to_owned()).hint(
            "put the password in the secrets file or the environment and give NAME:${PASSWORD}",
        ))
    };
    let Some((name, password)) = text.split_once(':') else {
        return bad("a user is a name, a colon and a password");
    };
    if text.len() > MAX_HEADER_BYTES || text.chars().any(char::is_control) {
        return bad("the user is too long or has control characters");
    }
    if Template::parse(name).is_none() || Template::parse(password).is_none() {
        return bad("the user has a malformed secret: expected ${NAME}");
    }
    if Template(password).whole_name().is_none() {
        return bad("the password of the user would be kept in plain text");
    }
    Ok(user)
}

/// Reports whether a header's value contains secrets by name only: a scheme may come first, and parameters may be
/// labelled (`Token token=${A}`, `session=${B}; id=${C}`).
fn is_all_by_name(value: &str) -> bool {
    let plain = Template(value).fill(|_| "");
    let is_harmless = |(index, word): (usize, &str)| {
        let scheme = index == 0 && SCHEMES.contains(&word.to_ascii_lowercase().as_str());
        let parameter = word.trim_end_matches('"').ends_with('=');
        scheme || parameter || !word.contains(char::is_alphanumeric)
    };
    value.contains("${")
        && plain
            .split([' ', '\t', ';', ','])
            .filter(|word| !word.is_empty())
            .enumerate()
            .all(is_harmless)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_everything_else() {
        for good in [
            "prices.csv",
            "ecb/eurofxref",
            "Zürich 2",
            "v2.json",
            "v",
            "a~b",
            "joe@example.org",
            ".well-known",
        ] {
            assert!(checked_name(good.to_owned()).is_ok(), "{good}");
        }
        for bad in [
            "",
            "17",
            "v17",
            "-x",
            " x",
            "x ",
            "a*b",
            "a~1",
            "a@2h",
            "a@yesterday",
            "a@2026-01-31",
            "a:published",
            "tag:x",
            "a\nb",
            "a\u{202e}b",
            "https://u:hunter2@h",
            "h/?token=hunter2",
        ] {
            assert!(checked_name(bad.to_owned()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn every_address_gets_a_name() {
        for (address, name) in [
            ("https://example.org/a/prices.csv?x=1", "prices.csv"),
            ("https://example.org:8443/", "example.org_8443"),
            ("https://example.org/2024", "example.org-2024"),
            ("https://example.org:8443/v2", "example.org_8443-v2"),
            ("https://example.org/-x", "example.org--x"),
            ("https://example.org/[a]{b}.csv", "_a__b_.csv"),
            ("https://[::1]/", "___1_"),
            ("https://example.org/x~2", "x-2"),
            ("https://example.org/x@2026-01-31", "x-2026-01-31"),
            ("https://example.org/~joe", "~joe"),
        ] {
            let address = Address::parse(address, false).expect("an address");
            assert_eq!(default_name(&address), name);
        }
    }

    #[test]
    fn a_user_keeps_the_password_out_of_the_store() {
        let one = |user: &str| checked_user(Some(user.to_owned()));
        for good in ["joe:${PASSWORD}", ":${TOKEN}", "${USER}:${PASSWORD}"] {
            one(good).expect(good);
        }
        for bad in [
            "joe",
            "joe:",
            "joe:hunter2",
            "joe:${A}hunter2",
            "joe:hunter2${A}",
            "joe:${A}:${B}",
            "joe:${A",
            "joe:${}",
            "${A:hunter2",
            "jo\ne:${A}",
        ] {
            let error = one(bad).expect_err(bad);
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        assert_eq!(checked_user(None).expect("none"), None);
    }

    #[test]
    fn headers_keep_secrets_out_of_the_store() {
        let one =
            |name: &str, value: &str| checked_headers(vec![(name.to_owned(), value.to_owned())]);
        assert!(
            one("Authorization", "Bearer ${TOKEN}").is_ok() && one("Accept", "text/csv").is_ok()
        );
        for (name, value) in [
            ("X-Api-Key", "${KEY}"),
            ("Authorization", "Token token=\"${A}\""),
            ("Authorization", "basic ${A}"),
            ("Cookie", "session=${A}; id=${B}"),
            ("X-Auth", "${USER}:${PASSWORD}"),
            ("X-Client", "Bearer ${TOKEN}"),
            ("X-Request-Id", "123e4567-e89b-12d3-a456-426614174000"),
        ] {
            one(name, value).expect(value);
        }
        for (name, value) in [
            ("Authorization", "Bearer hunter2"),
            ("Authorization", "Bearer"),
            ("Authorization", "hunter2 ${X}"),
            ("Authorization", "Bearer ${X} hunter2"),
            ("Authorization", "Bearer hunter2${X}"),
            ("X-Api-Key", "hunter2"),
            ("X-Auth-Token", "hunter2"),
            ("Client-Secret", "hunter2"),
            ("X-Password", "hunter2"),
            ("Cookie", "session=hunter2; id=${X}"),
            ("X-Session-Id", "hunter2"),
            ("X-Client", "Bearer hunter2"),
            ("X-Client", "${A} https://joe:hunter2@h/"),
            ("X-Client", "id=${A} 0123456789abcdef0123456789abcdef"),
            ("Host", "x"),
            ("A b", "x"),
            ("X", "a\r\nb"),
            ("X", "${"),
        ] {
            let error = one(name, value).expect_err(name);
            assert!(!error.message.contains("hunter2"));
        }
    }
}
