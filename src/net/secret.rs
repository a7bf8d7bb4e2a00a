//! Secrets by name: filled in just before a request, and struck out of every text that comes back.
//!
//! Never stores or prints a value.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_PAD_INDIFFERENT, URL_SAFE_PAD_INDIFFERENT};
use reqwest::header::{ETAG, HeaderMap, HeaderValue, LAST_MODIFIED, LOCATION};
use secrecy::{ExposeSecret as _, SecretString};

use super::failure::Failure;
use super::signature::SIGNING_PREFIX;
use super::spelling::{
    base64_forms, hex_forms, replace, replace_ending, replace_run_ending, replace_runs,
};
use crate::config::{LEAST_SECRET_BYTES as LEAST_BYTES, Secrets};
use crate::domain::{Address, FailureKind, decode_percent};

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
    let Some(name) = whole_name(text) else {
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

fn whole_name(text: &str) -> Option<&str> {
    let name = text.strip_prefix("${")?.strip_suffix('}')?;
    (!name.contains('}')).then_some(name)
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
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, after)) = after.split_once('}') else {
            break;
        };
        let value = value_of(name, secrets)?;
        scrubber.add(name, value.expose_secret());
        expanded.push_str(before);
        expanded.push_str(&encode(value.expose_secret()));
        rest = after;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

