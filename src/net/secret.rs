//! Secrets by name: filled in just before a request, and struck out of every text that comes back.
//!
//! Never stores or prints a value.

use secrecy::{ExposeSecret as _, SecretString};

use super::failure::Failure;
use crate::config::Secrets;
use crate::domain::{Address, FailureKind};

/// The secrets of one source, with what they must not be seen as.
#[derive(Default)]
pub(super) struct Scrubber {
    /// What is struck out, longest first, and the name that takes its place.
    forms: Vec<(String, String)>,
}

impl Scrubber {
    /// Returns `text` with every value replaced by its name, in whatever case: a host is shown in lower case.
    pub(super) fn scrub(&self, text: String) -> String {
        self.forms.iter().fold(text, |text, (value, name)| {
            replace_ignoring_case(&text, value, name)
        })
    }

    /// Tells whether there is nothing to strike out.
    pub(super) fn is_empty(&self) -> bool {
        self.forms.is_empty()
    }

    fn add(&mut self, name: &str, value: &str) {
        if value.is_empty() {
            return;
        }
        for form in [
            value.to_owned(),
            encode_percent(value),
            encode_in_query(value),
        ] {
            self.forms.push((form, format!("${{{name}}}")));
        }
        self.forms
            .sort_by_key(|(form, _)| std::cmp::Reverse(form.len()));
        self.forms.dedup();
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
        return parse(&expand(text, secrets, scrubber, encode_percent)?);
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

fn value_of(name: &str, secrets: &Secrets) -> Result<SecretString, Failure> {
    secrets.get(name).ok_or_else(|| {
        let detail = format!(
            "the secret {name} has no value: set it in the secrets file or in the environment"
        );
        Failure::new(FailureKind::Secret, detail)
    })
}

/// Encodes all but the unreserved characters (RFC 3986 §2.3).
fn encode_percent(value: &str) -> String {
    encode_but(value, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
    })
}

/// Encodes what a server commonly does when it puts a value into a redirect's query: less than we do.
fn encode_in_query(value: &str) -> String {
    encode_but(value, |byte| {
        byte.is_ascii_graphic() && !matches!(byte, b'"' | b'#' | b'<' | b'>' | b'\'')
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

fn replace_ignoring_case(text: &str, from: &str, to: &str) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(rest) = text.get(at..) {
        let Some(first) = rest.chars().next() else {
            break;
        };
        let candidate = rest.get(..from.len());
        if candidate.is_some_and(|part| part.eq_ignore_ascii_case(from)) {
            replaced.push_str(to);
            at += from.len();
        } else {
            replaced.push(first);
            at += first.len_utf8();
        }
    }
    replaced
}

#[cfg(test)]
mod tests {
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
            ("é nothing", "é nothing"),
        ] {
            assert_eq!(scrubber.scrub(text.to_owned()), expected);
        }
    }
}
