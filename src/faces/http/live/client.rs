//! One client of the live feed.

use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use std::convert::Infallible;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, interval_at, sleep, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};

use super::deflate::{AGREED, is_offered};
use super::event_filter::EventTerms;
use super::followed_messages::{FollowedMessages, Step};
use super::inbound::Inbound;
use crate::app::ErrorKind;
use crate::domain::{EventId, MessageId, QueueName};
use crate::faces::http::caller::Right;
use crate::faces::http::extract::Params;
use crate::faces::http::guard::identify;
use crate::faces::http::problem::Problem;
use crate::faces::http::shared::Shared;

/// The most clients at once.
const MAX_CLIENTS: usize = 4_000;
/// The bytes of events that a client may lie behind.
const MAX_LAG_BYTES: u64 = 1 << 20;
/// The time for which events wait for a client that lies further behind.
const PATIENCE: Duration = Duration::from_secs(2);
/// The longest message of a client, in bytes. Nothing is expected of clients.
const MAX_MESSAGE_BYTES: usize = 4 << 10;
/// The bytes that are read at once from a client: thousands of them are idle most of the time.
const READ_BYTES: usize = 1 << 10;
/// The time between two pings.
const PING_EVERY: Duration = Duration::from_secs(30);
/// The time between two looks for what the feed does not announce.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// The time in which a client that is closed may answer.
const FAREWELL: Duration = Duration::from_secs(2);
/// The time without any message, pongs included, after which a client counts as gone.
const SILENCE: Duration = Duration::from_secs(75);

/// The query of the feed.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::faces::http) struct LiveQuery {
    /// The last event that the client knows; without it only new ones are sent.
    after: Option<i64>,
    /// Which events are sent.
    filter: String,
    /// Whether messages are sent; by default unless there is a `filter`.
    messages: Option<bool>,
    /// The queue whose messages are sent; by default those of all.
    queue: Option<QueueName>,
    /// The last message that the client knows; without it only new ones are sent.
    after_message: Option<MessageId>,
}

impl LiveQuery {
    /// Returns the messages that the client wants, if any.
    fn messages(&self, shared: &Shared) -> Option<FollowedMessages> {
        let is_about_messages = self.queue.is_some() || self.after_message.is_some();
        let wants = self
            .messages
            .unwrap_or(is_about_messages || self.filter.is_empty());
        let feed = shared.feed().messages().clone();
        wants.then(|| FollowedMessages::new(feed, self.queue.clone(), self.after_message))
    }
}

/// Returns the event behind which a client begins: by default the newest one.
fn first_after(shared: &Shared, after: Option<i64>) -> Result<EventId, Problem> {
    match after {
        None => Ok(shared.feed().newest()),
        Some(after) if after >= 0 => Ok(EventId(after)),
        Some(after) => {
            let detail = format!("`after` is {after}: expected the number of an event");
            Err(Problem::invalid(detail))
        }
    }
}

/// Sends events over WebSocket, from those after `after` on.
pub(in crate::faces::http) async fn follow(
    State(shared): State<Shared>,
    Params(query): Params<LiveQuery>,
    Extension(peer): Extension<crate::faces::http::client::Client>,
    mut request: Request,
) -> Result<Response, Problem> {
    let deflates = is_offered(request.headers());
    let answer = handshake(&request, deflates)?;
    let terms = query
        .filter
        .parse()
        .map_err(|error| Problem::invalid(format!("`filter`: {error}")))?;
    let most = shared.most_clients().min(MAX_CLIENTS);
    if shared.clients().len() >= most {
        let detail = format!("{most} clients follow already");
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail));
    }
    let after = first_after(&shared, query.after)?;
    let messages = query.messages(&shared);
    let upgrade = hyper::upgrade::on(&mut request);
    let credential = (peer, request.into_parts().0.headers);
    let clients = shared.clients().clone();
    clients.spawn(async move {
        // Otherwise the client is gone.
        if let Ok(upgraded) = upgrade.await {
            let mut client = Client {
                socket: socket(upgraded, deflates).await,
                deflates,
                shared,
                terms,
                after,
                messages,
                is_level: false,
                credential,
            };
            client.serve_and_close().await;
        }
    });
    Ok(answer)
}

/// Returns the answer to a handshake (RFC 6455 §4.2).
fn handshake(request: &Request, deflates: bool) -> Result<Response, Problem> {
    let refused = |why: &str| Problem::invalid(format!("/live is for WebSocket: {why}"));
    let answer = create_response_with_body(request, Body::empty);
    let mut answer = answer.map_err(|error| refused(&error.to_string()))?;
    if deflates {
        let agreed = HeaderValue::from_static(AGREED);
        let headers = answer.headers_mut();
        headers.insert(header::SEC_WEBSOCKET_EXTENSIONS, agreed);
    }
    let key = request.headers().get(header::SEC_WEBSOCKET_KEY);
    let bytes = key.and_then(|key| BASE64_STANDARD.decode(key.as_bytes()).ok());
    match bytes {
        Some(bytes) if bytes.len() == 16 => Ok(answer),
        _ => Err(refused("Sec-WebSocket-Key is to be 16 bytes in base64")),
    }
}

