//! The messages that were pushed lately, for the clients of the live feed: each when it is durable, whichever process put it on its
//! queue, and in each queue of the catalogue in the order in which they are persisted.
//!
//! Never drops one that a client has not got without that client being closed, or going on by the store.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::watch;

use super::message_order::{MessageOrder, Outgoing};
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
    /// Its first row on a queue of the catalogue, if it was there.
    row: Option<i64>,
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
    fn push(&mut self, unit: Outgoing) -> u64 {
        let Outgoing {
            first,
            bodies,
            rows,
        } = unit;
        self.position += bodies.bodies().len() as u64;
        let unit = Arc::new(Unit {
            first,
            bodies,
            row: rows.map(|rows| rows.first),
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

/// What the feed keeps at one moment.
pub(super) struct Kept {
    /// The number of the first unit.
    pub(super) first: u64,
    /// A row of a queue: of what was on queues in front of it nothing is kept.
    pub(super) row: i64,
    /// The place of the message that was persisted last, as far as the feed knows.
    pub(super) persisted: MessagePlace,
}

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    /// The number of the next unit.
    next: watch::Sender<u64>,
}

#[derive(Debug)]
struct State {
    recent: Recent,
    order: MessageOrder,
    /// The place of the message that was persisted last, as far as the store was read.
    persisted: MessagePlace,
}

impl MessageFeed {
    /// Returns the feed of the messages that are on queues, and those that are pushed from now on.
    pub(super) async fn start(app: &App) -> Result<Self> {
        // First: what is persisted meanwhile is read as such.
        let persisted = app.newest_persisted().await?;
        let state = State {
            recent: Recent::default(),
            order: MessageOrder::from(app.oldest_queue_row().await?),
            persisted,
        };
        Ok(Self(Arc::new(Inner {
            state: Mutex::new(state),
            next: watch::Sender::new(0),
        })))
    }

    /// Passes messages on that this process just put on their queue, when they are next; others are read first.
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
        let unit = Outgoing {
            first,
            bodies,
            rows: queued.rows,
        };
        let mut state = self.state();
        let units = state.order.put(unit);
        self.add(state, units);
    }

    fn add(&self, mut state: MutexGuard<'_, State>, units: Vec<Outgoing>) {
        for unit in units {
            let next = state.recent.push(unit);
            self.0.next.send_replace(next);
        }
    }

    /// Passes messages on that were not next when this process put them on a queue, or that another process put there: while they
    /// are there or, on a server, once they are persisted.
    pub(super) async fn read_on(&self, app: &App) -> Result<()> {
        loop {
            let (place, row) = {
                let state = self.state();
                (state.persisted, state.order.next_row())
            };
            let read = app.live_after(place, row).await?;
            let unknown = self.state().order.unknown(&read);
            let unknown = persisted_units(app, unknown).await?;
            let is_all = read.last_row.is_some();
            let mut state = self.state();
            if let Some((place, _)) = read.persisted.last() {
                state.persisted = *place;
            }
            let units = state.order.read(read, row, unknown);
            self.add(state, units);
            if is_all {
                return Ok(());
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
        let state = self.state();
        let recent = &state.recent;
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
        let state = self.state();
        let recent = &state.recent;
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
        let (now, state) = (app.now(), self.state());
        let first = state
            .recent
            .units
            .front()
            .map(|unit| unit.first.received_at);
        let since = first.map_or(now, |first| first.min(now)) - lag;
        message.persisted_at >= Some(since)
    }

    /// Returns what is kept now.
    pub(super) fn kept(&self) -> Kept {
        let state = self.state();
        let row = state.recent.units.iter().find_map(|unit| unit.row);
        Kept {
            first: state.recent.begin,
            row: row.unwrap_or(state.order.next_row()),
            persisted: state.persisted,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads those of these persisted messages that were not passed on when they were put on their queue.
async fn persisted_units(app: &App, ids: Vec<MessageId>) -> Result<HashMap<MessageId, Outgoing>> {
    let mut units = HashMap::new();
    for id in ids {
        if app.put_on_server(id) {
            continue;
        }
        match app.message_with(id).await {
            Ok(mut first) => {
                let bodies = JsonLines::stored(std::mem::take(&mut first.body));
                let unit = Outgoing {
                    first,
                    bodies,
                    rows: None,
                };
                units.insert(id, unit);
            }
            // Its queue keeps it no longer, or its row is damaged.
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Damaged) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(units)
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
