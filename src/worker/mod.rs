//! The worker: claims the sources that are due, and takes each claim through fetch, archive, verify and publish.
//!
//! A pass owns every task that it starts. Stopping it ends claiming first, then the attempts in flight; then it
//! releases its claims.

mod arrivals;
mod consumer;
mod days;
mod dead_workers;
mod heartbeat;
mod host_backlog;
mod housekeeping;
mod mend;
mod message_judge;
mod newest_bytes;
mod pass;
mod pipeline;
mod progress;
mod publish_batcher;
mod read_back;
mod recording;
mod rejudge;
mod report;
mod sets;
mod standing_faults;
mod stop;
mod stopped;
mod stopping;
mod supervisor;
mod unkept;
mod verify_step;

pub use consumer::consume;
pub use pass::Selection;
pub use progress::Progress;
pub use report::{MAX_FAILURES, PassReport};
pub use stop::Stop;
pub use supervisor::Worker;
