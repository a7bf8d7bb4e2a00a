//! Sessions of people who signed in: 12 hours without use, 30 days at most.

use chrono::TimeDelta;

use super::secret::{Secret, SessionSecret, digest_of};
use crate::app::{App, Error, Result};
use crate::domain::{Person, is_session_live};
use crate::store::{Fact, SessionWith};

/// How exactly the time of a session's last use is recorded.
const USE_STEP: TimeDelta = TimeDelta::minutes(1);

impl App {
    /// Begins a session of a person, and returns its secret.
    ///
    /// # Errors
    ///
    /// [`crate::app::ErrorKind::NotFound`] when the person was disabled, or got another password, since they were read.
    pub async fn begin_session(&self, person: &Person) -> Result<SessionSecret> {
        let secret = Secret::random("")?;
        let begun = self
            .ports
            .store
            .begin_session(person.clone(), secret.digest(), self.now());
        if begun.await? {
            return Ok(secret);
        }
        let message = format!("{} may not sign in any more", person.name);
        Err(Error::not_found(message).hint("sign in again"))
    }

    /// Returns the person of a session that lasts still, as they are now.
    pub async fn person_of_session(&self, secret: &str) -> Result<Option<Person>> {
        let digest = digest_of(secret);
        let found = self.read(SessionWith(digest)).await;
        let now = self.now();
        let session = self.unless_damaged(found)?.flatten().filter(|session| {
            is_session_live(session.created_at, session.used_at, now) && !session.person.disabled
        });
        let Some(session) = session else {
            return Ok(None);
        };
        if (now - session.used_at).abs() >= USE_STEP {
            self.note_use(Fact::SessionUsed(digest)).await;
        }
        Ok(Some(session.person))
    }

    /// Ends a session.
    pub async fn end_session(&self, secret: &str) -> Result<()> {
        self.record(Fact::SessionEnded(digest_of(secret))).await
    }

    /// Records a use. When the catalogue cannot be written, what is asked for is done nevertheless.
    pub(super) async fn note_use(&self, used: Fact) {
        if let Err(error) = self.record(used).await {
            tracing::warn!("a use is not recorded: {error}");
        }
    }
}
