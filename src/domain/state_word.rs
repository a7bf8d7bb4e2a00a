//! The state of a source in one word, which the faces show and filters ask for.
//!
//! Never says why: the reasons are in the source's history.

use std::str::FromStr;

use super::{AttemptOutcome, VersionState};

/// The state of a source in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateWord {
    /// The last fetch found the content unchanged.
    Ok,
    /// The last fetch brought a new version.
    New,
    /// The source was not fetched yet.
    Never,
    /// The file of a day is not there yet.
    Absent,
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

/// The facts of a source from which its state follows.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, each read from a column of its own"
)]
pub struct StateFacts {
    /// Whether the source was removed.
    pub is_removed: bool,
    /// Whether the worker fetches it.
    pub is_enabled: bool,
    /// Whether its last attempt failed.
    pub is_failing: bool,
    /// Whether it has a version.
    pub has_version: bool,
    /// The state of its newest version; `None` without one, or when its row is damaged.
    pub version_state: Option<VersionState>,
    /// Whether the version that should be published could not be.
    pub is_unpublished: bool,
    /// Whether the newest edition of its set failed or could not be judged.
    pub set_fails: bool,
    /// The outcome of its last attempt.
    pub last_outcome: Option<AttemptOutcome>,
}

impl StateWord {
    /// Every state, with its word for programs and its word for people.
    pub const ALL: [(Self, &'static str, &'static str); 13] = [
        (Self::Ok, "ok", "ok"),
        (Self::New, "new", "new"),
        (Self::Never, "never", "never"),
        (Self::Absent, "absent", "absent"),
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

    /// Returns how grave the state is: the dated source has the gravest one of its days.
    pub fn gravity(self) -> u8 {
        match self {
            Self::Removed | Self::Off => 0,
            Self::Absent => 1,
            Self::Ok => 2,
            Self::New => 3,
            Self::Never => 4,
            Self::Pending => 5,
            Self::Error => 6,
            Self::SetFail => 7,
            Self::Unpublished => 8,
            Self::Damaged => 9,
            Self::Down => 10,
            Self::Fail => 11,
        }
    }

    /// Returns the meaning of the word.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "fetched, nothing new",
            Self::New => "the last fetch brought a new version",
            Self::Never => "not fetched yet",
            Self::Absent => "a day whose file is not there yet",
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

    /// Returns the state of a source with these facts.
    pub fn from_facts(facts: &StateFacts) -> Self {
        let version_state = facts.version_state;
        match facts.last_outcome {
            _ if facts.is_removed => Self::Removed,
            _ if !facts.is_enabled => Self::Off,
            _ if facts.is_failing => Self::Down,
            _ if version_state == Some(VersionState::Failed) => Self::Fail,
            _ if facts.has_version && version_state.is_none() => Self::Damaged,
            _ if facts.is_unpublished => Self::Unpublished,
            _ if facts.set_fails => Self::SetFail,
            _ if version_state == Some(VersionState::Error) => Self::Error,
            _ if version_state == Some(VersionState::Pending) => Self::Pending,
            None => Self::Never,
            Some(AttemptOutcome::New) => Self::New,
            Some(AttemptOutcome::Absent) => Self::Absent,
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
