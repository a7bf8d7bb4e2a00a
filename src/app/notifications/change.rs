//! One change of a message to notifiers, as a line for people and as JSON for programs.
//!
//! Texts from outside (names, reasons) are made harmless here: no control characters, and nothing that a chat would run
//! as a command.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::app::policy::standing::{BEFORE_STAYS, NOTHING_IS_DONE};
use crate::domain::{ChangeKind, SourceId, VersionId, clean, shortened, truncate_line};

/// How many problems of a configuration a message names.
const MOST_PROBLEMS: usize = 10;
const MOST_PROBLEM_BYTES: usize = 2500;
/// The length of one problem, with all names accepted in the place of an unknown one.
const MOST_PROBLEM_CHARS: usize = 600;

/// One change of one source or set, or of the configuration.
#[derive(Clone, Debug)]
pub(in crate::app) struct Change {
    pub(in crate::app) kind: ChangeKind,
    /// The source's name, `set NAME`, or `the configuration`.
    pub(in crate::app) subject: String,
    pub(in crate::app) source_id: Option<SourceId>,
    /// The stored address, with secrets by name.
    pub(in crate::app) address: Option<String>,
    pub(in crate::app) since: Option<DateTime<Utc>>,
    pub(in crate::app) failures: u32,
    pub(in crate::app) detail: Option<String>,
    pub(in crate::app) version_id: Option<VersionId>,
    /// The difference from the version before, when it is short.
    pub(in crate::app) difference: Option<String>,
    /// How many such changes there were since the last message about one; this is the last of them.
    pub(in crate::app) times: u64,
    /// The first of several changes, in the last one's words: `v7`, `edition 7`.
    pub(in crate::app) first: Option<String>,
    /// The version or edition that readers saw before, in the same words.
    pub(in crate::app) replaces: Option<String>,
    /// Who failed that version and why, when readers see an older one now.
    pub(in crate::app) because: Option<String>,
    /// Whether readers see again what they saw before a withdrawal.
    pub(in crate::app) is_back: bool,
}

impl Change {
    /// Returns a change that happened once, of which nothing else is known.
    pub(in crate::app) fn new(kind: ChangeKind, subject: String) -> Self {
        Self {
            kind,
            subject,
            source_id: None,
            address: None,
            since: None,
            failures: 0,
            detail: None,
            version_id: None,
            difference: None,
            times: 1,
            first: None,
            replaces: None,
            because: None,
            is_back: false,
        }
    }

    pub(super) fn line(&self) -> String {
        let name = line_of(&self.subject);
        let what = self.words();
        let since = self
            .since
            .map(|time| time.format(" since %Y-%m-%d %H:%M UTC").to_string())
            .filter(|_| self.kind == ChangeKind::Failing)
            .unwrap_or_default();
        let detail = match (&self.detail, self.kind) {
            (None, _) => String::new(),
            (Some(detail), ChangeKind::Recovered) => format!(" {}", line_of(detail)),
            (Some(detail), ChangeKind::ConfigRejected) => format!(": {}", problems(detail)),
            (Some(detail), _) => format!(": {}", line_of(detail)),
        };
        let address = self.address.as_deref().map(line_of);
        let address = address.map_or_else(String::new, |address| format!(" ({address})"));
        let difference = self.difference.as_deref().unwrap_or_default();
        let difference = match difference.trim_end() {
            "" => String::new(),
            lines => format!("\n    {}", lines.replace('\n', "\n    ")),
        };
        let back = match (&self.replaces, &self.because) {
            (Some(before), Some(why)) => {
                format!(
                    ", back in the place of {}, failed by {}",
                    line_of(before),
                    line_of(why)
                )
            }
            _ => String::new(),
        };
        format!("- {name} {what}{since}{detail}{back}{address}{difference}")
    }

