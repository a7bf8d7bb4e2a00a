//! Text as a terminal may show it: what came from outside made harmless, times and states in few columns.

use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::app::History;
use crate::domain::{AttemptOutcome, Slot, Source, Verdict, VersionState, deciding_verdict};

/// Text is wrapped at no fewer columns.
const LEAST_WRAPPED: usize = 10;

/// Removes what would move the cursor, change colours, reorder or hide text: control characters and bidirectional
/// marks (Unicode Annex 9). Line breaks and tabs become spaces.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    clean_but(text, |_| false)
}

/// Does the same to a line of a file that is being shown, whose tabs are part of it.
pub(crate) fn clean_line(text: &str) -> Cow<'_, str> {
    clean_but(text, |c| c == '\t')
}

fn clean_but(text: &str, kept: impl Fn(char) -> bool) -> Cow<'_, str> {
    let harmful = |c: char| (c.is_control() || is_deceptive(c)) && !kept(c);
    if !text.contains(harmful) {
        return Cow::Borrowed(text);
    }
    text.chars()
        .filter_map(|c| match c {
            c if !harmful(c) => Some(c),
            '\n' | '\t' | '\u{2028}' | '\u{2029}' => Some(' '),
            _ => None,
        })
        .collect()
}

/// Marks that reorder the text around them, characters that show as nothing, and variation selectors, which terminals
/// give different widths.
fn is_deceptive(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

/// Parts text into lines of at most so many columns (10 at least), between words where there are any.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(LEAST_WRAPPED);
    let mut lines = vec![String::new()];
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let line = lines.last_mut().expect("there is always a line");
        if !line.is_empty() && line.width() + 1 + word.width() > width {
            lines.push(String::new());
        } else if !line.is_empty() {
            line.push(' ');
        }
        for c in word.chars() {
            let columns = c.width().unwrap_or(0);
            if lines
                .last()
                .is_some_and(|line| line.width() + columns > width)
            {
                lines.push(String::new());
            }
            lines.last_mut().expect("there is always a line").push(c);
        }
    }
    lines
}

/// Prints a value that may be missing, `-` then.
pub(crate) fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// Where a source stands, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StateWord {
    /// It was fetched, and nothing was new.
    Ok,
    /// The last fetch brought a new version.
    New,
    /// It was not fetched yet.
    Never,
    /// The last fetches failed.
    Down,
    /// A verifier failed its newest version.
    Fail,
    /// What should be published could not be.
    Unpublished,
    /// Its set's newest files failed together, or could not be judged.
    SetFail,
    /// A verifier could not judge its newest version.
    Error,
    /// Its newest version waits for a verdict.
    Pending,
    /// It is switched off.
    Off,
    /// It was removed; its history is kept.
    Removed,
}

impl StateWord {
    /// Every one, with its word for programs, the one that people see, and what it means.
    pub(crate) const ALL: [(Self, &'static str, &'static str, &'static str); 11] = [
        (Self::Ok, "ok", "ok", "fetched, nothing new"),
        (
            Self::New,
            "new",
            "new",
            "the last fetch brought a new version",
        ),
        (Self::Never, "never", "never", "not fetched yet"),
        (
            Self::Down,
            "down",
            "down",
            "the last fetches failed; down(3): three in a row",
        ),
        (
            Self::Fail,
            "fail",
            "FAIL",
            "a verifier failed the newest version",
        ),
        (
            Self::Unpublished,
            "unpublished",
            "UNPUB",
            "what should be published could not be",
        ),
        (
            Self::SetFail,
            "set-fail",
            "SETFAIL",
            "the newest files of its set failed together, or could not be judged",
        ),
        (
            Self::Error,
            "error",
            "error",
            "a verifier could not judge the newest version",
        ),
        (
            Self::Pending,
            "pending",
            "pending",
            "the newest version waits for a verdict",
        ),
        (Self::Off, "off", "off", "disabled"),
        (
            Self::Removed,
            "removed",
            "removed",
            "removed, its history kept",
        ),
    ];

    /// Returns where the source stands.
    pub(crate) fn of(source: &Source) -> Self {
        let state = &source.state;
        match state.last_outcome {
            _ if source.removed_at.is_some() => Self::Removed,
            _ if !source.settings.enabled => Self::Off,
            _ if state.failures > 0 => Self::Down,
            _ if state.version_state == Some(VersionState::Failed) => Self::Fail,
            _ if state.publish_error.is_some() => Self::Unpublished,
            _ if state.set_fails => Self::SetFail,
            _ if state.version_state == Some(VersionState::Error) => Self::Error,
            _ if state.version_state == Some(VersionState::Pending) => Self::Pending,
            None => Self::Never,
            Some(AttemptOutcome::New) => Self::New,
            Some(_) => Self::Ok,
        }
    }

    /// Returns the word that programs get.
    pub(crate) fn as_str(self) -> &'static str {
        let found = Self::ALL.iter().find(|(state, ..)| *state == self);
        found.map_or("", |(_, word, ..)| *word)
    }

    /// Returns the word that people see: in capitals where something is wrong with what consumers get.
    pub(crate) fn shown(self) -> &'static str {
        let found = Self::ALL.iter().find(|(state, ..)| *state == self);
        found.map_or("", |(_, _, shown, _)| *shown)
    }
}

impl FromStr for StateWord {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is = |word: &str| word.eq_ignore_ascii_case(text);
        let mut all = Self::ALL.iter();
        let found = all.find(|(_, word, shown, _)| is(word) || is(shown));
        found
            .map(|(state, ..)| *state)
            .ok_or_else(|| format!("`{text}` is not a state"))
    }
}

