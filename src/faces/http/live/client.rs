//! One client of the live feed.

use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::io::AsyncWriteExt as _;
use tokio::time::{Instant, interval_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};

use super::event_filter::EventTerms;
use crate::domain::EventId;
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
/// The time without any message, pongs included, after which a client counts as gone.
const SILENCE: Duration = Duration::from_secs(75);

/// The query of the feed.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::faces::http) struct LiveQuery {
    /// The last event that the client knows; without it only new ones are sent.
    after: Option<i64>,
    filter: String,
}

/// Sends events over WebSocket, from those after `after` on.
pub(in crate::faces::http) async fn follow(
    State(shared): State<Shared>,
    Params(query): Params<LiveQuery>,
    Extension(peer): Extension<crate::faces::http::client::Client>,
    mut request: Request,
) -> Result<Response, Problem> {
    let answer = create_response_with_body(&request, Body::empty)
        .map_err(|error| Problem::invalid(format!("/live is for WebSocket: {error}")))?;
    let terms = query
        .filter
        .parse()
        .map_err(|error| Problem::invalid(format!("`filter`: {error}")))?;
    if shared.clients().len() >= MAX_CLIENTS {
        let detail = format!("{MAX_CLIENTS} clients follow already");
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail));
    }
    let newest = shared.feed().newest();
    // An event that does not exist yet is of another store.
    let after = query
        .after
        .map_or(newest, |after| EventId(after.max(0)).min(newest));
    let upgrade = hyper::upgrade::on(&mut request);
    let credential = (peer, request.into_parts().0.headers);
    let clients = shared.clients().clone();
    clients.spawn(async move {
        // Otherwise the client is gone.
        if let Ok(upgraded) = upgrade.await {
            let mut client = Client {
                socket: socket(upgraded).await,
                shared,
                terms,
                after,
                is_level: false,
                credential,
            };
            client.serve_and_close().await;
        }
    });
    Ok(answer)
}

/// What a client is sent over. It takes little memory.
type Socket = WebSocketStream<TokioIo<Upgraded>>;

async fn socket(upgraded: Upgraded) -> Socket {
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BYTES)
        .max_message_size(Some(MAX_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_MESSAGE_BYTES));
    WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await
}

/// Why a client is closed.
type Close = (CloseCode, &'static str);

/// Its token was revoked or has expired, or its session has ended.
const NO_RIGHT: Close = (CloseCode::Policy, "no longer allowed to read");

struct Client {
    socket: Socket,
    shared: Shared,
    terms: EventTerms,
    /// The last event that was sent, or passed over by the filter.
    after: EventId,
    /// Whether the client had every event once. Before that, it lies behind by what it missed while it was away.
    is_level: bool,
    /// Where it comes from and what it sent, by which it may read.
    credential: (crate::faces::http::client::Client, HeaderMap),
}

impl Client {
    /// Sends events to the end, and then says why it is the end.
    async fn serve_and_close(&mut self) {
        if let Some((code, reason)) = self.serve().await {
            let frame = CloseFrame {
                code,
                reason: reason.into(),
            };
            // The client may be gone.
            let _ = self.socket.send(Message::Close(Some(frame))).await;
        }
    }

    /// Sends events until the client leaves (`None`), or has to be closed.
    async fn serve(&mut self) -> Option<Close> {
        let mut newest = self.shared.feed().watch();
        let mut ping = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        let mut heard = Instant::now();
        loop {
            newest.borrow_and_update();
            if let Err(end) = self.send_events().await {
                return end;
            }
            let stop = self.shared.stop().clone();
            tokio::select! {
                () = stop.cancelled() => return Some((CloseCode::Away, "the service ends")),
                changed = newest.changed() => {
                    if changed.is_err() {
                        return Some((CloseCode::Away, "the service ends"));
                    }
                }
                message = self.socket.next() => match message {
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                    Some(Ok(_)) => heard = Instant::now(),
                },
                _ = ping.tick() => {
                    if heard.elapsed() > SILENCE {
                        return Some((CloseCode::Away, "no answer to pings"));
                    }
                    if !self.may_read().await {
                        return Some(NO_RIGHT);
                    }
                    self.socket.send(Message::Ping(Bytes::new())).await.ok()?;
                }
            }
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
    async fn send_events(&mut self) -> Result<(), Option<Close>> {
        loop {
            let feed = self.shared.feed();
            let read = feed.after(self.shared.app(), self.after).await;
            let read = read.map_err(|_| Some((CloseCode::Error, "the store cannot be read")))?;
            let Some((chunk, behind)) = read else {
                self.is_level = true;
                return Ok(());
            };
            // Many events at once make no client slow.
            let is_slow =
                behind.is_none_or(|bytes| bytes > MAX_LAG_BYTES && chunk.age() > PATIENCE);
            if self.is_level && is_slow {
                return Err(Some((CloseCode::Again, "too slow: go on with ?after=")));
            }
            if chunk.changes_rights && !self.may_read().await {
                return Err(Some(NO_RIGHT));
            }
            let frames = chunk.frames_after(self.after, &self.terms);
            self.after = chunk.newest();
            self.send(&frames).await.map_err(|_| None)?;
            if self.shared.stop().is_cancelled() {
                return Err(Some((CloseCode::Away, "the service ends")));
            }
        }
    }

    /// Sends frames as they are.
    async fn send(&mut self, frames: &[u8]) -> Result<(), Error> {
        // An answer to a ping comes before them, not in their midst.
        self.socket.flush().await?;
        Ok(self.socket.get_mut().write_all(frames).await?)
    }
}
