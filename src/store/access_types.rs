//! People, sessions and tokens, as the store takes and returns them. Secrets never get here: only their digests do.

use chrono::{DateTime, Utc};
use secrecy::SecretString;

use crate::domain::{Digest, Person, Role, TokenRole};

/// A change of one person.
#[derive(Clone, Debug)]
pub enum PersonChange {
    /// A new person. Takes the place of a person of this name whose row is damaged.
    Add {
        /// The role.
        role: Role,
        /// The password's hash in the PHC string format.
        password_hash: SecretString,
    },
    /// The hash of another password. Ends the person's sessions.
    Password(SecretString),
    /// Another role.
    Role(Role),
    /// Whether the person may not sign in; if so, ends the person's sessions.
    Disabled(bool),
}

/// A person with the password's hash.
#[derive(Clone, Debug)]
pub struct PersonWithHash {
    /// The person.
    pub person: Person,
    /// The password's hash in the PHC string format.
    pub password_hash: SecretString,
}

/// A session. Whether it lasts still follows from its times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The person, as they are now.
    pub person: Person,
    /// When the session began.
    pub created_at: DateTime<Utc>,
    /// When it was used last; to the minute.
    pub used_at: DateTime<Utc>,
}

/// A token to create.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// The digest of its secret.
    pub digest: Digest,
    /// The name.
    pub name: String,
    /// The role.
    pub role: TokenRole,
    /// The verifier in whose name it gives verdicts.
    pub verifier: Option<String>,
    /// When it ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
}
