//! Secrets that gannet makes: of sessions and of tokens.
//!
//! Never stored, logged or printed by itself: the catalogue has their digests.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};

use crate::app::{Error, ErrorKind, Result};
use crate::domain::Digest;

/// What a token's secret begins with, so that scanners of repositories find one that leaked.
pub(super) const TOKEN_PREFIX: &str = "gannet_";

/// A secret that was just made, for whoever keeps it. `Debug` prints none of it.
#[derive(Clone, Debug)]
pub struct Secret(SecretString);

/// The secret of a session, for the browser's cookie.
pub type SessionSecret = Secret;
/// The secret of a token, for the program that uses it.
pub type TokenSecret = Secret;

impl Secret {
    /// Makes one of 256 random bits behind a prefix.
    pub fn random(prefix: &str) -> Result<Self> {
        let mut bytes = [0; 32];
        fill(&mut bytes)?;
        let text = BASE64_URL_SAFE_NO_PAD.encode(bytes);
        Ok(Self(SecretString::from(format!("{prefix}{text}"))))
    }

    /// Returns the secret as text of letters, digits, `-` and `_`.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    pub(super) fn digest(&self) -> Digest {
        digest_of(self.expose())
    }
}

/// Returns the digest by which a secret is looked up. The secret is random, so that one round of SHA-256 protects it, and a
/// look-up by digest tells nothing by its duration.
pub(in crate::app) fn digest_of(secret: &str) -> Digest {
    Digest::of(secret.as_bytes())
}

/// Fills the bytes from the system's source of randomness.
pub(super) fn fill(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes).map_err(|error| {
        let message = format!("the system gives no random numbers: {error}");
        Error::new(ErrorKind::Unavailable, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_do_not_show() {
        let [one, other] = [(); 2].map(|()| Secret::random(TOKEN_PREFIX).expect("a secret"));
        let text = one.expose();
        assert_eq!(text.len(), 7 + 43);
        assert!(text.starts_with("gannet_"), "{text}");
        assert_ne!(text, other.expose());
        assert_ne!(one.digest(), other.digest());
        assert!(!format!("{one:?}").contains(&text[7..]));
    }
}
