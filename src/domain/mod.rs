//! The pure rules of gannet: sources, intervals, versions and verdicts, and the decisions that follow from them.
//!
//! Nothing here does I/O or reads a clock: times are arguments. Every other layer may import this one.

mod access;
mod address;
mod archive_mark;
mod attempt;
mod blob;
mod consequence;
mod content;
mod credential;
mod dated;
mod digest;
mod edition;
mod event;
mod file_name;
mod filter;
mod id;
mod interval;
mod json_lines;
mod likely_address;
mod lines;
mod masked;
mod message;
mod moment;
mod near;
mod notice;
mod number;
mod numbering;
mod out_of_space;
mod pattern;
mod picture;
mod policy;
mod provenance;
mod publication;
mod rates;
mod settings;
mod settings_format;
mod size;
mod source;
mod source_word;
mod state_word;
mod strict_json;
mod template;
mod text;
pub(crate) mod text_form;
mod time_bounds;
mod unit;
mod verdict;
mod verifier_link;
mod version;
mod weights;
mod withdrawal;
pub(crate) mod words;
mod worker;

pub use access::{
    MAX_ACCESS_NAME, Person, Role, SESSION_IDLE, SESSION_LONGEST, Token, TokenRole, TokenState,
    is_access_name, is_session_live,
};
pub use address::{Address, AddressError};
pub use archive_mark::{ArchiveMark, Mismatch};
pub use attempt::{Attempt, AttemptOutcome, FailureKind, Validators};
pub use blob::{BlobForm, BlobLink, NewBlob, StoredBody, StoredObject, base_ordinal};
pub use consequence::{
    event_of_file, event_of_health, event_of_set, event_of_state, event_of_verdict,
    is_decided_by_hand,
};
pub use content::Content;
pub use credential::value_holds_credential;
pub use dated::{
    DatedRules, Day, DayError, DayFacts, DayOf, DaysState, MAX_DAYS, Window, day_name, named_day,
};
pub use digest::{Digest, DigestError, Digester, to_hex};
pub use edition::{
    Edition, EditionCandidate, EditionMember, EditionVerdict, SetBlocked, SetMember,
    SetPublication, SetStep, combination_key, edition_to_publish, files_key, newest_combination,
    ready_to_judge, set_file_names, set_step,
};
pub use event::{About, Action, Actor, CommittedEvent, Event, NewEvent, Stamp};
pub use file_name::{decode_percent, safe_part, segment_name};
pub use filter::{Filter, FilterFacts, filter_keys};
pub use id::{AttemptId, BlobId, EditionId, EventId, SourceId, VerdictId, VersionId};
pub use interval::{
    Interval, IntervalError, Slot, duration_setting, duration_words, next_slot,
    next_slot_after_failure,
};
pub use json_lines::{JsonLines, LinesPart, MAX_MESSAGE_BYTES, bodies_of};
pub use lines::{lines, with_line_feeds};
pub use masked::{masked, masked_within};
pub use message::{
    DeadMessage, MAX_UNIT, Message, MessageId, MessageIds, MessagePlace, MessageVerdict, QueueName,
};
pub use moment::{Moment, MomentError};
pub use near::nearest_word;
pub use notice::{
    ChangeKind, Decision, NoticeRules, NotifierState, SetNotifierState, SourceHealth,
    next_notification, next_set_notification,
};
pub use number::{parse_id, parse_number};
pub use numbering::{MAX_NAME_BYTES, candidate_name, free_number, host_in_name};
pub use out_of_space::is_out_of_space;
pub use pattern::{Pattern, SourceKey};
pub use picture::{ImageFormat, Picture, PictureFacts, numbered_picture_name, picture_name};
pub use policy::{
    AdoptedPolicy, Policy, PolicyChanges, PolicyStep, PolicyVerifier, Scope, policy_step,
};
pub use provenance::{Peer, Provenance, Redirect, Request};
pub use publication::{
    FileSeal, Publication, candidate_path, conflicts, is_servable, publication_for,
};
pub use rates::{
    Currency, CurrencyError, DayRates, Provider, Rate, RateTable, RatesAddress, RatesWish, Refused,
    Stop, UnknownCurrency,
};
pub use settings::{Edit, SettingsError, SettingsPatch, SourceSettings};
pub use size::{exact_size, format_size, parse_size, size_to_the_byte};
pub use source::{Claim, NewestVersion, PublishPolicy, RESERVED_HEADERS, Source, SourceState};
pub use source_word::{is_newest_damaged, next_due};
pub use state_word::{StateFacts, StateWord};
pub use strict_json::check_json;
pub use template::Template;
pub use text::{clean, clean_line, io_words, shortened, truncate_line};
pub use time_bounds::{CLOCK_TOLERANCE, LEASE, LONGEST_RETRY, LONGEST_RETRY_AFTER};
pub use unit::{ConsumerFacts, NewUnit, Put, QueueRows, TakenUnit, UnitKey};
pub use verdict::{
    BY_HAND, Fingerprint, Judgement, NewVerdict, OMITTED, Verdict, VerdictOutcome,
    deciding_verdict, deciding_verdicts, last_of_each, newest_by_verifier, owing, with_origin,
};
pub use verifier_link::{CONTENT_LINK_LASTS, LinkOpens, SERVICE_LEASE};
pub use version::{LastModified, Version, VersionRef, VersionRefError, VersionState};
pub use weights::{Weight, Weights, state_from};
pub use withdrawal::Withdrawal;
pub use worker::{WorkerId, WorkerInfo, seen_while_living};
