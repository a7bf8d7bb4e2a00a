//! The state of a source in one word, which the faces show and filters ask for.
//!
//! Never says why: the reasons are in the source's history.

use std::str::FromStr;

use chrono::{DateTime, Utc};

use super::{AttemptOutcome, Slot, Source, VersionState};

/// The state of a source in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateWord {
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
    pub const ALL: [(Self, &'static str, &'static str); 12] = [
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

    /// Returns whether the state is a problem: with a fetch, a verdict, a set, the published file or the catalogue.
    pub fn is_failing(self) -> bool {
        matches!(
            self,
            Self::Down
                | Self::Fail
                | Self::Unpublished
                | Self::SetFail
                | Self::Damaged
                | Self::Error
        )
    }

    /// Returns the meaning of the word.
    pub fn meaning(self) -> &'static str {
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
    pub fn of(source: &Source) -> Self {
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
    pub fn as_str(self) -> &'static str {
        let found = Self::ALL.iter().find(|(state, ..)| *state == self);
        found.map_or("", |(_, word, ..)| *word)
    }

    /// Returns the word for people: in capitals if something is wrong with what consumers get.
    pub fn shown(self) -> &'static str {
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
pub fn is_newest_damaged(source: &Source) -> bool {
    source.state.version_id.is_some() && source.state.version_state.is_none()
}

/// Returns when a source is due; `None` if it never is.
pub fn next_due(source: &Source) -> Option<DateTime<Utc>> {
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
