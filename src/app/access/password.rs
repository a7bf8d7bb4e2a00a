//! Passwords: which are accepted, and their hashes by argon2id (RFC 9106) with the parameters that OWASP recommends.
//!
//! Never keeps a password.

use secrecy::{ExposeSecret as _, SecretString};
use unicode_normalization::UnicodeNormalization as _;

use super::password_hash::{check, hash_of};
use super::secret::fill;
use crate::app::{App, Error, ErrorKind, Result};

/// The shortest password, in characters.
const MIN_PASSWORD_CHARS: usize = 10;
/// The longest password, in bytes.
const MAX_PASSWORD_BYTES: usize = 1024;

/// A hash that no password has, with the parameters of those that are made here: the work for nobody is that for somebody.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$Z2FubmV0LW9mLW5vYm9keQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Refuses a password that is too short or too long, or has a control character. The message does not contain it.
pub fn check_password(password: &SecretString) -> Result<()> {
    let text = password.expose_secret();
    let why = if text.chars().count() < MIN_PASSWORD_CHARS {
        format!("a password takes at least {MIN_PASSWORD_CHARS} characters")
    } else if text.len() > MAX_PASSWORD_BYTES {
        format!("a password takes at most {MAX_PASSWORD_BYTES} bytes")
    } else if text.chars().any(char::is_control) {
        "a password has no tab or other control character".to_owned()
    } else {
        return Ok(());
    };
    Err(Error::invalid(why).hint("nothing was changed"))
}

impl App {
    /// Checks a password, and returns its hash in the PHC string format.
    pub(super) async fn password_hash(&self, password: SecretString) -> Result<SecretString> {
        check_password(&password)?;
        let mut salt = [0; argon2::RECOMMENDED_SALT_LEN];
        fill(&mut salt)?;
        self.ports
            .hashing
            .run(move || {
                let hash = hash_of(&normalized(&password), &salt);
                hash.map(|hash| SecretString::from(hash.to_string()))
            })
            .await?
            .map_err(|error| {
                let message = format!("cannot hash the password: {error}");
                Error::new(ErrorKind::Unavailable, message)
            })
    }

    /// Reports whether a password has this hash. Without a hash the answer is no, after the same work.
    pub(super) async fn fits_password(
        &self,
        password: SecretString,
        hash: Option<SecretString>,
    ) -> Result<bool> {
        let is_too_long = password.expose_secret().len() > MAX_PASSWORD_BYTES;
        let (password, hash) = if is_too_long {
            (SecretString::default(), None)
        } else {
            (password, hash)
        };
        self.ports
            .hashing
            .run(move || {
                let known = hash.as_ref().map_or(NOBODY, |hash| hash.expose_secret());
                let found = check(&normalized(&password), known);
                found.is_ok() && hash.is_some()
            })
            .await
    }
}

/// Returns the bytes that are hashed: a letter typed on another system may come in another form (RFC 8265 §4.2.2).
fn normalized(password: &SecretString) -> Vec<u8> {
    let text: String = password.expose_secret().nfc().collect();
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use argon2::PasswordHash;

    use super::*;

    #[test]
    fn passwords_have_bounds() {
        for (password, is_good) in [
            (String::new(), false),
            ("123456789".to_owned(), false),
            ("1234567890".to_owned(), true),
            ("ääääääääää".to_owned(), true),
            ("with spaces within".to_owned(), true),
            ("with\ttab and more".to_owned(), false),
            ("with\u{3}an interrupt".to_owned(), false),
            ("x".repeat(1024), true),
            ("x".repeat(1025), false),
        ] {
            let checked = check_password(&SecretString::from(password.clone()));
            assert_eq!(checked.is_ok(), is_good, "{password}");
            if let Err(error) = checked {
                assert!(password.is_empty() || !error.with_hint().contains(&password));
            }
        }
    }

    #[test]
    fn nobody_s_hash_takes_the_same_work() {
        let made = hash_of(b"1234567890", b"0123456789abcdef").expect("a hash");
        let nobody = PasswordHash::new(NOBODY).expect("a hash");
        let work = |hash: &PasswordHash| {
            let lengths = (
                hash.salt.map(|salt| salt.len()),
                hash.hash.map(|out| out.len()),
            );
            (hash.algorithm, hash.version, hash.params.clone(), lengths)
        };
        assert_eq!(work(&made), work(&nobody));
    }

    #[test]
    fn one_letter_in_two_forms_is_one() {
        let forms = ["p\u{e4}sswords", "pa\u{308}sswords"];
        let [one, other] = forms.map(|text| normalized(&SecretString::from(text)));
        assert_eq!(one, other);
    }
}
