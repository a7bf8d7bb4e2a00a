//! gannet fetches the files that you depend on, keeps every version of each, judges every version with your own
//! verifiers, and publishes only what passed. This page is the map of the house.
//!
//! # The way data flows
//!
//! ```text
//! source ──claim──> fetch ──> archive ──> verify ──> publish
//!    ^               │           │           │          │
//!  due slot       attempt     version     verdicts   plain file      every step: one event, stored and logged
//! ```
//!
//! 1. **Claim.** Sources are due by hour slots ([`domain::Slot`]). A claim is a lease in the store with a fencing
//!    number, so that a cron pass, a service and a dashboard of one machine can work side by side ([`worker`]).
//! 2. **Fetch.** [`net`] makes a conditional request and streams the body, small ones into memory, large ones into a
//!    temporary file, digesting on the way. A failed fetch is data, not an error.
//! 3. **Archive.** [`archive`] makes the stored form (whole, or a delta against an earlier version); [`store`] records
//!    blob, version, attempt, validators, next slot and event in one transaction.
//! 4. **Verify.** [`verify`] runs the verifiers that apply; the verdicts give the version its state
//!    ([`domain::state_from`]).
//! 5. **Publish.** The newest version that passed, or that nothing judges, is put at the source's published path,
//!    atomically ([`domain::publication_for`]). A crash between any two steps leaves a note in the store of what is
//!    still to do; the next pass does it. Sources that share the tag of a set are no exception, but for their number:
//!    when all of them stand ready ([`domain::ready_to_judge`]), their versions are judged together as an edition, and
//!    published as one folder behind one link ([`domain::edition_to_publish`]).
//!
//! # The layers
//!
//! | layer | what it is for | what it alone may use |
//! | --- | --- | --- |
//! | [`domain`] | pure rules; no I/O, no clock | |
//! | [`clock`] | the time of day, or one that tests turn | the system's clock |
//! | [`files`] | modes, owners and durability of what is made | |
//! | [`config`] | the configuration in force, secrets, who acts | environment, configuration file |
//! | [`store`] | the catalogue: coarse operations, one transaction each | SQLite |
//! | [`archive`] | blob codec, large objects, published files | zstd, the archive's files |
//! | [`net`] | the only HTTP client | reqwest, hyper's client |
//! | [`verify`] | built-in rules and programs that judge | child processes |
//! | [`app`] | use-cases, what every face calls | |
//! | [`worker`] | passes: claims, limits, the pipeline | |
//! | [`faces`] | the command line with the manual, the dashboard | terminal, arguments |
//! | [`demo`] | a small HTTPS origin to try everything on | certificates of its own |
//! | [`logging`] | the JSON log file | |
//! | [`compose`] | puts the house together | everything |
//!
//! `store`, `archive`, `net` and `verify` import `domain`, `clock`, `files` and `config`, never each other; `app` and `worker`
//! import those; faces import `app`, `domain` and `config`. `tests/it/layers/rules.rs` holds the same table, and the tests
//! beside it fail on anything else.

pub mod app;
pub mod archive;
pub mod clock;
pub mod compose;
pub mod config;
pub mod demo;
pub mod domain;
pub mod faces;
pub mod files;
pub mod logging;
pub mod net;
pub mod store;
pub mod verify;
pub mod worker;
