//! Persists messages as they come, and has them judged: takes them from the queues, whichever process put them there.
//!
//! Never loses a message: one is taken from its queue in the transaction that persists it, or after that.

use std::time::Duration;

use tokio::time::{interval, sleep};

use super::message_judge::{self, follow_policy, judge_forever};
use super::stop::Stop;
use crate::app::{App, Result};

/// The time in which messages gather, so that many share one transaction.
const GATHER: Duration = Duration::from_millis(20);

/// The time between two looks at whether another process put messages on a queue.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The time between two looks at what is kept for too long.
const EXPIRE_EVERY: Duration = Duration::from_mins(10);

/// The wait after messages that could not be persisted, and after a store that could not be written.
const WAIT_AFTER_FAILURE: Duration = Duration::from_millis(500);

/// Persists messages and has them judged, until a stop is requested. A step that persists and has begun is done first: it ends
/// with the removal from the queue of what was persisted.
pub async fn consume(app: &App, stop: &Stop) {
    follow_policy(app).await;
    let judging = async {
        tokio::select! {
            never = judge_forever(app) => match never {},
            () = stop.requested() => {}
        }
    };
    tokio::join!(persist(app, stop), judging);
    message_judge::give_back(app).await;
}

/// Persists messages until a stop is requested.
async fn persist(app: &App, stop: &Stop) {
    let mut last_error = None;
    let mut expire = interval(EXPIRE_EVERY);
    while !stop.is_requested() {
        let consumed = app.consume_when_any().await;
        let error = consumed.as_ref().err().map(ToString::to_string);
        if let Some(error) = &error
            && last_error.as_ref() != Some(error)
        {
            // One that stays is reported once.
            tracing::error!("messages wait on their queue: {error}");
        }
        last_error = error;
        let pause = async {
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
        };
        tokio::select! {
            () = pause => {}
            () = stop.requested() => {}
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
    while !app.has_queued().await.unwrap_or(true) {
        loop {
            tokio::select! {
                () = app.messages_came() => return,
                () = sleep(LOOK_EVERY) => {}
            }
            let changes = app.changes().await.ok();
            let has_changed = std::mem::replace(&mut seen, changes) != changes;
            if changes.is_none() || has_changed || app.queues_on_redis() {
                break;
            }
        }
    }
}
