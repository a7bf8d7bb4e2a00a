//! Use-cases: what every face calls, and what the worker shares with them.
//!
//! Knows the ports (store, archive, verifiers, clock) and no face; never prints, never reads the environment.

mod additions;
mod announce;
mod archive_link;
mod ask;
mod bytes_compared;
mod catalogue;
mod compare;
mod configured;
mod content;
mod damage;
mod earlier;
mod error;
mod evidence;
mod grep;
mod idle;
mod judge;
mod judging_death;
mod look;
mod message;
mod notice_sample;
mod notify;
mod policy;
mod policy_outlook;
mod ports;
mod publish;
mod purge;
mod queries;
mod redact;
mod removal;
mod select;
mod set_publish;
mod set_queries;
mod sets;
mod settings;
mod source_result;
mod sources;
mod stale;
mod stale_sets;
mod suggest;
mod summary;
mod undo;
mod version_ref;
mod withdraw;

pub use crate::store::{
    Edited, EventFilter, FileSet, NamedVersion, Newest, VerdictFilter, VerdictOn, VerdictSubject,
};
pub use additions::{Refusal, refusals_of};
pub use archive_link::{AdoptedArchive, refuse_lost_catalogue};
pub use bytes_compared::Compared;
pub use catalogue::{CheckedSources, Plan, PlanStep, check_sources};
pub use compare::{Comparison, DIFF_PATIENCE};
pub use error::{Error, ErrorKind, Result};
pub use grep::Occurrences;
pub(crate) use judge::Ask;
pub use judge::{GivenVerdict, SetAside, Verified};
pub use notify::Delivery;
pub use policy::{Adoption, PolicyStanding, ReadConfig};
pub use policy_outlook::{PolicyNext, PolicyOutlook};
pub use ports::App;
pub use publish::PublishRequest;
pub use purge::{Remains, make_room_first};
pub use queries::History;
pub use removal::{PurgedSet, Removal};
pub use set_queries::{SetFolder, SetOverview, failure_among};
pub(crate) use sets::SetsReport;
pub use sets::VerifiedSet;
pub use settings::NewSource;
pub use source_result::{SourceOutcome, SourceResult};
pub use sources::{Added, Discarded};
pub use stale::{StaleProgress, StaleRequest};
pub use suggest::suggestion;
pub use summary::{PassProgress, PassSummary};
pub use undo::{LeftAlone, Undo, Undone};
pub use withdraw::{LeftInSet, StandingFaults, Unpublished};
