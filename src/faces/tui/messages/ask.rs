//! What the view of messages reads of the catalogue, and what comes back, cut to what a screen shows.

use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::app::QueueFacts;
use crate::domain::{
    DeadMessage, Message, MessageId, MessageVerdict, QueueName, VerdictOutcome, VersionState,
    clean, last_of_each, shortened,
};

/// Characters of a body that a row holds.
const MAX_CHARS: usize = 400;
/// In front of the name of a queue in a filter.
const QUEUE_KEY: &str = "queue:";
/// In front of a state in a filter.
const STATE_KEY: &str = "state:";

/// What is shown: the messages of one queue, those in a state, those with some words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct MessageFilter {
    pub(crate) queue: Option<QueueName>,
    pub(crate) state: Option<VersionState>,
    /// In lower case.
    pub(crate) words: Vec<String>,
}

impl MessageFilter {
    /// Reads a filter as it is typed: words, `queue:NAME`, and `state:STATE`.
    pub(crate) fn parse(text: &str) -> Self {
        let mut filter = Self::default();
        for word in text.split_whitespace() {
            let queue = word.strip_prefix(QUEUE_KEY).map(str::parse);
            let state = word.strip_prefix(STATE_KEY).map(str::parse);
            match (queue, state) {
                (Some(Ok(queue)), _) => filter.queue = Some(queue),
                (_, Some(Ok(state))) => filter.state = Some(state),
                // The name is still to be typed.
                _ if word == QUEUE_KEY || word == STATE_KEY => {}
                _ => filter.words.push(word.to_lowercase()),
            }
        }
        filter
    }

    /// Returns the filter as it is typed, with this queue instead of its own.
    pub(crate) fn with_queue(text: &str, queue: Option<&QueueName>) -> String {
        let words = text.split_whitespace();
        let mut words: Vec<_> = words
            .filter(|word| !word.starts_with(QUEUE_KEY))
            .map(str::to_owned)
            .collect();
        if let Some(queue) = queue {
            words.insert(0, format!("{QUEUE_KEY}{queue}"));
        }
        words.join(" ")
    }
}

/// What is to be read.
#[derive(Clone, Debug)]
pub(crate) struct MessagesAsk {
    pub(crate) filter: MessageFilter,
    /// The newest message that was read before: only those behind it are read, if they are few.
    pub(crate) known: Option<MessageId>,
    /// The messages in the list that are not judged yet, or could not be: their states are read again.
    pub(crate) undecided: Vec<MessageId>,
    /// Whether the dead messages are read too.
    pub(crate) with_dead: bool,
}

/// What was read.
#[derive(Debug)]
pub(crate) struct MessagesRead {
    /// The filter by which it was read.
    pub(crate) filter: MessageFilter,
    /// The messages that the filter lets through, the one that was persisted last first.
    pub(crate) rows: Vec<MessageRow>,
    /// The message that was persisted last, whatever the filter lets through; none if there is none.
    pub(crate) newest: Option<MessageId>,
    /// Whether the rows follow the message that was known.
    pub(crate) follow_known: bool,
    /// The present states of the messages that were undecided.
    pub(crate) states: Vec<(MessageId, VersionState)>,
    /// By name.
    pub(crate) queues: Vec<QueueFacts>,
    /// Why the server on which messages wait cannot be used.
    pub(crate) trouble: Option<String>,
    /// The latest first; none if they were not read.
    pub(crate) dead: Option<Vec<DeadRow>>,
}

/// A message in a list.
#[derive(Clone, Debug)]
pub(crate) struct MessageRow {
    pub(crate) id: MessageId,
    pub(crate) queue: QueueName,
    pub(crate) received_at: DateTime<Utc>,
    pub(crate) sender: Box<str>,
    /// What the verifiers say of it; none when nothing is required of it.
    pub(crate) state: Option<VersionState>,
    /// The beginning of the body, cleaned.
    pub(crate) text: Box<str>,
}

impl MessageRow {
    pub(crate) fn new(message: &Message) -> Self {
        Self {
            id: message.id,
            queue: message.queue.clone(),
            received_at: message.received_at,
            sender: clean(&shortened(&message.sender, MAX_CHARS)).into(),
            state: judged(message.state),
            text: clean(&shortened(&message.body, MAX_CHARS)).into(),
        }
    }
}

/// Returns the state of a message of which something is required.
fn judged(state: Option<VersionState>) -> Option<VersionState> {
    state.filter(|state| *state != VersionState::Unverified)
}

/// A dead message in a list.
#[derive(Clone, Debug)]
pub(crate) struct DeadRow {
    pub(crate) message: MessageRow,
    pub(crate) died_at: DateTime<Utc>,
    /// Why it could not be persisted, and how often that was tried.
    pub(crate) reason: Box<str>,
}

