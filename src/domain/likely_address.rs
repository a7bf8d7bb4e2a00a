//! Guesses which address was meant by a text that is none. The guess serves messages only and is never fetched.

use url::Url;

use super::masked::masked;

/// Endings by which a name without a path is taken for a host rather than a file.
const COMMON_ENDS: [&str; 7] = [".com", ".org", ".net", ".edu", ".gov", ".int", ".info"];

/// Returns `https://example.org/x` for `example.org/x`, `//example.org/x`, `example.org:8443/x` and
/// `htps://example.org/x`; `None` when the text holds a password or no recognisable host.
pub(super) fn likely_address(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let rest = if scheme.is_empty() {
        rest.strip_prefix("//").unwrap_or(rest)
    } else {
        is_like_https(scheme).then_some(rest)?
    };
    let (host, behind) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (name, port) = match host.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (host, None),
    };
    let has_port = port.is_some_and(|port| {
        !port.is_empty() && port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit())
    });
    let is_host = |c: char| c.is_alphanumeric() || c == '-' || c == '.';
    let labels = name.split('.');
    let is_dotted = name.contains('.') && labels.clone().all(|label| !label.is_empty());
    let is_clear = !scheme.is_empty()
        || has_port
        || behind.starts_with('/')
        || name.starts_with("www.")
        || COMMON_ENDS.iter().any(|end| name.ends_with(end));
    let may_be = name.chars().all(is_host)
        && (port.is_none() || has_port)
        && (is_dotted || has_port && !name.is_empty());
    if !(is_clear && may_be) {
        return None;
    }
    let address = Url::parse(&format!("https://{rest}")).ok()?;
    Some(masked(address.as_str()))
}

/// Returns whether a scheme is a misspelt or defused `https`: `htps`, `httpss`, `hxxps`.
fn is_like_https(scheme: &str) -> bool {
    let scheme = scheme.to_ascii_lowercase();
    scheme.starts_with('h') && scheme.ends_with(['s', 'p', 't']) && (3..=6).contains(&scheme.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lacks_its_scheme_is_made_out() {
        for (text, meant) in [
            ("example.org/x", Some("https://example.org/x")),
            ("//example.org/x", Some("https://example.org/x")),
            ("example.org:8443/x", Some("https://example.org:8443/x")),
            ("localhost:8443", Some("https://localhost:8443/")),
            ("www.example.eu", Some("https://www.example.eu/")),
            ("example.com", Some("https://example.com/")),
            ("htps://example.org/x", Some("https://example.org/x")),
            ("hxxps://example.org/x", Some("https://example.org/x")),
            (
                "example.org/?token=hunter2",
                Some("https://example.org/?token=…"),
            ),
            ("nonsense", None),
            ("prices.csv", None),
            ("/etc/passwd", None),
            ("./a/b", None),
            ("../a/b", None),
            ("joe:hunter2@example.org/x", None),
            ("ftp://example.org/x", None),
            ("tag:prices", None),
            ("", None),
        ] {
            assert_eq!(likely_address(text).as_deref(), meant, "{text}");
        }
    }
}
