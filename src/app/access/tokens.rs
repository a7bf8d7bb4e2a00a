//! Tokens of programs: created, revoked, and found by their secret.

use chrono::{DateTime, TimeDelta, Utc};

use super::people::check_name;
use super::secret::{Secret, TOKEN_PREFIX, TokenSecret, digest_of};
use crate::app::sources::suggest::no_such_name;
use crate::app::{App, Error, ErrorKind, Result};
use crate::domain::{Token, TokenRole, TokenState};
use crate::store::{Fact, NewToken, PolicyInForce, Tokens};

/// How exactly the time of a token's last use is recorded.
const USE_STEP: TimeDelta = TimeDelta::hours(1);

impl App {
    /// Creates a token, and returns its secret, which nothing can show again.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for a bad name, an end that is past, and a role `verifier` without a verifier or another with
    /// one; [`ErrorKind::NotFound`] for a verifier that the policy does not have; [`ErrorKind::Conflict`] for the name of
    /// a live token.
    pub async fn create_token(
        &self,
        name: &str,
        role: TokenRole,
        verifier: Option<&str>,
        expires: Option<DateTime<Utc>>,
    ) -> Result<TokenSecret> {
        check_name(name, "a token")?;
        if expires.is_some_and(|end| end <= self.now()) {
            return Err(Error::invalid("the token would end before it is used"));
        }
        self.check_verifier(role, verifier).await?;
        let secret = Secret::random(TOKEN_PREFIX)?;
        let token = NewToken {
            digest: secret.digest(),
            name: name.to_owned(),
            role,
            verifier: verifier.map(str::to_owned),
            expires_at: expires,
        };
        if self.ports.store.create_token(token, self.stamp()).await? {
            return Ok(secret);
        }
        let message = format!("there is a live token called {name} already");
        Err(Error::new(ErrorKind::Conflict, message)
            .hint(format!("`gannet token revoke {name}` frees the name")))
    }

    /// Returns all tokens by name, revoked and expired ones included.
    pub async fn tokens(&self) -> Result<Vec<Token>> {
        self.read(Tokens).await
    }

    /// Revokes the token of this name: it is refused from the next request on, and its name is free.
    pub async fn revoke_token(&self, name: &str) -> Result<()> {
        let revoked = self.ports.store.revoke_token(name.to_owned(), self.stamp());
        if revoked.await? {
            return Ok(());
        }
        let tokens = self.tokens().await?;
        if tokens.iter().any(|one| one.name == name) {
            return Err(Error::invalid(format!(
                "the token {name} is revoked already"
            )));
        }
        let names = tokens.iter().map(|one| one.name.as_str());
        let otherwise = "`gannet token list` shows all";
        Err(no_such_name("token", name, names, otherwise))
    }

    /// Returns the token of this secret; `None` when there is none, or it was revoked or has expired.
    pub async fn holder_of_token(&self, secret: &str) -> Result<Option<Token>> {
        let digest = digest_of(secret);
        let (reads, store) = (&self.ports.token_reads, &self.ports.store);
        let found = reads.token(store, digest).await;
        let now = self.now();
        let token = self.unless_damaged(found)?.flatten();
        let Some(token) = token.filter(|token| token.state(now) == TokenState::Live) else {
            return Ok(None);
        };
        if token
            .last_used_at
            .is_none_or(|used| (now - used).abs() >= USE_STEP)
        {
            self.note_use(Fact::TokenUsed(digest)).await;
        }
        Ok(Some(token))
    }

    /// Refuses a verifier that does not go with the role, or that the policy does not have.
    async fn check_verifier(&self, role: TokenRole, verifier: Option<&str>) -> Result<()> {
        let Some(name) = verifier else {
            if role == TokenRole::Verifier {
                let message =
                    "a token of the role verifier gives verdicts in the name of one verifier";
                return Err(Error::invalid(message).hint("name it: `--verifier NAME`"));
            }
            return Ok(());
        };
        if role != TokenRole::Verifier {
            let message = format!("a token of the role {role} gives no verdicts");
            return Err(
                Error::invalid(message).hint("`--verifier` goes with `--role verifier` only")
            );
        }
        let adopted = self.read(PolicyInForce).await?;
        let verifiers = adopted.map(|one| one.policy.verifiers).unwrap_or_default();
        if verifiers.iter().any(|one| one.name == name) {
            return Ok(());
        }
        let names: Vec<_> = verifiers.iter().map(|one| one.name.as_str()).collect();
        let known = match names.as_slice() {
            [] => "the policy in force has no verifiers: `gannet help verifiers` says how to declare one".to_owned(),
            names => format!("the policy has {}", names.join(", ")),
        };
        Err(no_such_name(
            "verifier",
            name,
            names.iter().copied(),
            &known,
        ))
    }
}
