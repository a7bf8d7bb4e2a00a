//! One client of the live feed.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use futures_util::SinkExt as _;
use serde::Deserialize;
use tokio::time::{Instant, interval_at};

use super::event_filter::EventTerms;
use super::recent::LiveEvent;
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
/// The longest message of a client, in bytes. Nothing is expected of clients.
const MAX_MESSAGE_BYTES: usize = 4 << 10;
/// The bytes that are read, and written, at once for a client: thousands of them are idle most of the time.
const READ_BYTES: usize = 1 << 10;
const WRITE_BYTES: usize = 16 << 10;
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
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = upgrade.map_err(|rejection| {
        let detail = format!("/live is for WebSocket: {}", rejection.body_text());
        Problem::new(rejection.status(), detail)
    })?;
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
    let client = shared.clients().token();
    Ok(bounded(upgrade).on_upgrade(move |socket| async move {
        let _client = client;
        let mut client = Client {
            socket,
            shared,
            terms,
            after,
            credential: (peer, headers),
        };
        client.serve_and_close().await;
    }))
}

/// Bounds what a client takes in memory.
fn bounded(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    upgrade
        .read_buffer_size(READ_BYTES)
        .write_buffer_size(WRITE_BYTES)
        .max_message_size(MAX_MESSAGE_BYTES)
        .max_frame_size(MAX_MESSAGE_BYTES)
}

/// Why a client is closed.
type Close = (u16, &'static str);

/// Its token was revoked or has expired, or its session has ended.
const NO_RIGHT: Close = (close_code::POLICY, "no longer allowed to read");

struct Client {
    socket: WebSocket,
    shared: Shared,
    terms: EventTerms,
    /// The last event that was sent, or passed over by the filter.
    after: EventId,
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
                () = stop.cancelled() => return Some((close_code::AWAY, "the service ends")),
                changed = newest.changed() => {
                    if changed.is_err() {
                        return Some((close_code::AWAY, "the service ends"));
                    }
                }
                message = self.socket.recv() => match message {
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                    Some(Ok(_)) => heard = Instant::now(),
                },
                _ = ping.tick() => {
                    if heard.elapsed() > SILENCE {
                        return Some((close_code::AWAY, "no answer to pings"));
                    }
                    if !self.may_read().await {
                        return Some(NO_RIGHT);
                    }
                    self.socket.send(Message::Ping(Vec::new().into())).await.ok()?;
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
            let (events, behind) =
                read.map_err(|_| Some((close_code::ERROR, "the store cannot be read")))?;
            if behind.is_some_and(|behind| behind > MAX_LAG_BYTES) {
                return Err(Some((close_code::AGAIN, "too slow: go on with ?after=")));
            }
            if events.is_empty() {
                return Ok(());
            }
            let changes_rights = |event: &Arc<LiveEvent>| {
                let action = event.event.event.action.as_str();
                action.starts_with("person.") || action.starts_with("token.")
            };
            if events.iter().any(changes_rights) && !self.may_read().await {
                return Err(Some(NO_RIGHT));
            }
            for event in events {
                if self.shared.stop().is_cancelled() {
                    return Err(Some((close_code::AWAY, "the service ends")));
                }
                if self.terms.matches(&event.event) {
                    let message = Message::Text(event.json.clone());
                    self.socket.feed(message).await.map_err(|_| None)?;
                }
                self.after = event.event.id;
            }
            // Events that come together are written together.
            self.socket.flush().await.map_err(|_| None)?;
        }
    }
}
