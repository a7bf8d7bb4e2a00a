//! Messages to notifiers: all changes in one message, as text for people and as JSON for programs.
//!
//! Never sends anything.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::change::{Change, line_of, time};
use crate::domain::{ChangeKind, Digest};

/// How many changes a message lists.
pub(in crate::app) const MOST_LISTED: usize = 100;
/// How many sources the first line names.
const MOST_NAMED: usize = 3;
/// ntfy turns a longer message into a file, and chats cut much longer ones.
pub(in crate::app) const MOST_POSTED_BYTES: usize = 3900;

/// The subject of changes of the configuration.
pub(in crate::app) const CONFIGURATION: &str = "the configuration";

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{SourceId, VersionId};

    fn at() -> DateTime<Utc> {
        "2026-01-31T12:00:00Z".parse().expect("a time")
    }

    fn change(kind: ChangeKind, name: &str, detail: Option<&str>) -> Change {
        Change {
            source_id: Some(SourceId(7)),
            address: Some(format!("https://example.org/{name}?k=${{KEY}}")),
            since: Some(at()),
            failures: 2,
            detail: detail.map(str::to_owned),
            version_id: Some(VersionId(17)).filter(|_| kind == ChangeKind::VersionFailed),
            ..Change::new(kind, name.to_owned())
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
