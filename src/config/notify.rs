//! Reads `[[notify]]`: who is told of which changes, and how. Never starts a program.

use std::collections::HashMap;
use std::time::Duration;

use chrono::TimeDelta;

use super::document::{Field, Section};
use super::duration::{parse_duration, parse_long_duration};
use super::paths::Paths;
use super::verifiers::{parse_web_address, read_argv, read_name, read_sources};
use super::{NoticeFormat, NotifierConfig, NotifierKind};
use crate::domain::{ChangeKind, NoticeRules, Pattern, parse_number};

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
const DEFAULT_QUIET: Duration = Duration::from_hours(1);
const MOST_FAILURES: u32 = 1000;
/// Keys that mean nothing to a command.
const WEBHOOK_KEYS: [&str; 2] = ["secret", "format"];

/// Reads every `[[notify]]`; those with problems, which are noted, are left out.
pub(super) fn read(sections: Vec<Section<'_>>, paths: Paths<'_>) -> Vec<NotifierConfig> {
    let mut lines = HashMap::new();
    let mut notifiers = Vec::new();
    for mut section in sections {
        let name = read_name(&mut section, "notifier", &mut lines);
        let sources = if section.has("sources") {
            read_sources(&mut section)
        } else {
            // Asked for all the same, so that it is a known key.
            let _ = section.texts("sources");
            Some(vec![every_source()])
        };
        let rules = read_rules(&mut section);
        let kind = read_kind(&mut section, paths);
        let timeout = section.parsed("timeout", parse_duration);
        section.finish();
        if let (Some(name), Some(sources), Some(rules), Some(kind)) = (name, sources, rules, kind) {
            notifiers.push(NotifierConfig {
                name,
                sources,
                rules,
                kind,
                timeout: timeout.map_or(DEFAULT_TIMEOUT, |field| field.value),
            });
        }
    }
    notifiers
}

fn every_source() -> Pattern {
    "*".parse().expect("a glob")
}

fn read_rules(section: &mut Section<'_>) -> Option<NoticeRules> {
    let on = read_changes(section);
    let after = section.number("after", 1..=MOST_FAILURES);
    let quiet = section.parsed("quiet", parse_quiet);
    let quiet = quiet.map_or(DEFAULT_QUIET, |field| field.value);
    Some(NoticeRules {
        on: on?,
        after: after.unwrap_or(1),
        quiet: TimeDelta::from_std(quiet).expect("at most ten years"),
    })
}

/// Reads how long a notifier is left in peace: also not at all.
fn parse_quiet(text: &str) -> Result<Duration, String> {
    match text
        .strip_suffix(['s', 'm', 'h', 'd'])
        .map(parse_number::<u64>)
    {
        Some(Some(0)) => Ok(Duration::ZERO),
        _ => parse_long_duration(text),
    }
}

fn read_changes(section: &mut Section<'_>) -> Option<Vec<ChangeKind>> {
    if !section.has("on") {
        let _ = section.texts("on");
        return Some(ChangeKind::of_trouble());
    }
    let words = section.texts("on")?;
    let key = section.path("on");
    if words.value.is_empty() {
        let kinds = ChangeKind::ALL.map(ChangeKind::as_str).join(", ");
        let message = format!("`{key}`: names no change; give some of {kinds}");
        section.problem(&words.span, message);
        return None;
    }
    let read = |word: &Field<&str>| {
        let kind = word.value.parse::<ChangeKind>();
        kind.map_err(|message| section.problem(&word.span, format!("`{key}`: {message}")))
            .ok()
    };
    // Every word is read, so that every bad one is told.
    let read: Vec<_> = words.value.iter().map(read).collect();
    read.into_iter().collect()
}

fn read_kind(section: &mut Section<'_>, paths: Paths<'_>) -> Option<NotifierKind> {
    // All are always asked for, so that none is ever an unknown key.
    let command = section.texts("command");
    let webhook = section.parsed("webhook", parse_web_address);
    let secret = section.parsed("secret", |text| Ok(text.to_owned()));
    let format = section.parsed("format", |text| match text {
        "json" => Ok(NoticeFormat::Json),
        "text" => Ok(NoticeFormat::Text),
        other => Err(format!(
            "`{}` is not a format: expected json or text",
            other.escape_debug()
        )),
    });
    match (section.has("command"), section.has("webhook")) {
        (true, false) => {
            let is_whole = section.refuse(&WEBHOOK_KEYS, "with `command`");
            let argv = read_argv(section, &command?, paths)?;
            is_whole.then_some(NotifierKind::Command { argv })
        }
        (false, true) => Some(NotifierKind::Webhook {
            url: webhook?.value,
            secret: secret.map(|field| field.value),
            format: format.map_or(NoticeFormat::default(), |field| field.value),
        }),
        (has_both, _) => {
            let found = if has_both { "both are" } else { "neither is" };
            let message = format!("a notifier needs one of `command` and `webhook`: {found} given");
            section.problem(section.span(), message);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notifier_may_be_left_no_peace_at_all() {
        for (text, seconds) in [("0s", 0), ("0m", 0), ("0h", 0), ("0d", 0), ("1s", 1)] {
            assert_eq!(
                parse_quiet(text),
                Ok(Duration::from_secs(seconds)),
                "{text}"
            );
        }
        for text in ["0", "", "s", "-0s", "0 s", "0w"] {
            let error = parse_quiet(text).expect_err(text);
            assert!(error.contains("not a duration"), "{error}");
        }
    }
}