/// What a client is sent over. It takes little memory.
type Socket = WebSocketStream<Inbound<TokioIo<Upgraded>>>;

async fn socket(upgraded: Upgraded, may_compress: bool) -> Socket {
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BYTES)
        .max_message_size(Some(MAX_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_MESSAGE_BYTES));
    let connection = Inbound::new(TokioIo::new(upgraded), may_compress);
    WebSocketStream::from_raw_socket(connection, Role::Server, Some(config)).await
}

/// Why a client is closed.
type Close = (CloseCode, &'static str);

/// How following ends.
enum End {
    /// The client is gone.
    Gone,
    /// The client said farewell, and waits for the answer.
    Left,
    /// The client has to be closed.
    Close(Close),
}

impl From<Close> for End {
    fn from(close: Close) -> Self {
        Self::Close(close)
    }
}

impl From<Error> for End {
    /// A client that breaks the protocol is told how (RFC 6455 §7.4.1).
    fn from(error: Error) -> Self {
        match error {
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Self::Gone,
            Error::Protocol(_) => Self::Close((CloseCode::Protocol, "not as WebSocket demands")),
            Error::Utf8(_) => Self::Close((CloseCode::Invalid, "a text is not UTF-8")),
            Error::Capacity(_) => Self::Close((CloseCode::Size, "the message is too long")),
            _ => Self::Gone,
        }
    }
}

/// The catalogue has no event with the number that the client knows: it is another one, or was put back from a copy.
const NO_SUCH_EVENT: Close = (
    CloseCode::Library(4404),
    "no event has this number: follow without ?after=",
);
/// The client did not take its messages in time.
const SLOW_WITH_MESSAGES: Close = (CloseCode::Again, "too slow: go on with ?after_message=");
/// The message that the client knows is not persisted.
const LATE_MESSAGE: Close = (
    CloseCode::Again,
    "the message of ?after_message= is not persisted yet",
);
/// There cannot have been the message that the client knows.
const NO_SUCH_MESSAGE: Close = (
    CloseCode::Library(4404),
    "no message has this id: follow without ?after_message=",
);
/// The client sent bytes.
const NO_BINARY: Close = (CloseCode::Unsupported, "nothing is expected but pongs");
/// The service ends.
const AWAY: Close = (CloseCode::Away, "the service ends");

/// Its token was revoked or has expired, or its session has ended.
const NO_RIGHT: Close = (CloseCode::Policy, "no longer allowed to read");

/// Returns why a client is closed whose messages cannot be read.
fn unreadable(error: &crate::app::Error) -> Close {
    match error.kind {
        ErrorKind::NotFound => NO_SUCH_MESSAGE,
        _ => (CloseCode::Error, "the store cannot be read"),
    }
}

/// Returns how following ends by what a client sent; `None` for a sign of life.
fn end_of(received: Option<Result<Message, Error>>) -> Option<End> {
    match received {
        Some(Ok(Message::Close(_))) => Some(End::Left),
        Some(Ok(Message::Binary(_))) => Some(NO_BINARY.into()),
        Some(Ok(_)) => None,
        Some(Err(error)) => Some(error.into()),
        None => Some(End::Gone),
    }
}

struct Client {
    socket: Socket,
    /// Whether it takes compressed messages.
    deflates: bool,
    shared: Shared,
    terms: EventTerms,
    /// The last event that was sent, or passed over by the filter.
    after: EventId,
    messages: Option<FollowedMessages>,
    /// Whether the client had every event once. Before that, it lies behind by what it missed while it was away.
    is_level: bool,
    /// Where it comes from and what it sent, by which it may read.
    credential: (crate::faces::http::client::Client, HeaderMap),
}

impl Client {
    /// Sends events to the end, and then says why it is the end.
    async fn serve_and_close(&mut self) {
        let Err(end) = self.serve().await;
        let frame = match end {
            End::Gone => return,
            End::Left => None,
            End::Close((code, reason)) => Some(CloseFrame {
                code,
                reason: reason.into(),
            }),
        };
        // The client may be gone.
        let _ = timeout(FAREWELL, self.say_farewell(frame)).await;
    }

    /// Completes the closing handshake: a connection that ends with unread bytes could take the last frame with it.
    async fn say_farewell(&mut self, frame: Option<CloseFrame>) -> Result<(), Error> {
        if let Some(frame) = frame {
            self.socket.send(Message::Close(Some(frame))).await?;
        }
        while let Some(Ok(_)) = self.socket.next().await {}
        let connection = self.socket.get_mut();
        connection.shutdown().await?;
        let mut rest = [0; READ_BYTES];
        while connection.read(&mut rest).await? > 0 {}
        Ok(())
    }

    /// Reports whether the client knows an event that does not exist. The feed may lag behind the newest one.
    fn is_ahead(&self) -> impl Future<Output = bool> + Send + use<> {
        let (shared, after) = (self.shared.clone(), self.after);
        async move {
            let is_beyond = |newest| after > newest;
            is_beyond(shared.feed().newest())
                && shared.app().newest_event().await.is_ok_and(is_beyond)
        }
    }

    /// Sends events and messages until the end.
    async fn serve(&mut self) -> Result<Infallible, End> {
        if self.is_ahead().await {
            return Err(NO_SUCH_EVENT.into());
        }
        let feed = self.shared.feed();
        let (mut newest, mut pushed) = (feed.watch(), feed.messages().watch());
        let mut ends = self.shared.sign_ins().watch_ends();
        let mut ping = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        let mut heard = Instant::now();
        loop {
            newest.borrow_and_update();
            pushed.borrow_and_update();
            self.send_events().await?;
            self.send_messages().await?;
            let stop = self.shared.stop().clone();
            tokio::select! {
                () = stop.cancelled() => return Err(AWAY.into()),
                changed = newest.changed() => changed.map_err(|_| End::from(AWAY))?,
                // The senders of these live as long as that of the events.
                _ = pushed.changed(), if self.messages.is_some() => {}
                () = sleep(LOOK_EVERY), if self.messages.as_ref().is_some_and(FollowedMessages::waits) => {}
                _ = ends.changed() => self.check_right().await?,
                message = self.socket.next() => match end_of(message) {
                    None => heard = Instant::now(),
                    Some(end) => return Err(end),
                },
                _ = ping.tick() => self.ping(heard).await?,
            }
        }
    }

    /// Pings a client that was heard from lately, and may still read.
    async fn ping(&mut self, heard: Instant) -> Result<(), End> {
        if heard.elapsed() > SILENCE {
            return Err(End::Close((CloseCode::Away, "no answer to pings")));
        }
        self.check_right().await?;
        let ping = self.socket.send(Message::Ping(Bytes::new())).await;
        ping.map_err(|_| End::Gone)
    }

    /// Ends the feed of a client that may not read any more.
    fn check_right(&self) -> impl Future<Output = Result<(), End>> + Send + use<> {
        let may_read = self.may_read();
        async move {
            if may_read.await {
                return Ok(());
            }
            Err(NO_RIGHT.into())
        }
    }

    /// Returns whether the client may still read: its token may have been revoked, its session may have ended.
    fn may_read(&self) -> impl Future<Output = bool> + Send + use<> {
        let (shared, (peer, headers)) = (self.shared.clone(), self.credential.clone());
        async move {
            let caller = identify(&shared, peer, &headers).await;
            caller.is_ok_and(|caller| caller.may(Right::Read))
        }
    }

    /// Sends the events that the client does not know yet.
    async fn send_events(&mut self) -> Result<(), End> {
        loop {
            let feed = self.shared.feed();
            let read = feed.after(self.shared.app(), self.after).await;
            let read =
                read.map_err(|_| End::Close((CloseCode::Error, "the store cannot be read")))?;
            let Some((chunk, behind)) = read else {
                self.is_level = true;
                return Ok(());
            };
            // Many events at once make no client slow.
            let is_slow =
                behind.is_none_or(|bytes| bytes > MAX_LAG_BYTES && chunk.age() > PATIENCE);
            if self.is_level && is_slow {
                return Err(End::Close((
                    CloseCode::Again,
                    "too slow: go on with ?after=",
                )));
            }
            if chunk.changes_rights {
                self.check_right().await?;
            }
            let frames = chunk.frames_after(self.after, &self.terms, self.deflates);
            self.after = chunk.newest();
            self.send(&frames).await.map_err(|_| End::Gone)?;
            if self.shared.stop().is_cancelled() {
                return Err(AWAY.into());
            }
        }
    }

    /// Sends the messages that the client does not know yet.
    async fn send_messages(&mut self) -> Result<(), End> {
        let shared = self.shared.clone();
        while let Some(messages) = &mut self.messages {
            let step = messages.step(shared.app()).await;
            match step.map_err(|error| End::Close(unreadable(&error)))? {
                Step::Nothing => break,
                Step::Slow => return Err(SLOW_WITH_MESSAGES.into()),
                Step::Late => return Err(LATE_MESSAGE.into()),
                Step::Frames(frames) => self.send(&frames).await.map_err(|_| End::Gone)?,
            }
            if shared.stop().is_cancelled() {
                return Err(AWAY.into());
            }
        }
        Ok(())
    }

    /// Sends frames as they are.
    async fn send(&mut self, frames: &[u8]) -> Result<(), Error> {
        // An answer to a ping comes before them, not in their midst.
        self.socket.flush().await?;
        Ok(self.socket.get_mut().write_all(frames).await?)
    }
}
