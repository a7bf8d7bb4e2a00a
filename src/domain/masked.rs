//! Addresses in messages: user names and passwords are never repeated.

/// Returns `text` with `…` in the place of a user name and a password, for messages: what an operator typed may be an
/// address that holds some, well-formed or not.
pub fn masked(text: &str) -> String {
    // Without a scheme, what comes before the first colon is the user's name, and may stay.
    let scheme = text.find(':').map_or(0, |colon| colon + 1);
    let rest = text[scheme..].trim_start_matches(['/', '\\']);
    let start = text.len() - rest.len();
    if start == 0 {
        return text.to_owned();
    }
    let end = rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len());
    let authority = &rest[..end];
    // A password may itself hold one of those characters: then what looks like a port is none.
    let broken = authority
        .rsplit_once(':')
        .is_some_and(|(_, port)| !port.bytes().all(|byte| byte.is_ascii_digit()));
    match authority
        .rfind('@')
        .or_else(|| rest.rfind('@').filter(|_| broken))
    {
        Some(at) => format!("{}…{}", &text[..start], &rest[at..]),
        // A password whose `@` was lost, perhaps; not the end of an IPv6 address.
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
            "tag:eu",
            "",
        ] {
            assert_eq!(masked(text), text);
        }
        assert_eq!(masked("https://joe:pw@h:1/x@y"), "https://…@h:1/x@y");
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