/// Returns the word that people see, `down(n)` after so many failed fetches in a row.
pub(crate) fn state_word(source: &Source) -> String {
    match StateWord::of(source) {
        StateWord::Down => format!("down({})", source.state.failures),
        state => state.shown().to_owned(),
    }
}

/// Says what is published of a source and where, at `path` as the face shows it.
pub(crate) fn published_place(source: &Source, path: &str) -> String {
    let state = &source.state;
    match (state.published_version_id, &state.set, state.set_version_id) {
        (Some(version), _, _) => format!("{path} (v{version})"),
        (None, Some(set), Some(version)) => format!("with the set {set} (v{version})"),
        (None, Some(set), None) if state.set_fails => {
            format!("nothing yet: the set {set} has not passed")
        }
        (None, Some(set), None) => format!("nothing yet, to be published with the set {set}"),
        (None, None, _) if source.removed_at.is_some() => "nothing".to_owned(),
        (None, None, _) => format!("nothing yet, to be {}", source.published_path),
    }
}

/// Says the same, and what keeps a newer version from being published.
pub(crate) fn published_words(source: &Source, path: &str) -> String {
    let state = &source.state;
    let words = published_place(source, path);
    match &state.publish_error {
        Some(why) => format!("{words}; could not be brought up to date: {why}"),
        None if state.publish_due => format!("{words}; to be brought up to date"),
        None => words,
    }
}

/// Says what is published of a source in few words; nothing when it is nothing.
pub(crate) fn published_briefly(source: &Source) -> Option<String> {
    let state = &source.state;
    let own = state.published_version_id.map(|_| &source.published_path);
    match (&state.publish_error, own, &state.set) {
        (Some(_), Some(path), _) => Some(format!("{path} (not up to date)")),
        (Some(_), None, _) => Some("not published".to_owned()),
        (None, Some(path), _) => Some(path.clone()),
        (None, None, Some(set)) => Some(match state.set_version_id {
            Some(version) => format!("set {set} (v{version})"),
            None => format!("not yet (set {set})"),
        }),
        (None, None, None) => None,
    }
}

/// Returns why a source stands where it does; nothing where the word says all.
pub(crate) fn why(history: &History) -> Option<String> {
    let state = &history.source.state;
    match StateWord::of(&history.source) {
        StateWord::Down => history.attempts.first()?.error.clone(),
        StateWord::Fail | StateWord::Error => {
            let (version, verdicts) = history.versions.first()?;
            why_judged(version.state, verdicts)
        }
        StateWord::Unpublished => state.publish_error.clone(),
        StateWord::SetFail => {
            let set = state.set.as_deref().unwrap_or_default();
            Some(format!("set {set}: {}", history.set_failure.as_ref()?))
        }
        _ => None,
    }
}

/// Returns by which verifier a version failed or could not be judged, and why; nothing when neither is so.
pub(crate) fn why_judged(state: VersionState, oldest_first: &[Verdict]) -> Option<String> {
    let newest_first = oldest_first.iter().rev().map(|one| &one.verdict);
    let verdict = deciding_verdict(state, newest_first)?;
    let reason = verdict.judgement.reason();
    let gap = if reason.is_empty() { "" } else { ": " };
    Some(format!("{}{gap}{reason}", verdict.verifier))
}

/// Returns when a source is due, nothing for one that never is.
pub(crate) fn next_due(source: &Source) -> Option<DateTime<Utc>> {
    let watched = source.settings.enabled && source.removed_at.is_none();
    watched.then(|| Slot::start(source.state.next_slot))
}

/// Returns `1 version`, `2 versions`.
pub(crate) fn count<N: Copy + From<u8> + PartialEq + Display>(number: N, noun: &str) -> String {
    let plural = if number == N::from(1) { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::VersionId;
    use proptest::prelude::*;

    #[test]
    fn removes_what_would_deceive() {
        for (text, expected) in [
            ("prices.csv", "prices.csv"),
            ("a\u{1b}[2Jb", "a[2Jb"),
            ("a\nb\tc\r", "a b c"),
            ("gpj.\u{202e}exe", "gpj.exe"),
            ("\u{9b}31mred", "31mred"),
            ("zürich 東京", "zürich 東京"),
        ] {
            assert_eq!(clean(text), expected);
        }
        assert_eq!(clean_line("a\tb\u{7}"), "a\tb");
    }

    #[test]
    fn what_is_published_is_what_consumers_see() {
        use crate::faces::samples::source;
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
            one.state.set_fails = fails;
            one
        };
        for (source, brief, words) in [
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
            assert_eq!(published_briefly(&source).as_deref(), brief);
            assert_eq!(published_words(&source, "/p/1.csv"), words);
        }
    }

    #[test]
    fn the_words_of_the_tables_and_of_programs_name_states() {
        for (state, word, shown, _) in StateWord::ALL {
            for text in [
                word.to_owned(),
                shown.to_owned(),
                shown.to_lowercase(),
                word.to_uppercase(),
            ] {
                assert_eq!(text.parse(), Ok(state), "{text}");
            }
            assert_eq!((state.as_str(), state.shown()), (word, shown));
        }
        assert!("broken".parse::<StateWord>().is_err());
    }

    proptest! {
        #[test]
        fn nothing_harmful_is_left(text in ".*") {
            let cleaned = clean(&text);
            prop_assert!(!cleaned.chars().any(|c| c.is_control() || is_deceptive(c)));
        }
    }
}
