//! `fresh`: the server's `Last-Modified` lies shortly before the fetch.

use std::time::Duration;

use chrono::TimeDelta;

use super::input::{RuleResult, bad, cannot};
use crate::domain::LastModified;
use crate::verify::VersionFacts;

/// Tolerance for a server's clock that is ahead.
const MOST_AHEAD: TimeDelta = TimeDelta::days(1);

/// Passes content last modified at most `max_age` before its fetch. A time slightly ahead counts as age zero; a time
/// far ahead is an error.
pub(super) fn judge(max_age: Duration, facts: &VersionFacts) -> RuleResult {
    let modified = match &facts.last_modified {
        Some(LastModified::At(time)) => *time,
        Some(LastModified::Unreadable(sent)) => {
            return cannot(format!(
                "the server gave the Last-Modified `{sent}`, which cannot be read as a time"
            ));
        }
        // Older versions were stored without this field.
        None => return cannot("the server gave no Last-Modified that can be read as a time"),
    };
    let age = facts.fetched_at - modified;
    if -age > MOST_AHEAD {
        return cannot(format!(
            "the server says that it was last modified {}, {} after it was fetched",
            modified.format("%Y-%m-%dT%H:%M:%SZ"),
            age_in_words(-age)
        ));
    }
    let limit = TimeDelta::from_std(max_age).unwrap_or(TimeDelta::MAX);
    let detail = format!(
        "last modified {}, {} before it was fetched",
        modified.format("%Y-%m-%dT%H:%M:%SZ"),
        age_in_words(age.max(TimeDelta::zero()))
    );
    if age > limit {
        return bad(format!("{detail}: more than {}", age_in_words(limit)));
    }
    Ok(detail)
}

/// Prints an age with its two largest units that are not zero: `3d 4h`, `3d 1s`, `90s` as `1m 30s`.
fn age_in_words(age: TimeDelta) -> String {
    let seconds = age.num_seconds();
    let units = [
        (seconds / 86_400, "d"),
        (seconds / 3_600 % 24, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
    ];
    let words: Vec<_> = units
        .iter()
        .filter(|(count, _)| *count > 0)
        .take(2)
        .map(|(count, unit)| format!("{count}{unit}"))
        .collect();
    if words.is_empty() {
        "0s".to_owned()
    } else {
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Builtin, FreshRule};
    use crate::domain::VerdictOutcome;
    use crate::verify::builtin::tests::Fixture;

    #[test]
    fn age_is_that_when_fetched() {
        let rule = Builtin::Fresh(FreshRule {
            max_age: Duration::from_hours(72),
        });
        for (modified, outcome, expected) in [
            (
                None,
                VerdictOutcome::Error,
                "could not judge: the server gave no Last-Modified that can be read as a time",
            ),
            (
                Some("2026-01-28T12:00:00Z"),
                VerdictOutcome::Passed,
                "last modified 2026-01-28T12:00:00Z, 3d before it was fetched",
            ),
            (
                Some("2026-01-28T11:59:59Z"),
                VerdictOutcome::Failed,
                "3d 1s before it was fetched: more than 3d",
            ),
            (
                Some("2025-12-31T11:59:00Z"),
                VerdictOutcome::Failed,
                "31d 1m before it was fetched: more than 3d",
            ),
            (
                Some("2026-02-01T00:00:00Z"),
                VerdictOutcome::Passed,
                "0s before it was fetched",
            ),
            (
                Some("2026-02-01T12:00:00Z"),
                VerdictOutcome::Passed,
                "0s before it was fetched",
            ),
            (
                Some("2026-02-01T12:00:01Z"),
                VerdictOutcome::Error,
                "last modified 2026-02-01T12:00:01Z, 1d 1s after it was fetched",
            ),
            (
                Some("2126-01-31T12:00:00Z"),
                VerdictOutcome::Error,
                "36524d after it was fetched",
            ),
        ] {
            let mut known = Fixture::default();
            known.facts.last_modified =
                modified.map(|time| LastModified::At(time.parse().expect("a time")));
            let (found, detail) = known.judged(&rule, b"");
            assert_eq!(found, outcome, "{detail}");
            assert!(detail.contains(expected), "{detail}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_quoted() {
        let mut known = Fixture::default();
        known.facts.last_modified = Some(LastModified::Unreadable("gestern".to_owned()));
        let (found, detail) = known.judged(
            &Builtin::Fresh(FreshRule {
                max_age: Duration::from_hours(72),
            }),
            b"",
        );
        assert_eq!(found, VerdictOutcome::Error);
        assert_eq!(
            detail,
            "could not judge: the server gave the Last-Modified `gestern`, which cannot be read as a time"
        );
    }

    #[test]
    fn ages_are_printed_with_two_units() {
        for (seconds, text) in [
            (0, "0s"),
            (59, "59s"),
            (90, "1m 30s"),
            (3_600, "1h"),
            (3_601, "1h 1s"),
            (90_000, "1d 1h"),
        ] {
            assert_eq!(age_in_words(TimeDelta::seconds(seconds)), text);
        }
    }
}
