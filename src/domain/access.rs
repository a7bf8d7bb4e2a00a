//! People and tokens: who may use the service, in which role, and for how long.
//!
//! Never holds a password or a secret, and never reads a clock.

use chrono::{DateTime, TimeDelta, Utc};

use super::CLOCK_TOLERANCE;
use super::words::words;

/// How long a session lasts without use.
pub const SESSION_IDLE: TimeDelta = TimeDelta::hours(12);
/// How long a session lasts at most.
pub const SESSION_LONGEST: TimeDelta = TimeDelta::days(30);
/// The longest name of a person or token, in characters.
pub const MAX_ACCESS_NAME: usize = 64;

words!(
    "a role":
    /// What a person may do; each role includes those before it.
    #[derive(PartialOrd, Ord)]
    pub enum Role {
        /// Reads.
        Viewer = "viewer",
        /// Adds and changes sources, fetches, gives verdicts.
        Operator = "operator",
        /// Looks into the store.
        Admin = "admin",
    }
);

words!(
    "a token's role":
    /// What a program with a token may do.
    pub enum TokenRole {
        /// Reads.
        Viewer = "viewer",
        /// Adds and changes sources, fetches, gives verdicts.
        Operator = "operator",
        /// Reads, and gives verdicts in the name of one verifier.
        Verifier = "verifier",
        /// Pushes messages.
        Ingest = "ingest",
    }
);

/// A person who signs in to the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The name, unique among people.
    pub name: String,
    /// The role.
    pub role: Role,
    /// Whether the person may not sign in.
    pub disabled: bool,
    /// When the person was added.
    pub created_at: DateTime<Utc>,
    /// When the password was set last.
    pub password_changed_at: DateTime<Utc>,
}

/// A token, by which a program is known to the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The name, unique among live tokens.
    pub name: String,
    /// The role.
    pub role: TokenRole,
    /// The verifier in whose name a token of the role `verifier` gives verdicts.
    pub verifier: Option<String>,
    /// When the token was created.
    pub created_at: DateTime<Utc>,
    /// The actor who created the token.
    pub created_by: String,
    /// When the token ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
    /// When the token was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// About when the token was used last; to the hour.
    pub last_used_at: Option<DateTime<Utc>>,
}

words!(
    "a token's state":
    /// Whether a token is accepted.
    pub enum TokenState {
        /// Accepted.
        Live = "live",
        /// No longer: its time is over.
        Expired = "expired",
        /// No longer: it was revoked.
        Revoked = "revoked",
    }
);

impl Token {
    /// Returns whether the token is accepted at this time.
    pub fn state(&self, now: DateTime<Utc>) -> TokenState {
        if self.revoked_at.is_some() {
            TokenState::Revoked
        } else if self.expires_at.is_some_and(|end| end <= now) {
            TokenState::Expired
        } else {
            TokenState::Live
        }
    }
}

/// Reports whether a text can be the name of a person or token: 1 to 64 characters of a–z, 0–9, `.`, `_` and `-`, the
/// first a letter or digit.
pub fn is_access_name(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.len() <= MAX_ACCESS_NAME
        && text.starts_with(is_plain)
        && text.chars().all(|c| is_plain(c) || "._-".contains(c))
}

/// Reports whether a session that began and was last used at these times lasts still. A time that is ahead of the clock
/// was written by a clock that ran ahead, and ends the session.
pub fn is_session_live(began: DateTime<Utc>, used: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    let is_within =
        |since: DateTime<Utc>, most| now - since < most && since - now <= CLOCK_TOLERANCE;
    is_within(began, SESSION_LONGEST) && is_within(used, SESSION_IDLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(hours)
    }

    #[test]
    fn names_are_plain() {
        let longest = "a".repeat(64);
        for name in ["a", "7", "anna", "ci.eu-1_x", &longest] {
            assert!(is_access_name(name), "{name}");
        }
        let longer = "a".repeat(65);
        for text in [
            "", "Anna", ".a", "-a", "_a", "a b", "a/b", "ä", "a\n", "a:b", &longer,
        ] {
            assert!(!is_access_name(text), "{text}");
        }
    }

    #[test]
    fn roles_are_ordered() {
        assert!(Role::Viewer < Role::Operator && Role::Operator < Role::Admin);
    }

    #[test]
    fn sessions_end_without_use_and_after_a_month() {
        let month = 30 * 24;
        for (began, used, now, expected) in [
            (0, 0, 0, true),
            (0, 0, 11, true),
            (0, 0, 12, false),
            (0, 11, 22, true),
            (0, month - 1, month - 1, true),
            (0, month - 1, month, false),
            // A clock that was set back.
            (1, 1, 0, true),
            (2, 0, 0, false),
            (0, 2, 0, false),
        ] {
            let live = is_session_live(at(began), at(used), at(now));
            assert_eq!(live, expected, "{began} {used} {now}");
        }
    }

    #[test]
    fn tokens_end_by_time_and_by_hand() {
        let token = |expires: Option<i64>, revoked: Option<i64>| Token {
            name: "ci".to_owned(),
            role: TokenRole::Ingest,
            verifier: None,
            created_at: at(0),
            created_by: "joe@host by cli".to_owned(),
            expires_at: expires.map(at),
            revoked_at: revoked.map(at),
            last_used_at: None,
        };
        for (expires, revoked, expected) in [
            (None, None, TokenState::Live),
            (Some(6), None, TokenState::Live),
            (Some(5), None, TokenState::Expired),
            (None, Some(1), TokenState::Revoked),
            (Some(4), Some(1), TokenState::Revoked),
        ] {
            assert_eq!(token(expires, revoked).state(at(5)), expected);
        }
    }
}
