//! Persists messages as they come, and has them judged: takes them from the queues of the catalogue, whichever process put them
//! there.
//!
//! Never loses a message: one is taken from its queue in the transaction that persists it.

use std::convert::Infallible;
use std::time::Duration;

use tokio::time::{interval, sleep};

use super::message_judge::{self, follow_policy, judge_forever};
use super::stop::Stop;
use crate::app::{App, Result};
use crate::store::QueuedAny;

/// The time in which messages gather, so that many share one transaction.
const GATHER: Duration = Duration::from_millis(20);

/// The time between two looks at whether another process put messages on a queue.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The time between two looks at what is kept for too long.
const EXPIRE_EVERY: Duration = Duration::from_mins(10);

/// The wait after messages that could not be persisted, and after a store that could not be written.
const WAIT_AFTER_FAILURE: Duration = Duration::from_millis(500);

/// Persists messages until a stop is requested.
pub async fn consume(app: &App, stop: &Stop) {
    tokio::select! {
        never = consume_forever(app) => match never {},
        () = stop.requested() => {}
    }
    message_judge::give_back(app).await;
}

/// Persists messages and has them judged, for ever.
pub(super) async fn consume_forever(app: &App) -> Infallible {
    follow_policy(app).await;
    tokio::select! {
        never = persist_forever(app) => match never {},
        never = judge_forever(app) => match never {},
    }
}

async fn persist_forever(app: &App) -> Infallible {
    let mut last_error = None;
    let mut expire = interval(EXPIRE_EVERY);
    loop {
        let consumed = app.consume_when_any().await;
        let error = consumed.as_ref().err().map(ToString::to_string);
        if let Some(error) = &error
            && last_error.as_ref() != Some(error)
        {
            // One that stays is reported once.
            tracing::error!("messages wait on their queue: {error}");
        }
        last_error = error;
        match consumed {
            Ok(consumed) if consumed.has_more && !consumed.failed => {}
            Ok(consumed) if !consumed.failed => {
                tokio::select! {
                    () = until_more(app) => sleep(GATHER).await,
                    _ = expire.tick() => expire_all(app).await,
                }
            }
            _ => sleep(WAIT_AFTER_FAILURE).await,
        }
    }
}

/// Deletes what the queues keep no longer.
async fn expire_all(app: &App) {
    loop {
        match app.expire_messages().await {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) => {
                tracing::warn!("messages are kept longer than they should be: {error}");
                return;
            }
        }
    }
}

/// Persists what is on the queues now and has it judged, until a stop is requested.
pub(super) async fn drain(app: &App, stop: &Stop) -> Result<()> {
    loop {
        let consumed = app.consume_when_any().await?;
        if stop.is_requested() {
            return Ok(());
        }
        if !consumed.has_more && !consumed.failed {
            expire_all(app).await;
            message_judge::drain(app, stop).await;
            return Ok(());
        }
    }
}

/// Waits until there are messages on a queue, or the catalogue cannot be read.
async fn until_more(app: &App) {
    let mut seen = app.changes().await.ok();
    while !app.read(QueuedAny).await.unwrap_or(true) {
        loop {
            tokio::select! {
                () = app.messages_came() => return,
                () = sleep(LOOK_EVERY) => {}
            }
            let changes = app.changes().await.ok();
            if changes.is_none() || std::mem::replace(&mut seen, changes) != changes {
                break;
            }
        }
    }
}
