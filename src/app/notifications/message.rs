//! Messages to notifiers: all changes in one message, as text for people and as JSON for programs.
//!
//! Texts from outside (names, reasons) are made harmless here: no control characters, and nothing that a chat would run
//! as a command.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::app::policy::standing::{BEFORE_STAYS, NOTHING_IS_DONE};
use crate::domain::{ChangeKind, Digest, SourceId, VersionId, clean, shortened, truncate_line};

/// How many changes a message lists.
pub(in crate::app) const MOST_LISTED: usize = 100;
/// How many sources the first line names.
const MOST_NAMED: usize = 3;
/// How many problems of a configuration a message names.
const MOST_PROBLEMS: usize = 10;
const MOST_PROBLEM_BYTES: usize = 2500;
/// The length of one problem, with all names accepted in the place of an unknown one.
const MOST_PROBLEM_CHARS: usize = 600;
/// ntfy turns a longer message into a file, and chats cut much longer ones.
pub(in crate::app) const MOST_POSTED_BYTES: usize = 3900;

/// The subject of changes of the configuration.
pub(in crate::app) const CONFIGURATION: &str = "the configuration";

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

/// All changes of one message.
#[derive(Clone, Debug)]
pub(in crate::app) struct Message {
    /// The number of changes of each kind.
    pub(in crate::app) counts: [(ChangeKind, usize); 10],
    /// The first changes.
    pub(in crate::app) listed: Vec<Change>,
    /// A test message: nothing has happened.
    pub(in crate::app) is_test: bool,
    pub(in crate::app) at: DateTime<Utc>,
}

impl Message {
    /// Returns the number of changes.
    pub(in crate::app) fn count(&self) -> usize {
        self.counts.iter().map(|(_, count)| count).sum()
    }

    /// Returns the first line: `3 sources failing, 1 source recovered`, with the names when they are few.
    pub(in crate::app) fn summary(&self) -> String {
        let counted = self.counts.iter().filter(|(_, count)| *count > 0);
        let parts: Vec<_> = counted
            .map(|(kind, count)| counted_words(*kind, *count))
            .collect();
        let mut summary = parts.join(", ");
        if self.count() <= MOST_NAMED {
            // The words for a configuration change already name the configuration.
            let has_name = |change: &&Change| change.kind != ChangeKind::ConfigRejected;
            let named = self.listed.iter().filter(has_name);
            let mut subjects: Vec<_> = named.map(|change| line_of(&change.subject)).collect();
            subjects.dedup();
            if !subjects.is_empty() {
                summary = format!("{summary}: {}", subjects.join(", "));
            }
        }
        if self.is_test {
            format!("a test, nothing has happened: {summary}")
        } else {
            summary
        }
    }

    /// Returns the text with as many lines as fit into `most_bytes`.
    pub(in crate::app) fn text(&self, most_bytes: usize) -> String {
        const ROOM_FOR_THE_REST: usize = 32;
        let mut text = self.summary() + "\n";
        let mut told = 0;
        for change in &self.listed {
            let line = change.line();
            if told > 0 && text.len() + line.len() + ROOM_FOR_THE_REST > most_bytes {
                break;
            }
            text = text + "\n" + &line;
            told += 1;
        }
        match self.count() - told {
            0 => text + "\n",
            more => format!("{text}\nand {more} more\n"),
        }
    }

    /// Returns the message for programs. Slack and similar services show its `text`.
    pub(in crate::app) fn json(&self) -> Value {
        // In Slack's markup `<!channel>` notifies everybody.
        let text = self
            .text(MOST_POSTED_BYTES)
            .replace('<', "‹")
            .replace('>', "›");
        let mut message = json!({
            "type": "gannet.changes",
            "timestamp": time(self.at),
            "text": text,
            "count": self.count(),
            "changes": self.listed.iter().map(Change::json).collect::<Vec<_>>(),
        });
        if self.is_test {
            message["test"] = json!(true);
        }
        message
    }

    /// Returns an id that stays the same for every try to send these changes to this notifier.
    pub(in crate::app) fn id(&self, notifier: &str) -> String {
        let what = |change: &Change| {
            // Without the fields that differ between tries.
            json!([
                change.kind.as_str(),
                change.source_id,
                change.source_id.is_none().then_some(&change.subject),
                change.since.map(time),
                change.version_id,
            ])
        };
        let changes: Vec<_> = self.listed.iter().map(what).collect();
        let at = self.is_test.then(|| time(self.at));
        let text = json!([notifier, changes, self.count(), at]).to_string();
        format!("msg_{}", &Digest::of(text.as_bytes()).to_hex()[..32])
    }
}

