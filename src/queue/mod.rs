//! The queue outside the catalogue: messages wait on Redis Streams until they are persisted.
//!
//! Each queue is a stream with one consumer group. Whoever takes from a queue holds its lease, so that messages are
//! persisted in their order by however many consumers; what a dead consumer held is taken again, and what was persisted
//! before it died is persisted once, by its id. Every operation is one script: all of it or nothing, and
//! refused where the database holds the messages of another catalogue.
//!
//! Never answers that a unit is on its queue before the server said so; how durable that is, is the server's
//! `appendfsync`.

mod entry;
mod error;
mod facts;
mod keys;
mod mend;
mod redis_queue;
mod scripts;
mod server;

pub use error::QueueError;
pub use facts::RedisQueueFacts;
pub use redis_queue::{RedisQueue, Taken};
