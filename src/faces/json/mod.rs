//! The JSON that programs rely on: field names, times and digests as documented, equal in every face.
//!
//! Times are RFC 3339 in UTC: to the second for slots, to the millisecond for events. Digests are `sha256:hex`. A
//! field without a value is null, never left out.

mod event;
mod history;
mod object;
mod set;
mod source;
mod times;
mod verdict;
mod write;

pub(crate) use event::EventJson;
pub(crate) use history::{AttemptJson, VersionJson, attempts, version};
pub(crate) use object::json_object;
pub(crate) use set::{EditionJson, JudgedSetJson, MemberJson, SetJson, ShownSetJson};
pub(crate) use source::{SettingsJson, SourceJson, published_file};
pub(crate) use times::precise;
pub(crate) use verdict::{SetAsideJson, VerdictJson, set_aside_json};
pub(crate) use write::{write, write_line};
