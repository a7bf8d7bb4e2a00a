//! Reads messages, queues and dead messages for the view: few at a time, cut to what a screen shows. Acts on dead messages.

use std::time::Duration;

use bytes::Bytes;

use super::ask::{
    DeadDeed, DeadRow, MessageRef, MessageRow, MessagesAsk, MessagesRead, VerdictRow, WholeMessage,
};
use super::queue_list::STEPS;
use super::view::HELD;
use crate::app::{App, Error, ErrorKind, MessagesQuery, QueuesRead, RATE_SECONDS, Result};
use crate::domain::MessageId;
use crate::faces::indent::indented;
use crate::faces::tui::message::Msg;

/// The messages that are read first, and those that are read at once behind them.
const FIRST: usize = 50;
const PAGE: usize = 500;
/// The bytes of bodies behind which a page ends.
const PAGE_BYTES: usize = 4 << 20;
/// The most pages: a word that no message has is not looked for in all of them.
const MAX_PAGES: usize = 20;
/// The most dead messages, and the bytes of their bodies behind which no further one is read.
const MAX_DEAD: usize = 100;
const MAX_DEAD_BYTES: usize = 4 << 20;
/// The bytes of an indented body behind which that is cut.
const MAX_TEXT: usize = 8 << 20;

/// Reads what the view shows.
pub(crate) async fn read_messages(app: &App, ask: MessagesAsk) -> Msg {
    match read(app, ask).await {
        Ok(read) => Msg::Messages(Box::new(read)),
        Err(error) => Msg::MessagesUnread(error.with_hint()),
    }
}

/// Counts the dead messages.
pub(crate) async fn count_dead(app: &App) -> Result<Msg> {
    let QueuesRead { queues, .. } = app.queues(Duration::ZERO).await?;
    Ok(Msg::DeadCount(queues.iter().map(|queue| queue.dead).sum()))
}

/// Reads a message in full.
pub(crate) async fn read_message(app: &App, of: MessageRef) -> Msg {
    match read_whole(app, of).await {
        Ok(whole) => Msg::Message(Box::new(whole)),
        Err(error) => Msg::MessageUnreadable(of, error.with_hint()),
    }
}

/// Retries or drops a dead message.
pub(crate) async fn act_on_dead(app: &App, deed: DeadDeed, id: MessageId) -> Result<Msg> {
    let text = match deed {
        DeadDeed::Retry => {
            app.retry_dead(id).await?;
            format!("on its queue again: {id}")
        }
        DeadDeed::Drop => {
            app.delete_dead(id).await?;
            format!("deleted: {id}")
        }
    };
    Ok(Msg::Done(text))
}

async fn read(app: &App, ask: MessagesAsk) -> Result<MessagesRead> {
    let seconds = RATE_SECONDS.unsigned_abs() * STEPS as u64;
    let QueuesRead { queues, trouble } = app.queues(Duration::from_secs(seconds)).await?;
    let dead = if ask.with_dead {
        let dead = app.dead_messages(MAX_DEAD, MAX_DEAD_BYTES).await?;
        Some(dead.iter().map(DeadRow::new).collect())
    } else {
        None
    };
    let newest = read_newest(app, &ask).await?;
    Ok(MessagesRead {
        filter: ask.filter,
        rows: newest.rows,
        states: app.states_of_messages(ask.undecided).await?,
        newest: newest.first,
        follow_known: newest.follow_known,
        queues,
        trouble,
        dead,
    })
}

#[derive(Default)]
struct Newest {
    rows: Vec<MessageRow>,
    /// The first message that was read.
    first: Option<MessageId>,
    follow_known: bool,
}

/// Reads the newest messages, back to the one that is known.
async fn read_newest(app: &App, ask: &MessagesAsk) -> Result<Newest> {
    let mut newest = Newest::default();
    let mut query = MessagesQuery {
        queue: ask.filter.queue.clone(),
        state: ask.filter.state,
        after: None,
        newest_first: true,
        limit: FIRST,
        enough_bytes: PAGE_BYTES,
    };
    for _ in 0..MAX_PAGES {
        let page = app.messages(query.clone()).await?;
        query.after = page.next();
        query.limit = PAGE;
        for message in &page.messages {
            newest.first.get_or_insert(message.id);
            if Some(message.id) == ask.known {
                newest.follow_known = true;
                return Ok(newest);
            }
            if message.has_words(&ask.filter.words) {
                newest.rows.push(MessageRow::new(message));
            }
            if newest.rows.len() == HELD {
                return Ok(newest);
            }
        }
        if query.after.is_none() {
            break;
        }
    }
    Ok(newest)
}

async fn read_whole(app: &App, of: MessageRef) -> Result<WholeMessage> {
    let (whole, body) = match of {
        MessageRef::Persisted(id) => {
            let message = app.message_with(id).await?;
            let verdicts = app.message_verdicts(id).await?;
            let whole = WholeMessage::persisted(&message).judged_by(&verdicts);
            (whole, message.body)
        }
        MessageRef::Dead(id) => {
            let dead = app.dead_message(id).await?;
            (WholeMessage::dead(&dead), dead.message.body)
        }
    };
    let printed = printed(&whole.verdicts);
    let text = tokio::task::spawn_blocking(move || text_of(&body, of, &printed)).await;
    let text = text.map_err(|error| {
        let message = format!("the task ended early: {error}");
        Error::new(ErrorKind::Unavailable, message)
    })?;
    Ok(WholeMessage { text, ..whole })
}

/// Returns the lines that verifiers printed, below the name and the reason of each.
fn printed(verdicts: &[VerdictRow]) -> String {
    let mut text = String::new();
    for one in verdicts.iter().filter(|one| !one.output.is_empty()) {
        text.push_str("\n\n");
        text.push_str(&one.words);
        for line in one.output.lines() {
            text.push_str("\n  | ");
            text.push_str(line);
        }
    }
    text
}

fn text_of(body: &str, of: MessageRef, printed: &str) -> Bytes {
    let (mut text, is_cut) = indented(body, MAX_TEXT);
    if is_cut {
        text.push_str("\n… it goes on: `gannet messages show ");
        text.push_str(&of.id().to_string());
        text.push_str("` prints all of it");
    }
    text.push_str(printed);
    text.into()
}
