//! Text for a terminal: cleaned of control characters, wrapped, cut to a width.

use std::borrow::Cow;
use std::fmt::Display;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

pub(crate) use crate::domain::{clean, clean_line};

/// The least width to which text is wrapped.
const LEAST_WRAPPED: usize = 10;

/// Returns a line without its comment: a `#` at the start or behind a space, and the text behind it. A `#` inside a
/// word is part of an address.
pub(crate) fn without_comment(line: &str) -> &str {
    let begins = |(at, _): &(usize, &str)| {
        line[..*at]
            .chars()
            .next_back()
            .is_none_or(|c| c.is_ascii_whitespace())
    };
    let comment = line.match_indices('#').find(begins);
    comment.map_or(line, |(at, _)| &line[..at])
}

/// Wraps text to lines of at most `width` columns (10 at least), between words where possible.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(LEAST_WRAPPED);
    let mut lines = vec![String::new()];
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let line = lines.last_mut().expect("there is always a line");
        if !line.is_empty() && line.width() + 1 + word.width() > width {
            lines.push(String::new());
        } else if !line.is_empty() {
            line.push(' ');
        }
        for c in word.chars() {
            let columns = c.width().unwrap_or(0);
            if lines
                .last()
                .is_some_and(|line| line.width() + columns > width)
            {
                lines.push(String::new());
            }
            lines.last_mut().expect("there is always a line").push(c);
        }
    }
    lines
}

/// Returns the text in at most this many columns, ending with `…` if it was cut.
pub(crate) fn fit(text: &str, columns: usize) -> Cow<'_, str> {
    if text.width() <= columns {
        return Cow::Borrowed(text);
    }
    let mut cut = String::new();
    for character in text.chars() {
        let mut longer = cut.clone();
        longer.push(character);
        if longer.width() + 1 > columns {
            break;
        }
        cut = longer;
    }
    if columns > 0 {
        cut.push('…');
    }
    Cow::Owned(cut)
}

/// Prints a value, or `-` if there is none.
pub(crate) fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// Returns `1 version`, `2 versions`.
pub(crate) fn count<N: Copy + From<u8> + PartialEq + Display>(number: N, noun: &str) -> String {
    let plural = if number == N::from(1) { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// Returns a number with commas between its thousands.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev();
    let groups = groups.map(|group| String::from_utf8_lossy(group));
    groups.collect::<Vec<_>>().join(",")
}

/// Prints a whole number in few columns: `1,310`, `80k`, `12M`.
pub(crate) fn short(number: u64) -> String {
    match number {
        0..10_000 => grouped(number),
        10_000..10_000_000 => format!("{}k", number / 1000),
        _ => format!("{}M", grouped(number / 1_000_000)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped_and_large_numbers_short() {
        for (number, whole, short_one) in [
            (0, "0", "0"),
            (999, "999", "999"),
            (1_000, "1,000", "1,000"),
            (9_999, "9,999", "9,999"),
            (80_123, "80,123", "80k"),
            (12_345_678, "12,345,678", "12M"),
            (
                u64::MAX,
                "18,446,744,073,709,551,615",
                "18,446,744,073,709M",
            ),
        ] {
            assert_eq!(
                (grouped(number), short(number)),
                (whole.to_owned(), short_one.to_owned())
            );
        }
    }

    #[test]
    fn a_comment_begins_with_a_line_or_behind_a_space() {
        for (line, expected) in [
            ("# all", ""),
            ("#all", ""),
            ("https://h/a # mine", "https://h/a "),
            ("https://h/a 6h\t#mine", "https://h/a 6h\t"),
            ("https://h/a#part", "https://h/a#part"),
            ("https://h/a#part # mine # too", "https://h/a#part "),
            ("https://h/ä\u{a0}#part", "https://h/ä\u{a0}#part"),
            ("https://h/a 6h", "https://h/a 6h"),
            ("", ""),
        ] {
            assert_eq!(without_comment(line), expected, "{line:?}");
        }
    }
}
