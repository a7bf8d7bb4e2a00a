//! Finds the parameters of built-in rules among the keys of a `[[verifier]]`, and moves them where serde reads a rule.
//!
//! Names no rule: serde lists the rules and the keys of each.

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::Builtin;
use super::schema::unusable;
use crate::config::document::{Document, accepted, suggestion, unknown_key};
use crate::config::paths::Paths;
use crate::config::verifiers::{KINDS, VerifierKeys, with_kind};
use crate::domain::io_words;
use crate::domain::words::no_such_word;

/// The keys of every verifier, and the parameters of each rule.
struct Keys {
    verifier: Vec<String>,
    rules: Vec<(String, Vec<String>)>,
}

impl Keys {
    fn new() -> Self {
        let keys = |rule: String| {
            let keys = accepted::<Builtin>(&format!("{{ {rule} = {{ \"\" = 0 }} }}"));
            (rule, keys)
        };
        let rules = accepted::<Builtin>("{ \"\" = {} }");
        Self {
            verifier: accepted::<VerifierKeys>("{ \"\" = 0 }"),
            rules: rules.into_iter().map(keys).collect(),
        }
    }

    fn of(&self, rule: &str) -> Option<&[String]> {
        let found = self.rules.iter().find(|(name, _)| name == rule);
        found.map(|(_, keys)| keys.as_slice())
    }

    fn is_of_rule(&self, key: &str) -> bool {
        self.rules
            .iter()
            .any(|(_, keys)| keys.iter().any(|name| name == key))
    }
}

/// Moves the parameters of rules in `root` below the key `builtin`, whose value becomes the table `{ RULE = { … } }`.
/// Reports and removes keys that the kind of verifier does not take.
pub(in crate::config) fn nest_parameters<'a>(
    document: &Document<'a>,
    root: &mut DeTable<'a>,
    paths: Paths<'_>,
) {
    let Some(DeValue::Array(verifiers)) = root.get_mut("verifier").map(Spanned::get_mut) else {
        return;
    };
    let keys = Keys::new();
    for verifier in verifiers.iter_mut() {
        if let DeValue::Table(verifier) = verifier.get_mut() {
            nest(document, &keys, verifier, paths);
        }
    }
}

fn nest<'a>(document: &Document<'a>, keys: &Keys, verifier: &mut DeTable<'a>, paths: Paths<'_>) {
    let mut parameters = take_parameters(document, keys, verifier);
    read_schema_file(document, &mut parameters, paths);
    let Some((key, builtin)) = verifier.remove_entry("builtin") else {
        return;
    };
    let at = builtin.span();
    let Some(rule) = builtin.get_ref().as_str() else {
        return document.problem(&at, not_a_text("verifier.builtin", builtin.get_ref()));
    };
    if keys.of(rule).is_none() {
        let rules = keys.rules.iter().map(|(name, _)| name.as_str());
        let rules: Vec<_> = rules.collect();
        let message = no_such_word(rule, "a rule", &rules);
        let meant = suggestion("; ", rule, &rules);
        return document.problem(&at, format!("`verifier.builtin`: {message}{meant}"));
    }
    let nested = |key: DeString<'a>, value| {
        let entry = (Spanned::new(at.clone(), key), value);
        Spanned::new(at.clone(), DeValue::Table(DeTable::from_iter([entry])))
    };
    let parameters = Spanned::new(at.clone(), DeValue::Table(parameters));
    let rule = DeString::from(rule.to_owned());
    verifier.insert(key, nested(rule, parameters));
}

/// Removes the parameters of the verifier's rule from `verifier`, and returns them.
fn take_parameters<'a>(
    document: &Document<'a>,
    keys: &Keys,
    verifier: &mut DeTable<'a>,
) -> DeTable<'a> {
    let rule = verifier
        .get("builtin")
        .and_then(|rule| rule.get_ref().as_str());
    let own = rule.and_then(|rule| keys.of(rule)).unwrap_or_default();
    let kind = KINDS.into_iter().find(|kind| verifier.contains_key(*kind));
    let is_among = |keys: &[String], key: &str| keys.iter().any(|name| name == key);
    let mut parameters = DeTable::new();
    for (key, value) in std::mem::take(verifier) {
        let name = key.get_ref().as_ref();
        if is_among(&keys.verifier, name) {
            verifier.insert(key, value);
        } else if is_among(own, name) {
            parameters.insert(key, value);
        } else if let Some(kind) = kind.filter(|_| keys.is_of_rule(name)) {
            let message = format!("`verifier.{name}` means nothing {}", with_kind(kind));
            document.problem(&value.span(), message);
        } else {
            let accepted = keys.verifier.iter().chain(own).map(String::as_str);
            let accepted: Vec<_> = accepted.collect();
            document.problem(&key.span(), unknown_key(&["verifier", name], &accepted));
        }
    }
    parameters
}

/// Replaces the file name in `schema` by the table of a schema: name, path and text of the file, and `format`.
fn read_schema_file<'a>(document: &Document<'a>, parameters: &mut DeTable<'a>, paths: Paths<'_>) {
    let Some((key, schema)) = parameters.remove_entry("schema") else {
        return;
    };
    let at = schema.span();
    let format = parameters.remove_entry("format");
    let Some(name) = schema.get_ref().as_str() else {
        return document.problem(&at, not_a_text("verifier.schema", schema.get_ref()));
    };
    let read = paths.resolve_for_all(name).and_then(|path| {
        let text = std::fs::read_to_string(&path).map_err(|error| io_words(&error))?;
        Ok((path.to_string_lossy().into_owned(), text))
    });
    let (path, text) = match read {
        Ok(read) => read,
        Err(why) => {
            let message = format!("`verifier.schema`: {}", unusable(name, &why));
            return document.problem(&at, message);
        }
    };
    let entry = |key: &'static str, text: String| {
        let value = DeValue::String(text.into());
        (
            Spanned::new(at.clone(), key.into()),
            Spanned::new(at.clone(), value),
        )
    };
    let name = entry("name", name.to_owned());
    let mut file = DeTable::from_iter([name, entry("path", path), entry("text", text)]);
    file.extend(format);
    parameters.insert(key, Spanned::new(at.clone(), DeValue::Table(file)));
}

fn not_a_text(key: &str, value: &DeValue<'_>) -> String {
    format!(
        "`{key}`: expected a text in quotes, found {}",
        value.type_str()
    )
}
