//! The messages that were pushed lately, for the clients of the live feed: each at the moment at which it is durable, whichever
//! process put it on its queue.
//!
//! Never drops one that a client has not got without that client being closed, or going on by the store.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::watch;

use super::recent::add_text_frame;
use crate::app::{App, ErrorKind, MessagesQuery, Queued, Result};
use crate::domain::{JsonLines, Message, MessageId, MessagePlace, QueueName, bodies_of};
use crate::faces::json::MessageJson;

/// The memory of the messages that are kept, in bytes: several times the lag at which a client is closed.
const MAX_BYTES: usize = 8 << 20;

/// The bytes that a unit takes beside its bodies, and those that the frame of a message has beside its body.
const UNIT_BYTES: usize = 256;
const FRAME_BYTES: usize = 256;

/// The bytes of frames after which no message is added to a piece.
const PIECE_BYTES: usize = 256 << 10;

/// A message of another process is kept so long after it was persisted at most, unless the store cannot be read.
pub(super) const FOREIGN_LAG: Duration = Duration::from_mins(1);

/// A message of this process is kept so long after it was persisted at most: its request had only to go on.
const OWN_LAG: Duration = Duration::from_secs(5);

/// The ids that are read from the store at once.
const IDS: usize = 500;
/// The messages that are read from the store at once.
const PAGE: usize = 100;
/// The bytes of bodies that are read from the store at once: each client has them in memory.
const PAGE_BYTES: usize = 64 << 10;

/// A message as clients get it, in an object of its own, by which it is told from an event.
#[derive(Serialize)]
struct Pushed<'a> {
    message: MessageJson<'a>,
}

/// Messages that came together.
#[derive(Debug)]
pub(super) struct Unit {
    /// The first of them, without its body.
    first: Message,
    bodies: JsonLines,
    /// The bytes of the bodies of all units up to this one.
    position: u64,
    /// The frames of all, unless they are many.
    frames: OnceLock<Bytes>,
}

/// A place within a unit: the number of a message, and where its body begins.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct PlaceInUnit {
    message: usize,
    begin: usize,
}

impl Unit {
    /// Returns the queue of the messages.
    pub(super) fn queue(&self) -> &QueueName {
        &self.first.queue
    }

    /// Returns messages from a place on as frames, and the place behind them; `None` behind the last. The frames of few messages
    /// are made once for all clients, those of many for each client, piece by piece.
    pub(super) fn frames(&self, from: PlaceInUnit) -> (Bytes, Option<PlaceInUnit>) {
        if from == PlaceInUnit::default() && self.is_small() {
            let frames = self.frames.get_or_init(|| self.piece(from).0);
            return (frames.clone(), None);
        }
        self.piece(from)
    }

    /// Returns whether all of its frames are one piece.
    fn is_small(&self) -> bool {
        let count = self.bodies.count();
        count == 1 || self.bodies.bodies().len() + FRAME_BYTES * count <= PIECE_BYTES
    }

    fn piece(&self, from: PlaceInUnit) -> (Bytes, Option<PlaceInUnit>) {
        let (mut place, count) = (from, self.bodies.count());
        let mut frames = Vec::new();
        let rest = self.bodies.bodies().get(from.begin..).unwrap_or_default();
        for body in bodies_of(rest, count - from.message) {
            add_frame(
                &mut frames,
                &Message {
                    id: self.first.id.after(place.message),
                    body: body.to_owned(),
                    ..self.first.clone()
                },
            );
            place.message += 1;
            place.begin += body.len() + 1;
            if frames.len() >= PIECE_BYTES {
                break;
            }
        }
        (frames.into(), (!self.is_end(place)).then_some(place))
    }

