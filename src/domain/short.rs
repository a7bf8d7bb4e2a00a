//! Long texts in one short line.

use std::fmt::{self, Write as _};

const MAX_CHARS: usize = 200;

/// Prints something in one line of at most 200 characters, however much it would say; controls become spaces.
pub fn in_short(thing: &impl fmt::Display) -> String {
    let mut short = Short {
        text: String::new(),
        left: MAX_CHARS,
    };
    if write!(short, "{thing}").is_err() {
        short.text.push('…');
    }
    short.text
}

/// Returns a text of at most `max_chars` characters whole, and of a longer one so many, with `…` behind. Whatever shows a part of
/// a text from outside cuts it so: the mark is where the beginning of a secret is looked for.
pub fn shortened(text: &str, max_chars: usize) -> String {
    match text.char_indices().nth(max_chars) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Takes what fits, and stops the printing with that.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(in_short(&"a\nb"), "a b");
        assert_eq!(in_short(&"é".repeat(200)), "é".repeat(200));
        assert_eq!(in_short(&"é".repeat(201)), "é".repeat(200) + "…");
        assert_eq!(shortened("éa", 2), "éa");
        assert_eq!(shortened("éab", 2), "éa…");
    }
}
