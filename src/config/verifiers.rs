//! `[[verifier]]`: its keys, and their combinations. Never starts a program.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::document::{Document, Section};
use super::paths::Paths;
use super::programs::read_argv;
use super::values::{
    DEFAULT_TIMEOUT, SELECTORS, ScopeWord, exit_codes, name, queues, scope_word, selection,
    some_duration, some_long_duration, web_address,
};
use super::{
    Builtin, ResourceLimits, Sha256Rule, SizeRule, VerifierConfig, VerifierInput, VerifierKind,
};
use crate::domain::{Pattern, QueueName, Scope, Weight, safe_part};

const DEFAULT_DEADLINE: Duration = Duration::from_hours(24);
/// The keys that give the kind of a verifier; a verifier has one of them.
pub(super) const KINDS: [&str; 4] = ["command", "builtin", "http", "external"];
/// The keys that only some kinds of verifiers take.
const KEYS_OF_KINDS: [(&str, &[&str]); 6] = [
    ("stdin", &["command"]),
    ("failed", &["command"]),
    ("limits", &["command"]),
    ("secret", &["http"]),
    ("send", &["http"]),
    ("deadline", &["http", "external"]),
];

/// One `[[verifier]]` as deserialized. The parameters of a built-in rule stand below `builtin`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct VerifierKeys {
    #[serde(deserialize_with = "name")]
    name: Option<String>,
    #[serde(deserialize_with = "selection")]
    sources: Option<Vec<Pattern>>,
    command: Option<Vec<Spanned<String>>>,
    stdin: bool,
    #[serde(deserialize_with = "exit_codes")]
    failed: Option<Vec<i32>>,
    limits: ResourceLimits,
    builtin: Option<Builtin>,
    #[serde(with = "web_address")]
    http: Option<String>,
    secret: Option<String>,
    send: VerifierInput,
    #[serde(deserialize_with = "some_long_duration")]
    deadline: Option<Duration>,
    external: bool,
    advisory: Option<bool>,
    #[serde(deserialize_with = "scope_word")]
    scope: ScopeWord,
    #[serde(deserialize_with = "queues")]
    queues: Option<Vec<QueueName>>,
    #[serde(deserialize_with = "some_duration")]
    timeout: Option<Duration>,
}

/// Returns the valid verifiers; problems of the others are reported.
pub(super) fn verifiers(
    document: &Document<'_>,
    read: Vec<VerifierKeys>,
    paths: Paths<'_>,
) -> Vec<VerifierConfig> {
    let mut lines = HashMap::new();
    let sections = document.sections("verifier");
    let verifiers = sections.iter().zip(read);
    let verifiers = verifiers.map(|(section, keys)| {
        check_named(section, "verifier", keys.name.as_ref(), &mut lines);
        verifier(section, keys, paths)
    });
    verifiers.flatten().collect()
}

/// Reports a missing name, and one that an earlier section has. `noun` is what messages call a section; `lines` holds
/// the line where each name stands first.
pub(super) fn check_named(
    section: &Section<'_>,
    noun: &str,
    name: Option<&String>,
    lines: &mut HashMap<String, usize>,
) {
    let key = section.path("name");
    if !section.has("name") {
        let message = format!("`{key}`: missing; every {noun} needs a name");
        section.problem("name", message);
    }
    let Some(name) = name else { return };
    match lines.entry(name.clone()) {
        Entry::Vacant(vacant) => _ = vacant.insert(section.line("name")),
        Entry::Occupied(first) => {
            let line = first.get();
            let message =
                format!("`{key}`: `{name}` is the name of the {noun} on line {line} already");
            section.problem("name", message);
        }
    }
}

fn verifier(section: &Section<'_>, keys: VerifierKeys, paths: Paths<'_>) -> Option<VerifierConfig> {
    let is_of_messages = keys.scope == ScopeWord::Message;
    if !section.has("sources") && !is_of_messages {
        let message = format!("`{}`: missing; {SELECTORS}", section.path("sources"));
        section.problem("sources", message);
    }
    let scope = scope(section, &keys);
    let weight = match keys.advisory {
        Some(true) => Weight::Advisory,
        Some(false) | None => Weight::Required,
    };
    let (name, sources) = (keys.name.clone(), keys.sources.clone());
    let sources = sources.or_else(|| is_of_messages.then(Vec::new));
    let timeout = keys.timeout.unwrap_or(DEFAULT_TIMEOUT);
    let kind = kind(section, keys, paths)?;
    let scope = scope?;
    if !may_judge(section, &kind, &scope) {
        return None;
    }
    Some(VerifierConfig {
        name: name?,
        sources: sources?,
        kind,
        weight,
        scope,
        timeout,
    })
}

