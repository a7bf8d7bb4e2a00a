//! `[[queue]]`: its keys. Never reads a message.

use std::collections::HashMap;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use toml::Spanned;

use super::builtin::{Schema, unusable};
use super::document::{Document, Section};
use super::paths::Paths;
use super::values::keep;
use super::verifiers::check_named;
use super::{QueueConfig, Secrets};
use crate::domain::{QueueName, Template, io_words};

/// One `[[queue]]` as deserialized.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct QueueKeys {
    name: Option<QueueName>,
    schema: Option<Spanned<String>>,
    #[serde(deserialize_with = "keep")]
    keep: Option<Duration>,
}

/// Returns the address of a Redis server, with its secrets filled in.
///
/// # Errors
///
/// Why a secret cannot be used.
pub fn redis_address(setting: &str, secrets: &Secrets) -> Result<String, String> {
    let template = Template(setting);
    let is_whole = template.whole_name().is_some();
    template.expand(|name| {
        let value = secrets
            .get(name)
            .filter(|_| secrets.problem(name).is_none());
        let value = value.ok_or_else(|| {
            let why = secrets.problem(name).unwrap_or_default();
            format!("`queues.redis`: the secret ${{{name}}} {why}")
        })?;
        let value = value.expose_secret();
        // A part of an address must not end it.
        Ok(if is_whole {
            value.to_owned()
        } else {
            utf8_percent_encode(value, NON_ALPHANUMERIC).to_string()
        })
    })
}

/// Returns the valid queues; problems of the others are reported.
pub(super) fn queues(
    document: &Document<'_>,
    read: Vec<QueueKeys>,
    paths: Paths<'_>,
) -> Vec<QueueConfig> {
    let mut lines = HashMap::new();
    let sections = document.sections("queue");
    let queues = sections.iter().zip(read);
    let queues = queues.map(|(section, keys)| {
        let name = keys.name.as_ref().map(ToString::to_string);
        check_named(section, "queue", name.as_ref(), &mut lines);
        queue(section, keys, paths)
    });
    queues.flatten().collect()
}

fn queue(section: &Section<'_>, keys: QueueKeys, paths: Paths<'_>) -> Option<QueueConfig> {
    let schema = match keys.schema {
        None => None,
        Some(file) => Some(schema_of(section, file.get_ref(), paths)?),
    };
    Some(QueueConfig {
        name: keys.name?,
        schema,
        keep: keys.keep,
    })
}

fn schema_of(section: &Section<'_>, file: &str, paths: Paths<'_>) -> Option<Schema> {
    let compiled = paths.resolve_for_all(file).and_then(|path| {
        let text = std::fs::read(&path).map_err(|error| io_words(&error))?;
        Schema::compile(&text, false)
    });
    let note = |why: String| {
        let message = format!("`{}`: {}", section.path("schema"), unusable(file, &why));
        section.problem("schema", message);
    };
    compiled.map_err(note).ok()
}
