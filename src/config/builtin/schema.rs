//! A JSON Schema, read and compiled. Never fetches what it refers to, from the network or from other files.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use jsonschema::Validator;
use serde_json::Value;

use crate::domain::{Digest, in_short};

/// A compiled JSON Schema. Cloning is cheap; two are equal when their files' contents are.
#[derive(Clone)]
pub struct Schema {
    digest: Digest,
    validator: Arc<Validator>,
}

impl Schema {
    /// Reads and compiles the file.
    ///
    /// # Errors
    ///
    /// Why it cannot be used, with the place in the file.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        std::fs::read(path)
            .map_err(|error| error.to_string())
            .and_then(|bytes| Self::compile(&bytes))
    }

    /// Compiles the text of a schema.
    ///
    /// # Errors
    ///
    /// Why it cannot be used, with the place in it.
    pub fn compile(text: &[u8]) -> Result<Self, String> {
        let schema: Value =
            serde_json::from_slice(text).map_err(|error| format!("not JSON: {error}"))?;
        let validator = jsonschema::options()
            .offline()
            .build(&schema)
            .map_err(|error| {
                let place = error.instance_path().to_string();
                let place = if place.is_empty() { "/" } else { &place };
                format!("not a schema: at {place}: {}", in_short(&error))
            })?;
        Ok(Self {
            digest: Digest::of(text),
            validator: Arc::new(validator),
        })
    }

    /// Returns the digest of the file's content.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Returns the compiled schema.
    pub fn validator(&self) -> &Validator {
        &self.validator
    }
}

impl PartialEq for Schema {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for Schema {}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Schema").field(&self.digest).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_told_by_its_content() {
        let schema = |text: &str| Schema::compile(text.as_bytes()).expect("a schema");
        assert_eq!(schema("{}"), schema("{}"));
        assert_ne!(schema("{}"), schema("{\"type\": \"object\"}"));
        assert!(format!("{:?}", schema("true")).starts_with("Schema(sha256:"));
    }

    #[test]
    fn what_is_no_schema_is_refused() {
        for (text, expected) in [
            ("{", "not JSON: EOF"),
            ("\"x\"", "at /: "),
            (
                "{\"properties\": {\"a\": {\"type\": \"strin\"}}}",
                "at /properties/a/type: \"strin\" is not",
            ),
            ("{\"minimum\": \"x\"}", "at /minimum: "),
            ("{\"pattern\": \"(\"}", "at /pattern: "),
            (
                "{\"$ref\": \"https://example.org/x.json\"}",
                "cannot fetch https://example.org/x.json",
            ),
            (
                "{\"$ref\": \"file:///etc/hostname\"}",
                "cannot fetch file:///etc/hostname",
            ),
            ("{\"$ref\": \"other.json\"}", "other.json"),
            ("{\"$ref\": \"#/$defs/none\"}", "/$defs/none"),
            (
                "{\"$schema\": \"https://example.org/schema\"}",
                "example.org/schema",
            ),
        ] {
            let error = Schema::compile(text.as_bytes()).expect_err(text);
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