    /// Returns the place behind those of its first messages that were sent; `None` when all were.
    pub(super) fn place_behind(&self, sent: &HashSet<MessageId>) -> Option<PlaceInUnit> {
        let ids = (0..self.bodies.count()).map(|place| self.first.id.after(place));
        let last = ids.take_while(|id| sent.contains(id)).last();
        let behind = last.map_or(Some(PlaceInUnit::default()), |id| self.place_after(id));
        behind.filter(|place| !self.is_end(*place))
    }

    /// Returns the last message before a place; without one, the last of all.
    pub(super) fn last_before(&self, place: Option<PlaceInUnit>) -> MessageId {
        let end = place.map_or(self.bodies.count(), |place| place.message);
        self.first.id.after(end.saturating_sub(1))
    }

    fn is_end(&self, place: PlaceInUnit) -> bool {
        place.message == self.bodies.count()
    }

    /// Returns the place behind a message; `None` when it is not of this unit.
    fn place_after(&self, id: MessageId) -> Option<PlaceInUnit> {
        let message = id.0.as_u128().checked_sub(self.first.id.0.as_u128())?;
        let count = self.bodies.count();
        let message = usize::try_from(message)
            .ok()
            .filter(|message| *message < count)?;
        let before = self.bodies.iter().take(message + 1);
        let begin = before.map(|body| body.len() + 1).sum();
        Some(PlaceInUnit {
            message: message + 1,
            begin,
        })
    }

    /// Returns the memory that it takes, in bytes, once a client got it.
    fn memory(&self) -> usize {
        let bodies = self.bodies.bodies().len();
        let frames = if self.is_small() {
            bodies + FRAME_BYTES * self.bodies.count()
        } else {
            0
        };
        UNIT_BYTES + bodies + frames
    }
}

/// Returns messages as text frames.
pub(super) fn frames_of(messages: impl IntoIterator<Item = Message>) -> Bytes {
    let mut frames = Vec::new();
    for message in messages {
        add_frame(&mut frames, &message);
    }
    frames.into()
}

fn add_frame(frames: &mut Vec<u8>, message: &Message) {
    let message = MessageJson::new(message);
    let json = serde_json::to_vec(&Pushed { message }).unwrap_or_default();
    add_text_frame(frames, &json);
}

/// The units that were pushed lately.
#[derive(Debug, Default)]
struct Recent {
    units: VecDeque<Arc<Unit>>,
    /// The number of the first of them.
    begin: u64,
    /// The bytes of bodies so far.
    position: u64,
    /// The memory that the units take.
    memory: usize,
}

impl Recent {
    fn push(&mut self, first: Message, bodies: JsonLines) -> u64 {
        self.position += bodies.bodies().len() as u64;
        let unit = Arc::new(Unit {
            first,
            bodies,
            position: self.position,
            frames: OnceLock::new(),
        });
        self.memory += unit.memory();
        self.units.push_back(unit);
        while self.memory > MAX_BYTES
            && self.units.len() > 1
            && let Some(first) = self.units.pop_front()
        {
            self.memory -= first.memory();
            self.begin += 1;
        }
        self.begin + self.units.len() as u64
    }
}

/// What a client gets next.
pub(super) enum Next {
    /// Nothing now.
    Nothing,
    /// A unit, and how many bytes of bodies lie behind it.
    Unit(Arc<Unit>, u64),
    /// The client lies so far behind that its next unit is gone.
    Lost,
}

/// The messages that were pushed lately, and the news that there are more.
#[derive(Clone, Debug)]
pub(in crate::faces::http) struct MessageFeed(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    recent: Mutex<Recent>,
    /// The number of the next unit.
    next: watch::Sender<u64>,
    /// The place of the message that was persisted last, as far as the store was read.
    persisted: AtomicI64,
}

impl MessageFeed {
    /// Returns the feed of the messages that are pushed from now on.
    pub(super) async fn start(app: &App) -> Result<Self> {
        Ok(Self(Arc::new(Inner {
            recent: Mutex::default(),
            next: watch::Sender::new(0),
            persisted: AtomicI64::new(app.newest_persisted().await?.0),
        })))
    }

