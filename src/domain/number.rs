//! Numbers as people write them: digits only.
//!
//! Rust's own parsers accept a sign, so that a source named `+2` would be source 2.

use std::str::FromStr;

/// Parses a number of ASCII digits; `None` for any other text, and for a number out of range.
pub fn parse_number<T: FromStr>(text: &str) -> Option<T> {
    let digits = !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// Parses an id, which is at least 1.
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
