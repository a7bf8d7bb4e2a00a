//! Messages as they are pushed: one JSON value, or many, each on a line (NDJSON).
//!
//! Never changes a value but for the white space around it, and line breaks between its parts, which become blanks: so each
//! is one line wherever it goes.

use std::ops::Range;
use std::sync::Arc;

use super::message::MAX_UNIT;
use super::strict_json::check_json;

/// The longest message, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 1 << 20;

/// JSON values that were checked, one at least. Clones share them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonLines {
    bodies: Arc<String>,
    count: usize,
}

impl JsonLines {
    /// Reads one value.
    ///
    /// # Errors
    ///
    /// Why the text is none.
    pub fn one(text: &str) -> Result<Self, String> {
        if text.len() > MAX_MESSAGE_BYTES {
            return Err(too_long());
        }
        check_json(text).map_err(|flaw| flaw.to_string())?;
        // In a string they would be escaped.
        let body = text.trim_ascii().replace(['\n', '\r'], " ");
        Ok(Self::stored(body))
    }

    /// Reads a value from each line that is not empty. What is not kept of the text is gone: a long text is not in memory twice.
    ///
    /// # Errors
    ///
    /// Why a line has none, with its number from 1; or that there are none or too many.
    pub fn many(text: String) -> Result<Self, String> {
        let mut places = Vec::new();
        let mut at = 0;
        for (number, line) in (1..).zip(text.split('\n')) {
            let begin = at + line.len() - line.trim_ascii_start().len();
            at += line.len() + 1;
            let line = line.trim_ascii();
            if line.is_empty() {
                continue;
            }
            if line.len() > MAX_MESSAGE_BYTES {
                return Err(format!("line {number}: {}", too_long()));
            }
            check_json(line).map_err(|flaw| {
                // The reader counts the lines of this one.
                let flaw = flaw
                    .to_string()
                    .replace(" at line 1 column ", " at column ");
                format!("line {number}: {flaw}")
            })?;
            places.push(begin..begin + line.len());
            if places.len() > MAX_UNIT {
                break;
            }
        }
        let count = places.len();
        if count == 0 || count > MAX_UNIT {
            let instead = if count == 0 { "0" } else { "more" };
            let reason = format!("1 to {MAX_UNIT} messages come at once, not {instead}");
            return Err(reason);
        }
        let bodies = Arc::new(joined(text, places));
        Ok(Self { bodies, count })
    }

    /// Returns one value that was checked before.
    pub fn stored(body: String) -> Self {
        let bodies = Arc::new(body);
        Self { bodies, count: 1 }
    }

    /// Returns so many values that were checked before, each on a line.
    pub fn of_row(bodies: String, count: usize) -> Self {
        let bodies = Arc::new(bodies);
        Self { bodies, count }
    }

    /// Returns the value; of several, each on a line.
    pub fn bodies(&self) -> &str {
        &self.bodies
    }

    /// Returns the number of values.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Returns the values in parts of at most so many bytes, or of one value that is longer.
    pub fn parts(&self, most_bytes: usize) -> impl Iterator<Item = LinesPart<'_>> {
        let (mut rest, mut first) = (self.bodies.as_str(), 0);
        std::iter::from_fn(move || {
            let left = self.count - first;
            if left == 0 {
                return None;
            }
            let is_last = left == 1 || rest.len() <= most_bytes;
            let end = if is_last {
                rest.len()
            } else {
                end_of_lines(rest, most_bytes)
            };
            let bodies = &rest[..end];
            let count = if is_last {
                left
            } else {
                bodies.matches('\n').count() + 1
            };
            let part = LinesPart {
                first,
                count,
                bodies,
            };
            first += count;
            rest = rest.get(end + 1..).unwrap_or_default();
            Some(part)
        })
    }

    /// Returns each value.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        bodies_of(&self.bodies, self.count)
    }
}

