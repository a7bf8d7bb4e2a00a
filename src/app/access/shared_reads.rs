//! Reads that many ask for at once: those who ask while a read is under way share the next one, so that nobody gets an
//! answer from before the question.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::app::Result;
use crate::domain::{Digest, Token};
use crate::store::{Store, TokenWith};

/// What comes to somebody who waits.
enum Turn {
    /// The answer.
    Answer(Option<Token>),
    /// It is their turn to read.
    Read,
}

/// The tokens that are being read, each with those who asked since that read began.
#[derive(Default)]
pub(in crate::app) struct SharedReads(Mutex<HashMap<Digest, Vec<oneshot::Sender<Turn>>>>);

impl SharedReads {
    /// Returns the token with the digest, as the catalogue has it now or later.
    pub(super) async fn token(&self, store: &Store, digest: Digest) -> Result<Option<Token>> {
        if let Some(mut waiting) = self.wait(digest) {
            match (&mut waiting.turn).await {
                Ok(Turn::Answer(token)) => return Ok(token),
                Ok(Turn::Read) => {}
                // Who read for them failed, or left.
                Err(_) => return Ok(store.read(TokenWith(digest)).await?),
            }
        }
        let _reading = Reading(self, digest);
        let waiting = self.take(digest);
        let token = store.read(TokenWith(digest)).await?;
        for sender in waiting {
            // Who asked may be gone.
            let _ = sender.send(Turn::Answer(token.clone()));
        }
        Ok(token)
    }

    /// Waits for a turn; `None` when nobody reads the token.
    fn wait(&self, digest: Digest) -> Option<Waiting<'_>> {
        let mut reading = self.lock();
        let Some(waiting) = reading.get_mut(&digest) else {
            reading.insert(digest, Vec::new());
            return None;
        };
        let (sender, turn) = oneshot::channel();
        waiting.push(sender);
        Some(Waiting {
            reads: self,
            digest,
            turn,
        })
    }

    /// Takes those who wait for a token.
    fn take(&self, digest: Digest) -> Vec<oneshot::Sender<Turn>> {
        let mut reading = self.lock();
        reading
            .get_mut(&digest)
            .map(std::mem::take)
            .unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Digest, Vec<oneshot::Sender<Turn>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who waits.
struct Waiting<'a> {
    reads: &'a SharedReads,
    digest: Digest,
    turn: oneshot::Receiver<Turn>,
}

impl Drop for Waiting<'_> {
    /// Passes a turn on that came too late.
    fn drop(&mut self) {
        self.turn.close();
        if let Ok(Turn::Read) = self.turn.try_recv() {
            drop(Reading(self.reads, self.digest));
        }
    }
}

/// A read of a token. When it ends, however it does, it is the turn of one of those who wait.
struct Reading<'a>(&'a SharedReads, Digest);

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        let mut reading = self.0.lock();
        let mut waiting = reading.get_mut(&self.1);
        while let Some(next) = waiting.as_mut().and_then(|waiting| waiting.pop()) {
            if next.send(Turn::Read).is_ok() {
                return;
            }
        }
        reading.remove(&self.1);
    }
}
