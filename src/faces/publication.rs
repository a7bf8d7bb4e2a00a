//! Describes the publication of a source in the words of every face: the path, the version, a withdrawal, and the
//! reason why a newer version is not published.
//!
//! Never reads anything: the source's state holds all facts.

use chrono::{DateTime, Utc};

use crate::domain::{DaysState, PublishPolicy, Source, VersionState};

/// Returns the published version of a source and its path, or when and why the file was withdrawn. `path` and `time`
/// are formatted by the face.
pub(crate) fn published_place(
    source: &Source,
    path: &str,
    time: impl Fn(DateTime<Utc>) -> String,
) -> String {
    let state = &source.state;
    if let Some(left) = still_published(source, path) {
        return format!("still {left}");
    }
    if let Some(withdrawn) = &state.withdrawn {
        return format!("withdrawn {}: {}", time(withdrawn.at), withdrawn.because);
    }
    match (state.published_version_id, &state.set, state.set_version_id) {
        (Some(version), _, _) => {
            let clause = unvetted(source).map(|one| format!(", {},{BY_NEWEST}", one.clause));
            let place = format!("{path} (v{version}{})", clause.unwrap_or_default());
            match kept_until(source) {
                Some(set) => format!("{place}, until {} is published with it", one_of_sets(set)),
                None => place,
            }
        }
        (None, Some(set), Some(version)) => {
            let shown = state.showing_set.as_ref().unwrap_or(set);
            format!("with {} (v{version})", all_of_sets(shown))
        }
        (None, Some(set), None) if state.set_fails => {
            format!("nothing yet: {} has not passed", one_of_sets(set))
        }
        (None, Some(set), None) => {
            format!("nothing yet, to be published with {}", one_of_sets(set))
        }
        (None, None, _) if source.removed_at.is_some() => "nothing".to_owned(),
        (None, None, _) => format!("nothing yet, to be {}", source.published_path),
    }
}

/// Returns where the file of a source that was removed, or left its set, is still published and until when; `None`
/// where none is. `path` is formatted by the face.
pub(crate) fn still_published(source: &Source, path: &str) -> Option<String> {
    let (state, is_removed) = (&source.state, source.removed_at.is_some());
    let own = state.published_version_id;
    let at_path = own
        .filter(|_| is_removed)
        .map(|version| format!("at {path} (v{version}), until the next pass"));
    let is_left = state.set.is_none() && (is_removed || own.is_none());
    let in_set = state.set_version_id.zip(state.showing_set.as_ref());
    let in_set = in_set.filter(|_| is_left).map(|(version, set)| {
        let with = all_of_sets(set);
        format!("with {with} (v{version}), until its next edition")
    });
    let parts: Vec<_> = at_path.into_iter().chain(in_set).collect();
    (!parts.is_empty()).then(|| parts.join(", and "))
}

/// Returns all of the sets in words: `the set a`, or `the sets a, b`.
pub(crate) fn all_of_sets(joined: &str) -> String {
    let word = if joined.contains(", ") { "sets" } else { "set" };
    format!("the {word} {joined}")
}

/// Returns one of the sets in words: `the set a`, or `one of the sets a, b`.
pub(crate) fn one_of_sets(joined: &str) -> String {
    let sets = all_of_sets(joined);
    if joined.contains(", ") {
        format!("one of {sets}")
    } else {
        sets
    }
}

/// Follows a version that did not pass and is published by the rule `newest`.
pub(crate) const BY_NEWEST: &str = " by the rule `newest`";

/// Why a source's published version would not be published under the rule `passed`.
pub(crate) struct Unvetted {
    /// The state: `failed`.
    pub(crate) word: VersionState,
    /// The state as a clause: `which failed`.
    pub(crate) clause: &'static str,
}

/// Returns the objection to the version at the source's own path, if only the rule `newest` keeps it there.
pub(crate) fn unvetted(source: &Source) -> Option<Unvetted> {
    let state = &source.state;
    let is_newest =
        state.published_version_id.is_some() && state.published_version_id == state.version_id;
    let word = state.version_state.filter(|_| is_newest)?;
    let clause = match word {
        VersionState::Failed => "which failed",
        VersionState::Error => "which could not be judged",
        VersionState::Pending => "which waits for a verdict",
        VersionState::Passed | VersionState::Unverified => return None,
    };
    (source.settings.publish == PublishPolicy::Newest).then_some(Unvetted { word, clause })
}

