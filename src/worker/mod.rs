//! The worker: claims what is due, and takes each claim through fetch, archive, verify and publish.
//!
//! It owns every task that it starts; stopping it ends claiming first, then what is in flight, then the claims.

mod believing;
mod housekeeping;
mod judging;
mod limits;
mod pass;
mod pipeline;
mod progress;
mod publisher;
mod read_back;
mod recording;
mod report;
mod sets;
mod standing;
mod stop;
mod supervisor;
mod undecided;
mod unkept;

pub use pass::Selection;
pub use progress::Progress;
pub use report::{MAX_TROUBLES, PassReport};
pub use stop::Stop;
pub use supervisor::Worker;
