//! Signs webhooks by Standard Webhooks 1.0.0: `v1,` and the base64 of an HMAC-SHA256 (RFC 2104) over
//! `id.timestamp.body`.
//!
//! Never holds a file's body in memory: it is read in pieces. Never repeats a secret.

use std::fs::File;
use std::io::{self, Read as _};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_PAD_INDIFFERENT};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::domain::Content;

/// Prefix of a signing secret, optional when read.
pub(super) const SIGNING_PREFIX: &str = "whsec_";

/// Bytes of a file that are read at once.
const PIECE_BYTES: usize = 128 << 10;

pub(super) struct Signer(Hmac<Sha256>);

impl Signer {
    /// Begins a signature; `None` when the secret is empty or not base64.
    pub(super) fn new(secret: &str, id: &str, timestamp: i64) -> Option<Self> {
        let secret = secret.trim();
        let encoded = secret.strip_prefix(SIGNING_PREFIX).unwrap_or(secret);
        let key = STANDARD_PAD_INDIFFERENT.decode(encoded).ok()?;
        if key.is_empty() {
            return None;
        }
        let mut code =
            Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes a key of any length");
        code.update(format!("{id}.{timestamp}.").as_bytes());
        Some(Self(code))
    }

    /// Signs the body, read on a blocking thread. Returns the value of `webhook-signature`; fails when the body cannot
    /// be read.
    pub(super) async fn sign(self, body: &Content) -> io::Result<String> {
        let body = body.clone();
        tokio::task::spawn_blocking(move || self.finish(&body))
            .await
            .map_err(io::Error::other)?
    }

    fn finish(mut self, body: &Content) -> io::Result<String> {
        match body {
            Content::Memory(bytes) => self.0.update(bytes),
            Content::File { path, .. } => {
                let mut file = File::open(&**path)?;
                let mut piece = vec![0; PIECE_BYTES];
                loop {
                    match file.read(&mut piece) {
                        Ok(0) => break,
                        Ok(count) => self.0.update(&piece[..count]),
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        let code = STANDARD.encode(self.0.finalize().into_bytes());
        Ok(format!("v1,{code}"))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn signed(secret: &str) -> Option<String> {
        let signer = Signer::new(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330)?;
        let body = Content::Memory(Bytes::from_static(b"{\"test\": 2432232314}"));
        Some(signer.finish(&body).expect("memory can be read"))
    }

    /// The test vector of the standard's libraries.
    #[test]
    fn the_known_answer_comes_out() {
        let known = Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        for secret in [
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            " whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n",
        ] {
            assert_eq!(signed(secret).as_deref(), known, "{secret}");
        }
    }

    #[test]
    fn a_secret_is_base64_padded_or_not() {
        assert_eq!(signed("whsec_YQ=="), signed("whsec_YQ"));
        assert!(signed("whsec_YQ").is_some());
        for secret in ["", "whsec_", "whsec_a b", "whsec_Y", "hunter2!", "whsec_é"] {
            assert_eq!(signed(secret), None, "{secret}");
        }
    }
}
