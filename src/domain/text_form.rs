//! Serde support for values whose JSON and TOML form is the text that people write: `6h`, `90%`, `tag:prices`.
//!
//! Never interprets a text itself: the value's `FromStr` and `Display` do.

use std::fmt;

use serde::de::{Deserializer, Error, Visitor};

struct TextVisitor<T, E>(fn(&str) -> Result<T, E>);

impl<T, E: fmt::Display> Visitor<'_> for TextVisitor<T, E> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text in quotes")
    }

    fn visit_str<F: Error>(self, text: &str) -> Result<T, F> {
        (self.0)(text).map_err(F::custom)
    }
}

/// Deserializes a text by `parse`. An error is located at the text itself, also within a list.
pub(crate) fn from_text<'de, D: Deserializer<'de>, T, E: fmt::Display>(
    deserializer: D,
    parse: fn(&str) -> Result<T, E>,
) -> Result<T, D::Error> {
    deserializer.deserialize_str(TextVisitor(parse))
}

/// Makes types `Deserialize` by their `FromStr`.
macro_rules! reads_text {
    ($($type:ty),+) => {$(
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::domain::text_form::from_text(deserializer, str::parse)
            }
        }
    )+};
}

/// Makes types `Serialize` by their `Display`.
macro_rules! prints_text {
    ($($type:ty),+) => {$(
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    )+};
}

pub(crate) use {prints_text, reads_text};