    fn words(&self) -> String {
        let version = self.version_id.map(|id| format!("v{id} "));
        let version = version.unwrap_or_default();
        match self.kind {
            ChangeKind::Failing => "failing".to_owned(),
            ChangeKind::Recovered => "recovered".to_owned(),
            ChangeKind::VersionFailed => format!("{version}failed verification"),
            ChangeKind::Withdrawn => format!("{version}withdrawn, readers find nothing there"),
            // A removed source's file: no other failure lacks both source and set.
            ChangeKind::PublishFailed
                if self.source_id.is_none() && !self.subject.starts_with("set ") =>
            {
                "of a removed source is still there".to_owned()
            }
            ChangeKind::PublishFailed => "cannot be published".to_owned(),
            ChangeKind::SetFailed => "failed verification".to_owned(),
            // The cause ends with the configuration that stays in force, if any.
            ChangeKind::ConfigRejected => "cannot be used".to_owned(),
            ChangeKind::GoodAgain => format!("{version}is good again"),
            ChangeKind::SetPublished => format!("published{}", self.times_before("")),
            ChangeKind::Changed if self.is_back => format!("{version}is there again"),
            ChangeKind::Changed => {
                format!(
                    "changed{}: {}",
                    self.times_before("to "),
                    version.trim_end()
                )
            }
        }
    }

    /// Returns the number of changes and the first one, when there were several.
    fn times_before(&self, to: &str) -> String {
        match (&self.first, self.times) {
            (Some(first), times @ 2..) => {
                format!(" {times} times, first {to}{}, last", line_of(first))
            }
            _ => String::new(),
        }
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "change": self.kind.as_str(),
            "source": self.subject,
            "source_id": self.source_id,
            "address": self.address,
            "since": self.since.map(time),
            "failures": self.failures,
            "detail": self.detail,
            "version_id": self.version_id,
            "difference": self.difference,
            "times": self.times,
            "first": self.first,
            "replaces": self.replaces,
            "because": self.because,
        })
    }
}

pub(super) fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Returns a configuration's problems, one a line, as part of one line: each is cut separately, and the consequences
/// are not cut.
fn problems(detail: &str) -> String {
    let mut ends = [BEFORE_STAYS, NOTHING_IS_DONE].into_iter();
    let parted = ends.find_map(|end| Some((detail.strip_suffix(end)?, end)));
    let (cause, end) = parted.unwrap_or((detail, ""));
    let (mut told, mut bytes, mut more) = (Vec::new(), 0, 0);
    for line in cause.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let line = shortened(&clean(line), MOST_PROBLEM_CHARS);
        bytes += line.len();
        if told.is_empty() || told.len() < MOST_PROBLEMS && bytes <= MOST_PROBLEM_BYTES {
            told.push(line);
        } else {
            more += 1;
        }
    }
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    told.join("; ") + end
}

/// Returns a text from outside as part of one line, cut when long, without characters that reorder or hide text.
pub(in crate::app) fn line_of(text: &str) -> String {
    clean(&truncate_line(&text.trim())).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_from_problems_is_never_cut() {
        let whole = format!("config.toml:1:1: unknown key `a`, {}", "x".repeat(400));
        let long = format!("config.toml:1:1: unknown key `a`, {}", "x".repeat(700));
        let longer: Vec<_> = (1..=9).map(|_| long.as_str()).collect();
        let many: Vec<_> = (1..=12).map(|line| format!("line {line}: wrong")).collect();
        for (detail, begins, ends) in [
            (
                format!("{long}{BEFORE_STAYS}"),
                "config.toml:1:1: unknown key `a`, xx",
                "x…; the configuration before stays in force",
            ),
            (
                format!("{long}\nline 2: no regex{NOTHING_IS_DONE}"),
                "config.toml:1:1: unknown key `a`, xx",
                "…; line 2: no regex: nothing is fetched, judged or published",
            ),
            (
                format!("{}{BEFORE_STAYS}", many.join("\n")),
                "line 1: wrong; line 2: wrong; ",
                "; line 10: wrong; and 2 more; the configuration before stays in force",
            ),
            ("no file".to_owned(), "no file", "no file"),
            (
                format!("{whole}{BEFORE_STAYS}"),
                &whole,
                "xx; the configuration before stays in force",
            ),
            (
                format!("{}{BEFORE_STAYS}", longer.join("\n")),
                "config.toml:1:1: unknown key `a`, xx",
                "x…; and 5 more; the configuration before stays in force",
            ),
        ] {
            let text = problems(&detail);
            assert!(text.starts_with(begins) && text.ends_with(ends), "{text}");
        }
    }
}
