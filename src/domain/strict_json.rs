//! JSON that reads the same everywhere (RFC 8259, I-JSON's RFC 7493 §2): no name twice in an object, no half of a surrogate
//! pair, no deeper than 128. A flaw comes with its place (JSON Pointer, RFC 6901).
//!
//! Never changes a text, and builds no tree of its values.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

/// The deepest nesting of arrays and objects.
const MAX_DEPTH: usize = 128;

/// The names of an object that are compared one by one; more are looked up.
const FEW_NAMES: usize = 16;

/// Why a text is no such JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonFlaw {
    /// The place of the value, as a JSON Pointer; empty for the whole.
    pub pointer: String,
    /// What is wrong.
    pub reason: String,
}

impl fmt::Display for JsonFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pointer.as_str() {
            "" => f.write_str(&self.reason),
            pointer => write!(f, "at {pointer}: {}", self.reason),
        }
    }
}

/// Checks that a text is one JSON value.
///
/// # Errors
///
/// The first flaw, with its place.
pub fn check_json(text: &str) -> Result<(), JsonFlaw> {
    if read(text, &Untraced).is_ok() {
        return Ok(());
    }
    // The place is followed in a second reading, so that the first one costs little.
    let path = Path::default();
    read(text, &path).map_err(|error| JsonFlaw {
        pointer: path.pointer(),
        reason: in_words(&error),
    })
}

/// Returns an error in words of its own where the reader's are about its parts.
fn in_words(error: &serde_json::Error) -> String {
    let words = error.to_string();
    if words.contains("hex escape") || words.contains("surrogate") {
        let (line, column) = (error.line(), error.column());
        return format!("half of a surrogate pair at line {line} column {column}");
    }
    words
}

fn read(text: &str, trace: &impl Trace) -> serde_json::Result<()> {
    let mut reader = serde_json::Deserializer::from_str(text);
    // Its own limit has no place.
    reader.disable_recursion_limit();
    Value { depth: 0, trace }.deserialize(&mut reader)?;
    reader.end()
}

/// Follows the place at which a text is read.
trait Trace {
    fn enter_name(&self, name: &str);
    fn enter_item(&self, index: usize);
    fn leave(&self);
}

struct Untraced;

impl Trace for Untraced {
    fn enter_name(&self, _: &str) {}
    fn enter_item(&self, _: usize) {}
    fn leave(&self) {}
}

/// The names and indexes that lead to the present value.
#[derive(Default)]
struct Path(RefCell<Vec<String>>);

impl Path {
    fn pointer(&self) -> String {
        let mut pointer = String::new();
        for part in self.0.borrow().iter() {
            pointer.push('/');
            pointer.push_str(&part.replace('~', "~0").replace('/', "~1"));
        }
        pointer
    }
}

impl Trace for Path {
    fn enter_name(&self, name: &str) {
        self.0.borrow_mut().push(name.to_owned());
    }

    fn enter_item(&self, index: usize) {
        self.0.borrow_mut().push(index.to_string());
    }

    fn leave(&self) {
        self.0.borrow_mut().pop();
    }
}

/// A value that is read and dropped.
struct Value<'t, T> {
    depth: usize,
    trace: &'t T,
}

impl<T> Value<'_, T> {
    /// Returns what reads a value within this one.
    fn inner<E: serde::de::Error>(&self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(E::custom(format_args!(
                "it is nested deeper than {MAX_DEPTH}"
            )));
        }
        Ok(Self {
            depth: self.depth + 1,
            trace: self.trace,
        })
    }
}

impl<'de, T: Trace> DeserializeSeed<'de> for Value<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Trace> Visitor<'de> for Value<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        for index in 0.. {
            let item = self.inner()?;
            self.trace.enter_item(index);
            let read = items.next_element_seed(item)?;
            self.trace.leave();
            if read.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut names = Names::default();
        while let Some(Name(name)) = members.next_key()? {
            let value = self.inner()?;
            self.trace.enter_name(&name);
            if !names.add(name) {
                return Err(A::Error::custom("the object has this name twice"));
            }
            members.next_value_seed(value)?;
            self.trace.leave();
        }
        Ok(())
    }
}

/// The name of a member.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// The names of an object so far.
#[derive(Default)]
struct Names<'a> {
    few: Vec<Cow<'a, str>>,
    many: HashSet<Cow<'a, str>>,
}

impl<'a> Names<'a> {
    /// Adds a name; returns whether it is new.
    fn add(&mut self, name: Cow<'a, str>) -> bool {
        if self.few.contains(&name) || self.many.contains(&name) {
            return false;
        }
        if self.few.len() < FEW_NAMES {
            self.few.push(name);
        } else {
            self.many.insert(name);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sound_value_is_taken() {
        let deep = "[".repeat(MAX_DEPTH) + &"]".repeat(MAX_DEPTH);
        let many: Vec<_> = (0..100).map(|one| format!("\"{one}\":{one}")).collect();
        let many = format!("{{{}}}", many.join(","));
        for text in [
            "null",
            " 1 ",
            "-0.5e-7",
            "\"\\ud83d\\ude00\"",
            "\"\"",
            "[]",
            "{}",
            r#"{"a":{"a":[{"a":1},{"a":2}]},"":null,"A":true}"#,
            "18446744073709551616",
            &deep,
            &many,
        ] {
            assert_eq!(check_json(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn a_flaw_comes_with_its_place() {
        let deep = "[".repeat(MAX_DEPTH + 1) + &"]".repeat(MAX_DEPTH + 1);
        let deepest = "/0".repeat(MAX_DEPTH);
        let mut many: Vec<_> = (0..100).map(|one| format!("\"{one}\":{one}")).collect();
        many.push("\"77\":1".to_owned());
        let many = format!("{{{}}}", many.join(","));
        for (text, pointer, reason) in [
            ("", "", "EOF"),
            ("nul", "", "EOF"),
            ("1 2", "", "trailing characters"),
            ("NaN", "", "expected value"),
            (r#"{"a":1,"a":2}"#, "/a", "twice"),
            (r#"{"a":1,"\u0061":2}"#, "/a", "twice"),
            (r#"[{"x/y~":{"b":1,"b":1}}]"#, "/0/x~1y~0/b", "twice"),
            (&many, "/77", "twice"),
            (r#"{"a":[1,"\ud800"]}"#, "/a/1", "surrogate"),
            (r#"{"a":"\udc00\ud800"}"#, "/a", "surrogate"),
            (r#"["\ud800\u0041"]"#, "/0", "surrogate"),
            ("[1,,2]", "/1", "expected value"),
            ("[1e999]", "/0", "out of range"),
            ("[01]", "/0", "invalid number"),
            ("{\"a\":\"\n\"}", "/a", "control character"),
            (&deep, &deepest, "nested deeper than 128"),
        ] {
            let flaw = check_json(text).expect_err(text);
            assert_eq!(flaw.pointer, pointer, "{text}: {flaw}");
            assert!(flaw.reason.contains(reason), "{text}: {flaw}");
        }
    }
}