/// Returns the scope; `None` after reporting a problem with it.
fn scope(section: &Section<'_>, keys: &VerifierKeys) -> Option<Scope> {
    const ONE_TAG: &str = r#"`verifier.sources`: a set is all sources of one tag; give just that, such as ["tag:release"]"#;
    if keys.scope == ScopeWord::Message {
        let refused = "means nothing with scope = \"message\": `queues` selects";
        return refuse_key(section, "sources", refused).then(|| Scope::Message {
            queues: keys.queues.clone().unwrap_or_default(),
        });
    }
    if !refuse_key(section, "queues", "needs scope = \"message\"") {
        return None;
    }
    if keys.scope == ScopeWord::Source {
        return Some(Scope::Source);
    }
    let tag = match &keys.sources.as_ref()?[..] {
        [pattern] => pattern.tag(),
        _ => None,
    };
    let Some(tag) = tag else {
        section.problem("scope", ONE_TAG);
        return None;
    };
    if safe_part(tag).as_deref() != Some(tag) {
        let message = format!(
            "`verifier.sources`: the set `{}` cannot have a folder of its name; give a tag without separators",
            tag.escape_debug()
        );
        section.problem("scope", message);
        return None;
    }
    Some(Scope::Set {
        tag: tag.to_owned(),
    })
}

/// Reports a key that the scope does not take; returns whether it is absent.
fn refuse_key(section: &Section<'_>, key: &str, why: &str) -> bool {
    if section.has(key) {
        section.problem(key, format!("`verifier.{key}` {why}"));
    }
    !section.has(key)
}

/// Reports a kind of verifier that cannot judge what the scope selects; returns whether it can.
fn may_judge(section: &Section<'_>, kind: &VerifierKind, scope: &Scope) -> bool {
    let refused = match scope {
        Scope::Source => None,
        Scope::Set { .. } => refused_for_sets(kind),
        Scope::Message { .. } => refused_for_messages(kind),
    };
    if let Some(why) = refused {
        section.problem("scope", why);
    }
    refused.is_none()
}

/// Returns why a kind of verifier cannot judge messages.
fn refused_for_messages(kind: &VerifierKind) -> Option<&'static str> {
    match kind {
        VerifierKind::Command { .. }
        | VerifierKind::Builtin(
            Builtin::Json(_)
            | Builtin::Size(SizeRule {
                min_of_last: None,
                max_of_last: None,
                ..
            }),
        ) => None,
        VerifierKind::Builtin(Builtin::Size(_)) => Some(
            "`verifier.scope`: no message comes after another as a version does: give `min` and `max` in bytes",
        ),
        VerifierKind::Builtin(_) => Some(
            "`verifier.scope`: a message is JSON: of the built-in rules, `json` and `size` judge it",
        ),
        VerifierKind::Http { .. } | VerifierKind::External { .. } => Some(
            "`verifier.scope`: a message is judged by `command`, `builtin = \"json\"` or `builtin = \"size\"`, since nobody outside can be asked for a verdict on each",
        ),
    }
}

/// Returns why a kind of verifier cannot judge a set.
fn refused_for_sets(kind: &VerifierKind) -> Option<&'static str> {
    match kind {
        VerifierKind::Command { stdin: true, .. } => Some(
            r#"`verifier.stdin` means nothing with scope = "set": the files lie in the folder `{path}`"#,
        ),
        VerifierKind::Command { .. }
        | VerifierKind::External { .. }
        | VerifierKind::Builtin(Builtin::Sha256(Sha256Rule::Companion(_))) => None,
        VerifierKind::Builtin(_) | VerifierKind::Http { .. } => Some(
            "`verifier.scope`: a set is judged by `command`, `external = true`, or `builtin = \"sha256\"` with `companion`",
        ),
    }
}

fn kind(section: &Section<'_>, keys: VerifierKeys, paths: Paths<'_>) -> Option<VerifierKind> {
    let given: Vec<_> = KINDS
        .into_iter()
        .filter(|kind| section.has(kind) && (*kind != "external" || keys.external))
        .collect();
    let &[kind] = &given[..] else {
        let found = match given.len() {
            0 => "none is given".to_owned(),
            _ => format!("{} are given", given.join(" and ")),
        };
        let message = format!(
            "a verifier needs one of `command`, `builtin`, `http` and `external = true`: {found}"
        );
        section.problem("", message);
        return None;
    };
    let stray = KEYS_OF_KINDS
        .iter()
        .filter(|(_, kinds)| !kinds.contains(&kind));
    let stray: Vec<_> = stray.map(|(key, _)| *key).collect();
    let is_fine = section.refuse(&stray, &with_kind(kind));
    let deadline = keys.deadline.unwrap_or(DEFAULT_DEADLINE);
    let kind = match kind {
        "command" => VerifierKind::Command {
            argv: read_argv(section, &keys.command?, paths)?,
            stdin: keys.stdin,
            failed: keys.failed.unwrap_or_else(|| vec![1]),
            limits: keys.limits,
        },
        "builtin" => VerifierKind::Builtin(checked_rule(section, keys.builtin?)?),
        "http" => VerifierKind::Http {
            url: keys.http?,
            secret: keys.secret,
            deadline,
            send: keys.send,
        },
        _ => VerifierKind::External { deadline },
    };
    is_fine.then_some(kind)
}

/// Names a kind of verifier in the message on a key that it does not take.
pub(super) fn with_kind(kind: &str) -> String {
    match kind {
        "builtin" => "with this builtin".to_owned(),
        kind => format!("with `{kind}`"),
    }
}

/// Reports parameters of a rule that no content could satisfy.
fn checked_rule(section: &Section<'_>, rule: Builtin) -> Option<Builtin> {
    match rule.contradiction(|key| section.has(key)) {
        Some((key, message)) => {
            section.problem(key, message);
            None
        }
        None => Some(rule),
    }
}