/// Returns a signing secret as the configuration has it, which may be the value itself.
pub(super) fn expand_signing(
    text: &str,
    secrets: &Secrets,
    scrubber: &mut Scrubber,
) -> Result<String, Failure> {
    let value = expand_value(text, secrets, scrubber)?;
    if whole_name(text.trim()).is_none() {
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

/// Encodes all but the unreserved characters (RFC 3986 §2.3).
fn encode_percent(value: &str) -> String {
    encode_but(value, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
    })
}

fn encode_but(value: &str, keep: impl Fn(u8) -> bool) -> String {
    use std::fmt::Write as _;
    value
        .bytes()
        .fold(String::with_capacity(value.len()), |mut text, byte| {
            if keep(byte) {
                text.push(char::from(byte));
            } else {
                let _ = write!(text, "%{byte:02X}");
            }
            text
        })
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::prelude::{
        BASE64_STANDARD_NO_PAD as STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD,
    };

    use super::*;

    fn secrets() -> Secrets {
        Secrets::from_values([
            ("KEY".to_owned(), "a/b&c=d #é".to_owned()),
            ("HOST".to_owned(), "Intern".to_owned()),
            ("EVIL".to_owned(), "evil.example/@".to_owned()),
        ])
    }

    fn expanded(text: &str) -> Result<String, String> {
        let address = Address::parse(text, false).expect(text);
        let mut scrubber = Scrubber::default();
        expand_address(&address, &secrets(), &mut scrubber)
            .map(String::from)
            .map_err(|failure| failure.detail)
    }

    #[test]
    fn a_value_stays_in_its_place() {
        let key = "a%2Fb%26c%3Dd%20%23%C3%A9";
        for (text, expected) in [
            ("https://h/${KEY}/x", format!("https://h/{key}/x")),
            ("https://h/?k=${KEY}&x=1", format!("https://h/?k={key}&x=1")),
            (
                "https://${HOST}.example/",
                "https://intern.example/".to_owned(),
            ),
            (
                "https://h/?k=${HOST}#part",
                "https://h/?k=Intern".to_owned(),
            ),
        ] {
            assert_eq!(expanded(text), Ok(expected), "{text}");
        }
        let error = expanded("https://${EVIL}.example.org/").expect_err("a host cannot hold it");
        assert!(!error.contains("evil"), "{error}");
        let error = expanded("https://h/${NONE}").expect_err("no value");
        assert!(error.contains("the secret NONE has no value"), "{error}");
    }

    #[test]
    fn a_configured_address_may_be_a_secret_as_a_whole() {
        let secrets = Secrets::from_values([
            (
                "HOOK".to_owned(),
                "https://Hooks.example/T0/B0#x".to_owned(),
            ),
            ("BAD".to_owned(), "hunter2".to_owned()),
        ]);
        let expand = |text: &str| {
            let mut scrubber = Scrubber::default();
            expand_configured(text, &secrets, &mut scrubber).map(|url| (url, scrubber))
        };
        let (url, scrubber) = expand("${HOOK}").expect("an address");
        assert_eq!(url.as_str(), "https://hooks.example/T0/B0");
        for (text, expected) in [
            ("refused by hooks.example:443", "refused by ${HOOK}:443"),
            ("Cannot POST /T0/B0", "Cannot POST ${HOOK}"),
        ] {
            assert_eq!(scrubber.scrub(text.to_owned()), expected);
        }
        let (url, _) = expand("http://h/${BAD}${BAD}").expect("an address");
        assert_eq!(url.as_str(), "http://h/hunter2hunter2");
        for text in ["${BAD}", "${NONE}", "${BAD}${HOOK}", "h"] {
            let error = expand(text).map(|(url, _)| url).expect_err(text).detail;
            assert!(!error.contains("hunter2"), "{text}: {error}");
        }
    }

    #[test]
    fn strikes_out_every_form() {
        let mut scrubber = Scrubber::default();
        expand_value("Bearer ${KEY} ${HOST}", &secrets(), &mut scrubber).expect("values");
        for (text, expected) in [
            ("at intern.example", "at ${HOST}.example"),
            ("/a%2fb%26c%3dd%20%23%c3%a9/", "/${KEY}/"),
            ("k=a/b&c=d #é", "k=${KEY}"),
            ("k=a/b&c=d%20%23%C3%A9", "k=${KEY}"),
            ("k=a/b%26c=d+%23%c3%a9&x", "k=${KEY}&x"),
            ("k=a%252Fb%2526c%253Dd%2520%2523%25C3%25A9", "k=${KEY}"),
            (r#"{"k": "a\/b&c=d #é"}"#, r#"{"k": "${KEY}"}"#),
            (r"a\u002fb\u0026c\u003dd #é", "${KEY}"),
            ("<b>a/b&amp;c=d #é</b>", "<b>${KEY}</b>"),
            ("<b>a&#x2F;b&#38;c=d #é</b>", "<b>${KEY}</b>"),
            (
                "a&#47;b&#038;c&#x3d;d&#32;&#35;&eacute;",
                "a&#47;b&#038;c&#x3d;d&#32;&#35;&eacute;",
            ),
            ("&#97;&#x2F;b&#038;c&#x3d;d&#32;&#35;&#233;", "${KEY}"),
            (r"a/b&c=d #\u00e9", "${KEY}"),
            (
                r"\x61\x2fb&c=d #\xe9, \x61/b&c=d #\xc3\xa9",
                "${KEY}, ${KEY}",
            ),
            ("a=2Fb=26c=3Dd=20=23=C3=A9", "${KEY}"),
            ("a%2Fb%26c%3Dd%20%23%E9", "${KEY}"),
            (
                "a%25252Fb%252526c%25253Dd%252520%252523%2525C3%2525A9",
                "${KEY}",
            ),
            // ISO-8859-1 and UTF-8, each read as the other.
            ("a/b&c=d #\u{fffd}.", "${KEY}."),
            ("a/b&c=d #\u{c3}\u{a9}.", "${KEY}."),
            ("a/b&c=d #\u{c3}%a9.", "${KEY}."),
            ("A/B&C=D #É.", "${KEY}."),
            ("cut: a/b&c", "cut: ${KEY}"),
            ("cut: inter", "cut: ${HOST}"),
            ("not cut: int", "not cut: int"),
            ("interval", "interval"),
            ("é nothing", "é nothing"),
        ] {
            assert_eq!(scrubber.scrub(text.to_owned()), expected, "{text}");
        }
    }

    /// Wherever a text is cut, no more of a value is left than what is too short to be told from chance.
    #[test]
    fn strikes_out_the_beginning_wherever_a_text_is_cut() {
        const VALUE: &str = "a/b&c=d #é";
        let mut scrubber = Scrubber::default();
        expand_value("${KEY}", &secrets(), &mut scrubber).expect("a value");
        let hex = crate::domain::to_hex(VALUE.as_bytes());
        let every = |before: &str, behind: &str| -> String {
            let hex = |byte| crate::domain::to_hex(&[byte]);
            VALUE
                .bytes()
                .map(|byte| [before, &hex(byte), behind].concat())
                .collect()
        };
        // With what may be left: three bytes and half an escape, or as many bits of digits.
        for (spelled, most) in [
            (VALUE.to_owned(), 3),
            ("a/b%26c%3Dd%20%23%C3%A9".to_owned(), 3 + 2),
            (every("%", ""), 3 * 3 + 2),
            (every("%25", ""), 3 * 5 + 4),
            (every("\\u00", ""), 3 * 6 + 5),
            (r"a\/b\u0026c\u003dd #é".to_owned(), 4 + 5),
            ("a/b&amp;c&#x3D;d #é".to_owned(), 3 + 5),
            ("a&#x2F;b&#38;c=d #é".to_owned(), 8 + 5),
            (STANDARD_NO_PAD.encode(VALUE), 5),
            (STANDARD_NO_PAD.encode(format!("u:{VALUE}")), 5 + 3),
            (URL_SAFE_NO_PAD.encode(format!("ser:{VALUE}")), 5 + 6),
            (hex.to_uppercase(), 5),
            (hex, 5),
        ] {
            for end in (1..spelled.len()).filter(|end| spelled.is_char_boundary(*end)) {
                for mark in ["", "…", "\u{fffd}"] {
                    let text = format!("cut: {}{mark}", &spelled[..end]);
                    let shown = scrubber.scrub(text.clone());
                    let left = shown.strip_prefix("cut: ").expect("what was before");
                    let is_clean = left.starts_with("${KEY}") || left.len() <= most + mark.len();
                    assert!(is_clean, "{text}: {shown}");
                }
            }
            for start in (1..spelled.len()).filter(|start| spelled.is_char_boundary(*start)) {
                let text = format!("{}, cut", &spelled[start..]);
                let shown = scrubber.scrub(scrubber.scrub_ending(text.clone()));
                let left = shown.strip_suffix(", cut").expect("what was behind");
                assert!(
                    left.ends_with("${KEY}") || left.len() <= most.max(11),
                    "{text}: {shown}"
                );
            }
        }
    }

    #[test]
    fn strikes_out_base64_and_hexadecimal_digits() {
        let mut scrubber = Scrubber::default();
        expand_value("${KEY}", &secrets(), &mut scrubber).expect("a value");
        let encoded = |text: &str| STANDARD_NO_PAD.encode(text);
        for around in ["", "u", "us", "user:", "joe@example.org:"] {
            for behind in ["", "x", "xy", "xyz"] {
                let text = format!("{around}a/b&c=d #é{behind}");
                for digits in [
                    encoded(&text),
                    URL_SAFE_NO_PAD.encode(&text),
                    encoded(&text) + "=",
                ] {
                    let shown = scrubber.scrub(format!("Basic {digits}, or"));
                    assert_eq!(shown, "Basic ${KEY}, or", "{text}");
                }
            }
        }
        assert_eq!(
            scrubber.scrub("x=612f6226633d642023c3a9;".to_owned()),
            "x=${KEY};"
        );
        assert_eq!(
            scrubber.scrub("Basic dXNlcg==".to_owned()),
            "Basic dXNlcg=="
        );
    }

    #[test]
    fn strikes_out_a_percent_sign_however_often_it_is_encoded() {
        let mut scrubber = Scrubber::default();
        scrubber.add("P", "50%25off");
        for text in ["50%25off", "50%2525off", "50%252525off", "50%25252525off"] {
            assert_eq!(scrubber.scrub(text.to_owned()), "${P}", "{text}");
        }
    }

    /// `Authorization: Basic ${CRED}` is the only way to log in with a password.
    #[test]
    fn strikes_out_what_a_value_is_the_base64_of() {
        let login = STANDARD_NO_PAD.encode("user:hunter2pass");
        for value in [
            login.clone(),
            STANDARD_NO_PAD.encode("us:hunter2pass"),
            format!("{login}=="),
            format!("Basic {login}"),
            URL_SAFE_NO_PAD.encode("u~:hunter2pass"),
        ] {
            let mut scrubber = Scrubber::default();
            scrubber.add("CRED", &value);
            let again = STANDARD_NO_PAD.encode("joe:hunter2pass");
            for text in [
                "no hunter2pass here",
                "no HUNTER2PASS here",
                &format!("no {value} here"),
                &format!("no {again} here"),
                "no hunter2%70ass here",
            ] {
                let shown = scrubber.scrub((*text).to_owned());
                let is_clean =
                    ["no ${CRED} here", "no Basic ${CRED} here"].contains(&shown.as_str());
                assert!(is_clean, "{value}: {text}: {shown}");
            }
            let shown = scrubber.scrub("hello, user: x".to_owned());
            assert_eq!(shown, "hello, user: x");
        }
        // The key that a signing secret stands for.
        let key = b"\x00\x01\xfe\xffkey-of-hooks";
        let mut scrubber = Scrubber::default();
        let encoded = STANDARD_NO_PAD.encode(key);
        scrubber.add("WH", &format!("whsec_{encoded}"));
        for text in [
            format!("whsec_{encoded}"),
            encoded.clone(),
            crate::domain::to_hex(key),
        ] {
            assert_eq!(scrubber.scrub(text.clone()), "${WH}", "{text}");
        }
    }

    #[test]
    fn fields_in_any_encoding_are_clean() {
        let mut scrubber = Scrubber::default();
        scrubber.add("KEY", "hunter-é-2");
        for field in [
            &b"\"hunter-\xe9-2\""[..],
            b"\"hunter-\xc3\xa9-2\"",
            b"\"\xff hunter-\xc3\xa9-2\"",
        ] {
            let mut headers = HeaderMap::new();
            let value = HeaderValue::from_bytes(field).expect("a value");
            headers.insert(ETAG, value.clone());
            headers.insert("x-other", value);
            scrubber.scrub_fields(&mut headers);
            let left = headers.values().map(HeaderValue::as_bytes);
            let left: Vec<u8> = left.flatten().copied().collect();
            assert!(!left.starts_with(b"hunter"), "{left:?}");
            assert!(headers.get(ETAG).is_none());
        }
    }

    #[test]
    fn fields_are_clean_before_they_are_read() {
        let mut scrubber = Scrubber::default();
        expand_value("${HOST}", &secrets(), &mut scrubber).expect("a value");
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("content-type", "text/intern; x=y"),
            ("content-disposition", "attachment; filename=\"intern.csv\""),
            ("etag", "\"intern-1\""),
            ("last-modified", "intern"),
            ("location", "/intern"),
            ("x-other", "fine"),
        ] {
            let value = HeaderValue::from_static(value);
            headers.append(reqwest::header::HeaderName::from_static(name), value);
        }
        scrubber.scrub_fields(&mut headers);
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        assert_eq!(text("content-type"), Some("text/${HOST}; x=y"));
        assert_eq!(
            text("content-disposition"),
            Some("attachment; filename=\"${HOST}.csv\"")
        );
        assert_eq!((text("etag"), text("last-modified")), (None, None));
        assert_eq!(
            (text("location"), text("x-other")),
            (Some("/intern"), Some("fine"))
        );
    }

    #[test]
    fn a_short_value_is_no_secret() {
        let secrets = Secrets::from_values([("X".to_owned(), "12345".to_owned())]);
        let error = expand_value("${X}", &secrets, &mut Scrubber::default());
        let error = error.expect_err("too short").detail;
        assert!(
            error.contains("fewer than 6 bytes") && !error.contains("12345"),
            "{error}"
        );
    }
}