    /// Passes messages on that this process just put on their queue.
    pub(in crate::faces::http) fn push(
        &self,
        queued: &Queued,
        queue: QueueName,
        sender: &str,
        bodies: JsonLines,
    ) {
        let first = Message {
            id: queued.first,
            queue,
            received_at: queued.received_at,
            persisted_at: None,
            sender: sender.to_owned(),
            body: String::new(),
            state: None,
        };
        self.add(first, bodies);
    }

    fn add(&self, first: Message, bodies: JsonLines) {
        let next = self.recent().push(first, bodies);
        self.0.next.send_replace(next);
    }

    /// Passes messages on that another process put on a queue, once they are persisted.
    pub(super) async fn read_on(&self, app: &App) -> Result<()> {
        loop {
            let after = MessagePlace(self.0.persisted.load(Ordering::Relaxed));
            let ids = app.persisted_after(after, IDS).await?;
            if ids.is_empty() {
                return Ok(());
            }
            for (place, id) in ids {
                if let Some(id) = id.filter(|id| !app.is_own_message(*id)) {
                    match app.message_with(id).await {
                        Ok(mut message) => {
                            let body = JsonLines::stored(std::mem::take(&mut message.body));
                            self.add(message, body);
                        }
                        // Its queue keeps it no longer, or its row is damaged.
                        Err(error)
                            if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Damaged) => {}
                        Err(error) => return Err(error),
                    }
                }
                self.0.persisted.store(place.0, Ordering::Relaxed);
            }
        }
    }

    /// Returns the number of the next unit.
    pub(super) fn next_number(&self) -> u64 {
        *self.0.next.borrow()
    }

    /// Returns a receiver that changes with each unit.
    pub(super) fn watch(&self) -> watch::Receiver<u64> {
        self.0.next.subscribe()
    }

    /// Returns the unit with this number.
    pub(super) fn unit(&self, number: u64) -> Next {
        let recent = self.recent();
        let Some(place) = number.checked_sub(recent.begin) else {
            return Next::Lost;
        };
        let unit = usize::try_from(place).ok();
        match unit.and_then(|place| recent.units.get(place)) {
            Some(unit) => Next::Unit(Arc::clone(unit), recent.position - unit.position),
            None => Next::Nothing,
        }
    }

    /// Returns where the messages behind this one begin: the number of a unit and the place in it; `None` when the message is not
    /// kept.
    pub(super) fn place_after(&self, id: MessageId) -> Option<(u64, PlaceInUnit)> {
        let recent = self.recent();
        let mut units = (recent.begin..).zip(&recent.units);
        let (number, place, is_end) = units.find_map(|(number, unit)| {
            let place = unit.place_after(id)?;
            Some((number, place, unit.is_end(place)))
        })?;
        Some(if is_end {
            (number + 1, PlaceInUnit::default())
        } else {
            (number, place)
        })
    }

    /// Returns whether a message that is persisted may be among those that are kept, or those to come.
    pub(super) fn may_have(&self, message: &Message, app: &App) -> bool {
        let lag = if app.is_own_message(message.id) {
            OWN_LAG
        } else {
            FOREIGN_LAG
        };
        let (now, recent) = (app.now(), self.recent());
        let first = recent.units.front().map(|unit| unit.first.received_at);
        let since = first.map_or(now, |first| first.min(now)) - lag;
        message.persisted_at >= Some(since)
    }

    /// Returns the number of the first unit that is kept.
    pub(super) fn first_number(&self) -> u64 {
        self.recent().begin
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.0.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the query for the messages that are persisted behind a place.
pub(super) fn page(after: MessagePlace) -> MessagesQuery {
    MessagesQuery {
        queue: None,
        state: None,
        after: Some(after),
        newest_first: false,
        limit: PAGE,
        enough_bytes: PAGE_BYTES,
    }
}
