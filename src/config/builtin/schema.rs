//! A compiled JSON Schema. Never fetches references, from the network or from other files.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jsonschema::Validator;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::number::{Exactness, first_rounded};
use crate::domain::{Digest, truncate_line};

/// A compiled JSON Schema. Cloning is cheap. Schemas are equal if file contents and assertion of `format` are.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "SchemaFile")]
pub struct Schema {
    #[serde(rename = "schema")]
    digest: Digest,
    // Left out of the serialised form unless set: fingerprints of older schemas must stay the same.
    #[serde(rename = "format", skip_serializing_if = "is_false")]
    asserts_formats: bool,
    #[serde(skip)]
    names_formats: bool,
    #[serde(skip)]
    needs: Exactness,
    #[serde(skip)]
    rounded: Option<Arc<str>>,
    #[serde(skip)]
    validator: Arc<Validator>,
    #[serde(skip)]
    file: Option<Arc<Path>>,
}

/// A schema's file, as the configuration names it.
#[derive(Deserialize)]
struct SchemaFile {
    name: String,
    path: PathBuf,
    text: String,
    #[serde(default)]
    format: bool,
}

impl TryFrom<SchemaFile> for Schema {
    type Error = String;

    fn try_from(file: SchemaFile) -> Result<Self, String> {
        let compiled = Self::compile(file.text.as_bytes(), file.format);
        let schema = compiled.map_err(|why| unusable(&file.name, &why))?;
        Ok(Self {
            file: Some(file.path.into()),
            ..schema
        })
    }
}

/// Returns the message for a file that is no usable schema.
pub(in crate::config) fn unusable(name: &str, why: &str) -> String {
    let name = name.escape_debug();
    format!(
        "cannot use `{name}`: {why}; give the path of a JSON Schema that refers to no other file"
    )
}

impl Schema {
    /// Compiles the text of a schema; `asserts_formats` makes `format` an assertion.
    ///
    /// # Errors
    ///
    /// Why the schema is unusable, with the place in it.
    pub fn compile(text: &[u8], asserts_formats: bool) -> Result<Self, String> {
        let schema: Value =
            serde_json::from_slice(text).map_err(|error| format!("not JSON: {error}"))?;
        let validator = jsonschema::options()
            .offline()
            .should_validate_formats(asserts_formats)
            .build(&schema)
            .map_err(|error| {
                let place = error.instance_path().to_string();
                let place = if place.is_empty() { "/" } else { &place };
                format!("not a schema: at {place}: {}", truncate_line(&error))
            })?;
        Ok(Self {
            digest: Digest::of(text),
            asserts_formats,
            names_formats: names_formats(&schema),
            needs: needed_by(&schema),
            rounded: std::str::from_utf8(text)
                .ok()
                .and_then(first_rounded)
                .map(Arc::from),
            validator: Arc::new(validator),
            file: None,
        })
    }

    /// Returns the path of the schema's file, if it came from one.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Returns the digest of the file's content.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Returns whether `format` is asserted; otherwise it is an annotation, as in JSON Schema since 2019-09.
    pub fn asserts_formats(&self) -> bool {
        self.asserts_formats
    }

    /// Returns whether the schema uses `format` without asserting it.
    pub fn ignores_formats(&self) -> bool {
        self.names_formats && !self.asserts_formats
    }

    /// Returns the worst exactness of a number at which the schema can still judge it.
    pub fn worst_exactness(&self) -> Exactness {
        self.needs
    }

    /// Returns a number in the schema that is not represented exactly.
    pub fn rounded(&self) -> Option<&str> {
        self.rounded.as_deref()
    }

    /// Returns the compiled schema.
    pub fn validator(&self) -> &Validator {
        &self.validator
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes the field")]
pub(super) fn is_false(is_set: &bool) -> bool {
    !is_set
}

fn names_formats(schema: &Value) -> bool {
    match schema {
        Value::Object(members) => members
            .iter()
            .any(|(key, value)| (key == "format" && value.is_string()) || names_formats(value)),
        Value::Array(items) => items.iter().any(names_formats),
        _ => false,
    }
}

/// Returns the worst exactness of a number that these keywords can still judge.
fn needed_by(schema: &Value) -> Exactness {
    match schema {
        Value::Object(members) => {
            let own = members.keys().map(|key| match key.as_str() {
                // The library compares the operands of these keywords as binary fractions.
                "uniqueItems" | "multipleOf" | "divisibleBy" => Exactness::Exact,
                "const" | "enum" | "minimum" | "maximum" | "exclusiveMinimum"
                | "exclusiveMaximum" => Exactness::Whole,
                _ => Exactness::Beyond,
            });
            let inner = members.values().map(needed_by);
            own.chain(inner).min().unwrap_or(Exactness::Beyond)
        }
        Value::Array(items) => items
            .iter()
            .map(needed_by)
            .min()
            .unwrap_or(Exactness::Beyond),
        _ => Exactness::Beyond,
    }
}

impl PartialEq for Schema {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest && self.asserts_formats == other.asserts_formats
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
        let schema = |text: &str| Schema::compile(text.as_bytes(), false).expect("a schema");
        assert_eq!(schema("{}"), schema("{}"));
        assert_ne!(schema("{}"), schema("{\"type\": \"object\"}"));
        assert_ne!(
            schema("{}"),
            Schema::compile(b"{}", true).expect("a schema")
        );
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
            let error = Schema::compile(text.as_bytes(), false).expect_err(text);
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
