//! Masks user names, passwords and other secrets of addresses in messages.

use super::credential::{holds_credential, is_secret_name};

/// The least length of a literal word beside `${NAME}` that is taken for a secret.
const LEAST_SECRET_CHARS: usize = 6;

/// Returns `text` with `…` in the place of user name, password, and every part that looks like a secret, such as the
/// value of a parameter `token`. Works on malformed addresses too.
pub fn masked(text: &str) -> String {
    let text = without_user(text);
    let is_end = |c: char| matches!(c, '/' | '?' | '&' | ';' | '#');
    // Each part includes the character that ends it.
    text.split_inclusive(is_end)
        .map(|part| {
            let plain = part.trim_end_matches(is_end);
            let end = &part[plain.len()..];
            match plain.split_once('=') {
                Some((name, _)) if literal_parameter(plain).is_some() => format!("{name}=…{end}"),
                _ if holds_credential(plain) => format!("…{end}"),
                _ => part.to_owned(),
            }
        })
        .collect()
}

/// Masks ([`masked`]) every word of a message that looks like an address.
pub fn masked_within(text: &str) -> String {
    let is_between = |c: char| c.is_whitespace() || c.is_control() || "`'\"<>()".contains(c);
    text.split_inclusive(is_between)
        .map(|part| {
            let word = part.trim_end_matches(is_between);
            let has_user = word.contains('@') && word.contains(':');
            let has_query = word.contains('?') && word.contains('=');
            if word.contains("://") || has_user || has_query {
                masked(word) + &part[word.len()..]
            } else {
                part.to_owned()
            }
        })
        .collect()
}

fn without_user(text: &str) -> String {
    // Without a scheme, the user name stands before the first colon; it may be shown.
    let scheme = text.find(':').map_or(0, |colon| colon + 1);
    let rest = text[scheme..].trim_start_matches(['/', '\\']);
    let start = text.len() - rest.len();
    // `SOURCE:published@TIME` refers to a version.
    if start == 0 || start == scheme && rest.starts_with("published@") {
        return text.to_owned();
    }
    let end = rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len());
    let authority = &rest[..end];
    // A password may hold `/` or `?` itself; a part that is no number is then no port.
    let broken = authority
        .rsplit_once(':')
        .is_some_and(|(_, port)| !port.bytes().all(|byte| byte.is_ascii_digit()));
    match authority
        .rfind('@')
        .or_else(|| rest.rfind('@').filter(|_| broken))
    {
        Some(at) => format!("{}…{}", &text[..start], &rest[at..]),
        // Probably a password whose `@` was lost; the end of an IPv6 address is excluded.
        None if broken && !authority.ends_with(']') => {
            let colon = authority.rfind(':').unwrap_or(authority.len());
            format!(
                "{}{}:…{}",
                &text[..start],
                &authority[..colon],
                &rest[end..]
            )
        }
        None => text.to_owned(),
    }
}

/// Returns the decoded name of a parameter such as `id=1` whose name or value suggests a literal secret.
pub(super) fn literal_parameter(part: &str) -> Option<String> {
    let part_without = blanked(part);
    let (name, value) = url::form_urlencoded::parse(part_without.as_bytes()).next()?;
    // Words beside a `${NAME}` may be shown when they are too short for a secret.
    let least = if part.contains("${") {
        LEAST_SECRET_CHARS
    } else {
        1
    };
    let is_harmless = |word: &str| ["bearer", "basic", "token"].contains(&word);
    let is_written = value
        .to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .any(|word| word.chars().count() >= least && !is_harmless(word));
    let is_secret = is_secret_name(&name) && is_written || holds_credential(&value);
    is_secret.then(|| name.into_owned())
}

/// Replaces every `${NAME}` of `text` by a space.
pub(super) fn blanked(text: &str) -> String {
    let mut parts = text.split("${");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |blanked, part| {
        let (_, rest) = part.split_once('}').unwrap_or(("", part));
        blanked + " " + rest
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_credentials_are_masked() {
        for text in [
            "https://example.org/?q=a@b",
            "https://example.org:8443/~joe/a@b",
            "prices@2026-01-31T12:00",
            "joe@prices",
            "there.csv:published@2h",
            "tag:eu",
            "",
        ] {
            assert_eq!(masked(text), text);
        }
        assert_eq!(masked("https://joe:pw@h:1/x@y"), "https://…@h:1/x@y");
    }

    #[test]
    fn secrets_of_a_query_are_masked() {
        for (text, shown) in [
            ("https://h/a?token=hunter2&b=1", "https://h/a?token=…&b=1"),
            ("http://h/a;key=hunter2?b=1#x", "http://h/a;key=…?b=1#x"),
            ("h/a?b=1&api_key=hunter2", "h/a?b=1&api_key=…"),
            ("https://u:pw@h/a?sig=hunter2", "https://…@h/a?sig=…"),
            (
                "https://h/a?token=${TOKEN}&b=c",
                "https://h/a?token=${TOKEN}&b=c",
            ),
            ("https://h/a?page=2&q=token", "https://h/a?page=2&q=token"),
        ] {
            assert_eq!(masked(text), shown);
        }
    }

    #[test]
    fn only_addresses_within_a_text_are_masked() {
        for (text, shown) in [
            (
                "invalid value 'https://u:hunter2@h/?a=b' for '--interval <INTERVAL>': x",
                "invalid value 'https://…@h/?a=b' for '--interval <INTERVAL>': x",
            ),
            (
                "`h/?token=hunter2` is\n  no size",
                "`h/?token=…` is\n  no size",
            ),
            (
                "/etc/c.toml:12: expected a:b, line 3: `prices@2h` at 12:00",
                "/etc/c.toml:12: expected a:b, line 3: `prices@2h` at 12:00",
            ),
        ] {
            assert_eq!(masked_within(text), shown);
        }
    }

    #[test]
    fn a_password_whose_sign_was_lost_is_masked() {
        for text in [
            "https://joe:hunter2h/",
            "https://joe:hunter2",
            "https://joe:hunter2?x",
        ] {
            let shown = masked(text);
            assert!(
                shown.starts_with("https://joe:…") && !shown.contains("hunter2"),
                "{shown}"
            );
        }
        for text in [
            "https://[::1]/",
            "https://[2001:db8::1]:8443/",
            "https://h:8443/",
        ] {
            assert_eq!(masked(text), text);
        }
    }
}
