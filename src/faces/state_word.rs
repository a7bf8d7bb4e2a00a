//! The state of a source in the words of every face: one word, and the reason if the newest version is not good.

use std::str::FromStr;

use chrono::{DateTime, Utc};

use crate::app::{Error, History};
use crate::domain::{AttemptOutcome, Slot, Source, Verdict, VersionState, last_of_each};

/// The state of a source in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StateWord {
    /// The last fetch found the content unchanged.
    Ok,
    /// The last fetch brought a new version.
    New,
    /// The source was not fetched yet.
    Never,
    /// The last fetches failed.
    Down,
    /// A verifier failed the newest version.
    Fail,
    /// The version that should be published could not be.
    Unpublished,
    /// The newest edition of its set failed or could not be judged.
    SetFail,
    /// The catalogue's row of the newest version is damaged.
    Damaged,
    /// A verifier could not judge the newest version.
    Error,
    /// The newest version waits for a verdict.
    Pending,
    /// The source is switched off.
    Off,
    /// The source was removed; its history is kept.
    Removed,
}

impl StateWord {
    /// Every state, with its word for programs and its word for people.
    pub(crate) const ALL: [(Self, &'static str, &'static str); 12] = [
        (Self::Ok, "ok", "ok"),
        (Self::New, "new", "new"),
        (Self::Never, "never", "never"),
        (Self::Down, "down", "down"),
        (Self::Fail, "fail", "FAIL"),
        (Self::Unpublished, "unpublished", "UNPUB"),
        (Self::SetFail, "set-fail", "SETFAIL"),
        (Self::Damaged, "damaged", "DAMAGED"),
        (Self::Error, "error", "error"),
        (Self::Pending, "pending", "pending"),
        (Self::Off, "off", "off"),
        (Self::Removed, "removed", "removed"),
    ];

    /// Returns the meaning of the word.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "fetched, nothing new",
            Self::New => "the last fetch brought a new version",
            Self::Never => "not fetched yet",
            Self::Down => "the last fetches failed; down(3): three in a row",
            Self::Fail => "a verifier failed the newest version",
            Self::Unpublished => "the version to be published could not be published",
            Self::SetFail => "the newest edition of its set failed, or could not be judged",
            Self::Damaged => "the catalogue's row of the newest version is damaged",
            Self::Error => "a verifier could not judge the newest version",
            Self::Pending => "the newest version waits for a verdict",
            Self::Off => "disabled",
            Self::Removed => "removed, its history kept",
        }
    }

    /// Returns the state of a source.
    pub(crate) fn of(source: &Source) -> Self {
        let state = &source.state;
        match state.last_outcome {
            _ if source.removed_at.is_some() => Self::Removed,
            _ if !source.settings.enabled => Self::Off,
            _ if state.failures > 0 => Self::Down,
            _ if state.version_state == Some(VersionState::Failed) => Self::Fail,
            _ if is_newest_damaged(source) => Self::Damaged,
            _ if state.publish_error.is_some() => Self::Unpublished,
            _ if state.set_fails => Self::SetFail,
            _ if state.version_state == Some(VersionState::Error) => Self::Error,
            _ if state.version_state == Some(VersionState::Pending) => Self::Pending,
            None => Self::Never,
            Some(AttemptOutcome::New) => Self::New,
            Some(_) => Self::Ok,
        }
    }

    /// Returns the word for programs.
    pub(crate) fn as_str(self) -> &'static str {
        let found = Self::ALL.iter().find(|(state, ..)| *state == self);
        found.map_or("", |(_, word, ..)| *word)
    }

    /// Returns the word for people: in capitals if something is wrong with what consumers get.
    pub(crate) fn shown(self) -> &'static str {
        let found = Self::ALL.iter().find(|(state, ..)| *state == self);
        found.map_or("", |(.., shown)| *shown)
    }
}

impl FromStr for StateWord {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is = |word: &str| word.eq_ignore_ascii_case(text);
        let mut all = Self::ALL.iter();
        let found = all.find(|(_, word, shown)| is(word) || is(shown));
        found
            .map(|(state, ..)| *state)
            .ok_or_else(|| format!("`{text}` is not a state"))
    }
}

/// Returns whether the catalogue's row of a source's newest version is damaged or lost; its state is then unknown.
pub(crate) fn is_newest_damaged(source: &Source) -> bool {
    source.state.version_id.is_some() && source.state.version_state.is_none()
}

/// Returns the word of the newest version's state, `damaged` if its row is; none without a version.
pub(crate) fn verified_word(source: &Source) -> Option<&'static str> {
    match source.state.version_state {
        Some(state) => Some(state.as_str()),
        None => is_newest_damaged(source).then(|| StateWord::Damaged.as_str()),
    }
}

/// Returns the word for people, `down(n)` after n failed fetches in a row.
pub(crate) fn state_word(source: &Source) -> String {
    match StateWord::of(source) {
        StateWord::Down => format!("down({})", source.state.failures),
        state => state.shown().to_owned(),
    }
}

/// Returns the reason for a source's state; `None` where the word is enough.
pub(crate) fn why(history: &History) -> Option<String> {
    let state = &history.source.state;
    match StateWord::of(&history.source) {
        StateWord::Down => history.attempts.first()?.error.clone(),
        StateWord::Fail | StateWord::Error => {
            let (version, verdicts) = history.newest()?;
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

/// Returns the message for a history that is only partly readable.
pub(crate) fn not_whole(damage: &Error) -> String {
    format!("{}: its history is not whole", damage.message)
}

/// Returns the verifiers that failed a version or could not judge it, with their reasons; `None` for any other state.
pub(crate) fn why_judged(state: VersionState, oldest_first: &[Verdict]) -> Option<String> {
    let last = last_of_each(oldest_first, |one| &one.verdict).into_iter();
    let words = last.map(|one| &one.verdict).filter_map(|verdict| {
        let reason = verdict.judgement.reason();
        let gap = if reason.is_empty() { "" } else { ": " };
        let words = || format!("{}{gap}{reason}", verdict.judge_words());
        state.follows_from(verdict.judgement.outcome).then(words)
    });
    words.reduce(|all, one| format!("{all}; {one}"))
}

/// Returns when a source is due; `None` if it never is.
pub(crate) fn next_due(source: &Source) -> Option<DateTime<Utc>> {
    let watched = source.settings.enabled && source.removed_at.is_none();
    watched.then(|| Slot::start(source.state.next_slot))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_tables_and_of_programs_name_states() {
        for (state, word, shown) in StateWord::ALL {
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
}
