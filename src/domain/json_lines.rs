//! Messages as they are pushed: one JSON value, or many, each on a line (NDJSON).
//!
//! Never changes a value but for the white space around it, and line breaks between its parts, which become blanks: so each
//! is one line wherever it goes.

use super::message::MAX_UNIT;
use super::strict_json::check_json;

/// The longest message, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 1 << 20;

/// JSON values that were checked, one at least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonLines {
    bodies: String,
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
        let bodies = text.trim_ascii().replace(['\n', '\r'], " ");
        Ok(Self { bodies, count: 1 })
    }

    /// Reads a value from each line that is not empty.
    ///
    /// # Errors
    ///
    /// Why a line has none, with its number from 1; or that there are none or too many.
    pub fn many(text: &str) -> Result<Self, String> {
        let mut bodies = String::with_capacity(text.len());
        let mut count = 0;
        for (number, line) in (1..).zip(text.split('\n')) {
            let line = line.trim_ascii();
            if line.is_empty() {
                continue;
            }
            if line.len() > MAX_MESSAGE_BYTES {
                return Err(format!("line {number}: {}", too_long()));
            }
            check_json(line).map_err(|flaw| format!("line {number}: {flaw}"))?;
            if count > 0 {
                bodies.push('\n');
            }
            bodies.push_str(line);
            count += 1;
        }
        if count == 0 || count > MAX_UNIT {
            return Err(format!(
                "1 to {MAX_UNIT} messages come at once, not {count}"
            ));
        }
        Ok(Self { bodies, count })
    }

    /// Returns the value; of several, each on a line.
    pub fn bodies(&self) -> &str {
        &self.bodies
    }

    /// Returns the number of values.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Returns each value.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        bodies_of(&self.bodies, self.count)
    }
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
        let many = JsonLines::many("1\r\n\n {\"a\":2} \n3").expect("values");
        assert_eq!(many.iter().collect::<Vec<_>>(), ["1", "{\"a\":2}", "3"]);
        assert_eq!(many.count(), 3);
    }

    #[test]
    fn a_bad_line_is_named_and_nothing_is_taken() {
        for (text, expected) in [
            ("1\n\n{\"a\":[\n", "line 3: at /a/0: EOF"),
            ("", "not 0"),
            ("\n \r\n", "not 0"),
            ("{\n}", "line 1: "),
        ] {
            let error = JsonLines::many(text).expect_err("bad");
            assert!(error.contains(expected), "{error}");
        }
        let all = "1\n".repeat(MAX_UNIT + 1);
        assert!(JsonLines::many(&all).is_err());
        let long = format!("\"{}\"", "x".repeat(MAX_MESSAGE_BYTES));
        assert!(JsonLines::one(&long).is_err());
        assert!(JsonLines::many(&long).is_err());
    }
}
