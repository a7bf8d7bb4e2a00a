//! Splits hand-written lists into lines that end with LF, CRLF, or CR alone (old editors).

use std::borrow::Cow;

/// Returns the lines of a text without their endings; the n-th is line n of an editor.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n')
        .flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
}

/// Replaces every CR that ends a line alone, for parsers that do not accept it.
pub fn with_line_feeds(text: &str) -> Cow<'_, str> {
    let is_alone = |(at, _): (usize, &str)| !text[at + 1..].starts_with('\n');
    if text.match_indices('\r').any(is_alone) {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_in_any_of_three_ways() {
        for (text, expected) in [
            ("", &[""][..]),
            ("a", &["a"]),
            ("a\nb\n", &["a", "b", ""]),
            ("a\r\nb\r\n", &["a", "b", ""]),
            ("a\rb\r", &["a", "b"]),
            ("a\r\n\r\nb", &["a", "", "b"]),
            ("a\r\rb\nc\r\nd", &["a", "", "b", "c", "d"]),
            ("a\n\rb", &["a", "", "b"]),
        ] {
            assert_eq!(lines(text).collect::<Vec<_>>(), expected, "{text:?}");
            let same: Vec<_> = expected.iter().map(|line| line.trim()).collect();
            let fed = with_line_feeds(text);
            let fed: Vec<_> = fed.lines().filter(|line| !line.is_empty()).collect();
            let same: Vec<_> = same.into_iter().filter(|line| !line.is_empty()).collect();
            assert_eq!(fed, same, "{text:?}");
        }
        assert!(matches!(with_line_feeds("a\r\nb"), Cow::Borrowed(_)));
    }
}