impl DeadRow {
    pub(crate) fn new(dead: &DeadMessage) -> Self {
        Self {
            message: MessageRow::new(&dead.message),
            died_at: dead.died_at,
            reason: death(dead).into(),
        }
    }
}

/// Returns why a message could not be persisted, and how often that was tried.
fn death(dead: &DeadMessage) -> String {
    format!("{}, after {} tries", clean(&dead.reason), dead.tries)
}

/// A message, persisted or dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum MessageRef {
    Persisted(MessageId),
    Dead(MessageId),
}

impl MessageRef {
    pub(crate) fn id(self) -> MessageId {
        match self {
            Self::Persisted(id) | Self::Dead(id) => id,
        }
    }
}

/// What can be done with a dead message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeadDeed {
    /// Put it on its queue again.
    Retry,
    /// Delete it.
    Drop,
}

/// What a verifier says of a message.
#[derive(Clone, Debug)]
pub(crate) struct VerdictRow {
    pub(crate) outcome: VerdictOutcome,
    /// The verifier, and its reason.
    pub(crate) words: String,
    /// What the verifier printed.
    pub(crate) output: String,
}

impl VerdictRow {
    fn new(of: &MessageVerdict) -> Self {
        let judgement = &of.verdict.judgement;
        Self {
            outcome: judgement.outcome,
            words: clean(&format!("{}  {}", of.verdict.verifier, judgement.detail)).into(),
            output: judgement.output.clone(),
        }
    }
}

/// A message in full, its JSON indented.
#[derive(Clone, Debug)]
pub(crate) struct WholeMessage {
    pub(crate) of: MessageRef,
    pub(crate) queue: QueueName,
    pub(crate) received_at: DateTime<Utc>,
    pub(crate) persisted_at: Option<DateTime<Utc>>,
    pub(crate) sender: String,
    /// The bytes of the body as it was pushed.
    pub(crate) size_bytes: u64,
    /// What the verifiers say of it; none when nothing is required of it.
    pub(crate) state: Option<VersionState>,
    /// The last verdict of each verifier.
    pub(crate) verdicts: Vec<VerdictRow>,
    /// Of a dead message: why it could not be persisted.
    pub(crate) reason: Option<String>,
    /// The body, indented.
    pub(crate) text: Bytes,
}

impl WholeMessage {
    /// Returns a message that was persisted, without its text.
    pub(crate) fn persisted(message: &Message) -> Self {
        Self {
            of: MessageRef::Persisted(message.id),
            queue: message.queue.clone(),
            received_at: message.received_at,
            persisted_at: message.persisted_at,
            sender: message.sender.clone(),
            size_bytes: message.body.len() as u64,
            state: judged(message.state),
            verdicts: Vec::new(),
            reason: None,
            text: Bytes::new(),
        }
    }

    /// Returns the message with the last verdict of each verifier.
    pub(crate) fn judged_by(self, oldest_first: &[MessageVerdict]) -> Self {
        let last = last_of_each(oldest_first, |one| &one.verdict).into_iter();
        Self {
            verdicts: last.map(VerdictRow::new).collect(),
            ..self
        }
    }

    /// Returns a dead message, without its text.
    pub(crate) fn dead(dead: &DeadMessage) -> Self {
        Self {
            of: MessageRef::Dead(dead.message.id),
            reason: Some(death(dead)),
            ..Self::persisted(&dead.message)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_has_words_and_a_queue() {
        for (text, queue, words) in [
            ("", None, &[][..]),
            ("queue:", None, &[]),
            ("queue:orders", Some("orders"), &[]),
            (
                " Bolt queue:orders  alice ",
                Some("orders"),
                &["bolt", "alice"],
            ),
            ("queue:a queue:b", Some("b"), &[]),
            ("queue:-", None, &["queue:-"]),
            ("state: state:-", None, &["state:-"]),
        ] {
            let filter = MessageFilter::parse(text);
            let found = filter.queue.as_ref().map(QueueName::as_str);
            assert_eq!(
                (found, &filter.words[..]),
                (
                    queue,
                    &words.iter().map(ToString::to_string).collect::<Vec<_>>()[..]
                ),
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_filter_has_a_state() {
        let state = |text| MessageFilter::parse(text).state;
        assert_eq!(state("a state:failed queue:b"), Some(VersionState::Failed));
        assert_eq!(state("failed"), None);
    }

    #[test]
    fn a_queue_takes_the_place_of_another() {
        let orders = "orders".parse().ok();
        for (text, queue, expected) in [
            ("", orders.as_ref(), "queue:orders"),
            (
                "bolt queue:rooms nut",
                orders.as_ref(),
                "queue:orders bolt nut",
            ),
            ("bolt queue:rooms", None, "bolt"),
            ("queue:rooms", None, ""),
        ] {
            assert_eq!(MessageFilter::with_queue(text, queue), expected, "{text:?}");
        }
    }
}
