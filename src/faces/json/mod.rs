//! The JSON that programs rely on: field names, times and digests as documented, equal in every face.
//!
//! Times are RFC 3339 in UTC: to the second for slots, to the millisecond for events. Digests are `sha256:hex`. A
//! field without a value is null, never left out.

mod config;
mod event;
mod history;
mod import;
mod message;
mod object;
mod occurrences;
mod pass;
mod people;
mod picture;
mod policy;
mod rates;
mod set;
mod source;
mod stream;
mod times;
mod verdict;
mod verified;
mod write;

pub(crate) use config::ConfigJson;
pub(crate) use event::EventJson;
pub(crate) use history::{AttemptJson, VersionJson, attempts, version};
pub(crate) use import::ImportedJson;
pub(crate) use message::{
    DeadMessageJson, JudgedMessageJson, MessageJson, QueueJson, SentJson, VerifiedMessageJson,
};
pub(crate) use occurrences::OccurrencesJson;
pub(crate) use pass::{PassJson, SourceResultJson};
pub(crate) use people::{PersonJson, TokenJson};
pub(crate) use picture::ImageJson;
pub(crate) use policy::PolicyJson;
pub(crate) use rates::{RateJson, RatesJson};
pub(crate) use set::{SetJson, ShownSetJson};
pub(crate) use source::{SourceJson, WholeSourceJson, published_file};
pub(crate) use stream::{OpenList, write_history, write_versions_of};
pub(crate) use times::precise;
pub(crate) use verdict::{VerdictJson, VerdictOnJson};
pub(crate) use verified::{JudgedJson, StaleJson, VerifiedJson, VerifiedSetJson};
pub(crate) use write::{write, write_line};
