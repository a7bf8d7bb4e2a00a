//! `[[notify]]`: its keys, and their combinations. Never starts a program.

use std::collections::HashMap;
use std::time::Duration;

use chrono::TimeDelta;
use serde::Deserialize;
use toml::Spanned;

use super::document::{Document, Section};
use super::paths::Paths;
use super::programs::read_argv;
use super::values::{
    DEFAULT_TIMEOUT, changes, name, quiet, selection, some_duration, web_address, within,
};
use super::verifiers::check_named;
use super::{NoticeFormat, NotifierConfig, NotifierKind};
use crate::domain::{ChangeKind, NoticeRules, Pattern};

const DEFAULT_QUIET: Duration = Duration::from_hours(1);
/// Keys that only webhooks take.
const WEBHOOK_KEYS: [&str; 2] = ["secret", "format"];

/// One `[[notify]]` as deserialized.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct NotifierKeys {
    #[serde(deserialize_with = "name")]
    name: Option<String>,
    #[serde(deserialize_with = "selection")]
    sources: Option<Vec<Pattern>>,
    #[serde(deserialize_with = "changes")]
    on: Option<Vec<ChangeKind>>,
    #[serde(deserialize_with = "within::<1, 1000, _, _>")]
    after: Option<u32>,
    #[serde(deserialize_with = "quiet")]
    quiet: Option<Duration>,
    command: Option<Vec<Spanned<String>>>,
    #[serde(with = "web_address")]
    webhook: Option<String>,
    secret: Option<String>,
    format: NoticeFormat,
    #[serde(deserialize_with = "some_duration")]
    timeout: Option<Duration>,
}

/// Returns the valid notifiers; problems of the others are reported.
pub(super) fn notifiers(
    document: &Document<'_>,
    read: Vec<NotifierKeys>,
    paths: Paths<'_>,
) -> Vec<NotifierConfig> {
    let mut lines = HashMap::new();
    let sections = document.sections("notify");
    let notifiers = sections.iter().zip(read);
    let notifiers = notifiers.map(|(section, keys)| {
        check_named(section, "notifier", keys.name.as_ref(), &mut lines);
        notifier(section, keys, paths)
    });
    notifiers.flatten().collect()
}

fn notifier(section: &Section<'_>, keys: NotifierKeys, paths: Paths<'_>) -> Option<NotifierConfig> {
    let quiet = keys.quiet.unwrap_or(DEFAULT_QUIET);
    let rules = NoticeRules {
        on: keys.on.unwrap_or_else(ChangeKind::default_kinds),
        after: keys.after.unwrap_or(1),
        quiet: TimeDelta::from_std(quiet).expect("at most ten years"),
    };
    let kind = match (section.has("command"), section.has("webhook")) {
        (true, false) => {
            let is_fine = section.refuse(&WEBHOOK_KEYS, "with `command`");
            let argv = read_argv(section, &keys.command?, paths)?;
            is_fine.then_some(NotifierKind::Command { argv })?
        }
        (false, true) => NotifierKind::Webhook {
            url: keys.webhook?,
            secret: keys.secret,
            format: keys.format,
        },
        (has_both, _) => {
            let found = if has_both { "both are" } else { "neither is" };
            let message = format!("a notifier needs one of `command` and `webhook`: {found} given");
            section.problem("", message);
            return None;
        }
    };
    Some(NotifierConfig {
        name: keys.name?,
        sources: if section.has("sources") {
            keys.sources?
        } else {
            vec!["*".parse().expect("a glob")]
        },
        rules,
        kind,
        timeout: keys.timeout.unwrap_or(DEFAULT_TIMEOUT),
    })
}
