//! The live feed: every committed event, by whichever process, as JSON over WebSocket at `/live`.
//!
//! One task reads new events and keeps the last ones in memory ([`Feed`]); each client goes through them at its own
//! pace, and reads older ones from the store. So no client holds more than its place, and none can miss an event. Events
//! that are read together are encoded once, compressed once where clients take that, and sent to all as they are.

mod client;
mod deflate;
mod event_filter;
mod feed;
mod followed_messages;
mod inbound;
mod message_order;
mod messages;
mod recent;

pub(super) use client::follow;
pub(in crate::faces::http) use event_filter::EventTerms;
pub use feed::Feed;
