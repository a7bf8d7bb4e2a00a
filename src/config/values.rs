//! Readers and printers for the values of the configuration file: texts, bounded numbers, non-empty lists.
//!
//! Error messages leave out the key: the document adds it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize as _, Serializer};

use super::duration::{LONG_UNITS, parse_duration, parse_keep, parse_long_duration};
use crate::domain::text_form::from_text;
use crate::domain::words::no_such_word;
use crate::domain::{
    ChangeKind, Pattern, QueueName, Template, duration_setting, exact_size, masked, parse_number,
    parse_size,
};

/// The default timeout of a verifier or a notifier.
pub(super) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// The least memory limit, in bytes: below it no interpreter, and hardly any program, can start.
const LEAST_MEMORY_BYTES: u64 = 16 << 20;

/// Declares deserializers that parse a text by a given function.
macro_rules! texts {
    ($($name:ident: $type:ty = $parse:expr;)+) => {$(
        pub(super) fn $name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
            from_text(deserializer, $parse)
        }
    )+};
}

/// Declares modules for `#[serde(with)]`, which also print a value in the form that is read.
macro_rules! settings {
    ($($name:ident: $type:ty = $parse:expr, $print:expr;)+) => {$(
        pub(super) mod $name {
            use super::*;

            pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
                deserializer: D,
            ) -> Result<$type, D::Error> {
                from_text(deserializer, $parse)
            }

            pub(crate) fn serialize<S: Serializer>(
                value: &$type,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                let print: fn(&$type) -> _ = $print;
                print(value).serialize(serializer)
            }
        }
    )+};
}

settings! {
    duration: Duration = parse_duration, |length| duration_setting(*length);
    size: u64 = parse_size, |bytes| exact_size(*bytes);
    web_address: Option<String> = parse_web_address, |url| url.as_deref().map(masked);
    redis_address: Option<String> = parse_redis_address, |url| url.as_deref().map(masked);
}

texts! {
    some_duration: Option<Duration> = |text| parse_duration(text).map(Some);
    some_long_duration: Option<Duration> = |text| parse_long_duration(text).map(Some);
    scope_word: ScopeWord = parse_scope;
    keep: Option<Duration> = |text| parse_keep(text).map(Some);
    quiet: Option<Duration> = |text| parse_quiet(text).map(Some);
    cpu_time: Option<Duration> = parse_cpu_time;
    some_size: Option<u64> = |text| parse_size(text).map(Some);
    memory: Option<u64> = parse_memory;
    one_path: Vec<PathBuf> = |text| Ok::<_, String>(vec![text.into()]);
    name: Option<String> = parse_name;
    user_agent: String = parse_user_agent;
    listen_address: SocketAddr = parse_listen_address;
    own_url: Option<String> = |text| parse_own_url(text).map(Some);
}

/// Parses the address and port on which a service listens; `localhost` is 127.0.0.1.
///
/// # Errors
///
/// The reason, for anything else: no name is looked up.
pub fn parse_listen_address(text: &str) -> Result<SocketAddr, String> {
    let refused = || {
        format!(
            "`{}` is no address and port, such as 127.0.0.1:8080, localhost:8080 or [::1]:8080",
            text.escape_debug()
        )
    };
    let port = text.rsplit_once(':').and_then(|(host, port)| {
        let is_local = host.eq_ignore_ascii_case("localhost");
        port.parse::<u16>().ok().filter(|_| is_local)
    });
    match port {
        Some(port) => Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port))),
        None => text.parse().map_err(|_| refused()),
    }
}

/// Parses the address of the service itself: scheme and host, perhaps a port.
fn parse_own_url(text: &str) -> Result<String, String> {
    let url = url::Url::parse(text).ok();
    let url = url.filter(|url| {
        let is_web = matches!(url.scheme(), "http" | "https") && url.has_host();
        let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        is_web && is_bare && url.username().is_empty() && url.password().is_none()
    });
    let Some(url) = url else {
        // The message leaves out the text, which may hold a password.
        return Err(
            "expected scheme, host and perhaps a port, such as https://gannet.example.org"
                .to_owned(),
        );
    };
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Deserializes names of hosts without scheme, port and path, in lower case.
pub(super) fn host_names<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<String>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    let name = |text: String| match url::Host::parse(&text) {
        Ok(host) if !text.is_empty() => Ok(host.to_string()),
        _ => Err(D::Error::custom(format!(
            "`{}` is no name of a host, such as gannet.example.org",
            text.escape_debug()
        ))),
    };
    names.into_iter().map(name).collect()
}

