//! The HTTP service: the API, the live feed of events, the pages, and the published files.
//!
//! A request passes `server.rs` (limits of connections, heads and times), `guard.rs` (`Host`, origin, who asks and what
//! they may do), and then one handler, which calls the use-cases in the name of whoever asked. Every refusal is a
//! problem (RFC 9457) with the kinds and hints of the command line's errors.
//!
//! Never opens a socket or a store: `compose` hands both over.

mod accept;
mod answers;
mod api;
mod body;
mod cached_file;
mod caller;
mod certificate_expiry;
mod client;
mod client_stream;
mod comparing;
mod conditions;
mod content;
mod cursor;
mod extract;
mod fetching;
mod file_beneath;
mod files;
mod guard;
mod idempotency;
mod images;
mod large_answer;
mod links;
mod live;
mod message_body;
mod metrics;
mod pages;
mod plot;
mod problem;
mod push_room;
mod range;
mod route;
mod router;
mod schema;
mod server;
mod shared;
mod sign_in;
mod signing;
mod source_page;
mod state_counts;
mod tls;
mod to_end;
mod unread;

pub use fetching::Fetching;
pub use live::Feed;
pub use router::route_table;
pub use server::{Listener, serve};
pub use shared::{Shared, SharedParts};
pub use tls::Tls;
