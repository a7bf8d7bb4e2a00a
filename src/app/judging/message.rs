//! Judges messages that are persisted: runs the verifiers of their queues, and records the verdicts.
//!
//! Never holds more messages than it took at once, and never delays that others are persisted.

use std::pin::pin;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::stream;
use futures_util::{Stream, StreamExt as _};

use crate::app::policy::configured::Configured;
use crate::app::{App, Error, ErrorKind, PolicyStanding, Result};
use crate::domain::{
    Content, Judgement, Message, MessageId, MessageVerdict, NewVerdict, QueueName, VersionState,
};
use crate::store::{
    JudgedMessage, MAX_JUDGING_TRIES, MessageDue, MessageToJudge, StatesOfMessages,
    VerdictsOnMessage,
};
use crate::verify::{MessageFacts, Verifier};

/// The most messages that are taken at once.
const TAKEN_AT_ONCE: usize = 1_000;

/// The time in which verdicts gather, so that many share one transaction, and one event.
const GATHER: TimeDelta = TimeDelta::milliseconds(100);

/// The time after which no message is begun that was taken before.
const BEGIN_WITHIN: Duration = Duration::from_secs(10);

/// The time beyond its verifiers' time limits that judging a message may take.
const SPARE: Duration = Duration::from_secs(10);

/// A message that was judged on request.
#[derive(Clone, Debug)]
pub struct VerifiedMessage {
    /// The message, with its new state.
    pub message: Message,
    /// The state that follows from the verdicts.
    pub state: VersionState,
    /// The verdicts, in the order of the configuration.
    pub verdicts: Vec<NewVerdict>,
}

impl App {
    /// Judges messages that are due, some at once. Returns how many were taken; 0 when none is due.
    pub(crate) async fn judge_due_messages(&self) -> Result<usize> {
        if !self.read(MessageDue(self.now())).await? {
            return Ok(0);
        }
        self.require_verifiers().await?;
        let configured = self.configured();
        let begin_until = self.now() + BEGIN_WITHIN;
        let until = begin_until + longest(&configured) + SPARE;
        // Noted before: what is taken is given back although nobody waits for it any more.
        *self.judging_until() = Some(until);
        let store = &self.ports.store;
        let taken = store.take_messages_to_judge(TAKEN_AT_ONCE, until, self.stamp());
        let taken = taken.await?;
        let count = taken.len();
        let judged = taken
            .into_iter()
            .map(|one| self.judge_taken(&configured, one, begin_until));
        let at_once = std::thread::available_parallelism().map_or(2, usize::from);
        let mut judged = stream::iter(judged).buffer_unordered(at_once);
        while let Some(first) = judged.next().await {
            let together = self.gather(first, &mut judged).await;
            self.record_judged(&configured, together).await?;
        }
        *self.judging_until() = None;
        Ok(count)
    }

    /// Waits a moment for more that was judged, since all of it is recorded together.
    async fn gather(
        &self,
        first: JudgedMessage,
        more: &mut (impl Stream<Item = JudgedMessage> + Unpin),
    ) -> Vec<JudgedMessage> {
        let mut together = vec![first];
        let mut gathered = pin!(self.sleep_until(self.now() + GATHER));
        loop {
            tokio::select! {
                biased;
                () = &mut gathered => return together,
                next = more.next() => match next {
                    Some(next) => together.push(next),
                    None => return together,
                },
            }
        }
    }

    async fn record_judged(
        &self,
        configured: &Configured,
        judged: Vec<JudgedMessage>,
    ) -> Result<Vec<Option<VersionState>>> {
        let policy = Arc::clone(&configured.policy);
        let store = &self.ports.store;
        let states = store.record_message_verdicts(judged, policy, self.stamp());
        Ok(states.await?)
    }

    /// Leaves the messages that this process was judging to whoever comes next, without the time that it had for them.
    pub(crate) async fn give_messages_back(&self) -> Result<()> {
        let until = self.judging_until().take();
        if let Some(until) = until {
            let store = &self.ports.store;
            store.give_messages_back(until, self.stamp()).await?;
        }
        Ok(())
    }

