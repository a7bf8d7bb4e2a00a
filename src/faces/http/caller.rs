//! Who sent a request, and what they may do.

use chrono::{DateTime, Utc};

use crate::domain::{Actor, Person, Role, Token, TokenRole};

/// Something that a request does, and for which its sender needs a right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Right {
    /// Nothing that needs a right.
    Anybody,
    /// Reading.
    Read,
    /// Changing sources, fetching, and judging.
    Operate,
    /// Giving a verdict.
    Judge,
    /// Pushing messages.
    Push,
    /// Looking into the store.
    Administer,
}

impl Right {
    /// Returns the right's word.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Anybody => "anybody",
            Self::Read => "read",
            Self::Operate => "operate",
            Self::Judge => "judge",
            Self::Push => "push",
            Self::Administer => "administer",
        }
    }

    /// Returns the right in the words of a refusal.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Anybody => "anybody",
            Self::Read => "a viewer",
            Self::Operate => "an operator",
            Self::Judge => "an operator, or a token of a verifier",
            Self::Push => "an operator, or a token for ingest",
            Self::Administer => "an admin",
        }
    }
}

/// What the sender of a request is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CallerRole {
    /// Unknown, and without any right.
    Stranger,
    /// Reads.
    Viewer,
    /// Changes sources, too.
    Operator,
    /// Looks into the store, too.
    Admin,
    /// Gives verdicts in the name of this verifier.
    Verifier(String),
    /// Pushes messages.
    Ingest,
}

/// By what the sender of a request is known. A person, a token, and a later token may have one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Credential {
    /// Nothing.
    None,
    /// The account of a person, by the time at which it was made.
    Person(DateTime<Utc>),
    /// A token, by the time at which it was made.
    Token(DateTime<Utc>),
    /// The link on the service's terminal.
    Link,
}

/// The sender of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Caller {
    /// The name of the person or the token; `None` for somebody unknown.
    pub(super) name: Option<String>,
    pub(super) role: CallerRole,
    pub(super) credential: Credential,
    /// Whether a browser sent the credential by itself, so that another site may have caused the request.
    pub(super) by_cookie: bool,
}

impl Caller {
    /// Returns somebody unknown, who may read if `reads`.
    pub(super) fn unknown(reads: bool) -> Self {
        let role = if reads {
            CallerRole::Viewer
        } else {
            CallerRole::Stranger
        };
        Self {
            name: None,
            role,
            credential: Credential::None,
            by_cookie: false,
        }
    }

    /// Returns the holder of a token.
    pub(super) fn token(token: Token) -> Self {
        let role = match token.role {
            TokenRole::Viewer => CallerRole::Viewer,
            TokenRole::Operator => CallerRole::Operator,
            TokenRole::Verifier => CallerRole::Verifier(token.verifier.unwrap_or_default()),
            TokenRole::Ingest => CallerRole::Ingest,
        };
        Self {
            name: Some(token.name),
            role,
            credential: Credential::Token(token.created_at),
            by_cookie: false,
        }
    }

    /// Returns a person whose browser sends the credential by itself.
    pub(super) fn person(person: Person) -> Self {
        let role = match person.role {
            Role::Viewer => CallerRole::Viewer,
            Role::Operator => CallerRole::Operator,
            Role::Admin => CallerRole::Admin,
        };
        Self {
            name: Some(person.name),
            role,
            credential: Credential::Person(person.created_at),
            by_cookie: true,
        }
    }

    /// Returns the operator who signed in by the link on the service's terminal.
    pub(super) fn operator(name: String) -> Self {
        Self {
            name: Some(name),
            role: CallerRole::Operator,
            credential: Credential::Link,
            by_cookie: true,
        }
    }

    pub(super) fn may(&self, right: Right) -> bool {
        use CallerRole::{Admin, Ingest, Operator, Verifier, Viewer};
        match right {
            Right::Anybody => true,
            Right::Read => matches!(self.role, Viewer | Operator | Admin | Verifier(_)),
            Right::Operate => matches!(self.role, Operator | Admin),
            Right::Judge => matches!(self.role, Operator | Admin | Verifier(_)),
            Right::Push => matches!(self.role, Operator | Admin | Ingest),
            Right::Administer => self.role == Admin,
        }
    }

    /// Returns the actor of what this sender does, such as `anna by http`.
    pub(super) fn actor(&self) -> Actor {
        Actor::by_http(self.name.as_deref().unwrap_or("unknown"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_has_its_rights() {
        let rights = [
            Right::Anybody,
            Right::Read,
            Right::Operate,
            Right::Judge,
            Right::Push,
            Right::Administer,
        ];
        for (role, expected) in [
            (
                CallerRole::Stranger,
                [true, false, false, false, false, false],
            ),
            (CallerRole::Viewer, [true, true, false, false, false, false]),
            (CallerRole::Operator, [true, true, true, true, true, false]),
            (CallerRole::Admin, [true; 6]),
            (
                CallerRole::Verifier("v".to_owned()),
                [true, true, false, true, false, false],
            ),
            (CallerRole::Ingest, [true, false, false, false, true, false]),
        ] {
            let caller = Caller {
                name: None,
                role,
                credential: Credential::None,
                by_cookie: false,
            };
            assert_eq!(
                rights.map(|right| caller.may(right)),
                expected,
                "{caller:?}"
            );
        }
    }
}
