//! `gannet consume`: persists messages, alone or beside others, until a signal comes.

use std::time::Duration;

use super::service::notify_ready;
use super::warnings::warn_of_former_queue_servers;
use super::{Services, signals};
use crate::app::Result;
use crate::config::{Environment, Flags, Identity};
use crate::faces::cli::args::Access;
use crate::faces::cli::{Console, ExitStatus};
use crate::worker::{Stop, consume};

/// Persists messages until a signal comes.
pub(super) async fn stay(
    flags: &Flags,
    environment: &Environment,
    console: &mut Console<'_>,
) -> Result<ExitStatus> {
    super::allocator::give_large_pieces_back();
    let services = Services::open(Access::Change, flags, environment, Identity::worker).await?;
    warn_of_former_queue_servers(&services, console).await?;
    let stop = Stop::default();
    console.note("persisting messages as they come");
    let queues = services.app.queues(Duration::ZERO).await;
    if let Some(trouble) = queues.ok().and_then(|read| read.trouble) {
        console.warn(&format!(
            "{trouble}: its messages are persisted once it can be used"
        ));
    }
    notify_ready("persisting messages");
    tokio::select! {
        () = consume(&services.app, &stop) => {}
        never = signals::watch(&stop) => match never {},
    }
    services.close().await;
    Ok(ExitStatus::Done)
}