/// Deserializes a whole number from `LEAST` to `MOST`.
pub(super) fn within<'de, const LEAST: u32, const MOST: u32, T, D>(
    deserializer: D,
) -> Result<T, D::Error>
where
    T: TryFrom<u32>,
    D: Deserializer<'de>,
{
    let number = u32::try_from(i128::deserialize(deserializer)?).ok();
    let number = number.filter(|number| (LEAST..=MOST).contains(number));
    number
        .and_then(|number| T::try_from(number).ok())
        .ok_or_else(|| D::Error::custom(format!("expected a whole number from {LEAST} to {MOST}")))
}

/// Deserializes a non-empty list; `problem` is the message for an empty one.
pub(super) fn non_empty<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
    problem: &str,
) -> Result<Vec<T>, D::Error> {
    let list = Vec::deserialize(deserializer)?;
    if list.is_empty() {
        return Err(D::Error::custom(problem));
    }
    Ok(list)
}

/// The advice for a missing selection of sources.
pub(super) const SELECTORS: &str = r#"give tags and globs on names or addresses, such as ["tag:prices", "https://example.org/*.json"]"#;

/// Deserializes a selection of sources.
pub(super) fn selection<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<Pattern>>, D::Error> {
    non_empty(deserializer, &format!("selects nothing; {SELECTORS}")).map(Some)
}

/// Deserializes the queues whose messages a verifier judges.
pub(super) fn queues<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<QueueName>>, D::Error> {
    const ALL: &str = "names no queue; leave it out for all queues";
    non_empty(deserializer, ALL).map(Some)
}

/// Deserializes the changes that a notifier reports.
pub(super) fn changes<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<ChangeKind>>, D::Error> {
    let all = ChangeKind::ALL.map(ChangeKind::as_str).join(", ");
    non_empty(
        deserializer,
        &format!("names no change; give some of {all}"),
    )
    .map(Some)
}

/// Deserializes the exit codes that mean failed; sorted, each once.
pub(super) fn exit_codes<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<i32>>, D::Error> {
    const ACCEPTED: &str = "give exit codes from 1 to 255 that mean failed; 0 always means passed, any other code that the verifier could not judge";
    let codes = Vec::<i32>::deserialize(deserializer).unwrap_or_default();
    if codes.is_empty() || !codes.iter().all(|code| (1..=255).contains(code)) {
        return Err(D::Error::custom(ACCEPTED));
    }
    Ok(Some(sorted(codes)))
}

/// Sorts values and removes repeats, so that their order in the file does not change a verifier's fingerprint.
pub(super) fn sorted<T: Ord>(mut values: Vec<T>) -> Vec<T> {
    values.sort_unstable();
    values.dedup();
    values
}

/// The value of a verifier's `scope`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ScopeWord {
    #[default]
    Source,
    Set,
    Message,
}

fn parse_scope(text: &str) -> Result<ScopeWord, String> {
    match text {
        "source" => Ok(ScopeWord::Source),
        "set" => Ok(ScopeWord::Set),
        "message" => Ok(ScopeWord::Message),
        other => Err(no_such_word(
            other,
            "a scope",
            &["source", "set", "message"],
        )),
    }
}

fn parse_name(text: &str) -> Result<Option<String>, String> {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if text.is_empty() || text.len() > 64 || !text.chars().all(allowed) {
        return Err(format!(
            "`{}` is not a name: give letters, digits, `-`, `_` and `.`, at most 64 bytes",
            text.escape_debug()
        ));
    }
    Ok(Some(text.to_owned()))
}

