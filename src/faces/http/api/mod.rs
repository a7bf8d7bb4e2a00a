//! The API below `/api/v1`: JSON in the shapes of the command line.

mod answer;
mod change;
mod diff;
mod docs_page;
mod events;
mod fetch;
mod groups;
mod health;
mod history;
mod images;
mod list;
mod merge_patch;
mod messages;
mod openapi;
mod pages_schema;
mod parameters;
mod queues;
mod rates;
mod refusals;
mod remote;
mod routes;
mod sets;
mod settings_schema;
mod source;
mod sources;
mod strict;
mod summary;
mod verdict;
mod version;

pub(super) use change::{add_sources, edit_source, remove_source};
pub(super) use events::matching_before;
pub(super) use messages::{message_id, place_after, put_on_queue};
pub(super) use source::settings_tag;
pub(super) use strict::strict_routes;
pub(super) use verdict::{NewVerdictBody, record_set_verdict, record_verdict};