/// Some of the values of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinesPart<'a> {
    /// The number of the first, from 0.
    pub first: usize,
    /// How many they are.
    pub count: usize,
    /// The value; of several, each on a line.
    pub bodies: &'a str,
}

/// Returns where the lines end that are so many bytes at most; of a first line that is longer, its end.
fn end_of_lines(text: &str, most_bytes: usize) -> usize {
    let mut within = text.as_bytes().iter().take(most_bytes + 1);
    let last = within.rposition(|byte| *byte == b'\n');
    last.or_else(|| text.find('\n')).unwrap_or(text.len())
}

/// Returns parts of a text, each on a line, in the memory of the text.
fn joined(text: String, places: Vec<Range<usize>>) -> String {
    let mut bytes = text.into_bytes();
    let mut end = 0;
    for place in places {
        if end > 0 {
            bytes[end] = b'\n';
            end += 1;
        }
        let length = place.len();
        bytes.copy_within(place, end);
        end += length;
    }
    bytes.truncate(end);
    String::from_utf8(bytes).expect("whole lines of a text are a text")
}

/// Returns each of so many values that stand on a line each; a single one may have several lines.
pub fn bodies_of(bodies: &str, count: usize) -> impl Iterator<Item = &str> {
    let (whole, each) = if count == 1 {
        (Some(bodies), None)
    } else {
        (None, Some(bodies.split('\n')))
    };
    whole.into_iter().chain(each.into_iter().flatten())
}

fn too_long() -> String {
    format!("a message has at most {MAX_MESSAGE_BYTES} bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_keeps_its_bytes_and_many_stand_on_a_line_each() {
        let one = JsonLines::one(" {\"a\" :\n 1.0}\n").expect("a value");
        assert_eq!(one.iter().collect::<Vec<_>>(), ["{\"a\" :  1.0}"]);
        let many = JsonLines::many("1\r\n\n {\"a\":2} \n3".to_owned()).expect("values");
        assert_eq!(many.iter().collect::<Vec<_>>(), ["1", "{\"a\":2}", "3"]);
        assert_eq!(many.count(), 3);
    }

    #[test]
    fn parts_are_whole_lines_and_together_all() {
        let lines = JsonLines::many("1\n22\n333\n\"long\"\n5\n6".to_owned()).expect("values");
        let parts = |most| {
            let parts = lines.parts(most);
            parts.map(|part| (part.first, part.count, part.bodies))
        };
        let expected = [
            (0, 2, "1\n22"),
            (2, 1, "333"),
            (3, 1, "\"long\""),
            (4, 2, "5\n6"),
        ];
        assert!(parts(4).eq(expected));
        assert!(parts(5).eq(expected));
        assert!(
            parts(0).eq((0..6)
                .zip(lines.iter())
                .map(|(first, body)| (first, 1, body)))
        );
        assert!(parts(100).eq([(0, 6, lines.bodies())]));
        let one = JsonLines::stored("{\n}".to_owned());
        assert_eq!(one.parts(1).next().map(|part| part.bodies), Some("{\n}"));
        assert_eq!(one.parts(1).count(), 1);
    }

    #[test]
    fn a_bad_line_is_named_and_nothing_is_taken() {
        for (text, expected) in [
            ("1\n\n{\"a\":[\n", "line 3: at /a/0: EOF"),
            ("", "not 0"),
            ("\n \r\n", "not 0"),
            ("{\n}", "line 1: "),
        ] {
            let error = JsonLines::many(text.to_owned()).expect_err("bad");
            assert!(error.contains(expected), "{error}");
        }
        let all = "1\n".repeat(MAX_UNIT + 1);
        assert!(JsonLines::many(all).is_err());
        let long = format!("\"{}\"", "x".repeat(MAX_MESSAGE_BYTES));
        assert!(JsonLines::one(&long).is_err());
        assert!(JsonLines::many(long).is_err());
    }
}
