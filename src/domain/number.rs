//! Numbers as people write them: digits, and nothing else.
//!
//! Rust's own parsers take a sign in front, so that a source named `+2` would be source 2.

use std::str::FromStr;

/// Reads a number of ASCII digits only; nothing for other text, and for a number that is too large.
pub fn parse_number<T: FromStr>(text: &str) -> Option<T> {
    let digits = !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// Reads the number of a source, a version or an event, which begin at 1.
pub fn parse_id(text: &str) -> Option<i64> {
    parse_number(text).filter(|id| *id > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_digits_are_a_number() {
        assert_eq!(parse_number::<u64>("0"), Some(0));
        assert_eq!(parse_id("17"), Some(17));
        assert_eq!(parse_id("017"), Some(17));
        for text in [
            "",
            "+2",
            "-2",
            " 2",
            "2 ",
            "2_0",
            "0x2",
            "٢",
            "9223372036854775808",
        ] {
            assert_eq!(parse_id(text), None, "{text}");
        }
        assert_eq!(parse_id("0"), None);
    }
}