/// Returns the set that a source has entered while its file stays at its own path, until the set takes it over.
pub(crate) fn kept_until(source: &Source) -> Option<&str> {
    let state = &source.state;
    let set = state.set.as_deref()?;
    // A set that the source left may still show it.
    let mut shown = state.showing_sets();
    let has_it = shown.any(|shown| state.sets().any(|own| own == shown));
    (state.published_version_id.is_some() && !has_it).then_some(set)
}

/// Returns the published version of a source and its path, and the reason why a newer version is not published.
pub(crate) fn published_words(
    source: &Source,
    path: &str,
    time: impl Fn(DateTime<Utc>) -> String,
) -> String {
    let state = &source.state;
    if let Some(days) = &state.days {
        return days_words(days).unwrap_or_else(|| "no day yet".to_owned());
    }
    let words = published_place(source, path, time);
    match &state.publish_error {
        Some(why) if source.removed_at.is_some() => {
            format!("still at {path}, and every pass tries again to remove it: {why}")
        }
        Some(why) => format!("{words}; could not be brought up to date: {why}"),
        None if state.publish_due => format!("{words}; to be brought up to date"),
        None => words,
    }
}

/// Returns which days of a dated source have a version: each is published by itself. `None` without any.
pub(crate) fn days_words(days: &DaysState) -> Option<String> {
    let (first, last) = days.range?;
    Some(match days.held {
        1 => format!("1 day, {first}"),
        held => format!("{held} days, {first} to {last}"),
    })
}

