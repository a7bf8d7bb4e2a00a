//! Text as a terminal may show it: what came from outside made harmless, times and states in few columns.

use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;

use chrono::{DateTime, Utc};

use crate::domain::{AttemptOutcome, Slot, Source, VersionState};

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
    /// Every one, with its word for programs and what it means.
    pub(crate) const ALL: [(Self, &'static str, &'static str); 11] = [
        (Self::Ok, "ok", "fetched, nothing new"),
        (Self::New, "new", "the last fetch brought a new version"),
        (Self::Never, "never", "not fetched yet"),
        (
            Self::Down,
            "down",
            "the last fetches failed; down(3): three in a row",
        ),
        (Self::Fail, "fail", "a verifier failed the newest version"),
        (
            Self::Unpublished,
            "unpublished",
            "what should be published could not be",
        ),
        (
            Self::SetFail,
            "set-fail",
            "the newest files of its set failed together, or could not be judged",
        ),
        (
            Self::Error,
            "error",
            "a verifier could not judge the newest version",
        ),
        (
            Self::Pending,
            "pending",
            "the newest version waits for a verdict",
        ),
        (Self::Off, "off", "disabled"),
        (Self::Removed, "removed", "removed, its history kept"),
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
        found.map_or("", |(_, word, _)| *word)
    }
}

impl FromStr for StateWord {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.to_ascii_lowercase();
        let found = Self::ALL.iter().find(|(_, word, _)| *word == text);
        found
            .map(|(state, ..)| *state)
            .ok_or_else(|| format!("`{text}` is not a state"))
    }
}

/// Returns the word that people see: `down(n)` after so many failed fetches in a row, `FAIL` so that it is seen.
pub(crate) fn state_word(source: &Source) -> String {
    match StateWord::of(source) {
        StateWord::Down => format!("down({})", source.state.failures),
        StateWord::Fail => "FAIL".to_owned(),
        StateWord::Unpublished => "UNPUB".to_owned(),
        StateWord::SetFail => "SETFAIL".to_owned(),
        state => state.as_str().to_owned(),
    }
}

/// Says what is published of a source, at `path` as the face shows it, and what keeps a newer version from being so.
pub(crate) fn published_words(source: &Source, path: &str) -> String {
    let state = &source.state;
    if let Some(set) = &state.set {
        return format!("with the set {set}");
    }
    let words = match state.published_version_id {
        Some(version) => format!("{path} (v{version})"),
        None => format!("nothing yet, to be {}", source.published_path),
    };
    match &state.publish_error {
        Some(why) => format!("{words}; could not be brought up to date: {why}"),
        None if state.publish_due => format!("{words}; to be brought up to date"),
        None => words,
    }
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

    proptest! {
        #[test]
        fn nothing_harmful_is_left(text in ".*") {
            let cleaned = clean(&text);
            prop_assert!(!cleaned.chars().any(|c| c.is_control() || is_deceptive(c)));
        }
    }
}
