//! The place in an ordered list after which the next page begins: the sort key and the id of the last item.

use std::fmt::Write as _;

use super::problem::Problem;
use crate::domain::parse_number;

/// The longest text of a place, in bytes.
const MAX_BYTES: usize = 2048;

/// A place in an ordered list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cursor {
    pub(super) key: String,
    pub(super) id: i64,
}

impl Cursor {
    /// Reads the text that [`Cursor::text`] made: the id, a dash, and the bytes of the key in hexadecimal.
    pub(super) fn read(text: &str) -> Result<Self, Problem> {
        let read = text.split_once('-').filter(|_| text.len() <= MAX_BYTES);
        let read = read.and_then(|(id, key)| Some((parse_number(id)?, key_of(key)?)));
        match read {
            Some((id, key)) => Ok(Self { key, id }),
            None => Err(Problem::invalid("`after` is no `next` of an earlier page")),
        }
    }

    pub(super) fn text(&self) -> String {
        let id = format!("{}-", self.id);
        self.key.bytes().fold(id, |mut text, byte| {
            // Writing to a string never fails.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

/// Reads the bytes of a key in hexadecimal. What is no UTF-8 is replaced: every text of that form is a place.
fn key_of(text: &str) -> Option<String> {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if !text.len().is_multiple_of(2) || !text.bytes().all(is_digit) {
        return None;
    }
    let bytes = (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16));
    let bytes = bytes.collect::<Result<Vec<_>, _>>().ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_read_back() {
        for key in ["", "prices", "zürich\n\"{"] {
            let cursor = Cursor {
                key: key.to_owned(),
                id: 7,
            };
            assert_eq!(Cursor::read(&cursor.text()).ok(), Some(cursor));
        }
        for text in [
            "", "?", "AAAA", "W10", "7", "-61", "7-6", "7-6A", "+7-61", "7-6g",
        ] {
            assert!(Cursor::read(text).is_err(), "{text}");
        }
    }
}
