//! Cleans and shortens texts from outside, so that they fit one line and cannot deceive a reader.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::io;

const MAX_CHARS: usize = 200;

/// Prints a value in one line of at most 200 characters; controls become spaces.
pub fn truncate_line(thing: &impl fmt::Display) -> String {
    let mut short = Short {
        text: String::new(),
        left: MAX_CHARS,
    };
    if write!(short, "{thing}").is_err() {
        short.text.push('…');
    }
    short.text
}

/// Returns a text of at most `max_chars` characters unchanged; a longer one is cut there, with `…` behind. Every cut
/// of a text from outside uses this mark: masking looks for the beginning of a secret in front of it.
pub fn shortened(text: &str, max_chars: usize) -> String {
    match text.char_indices().nth(max_chars) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Returns an I/O error in words, without the number that the system gives it.
pub fn io_words(error: &io::Error) -> String {
    let words = error.to_string();
    match words.split_once(" (os error ") {
        Some((plain, _)) => plain.to_owned(),
        None => words,
    }
}

/// A writer that accepts [`MAX_CHARS`] characters, then fails to stop the printing.
struct Short {
    text: String,
    left: usize,
}

impl fmt::Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            self.left = self.left.checked_sub(1).ok_or(fmt::Error)?;
            self.text.push(if c.is_control() { ' ' } else { c });
        }
        Ok(())
    }
}

/// Removes what would move the cursor, change colours, reorder or hide text: controls, marks of direction (Unicode
/// Annex 9) and invisible characters. Line breaks and tabs become spaces.
pub fn clean(text: &str) -> Cow<'_, str> {
    clean_but(text, |_| false)
}

/// Cleans ([`clean`]) one line of a displayed file, but keeps its tabs.
pub fn clean_line(text: &str) -> Cow<'_, str> {
    clean_but(text, |c| c == '\t')
}

fn clean_but(text: &str, kept: impl Fn(char) -> bool) -> Cow<'_, str> {
    let harmful = |c: char| is_formatting(c) && !kept(c);
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

/// Returns whether a character is invisible, or a space other than the ASCII one: controls, byte order mark, joiners,
/// direction marks, fillers (Unicode's `Cf` and the like), no-break and other wide or narrow spaces.
pub(super) fn is_invisible(c: char) -> bool {
    is_formatting(c) || (c.is_whitespace() && c != ' ')
}

/// Returns whether a character is invisible and takes no room.
pub(super) fn is_formatting(c: char) -> bool {
    matches!(c,
        '\u{00}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(truncate_line(&"a\nb"), "a b");
        assert_eq!(truncate_line(&"é".repeat(200)), "é".repeat(200));
        assert_eq!(truncate_line(&"é".repeat(201)), "é".repeat(200) + "…");
        assert_eq!(shortened("éa", 2), "éa");
        assert_eq!(shortened("éab", 2), "éa…");
    }

    #[test]
    fn removes_what_would_deceive() {
        for (text, expected) in [
            ("prices.csv", "prices.csv"),
            ("a\u{1b}[2Jb", "a[2Jb"),
            ("a\nb\tc\r", "a b c"),
            ("gpj.\u{202e}exe", "gpj.exe"),
            ("\u{9b}31mred", "31mred"),
            ("pri\u{200b}ces\u{3164}", "prices"),
            ("zürich 東京", "zürich 東京"),
        ] {
            assert_eq!(clean(text), expected);
        }
        assert_eq!(clean_line("a\tb\u{7}"), "a\tb");
    }

    proptest! {
        #[test]
        fn nothing_harmful_is_left(text in ".*") {
            let cleaned = clean(&text);
            prop_assert!(!cleaned.chars().any(is_formatting));
        }
    }
}
