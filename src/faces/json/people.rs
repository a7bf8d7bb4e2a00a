//! The JSON of people and tokens: `user list` and `token list`. Neither passwords nor secrets have a field.

use chrono::{DateTime, Utc};

use super::object::json_object;
use super::times::precise;
use crate::domain::{Person, Token};

json_object! {
    /// One of `user list --json`.
    pub(crate) struct PersonJson<'a> {
        name: &'a str,
        role: &'static str,
        disabled: bool,
        created_at: String,
        password_changed_at: String,
    }
}

impl<'a> PersonJson<'a> {
    pub(crate) fn new(person: &'a Person) -> Self {
        Self {
            name: &person.name,
            role: person.role.as_str(),
            disabled: person.disabled,
            created_at: precise(person.created_at),
            password_changed_at: precise(person.password_changed_at),
        }
    }
}

json_object! {
    /// One of `token list --json`.
    pub(crate) struct TokenJson<'a> {
        name: &'a str,
        role: &'static str,
        verifier: Option<&'a str>,
        state: &'static str,
        created_at: String,
        created_by: &'a str,
        expires_at: Option<String>,
        revoked_at: Option<String>,
        last_used_at: Option<String>,
    }
}

impl<'a> TokenJson<'a> {
    pub(crate) fn new(token: &'a Token, now: DateTime<Utc>) -> Self {
        Self {
            name: &token.name,
            role: token.role.as_str(),
            verifier: token.verifier.as_deref(),
            state: token.state(now).as_str(),
            created_at: precise(token.created_at),
            created_by: &token.created_by,
            expires_at: token.expires_at.map(precise),
            revoked_at: token.revoked_at.map(precise),
            last_used_at: token.last_used_at.map(precise),
        }
    }
}