impl Change {
    fn line(&self) -> String {
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

    fn json(&self) -> Value {
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

fn counted_words(kind: ChangeKind, count: usize) -> String {
    let s = if count == 1 { "" } else { "s" };
    match kind {
        ChangeKind::Failing => format!("{count} source{s} failing"),
        ChangeKind::Recovered => format!("{count} source{s} recovered"),
        ChangeKind::VersionFailed => format!("{count} version{s} failed verification"),
        ChangeKind::Withdrawn => format!("{count} publication{s} withdrawn"),
        ChangeKind::PublishFailed => format!("{count} publication{s} failed"),
        ChangeKind::SetFailed => format!("{count} set{s} failed verification"),
        ChangeKind::ConfigRejected => format!("{CONFIGURATION} was rejected"),
        ChangeKind::GoodAgain => format!("{count} good again"),
        ChangeKind::SetPublished => format!("{count} set{s} published"),
        ChangeKind::Changed => format!("{count} source{s} changed"),
    }
}

fn time(time: DateTime<Utc>) -> String {
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

    fn at() -> DateTime<Utc> {
        "2026-01-31T12:00:00Z".parse().expect("a time")
    }

    fn change(kind: ChangeKind, name: &str, detail: Option<&str>) -> Change {
        Change {
            kind,
            subject: name.to_owned(),
            source_id: Some(SourceId(7)),
            address: Some(format!("https://example.org/{name}?k=${{KEY}}")),
            since: Some(at()),
            failures: 2,
            detail: detail.map(str::to_owned),
            version_id: Some(VersionId(17)).filter(|_| kind == ChangeKind::VersionFailed),
            difference: None,
            times: 1,
            first: None,
            replaces: None,
            because: None,
            is_back: false,
        }
    }

    fn message(listed: Vec<Change>, unlisted: usize) -> Message {
        let mut counts = ChangeKind::ALL.map(|kind| {
            (
                kind,
                listed.iter().filter(|change| change.kind == kind).count(),
            )
        });
        counts[0].1 += unlisted;
        Message {
            counts,
            listed,
            is_test: false,
            at: at(),
        }
    }

    #[test]
    fn people_read_what_happened_first() {
        let mixed = message(
            vec![
                change(ChangeKind::Failing, "prices", Some("404 Not Found")),
                change(
                    ChangeKind::VersionFailed,
                    "rates",
                    Some("schema: row 3 is short"),
                ),
                change(
                    ChangeKind::Recovered,
                    "list",
                    Some("after 5 failed attempts"),
                ),
            ],
            0,
        );
        insta::assert_snapshot!(mixed.text(usize::MAX), @r"
        1 source failing, 1 version failed verification, 1 source recovered: prices, rates, list

        - prices failing since 2026-01-31 12:00 UTC: 404 Not Found (https://example.org/prices?k=${KEY})
        - rates v17 failed verification: schema: row 3 is short (https://example.org/rates?k=${KEY})
        - list recovered after 5 failed attempts (https://example.org/list?k=${KEY})
        ");
        let many = message(vec![change(ChangeKind::Failing, "a", None)], 199);
        insta::assert_snapshot!(many.text(usize::MAX), @r"
        200 sources failing

        - a failing since 2026-01-31 12:00 UTC (https://example.org/a?k=${KEY})
        and 199 more
        ");
    }

    #[test]
    fn programs_read_every_field() {
        let one = message(
            vec![change(
                ChangeKind::VersionFailed,
                "rates",
                Some("not <JSON>"),
            )],
            0,
        );
        insta::assert_snapshot!(serde_json::to_string_pretty(&one.json()).expect("JSON"), @r#"
        {
          "type": "gannet.changes",
          "timestamp": "2026-01-31T12:00:00Z",
          "text": "1 version failed verification: rates\n\n- rates v17 failed verification: not ‹JSON› (https://example.org/rates?k=${KEY})\n",
          "count": 1,
          "changes": [
            {
              "change": "version-failed",
              "source": "rates",
              "source_id": 7,
              "address": "https://example.org/rates?k=${KEY}",
              "since": "2026-01-31T12:00:00Z",
              "failures": 2,
              "detail": "not <JSON>",
              "version_id": 17,
              "difference": null,
              "times": 1,
              "first": null,
              "replaces": null,
              "because": null
            }
          ]
        }
        "#);
    }

    #[test]
    fn a_text_keeps_to_its_length_and_to_its_lines() {
        let long = "x".repeat(1000);
        let listed: Vec<_> = (0..100)
            .map(|number| change(ChangeKind::Failing, &format!("{number}"), Some(&long)))
            .collect();
        let text = message(listed, 50).text(MOST_POSTED_BYTES);
        assert!(text.len() <= MOST_POSTED_BYTES, "{}", text.len());
        let told = text.lines().filter(|line| line.starts_with("- ")).count();
        assert!(
            text.ends_with(&format!("and {} more\n", 150 - told)),
            "{text}"
        );
        let evil = change(
            ChangeKind::Failing,
            "a\nSubject: b",
            Some("c\u{1b}[31m\r\nd\u{202e}e"),
        );
        let text = message(vec![evil], 0).text(usize::MAX);
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(!text.contains(['\u{1b}', '\r', '\u{202e}']), "{text:?}");
    }

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

    #[test]
    fn the_same_changes_have_the_same_id() {
        let one = message(vec![change(ChangeKind::Failing, "a", None)], 0);
        let later = Message {
            at: at() + chrono::TimeDelta::hours(1),
            ..one.clone()
        };
        assert_eq!(one.id("ops"), later.id("ops"));
        assert_ne!(one.id("ops"), one.id("chat"));
        let other = message(vec![change(ChangeKind::Recovered, "a", None)], 0);
        assert_ne!(one.id("ops"), other.id("ops"));
        let test = Message {
            is_test: true,
            ..one
        };
        assert_ne!(
            test.id("ops"),
            Message {
                is_test: true,
                ..later
            }
            .id("ops")
        );
    }
}