    fn judging_until(&self) -> MutexGuard<'_, Option<DateTime<Utc>>> {
        let until = self.ports.judging_until.lock();
        until.unwrap_or_else(PoisonError::into_inner)
    }

    /// Fails unless the verifiers of this process are those in force.
    async fn require_verifiers(&self) -> Result<()> {
        match Box::pin(self.policy_standing()).await? {
            PolicyStanding::InForce(_) => Ok(()),
            PolicyStanding::Foreign(error) | PolicyStanding::Unusable(error) => Err(error),
        }
    }

    async fn judge_taken(
        &self,
        configured: &Configured,
        taken: MessageToJudge,
        begin_until: DateTime<Utc>,
    ) -> JudgedMessage {
        let verdicts = if self.now() > begin_until {
            None
        } else {
            let is_killer = taken.tries > MAX_JUDGING_TRIES;
            Some(
                self.verdicts_on_body(configured, &taken.message, is_killer)
                    .await,
            )
        };
        JudgedMessage {
            id: taken.message.id,
            until: Some(taken.until),
            verdicts,
        }
    }

    /// Returns the verdicts of all verifiers of a message. A killer, whose judging has ended the process each time, is not
    /// judged.
    async fn verdicts_on_body(
        &self,
        configured: &Configured,
        message: &Message,
        is_killer: bool,
    ) -> Vec<NewVerdict> {
        let body = Content::Memory(Bytes::copy_from_slice(message.body.as_bytes()));
        let facts = MessageFacts::from(message);
        let mut verdicts = Vec::new();
        for verifier in verifiers_of(configured, &message.queue) {
            if is_killer {
                let why = format!("gannet ended {MAX_JUDGING_TRIES} times while it was judged");
                let judgement = Judgement::error(&why);
                verdicts.push(self.verdict_without_run(verifier, judgement).await);
                continue;
            }
            let _permit = self.judging_permit(true).await;
            let run = self.begin_run(verifier).await;
            let work_dir = self.ports.archive.machine().temp_dir();
            let judged = verifier.judge_message(&run.fingerprint, &body, &facts, work_dir);
            let judgement = judged.await;
            verdicts.push(run.finish(judgement));
        }
        verdicts
    }

    /// Judges a persisted message by the verifiers of its queue, whatever they said before.
    pub async fn verify_message(&self, id: MessageId) -> Result<VerifiedMessage> {
        self.require_verifiers().await?;
        let configured = self.configured();
        let message = self.message_with(id).await?;
        if message.persisted_at.is_none() {
            let why = format!("message {id} is not persisted yet, and judged when it is");
            return Err(Error::new(ErrorKind::Conflict, why));
        }
        if verifiers_of(&configured, &message.queue).next().is_none() {
            let why = format!("no verifier judges messages of {}", message.queue);
            return Err(Error::invalid(why));
        }
        let verdicts = self.verdicts_on_body(&configured, &message, false).await;
        let judged = JudgedMessage {
            id,
            until: None,
            verdicts: Some(verdicts.clone()),
        };
        let states = self.record_judged(&configured, vec![judged]).await?;
        let Some(state) = states.into_iter().next().flatten() else {
            let why = format!("message {id} was deleted, or other verifiers were put in force");
            return Err(Error::new(ErrorKind::Changed, why).hint("try again"));
        };
        Ok(VerifiedMessage {
            message: Message {
                state: Some(state),
                ..message
            },
            state,
            verdicts,
        })
    }

    /// Returns the verdicts on a message, oldest first.
    pub async fn message_verdicts(&self, id: MessageId) -> Result<Vec<MessageVerdict>> {
        self.read(VerdictsOnMessage(id)).await
    }

    /// Returns the states of those of these messages that are persisted.
    pub async fn states_of_messages(
        &self,
        ids: Vec<MessageId>,
    ) -> Result<Vec<(MessageId, VersionState)>> {
        self.read(StatesOfMessages(ids)).await
    }
}

fn verifiers_of<'a>(
    configured: &'a Configured,
    queue: &'a QueueName,
) -> impl Iterator<Item = &'a Arc<Verifier>> {
    let verifiers = configured.verifiers.iter();
    verifiers.filter(move |verifier| verifier.scope().has_queue(queue))
}

/// Returns the longest time that the verifiers of one message may take.
fn longest(configured: &Configured) -> TimeDelta {
    let verifiers = configured.verifiers.iter();
    let of_messages = verifiers.filter(|one| one.scope().is_message());
    let sum = of_messages.map(|verifier| verifier.longest()).sum();
    TimeDelta::from_std(sum).unwrap_or(TimeDelta::MAX)
}
