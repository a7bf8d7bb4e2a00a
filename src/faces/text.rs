//! Text as a terminal may show it: what came from outside made harmless, parted into lines.

use std::borrow::Cow;
use std::fmt::Display;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Text is wrapped at no fewer columns.
const LEAST_WRAPPED: usize = 10;

/// Removes what would move the cursor, change colours, reorder or hide text: control characters and bidirectional
/// marks (Unicode Annex 9). Line breaks and tabs become spaces.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    clean_but(text, |_| false)
}

/// Does the same to a line of a file that is being shown, whose tabs are part of it.
pub(crate) fn clean_line(text: &str) -> Cow<'_, str> {
    clean_but(text, |c| c == '\t')
}

fn clean_but(text: &str, kept: impl Fn(char) -> bool) -> Cow<'_, str> {
    let harmful = |c: char| (c.is_control() || is_deceptive(c)) && !kept(c);
    if !text.contains(harmful) {
        return Cow::Borrowed(text);
    }
    text.chars()
        .filter_map(|c| match c {
            c if !harmful(c) => Some(c),
            '\n' | '\t' | '\u{2028}' | '\u{2029}' => Some(' '),
            _ => None,
        })
        .collect()
}

/// Marks that reorder the text around them, characters that show as nothing, and variation selectors, which terminals
/// give different widths.
fn is_deceptive(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

/// Returns a line of a list without the comment that ends it: a `#` at its begin or behind a space, and all that follows. One inside
/// a word is part of an address.
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

/// Parts text into lines of at most so many columns (10 at least), between words where there are any.
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

/// Prints a value that may be missing, `-` then.
pub(crate) fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// Returns `1 version`, `2 versions`.
pub(crate) fn count<N: Copy + From<u8> + PartialEq + Display>(number: N, noun: &str) -> String {
    let plural = if number == N::from(1) { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn removes_what_would_deceive() {
        for (text, expected) in [
            ("prices.csv", "prices.csv"),
            ("a\u{1b}[2Jb", "a[2Jb"),
            ("a\nb\tc\r", "a b c"),
            ("gpj.\u{202e}exe", "gpj.exe"),
            ("\u{9b}31mred", "31mred"),
            ("zürich 東京", "zürich 東京"),
        ] {
            assert_eq!(clean(text), expected);
        }
        assert_eq!(clean_line("a\tb\u{7}"), "a\tb");
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

    proptest! {
        #[test]
        fn nothing_harmful_is_left(text in ".*") {
            let cleaned = clean(&text);
            prop_assert!(!cleaned.chars().any(|c| c.is_control() || is_deceptive(c)));
        }
    }
}
