//! Use-cases: what every face calls, and what the worker shares with them.
//!
//! [`App`] has the use-cases for one actor; [`App::acting_as`] returns those of another actor over the same ports. Only
//! the worker, which records through the same ports, and the composition root see the ports; faces do not.
//!
//! Uses the ports (store, archive, verifiers, clock) and no face; never prints or reads the environment.

mod access;
mod archive_link;
mod damage;
mod error;
mod judging;
mod message_queue;
mod messages;
mod notifications;
mod policy;
mod ports;
mod publishing;
mod queue_rates;
mod queue_servers;
mod rates;
mod redis_in_use;
mod sets;
mod source_result;
mod sources;
mod sql;
mod summary;
mod versions;

pub use crate::store::{
    BadMessages, Cell, ColumnFacts, Consumed, Edited, EventFilter, FileSet, LiveRead, MessagePage,
    MessagesQuery, NamedVersion, Newest, PicturePage, PicturePlace, QueryLimits, QueueFacts,
    QueueRate, RATE_SECONDS, Table, TableFacts, VerdictFilter, VerdictOn, VerdictSubject,
};
pub use crate::thumbnails::Thumbnail;
pub use access::password::check_password;
pub use access::people::check_name;
pub use access::secret::{SessionSecret, TokenSecret};
pub use archive_link::{AdoptedArchive, refuse_lost_catalogue};
pub use damage::row_named_in;
pub use error::{Error, ErrorKind, Result};
pub use judging::judge::{SetAside, Verified};
pub use judging::links::{LinkRefusal, Linked};
pub use judging::message::VerifiedMessage;
pub use judging::outside_verdict::GivenVerdict;
pub use judging::stale::{JudgedAgain, StaleProgress, StaleRequest};
pub(crate) use judging::step::Ask;
pub use message_queue::QueuesRead;
pub use messages::{NewMessages, Queued, Queueing};
pub use notifications::plan::Delivery;
pub use policy::adoption::{Adoption, EndedRefusals};
pub use policy::configured::ReadConfig;
pub use policy::outlook::{PolicyNext, PolicyOutlook};
pub use policy::standing::{BEFORE_STAYS, PolicyStanding};
pub use ports::App;
pub use publishing::other_contents::{OtherContents, OtherFile};
pub use publishing::publish::PublishRequest;
pub(crate) use publishing::publish::all_failed;
pub use publishing::withdraw::{LeftAtPaths, LeftInSet, StandingFaults, Unpublished};
pub use queue_rates::{QueueLately, QueueStep};
pub use rates::additions::NewRates;
pub use rates::ingest::{Ingest, IngestDays, RatesIngest};
pub use rates::queries::{
    RateSource, RatesAnswer, RatesAt, RatesDay, RatesError, RatesOver, RatesRange, RatesWanted,
};
pub use sets::judge::VerifiedSet;
pub use sets::queries::{SetFolder, SetOverview, WaitingSet, failure_among};
pub(crate) use sets::report::SetsReport;
pub use source_result::{SourceOutcome, SourceResult};
pub use sources::additions::{Refusal, refusals_of};
pub use sources::apply::{CheckedSources, Plan, PlanStep, check_sources};
pub use sources::change::{Added, Discarded};
pub use sources::purge::{Remains, make_room_first};
pub use sources::removal::{PurgedSet, Removal};
pub use sources::settings::{NewSource, check_settings};
pub use sources::suggest::suggestion;
pub use sources::undo::{LeftAlone, Undo, Undone};
pub use summary::{PassProgress, PassSummary};
pub use versions::bytes_compared::Compared;
pub use versions::compare::{COMPARED_BY_LINES, Comparison, DIFF_PATIENCE};
pub(crate) use versions::content::Healing;
pub use versions::grep::Occurrences;
pub use versions::queries::{History, SourceToShow};
