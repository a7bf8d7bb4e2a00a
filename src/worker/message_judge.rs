//! Has messages judged that are persisted, whichever process persisted them.
//!
//! Never keeps a message from being persisted: that goes on meanwhile.

use std::convert::Infallible;
use std::time::Duration;

use tokio::time::sleep;

use super::stop::Stop;
use crate::app::App;

/// The time between two looks at what other processes persisted, and at what is to be tried again.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The wait after messages that could not be judged: by a configuration that is not in force, say.
const WAIT_AFTER_FAILURE: Duration = Duration::from_secs(5);

/// Judges messages for ever.
pub(super) async fn judge_forever(app: &App) -> Infallible {
    let mut last_error = None;
    loop {
        let judged = app.judge_due_messages().await;
        let error = judged.as_ref().err().map(ToString::to_string);
        if let Some(error) = &error
            && last_error.as_ref() != Some(error)
        {
            // One that stays is reported once.
            tracing::error!("messages wait to be judged: {error}");
        }
        last_error = error;
        match judged {
            Ok(0) => tokio::select! {
                () = app.messages_persisted() => {}
                () = sleep(LOOK_EVERY) => follow_policy(app).await,
            },
            Ok(_) => {}
            Err(_) => sleep(WAIT_AFTER_FAILURE).await,
        }
    }
}

/// Puts an edited configuration in force, so that messages persisted from now on are judged by it.
pub(super) async fn follow_policy(app: &App) {
    // Why another configuration stays in force is reported when something is to be judged.
    let _ = Box::pin(app.policy_standing()).await;
}

/// Ends judging: what was not judged is left to others, at once.
pub(super) async fn give_back(app: &App) {
    if let Err(error) = app.give_messages_back().await {
        tracing::warn!("messages that were being judged wait longer: {error}");
    }
}

/// Judges what is due now, until a stop is requested.
pub(super) async fn drain(app: &App, stop: &Stop) {
    while !stop.is_requested() {
        match app.judge_due_messages().await {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) => {
                tracing::error!("messages wait to be judged: {error}");
                return;
            }
        }
    }
}
