//! The worker: claims what is due, and takes each claim through fetch, archive, verify and publish.
//!
//! It owns every task that it starts; stopping it ends claiming first, then what is in flight, then the claims.

mod believing;
mod dead_workers;
mod heartbeat;
mod host_backlog;
mod housekeeping;
mod pass;
mod pipeline;
mod progress;
mod publish_batcher;
mod read_back;
mod recording;
mod rejudge;
mod report;
mod sets;
mod standing;
mod stop;
mod supervisor;
mod unkept;
mod verify_step;

pub use pass::Selection;
pub use progress::Progress;
pub use report::{MAX_FAILURES, PassReport};
pub use stop::Stop;
pub use supervisor::Worker;
