//! Use-cases: what every face calls, and what the worker shares with them.
//!
//! [`App`] is the use-cases for one actor: [`App::acting_as`] gives those of another, over the same ports. Faces see no port; the worker, which
//! records what it does in the same places, and the composition root do.
//!
//! Knows the ports (store, archive, verifiers, clock) and no face; never prints, never reads the environment.

mod additions;
mod adoption;
mod announce;
mod archive_link;
mod ask;
mod bytes_compared;
mod catalogue;
mod companion;
mod compare;
mod configured;
mod content;
mod damage;
mod earlier;
mod error;
mod grep;
mod idle;
mod judge;
mod judging_death;
mod judging_notes;
mod look;
mod message;
mod notice_record;
mod notice_sample;
mod notify;
mod other_contents;
mod outside_verdict;
mod policy;
mod policy_outlook;
mod ports;
mod publish;
mod purge;
mod queries;
mod redact;
mod redactors;
mod removal;
mod rule_context;
mod select;
mod set_publish;
mod set_queries;
mod set_requests;
mod sets;
mod settings;
mod source_result;
mod sources;
mod stale;
mod stale_sets;
mod stray;
mod suggest;
mod summary;
mod unasked;
mod undo;
mod unservable;
mod unusable_secrets;
mod version_ref;
mod withdraw;

pub use crate::store::{
    Edited, EventFilter, FileSet, NamedVersion, Newest, VerdictFilter, VerdictOn, VerdictSubject,
};
pub use additions::{Refusal, refusals_of};
pub use adoption::{Adoption, EndedRefusals};
pub use archive_link::{AdoptedArchive, refuse_lost_catalogue};
pub use bytes_compared::Compared;
pub use catalogue::{CheckedSources, Plan, PlanStep, check_sources};
pub use compare::{Comparison, DIFF_PATIENCE};
pub use configured::ReadConfig;
pub(crate) use content::Healing;
pub use damage::row_named_in;
pub use error::{Error, ErrorKind, Result};
pub use grep::Occurrences;
pub(crate) use judge::Ask;
pub use judge::{SetAside, Verified};
pub use notify::Delivery;
pub use other_contents::{OtherContents, OtherFile};
pub use outside_verdict::GivenVerdict;
pub use policy::{BEFORE_STAYS, PolicyStanding};
pub use policy_outlook::{PolicyNext, PolicyOutlook};
pub use ports::App;
pub use publish::PublishRequest;
pub use purge::{Remains, make_room_first};
pub use queries::History;
pub use removal::{PurgedSet, Removal};
pub use set_queries::{SetFolder, SetOverview, failure_among};
pub(crate) use sets::SetsReport;
pub use sets::VerifiedSet;
pub use settings::{NewSource, check_settings};
pub use source_result::{SourceOutcome, SourceResult};
pub use sources::{Added, Discarded};
pub use stale::{JudgedAgain, StaleProgress, StaleRequest};
pub use suggest::suggestion;
pub use summary::{PassProgress, PassSummary};
pub use undo::{LeftAlone, Undo, Undone};
pub use withdraw::{LeftAtPaths, LeftInSet, StandingFaults, Unpublished};