/// Returns the published version of a source in few words, by its path or, where there is no room for a path, by its
/// id; `None` if nothing is published.
pub(crate) fn published_briefly(source: &Source, has_room: bool) -> Option<String> {
    let state = &source.state;
    if let Some(days) = &state.days {
        return days_words(days);
    }
    let own = state.published_version_id.map(|id| {
        if has_room {
            source.published_path.clone()
        } else {
            format!("v{id}")
        }
    });
    if state.withdrawn.is_some() && state.publish_error.is_none() {
        return Some("withdrawn".to_owned());
    }
    match (&state.publish_error, own, &state.set) {
        (Some(_), Some(path), _) => Some(format!("{path} (not up to date)")),
        (Some(_), None, _) => Some("not published".to_owned()),
        (None, Some(path), _) => Some(match unvetted(source) {
            Some(unvetted) => format!("{path} ({})", unvetted.word),
            None => path,
        }),
        (None, None, set) => match (
            state.set_version_id,
            state.showing_set.as_ref().or(set.as_ref()),
        ) {
            (Some(version), Some(shown)) if has_room => Some(format!("set {shown} (v{version})")),
            (Some(version), Some(shown)) => Some(format!("v{version} (set {shown})")),
            _ => set.as_ref().map(|set| format!("not yet (set {set})")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{VersionId, Withdrawal};
    use crate::faces::fixtures::{at, source};

    #[test]
    fn a_version_that_did_not_pass_is_said_to_be_published_by_the_rule() {
        use PublishPolicy::{Newest, Passed};
        for (rule, state, published, brief, words) in [
            (
                Newest,
                VersionState::Failed,
                11,
                "1.csv (failed)",
                "p (v11, which failed, by the rule `newest`)",
            ),
            (
                Newest,
                VersionState::Error,
                11,
                "1.csv (error)",
                "p (v11, which could not be judged, by the rule `newest`)",
            ),
            (
                Newest,
                VersionState::Pending,
                11,
                "1.csv (pending)",
                "p (v11, which waits for a verdict, by the rule `newest`)",
            ),
            (Newest, VersionState::Passed, 11, "1.csv", "p (v11)"),
            (Newest, VersionState::Unverified, 11, "1.csv", "p (v11)"),
            // The file is still to be changed, or the version was published when it had passed.
            (Newest, VersionState::Failed, 3, "1.csv", "p (v3)"),
            (Passed, VersionState::Error, 11, "1.csv", "p (v11)"),
        ] {
            let mut one = source(1, "prices");
            one.settings.publish = rule;
            one.state.version_state = Some(state);
            one.state.published_version_id = Some(VersionId(published));
            let shown = published_briefly(&one, true).unwrap_or_default();
            assert_eq!(shown, format!("example.org/{brief}"), "{rule} {state}");
            assert_eq!(published_words(&one, "p", |_| String::new()), words);
        }
    }

    #[test]
    fn what_is_published_is_what_consumers_see() {
        let own = |path: Option<i64>, error: Option<&str>| {
            let mut one = source(1, "prices");
            one.state.published_version_id = path.map(VersionId);
            one.state.publish_error = error.map(str::to_owned);
            one
        };
        let member = |version: Option<i64>, fails| {
            let mut one = own(None, None);
            one.state.set = Some("pic".to_owned());
            one.state.set_version_id = version.map(VersionId);
            one.state.showing_set = version.map(|_| "pic".to_owned());
            one.state.set_fails = fails;
            one
        };
        let entered = |path: Option<i64>, version| {
            let mut one = member(version, false);
            one.state.published_version_id = path.map(VersionId);
            one
        };
        let withdrawn = |mut one: Source, because: &str| {
            one.state.withdrawn = Some(Box::new(Withdrawal {
                at: at("12:00:00"),
                because: because.to_owned(),
            }));
            one
        };
        for (source, brief, words) in [
            (
                withdrawn(own(None, None), "failed by schema: line 3"),
                Some("withdrawn"),
                "withdrawn 12:00: failed by schema: line 3",
            ),
            (
                withdrawn(own(None, Some("no room")), "failed by schema"),
                Some("not published"),
                "withdrawn 12:00: failed by schema; could not be brought up to date: no room",
            ),
            (
                withdrawn(member(None, true), "set pic: failed by sums"),
                Some("withdrawn"),
                "withdrawn 12:00: set pic: failed by sums",
            ),
            (
                own(Some(3), None),
                Some("example.org/1.csv"),
                "/p/1.csv (v3)",
            ),
            (
                own(None, None),
                None,
                "nothing yet, to be example.org/1.csv",
            ),
            (
                own(Some(3), Some("no room")),
                Some("example.org/1.csv (not up to date)"),
                "/p/1.csv (v3); could not be brought up to date: no room",
            ),
            (
                own(None, Some("no room")),
                Some("not published"),
                "nothing yet, to be example.org/1.csv; could not be brought up to date: no room",
            ),
            (
                member(None, false),
                Some("not yet (set pic)"),
                "nothing yet, to be published with the set pic",
            ),
            (
                member(None, true),
                Some("not yet (set pic)"),
                "nothing yet: the set pic has not passed",
            ),
            (
                entered(Some(3), None),
                Some("example.org/1.csv"),
                "/p/1.csv (v3), until the set pic is published with it",
            ),
            (
                entered(Some(3), Some(4)),
                Some("example.org/1.csv"),
                "/p/1.csv (v3)",
            ),
            (
                member(Some(3), false),
                Some("set pic (v3)"),
                "with the set pic (v3)",
            ),
            (
                member(Some(3), true),
                Some("set pic (v3)"),
                "with the set pic (v3)",
            ),
        ] {
            assert_eq!(published_briefly(&source, true).as_deref(), brief);
            let time = |time: DateTime<Utc>| time.format("%H:%M").to_string();
            assert_eq!(published_words(&source, "/p/1.csv", time), words);
        }
    }

    #[test]
    fn what_is_left_is_said_with_its_place() {
        for (is_removed, own, in_set, set, expected) in [
            (false, Some(1), None, None, None),
            (false, None, Some(1), Some("eu"), None),
            (false, Some(2), Some(1), None, None),
            (
                false,
                None,
                Some(1),
                None,
                Some("with the set eu (v1), until its next edition"),
            ),
            (true, None, None, None, None),
            (
                true,
                Some(1),
                None,
                None,
                Some("at p (v1), until the next pass"),
            ),
            (
                true,
                None,
                Some(1),
                None,
                Some("with the set eu (v1), until its next edition"),
            ),
            (
                true,
                Some(2),
                Some(1),
                None,
                Some(
                    "at p (v2), until the next pass, and with the set eu (v1), until its next edition",
                ),
            ),
        ] {
            let mut one = source(1, "a");
            one.removed_at = is_removed.then(|| at("12:00:00"));
            one.state.published_version_id = own.map(VersionId);
            one.state.set_version_id = in_set.map(VersionId);
            one.state.showing_set = in_set.map(|_| "eu".to_owned());
            one.state.set = set.map(str::to_owned);
            assert_eq!(still_published(&one, "p").as_deref(), expected);
        }
    }
}