/// Parses a field value (RFC 9110 §5.5) of visible ASCII and spaces.
fn parse_user_agent(text: &str) -> Result<String, String> {
    let visible = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    if text.trim().is_empty() || !text.bytes().all(visible) {
        return Err(format!(
            "`{}` is not a user agent: give visible ASCII text",
            text.escape_debug()
        ));
    }
    Ok(text.trim().to_owned())
}

/// Parses the address of a service that the operator chose: it may be plain HTTP or a private host.
fn parse_web_address(text: &str) -> Result<Option<String>, &'static str> {
    if !is_address(text, &["http://", "https://"]) {
        // The message leaves out the text, which may hold a password.
        return Err(
            "expected an address that begins with http:// or https://, such as https://service.internal/check, or a secret that is one, such as ${HOOK}",
        );
    }
    Ok(Some(text.to_owned()))
}

/// Parses the address of a Redis server.
fn parse_redis_address(text: &str) -> Result<Option<String>, &'static str> {
    if is_address(text, &["redis://", "rediss://", "unix://"]) {
        return Ok(Some(text.to_owned()));
    }
    // The message leaves out the text, which may hold a password.
    Err(
        "expected the address of a Redis server, such as redis://127.0.0.1:6379/0, rediss://:${REDIS_PASSWORD}@redis.internal or unix:///run/redis/redis.sock",
    )
}

/// Returns whether a text is an address with one of these beginnings, or a secret that is one.
fn is_address(text: &str, schemes: &[&str]) -> bool {
    // A `${NAME}` may stand for the whole address, or for any part but the scheme.
    let name = Template(text).whole_name();
    let is_secret = name.is_some_and(|name| !name.is_empty() && !name.contains('$'));
    let has_scheme = schemes
        .iter()
        .any(|scheme| text.len() > scheme.len() && text.starts_with(scheme));
    (has_scheme || is_secret) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Parses the quiet period after a notice; zero is accepted.
fn parse_quiet(text: &str) -> Result<Duration, String> {
    match text
        .strip_suffix(['s', 'm', 'h', 'd'])
        .map(parse_number::<u64>)
    {
        Some(Some(0)) => Ok(Duration::ZERO),
        _ => parse_long_duration(text).map_err(|_| {
            format!("`{text}` is not a duration: give \"0s\", or a whole number {LONG_UNITS}")
        }),
    }
}

fn parse_cpu_time(text: &str) -> Result<Option<Duration>, String> {
    let cpu = parse_duration(text)?;
    if cpu.subsec_nanos() != 0 {
        return Err(format!(
            "`{text}` is no whole number of seconds: CPU time is limited by the second, such as 10s or 5m"
        ));
    }
    Ok(Some(cpu))
}

fn parse_memory(text: &str) -> Result<Option<u64>, String> {
    let bytes = parse_size(text)?;
    if bytes < LEAST_MEMORY_BYTES {
        return Err(format!(
            "`{text}` is less than any program can begin with: give at least 16MiB"
        ));
    }
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_listens_on_an_address_or_on_this_machine() {
        for (text, expected) in [
            ("127.0.0.1:9796", Some("127.0.0.1:9796")),
            ("[::1]:1", Some("[::1]:1")),
            ("localhost:9796", Some("127.0.0.1:9796")),
            ("LocalHost:0", Some("127.0.0.1:0")),
            ("localhost", None),
            ("localhost:", None),
            ("localhost:65536", None),
            ("localhost.:1", None),
            ("example.org:80", None),
            ("9796", None),
        ] {
            let parsed = parse_listen_address(text).ok();
            assert_eq!(
                parsed.map(|one| one.to_string()).as_deref(),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn a_notifier_may_be_left_no_peace_at_all() {
        for (text, seconds) in [("0s", 0), ("0m", 0), ("0h", 0), ("0d", 0), ("1s", 1)] {
            assert_eq!(
                parse_quiet(text),
                Ok(Duration::from_secs(seconds)),
                "{text}"
            );
        }
        for text in ["0", "", "s", "-0s", "0 s", "0w"] {
            let error = parse_quiet(text).expect_err(text);
            assert!(
                error.contains("not a duration: give \"0s\", or a whole"),
                "{error}"
            );
        }
    }
}
