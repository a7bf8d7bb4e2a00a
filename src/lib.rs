//! gannet fetches the files that you depend on, keeps every version of each, judges every version with your own
//! verifiers, and publishes only what passed. This page is the map of the code.
//!
//! # The way data flows
//!
//! ```text
//! source ──claim──> fetch ──> archive ──> verify ──> publish
//!    ^               │           │           │          │
//!  due slot       attempt     version     verdicts   plain file      every step: one event, stored and logged
//! ```
//!
//! 1. **Claim.** Sources are due by hour slots ([`domain::Slot`]). A claim is a row of the store with its worker and a
//!    fencing number, so that a cron pass, a service and a dashboard of one machine can work side by side ([`worker`]).
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
//! # Glossary
//!
//! - **source**: an address that is fetched at an interval, with its settings
//! - **dated source, day**: a source whose address holds `{date}`, which has one file a day; such a file, which is a
//!   source of its own, with versions of its own; the *window* is the days that are asked for: the last so many
//! - **slot**: an hour, counted from 1970: a source is due in one, and again an interval later
//! - **worker**: claims and fetches sources: a row in the catalogue with a random id, its process, and when it was
//!   *seen* last
//! - **claim**: the right of one worker to fetch a source, for as long as that worker is seen at least once in a
//!   *lease* (5 minutes); its *fence* is a number that grows with every claim: a result under another number, or by
//!   another worker, is refused
//! - **attempt**: one fetch of a source, with all its tries, and how it ended: new, unchanged or failed
//! - **version**: contents that a source had, numbered within it by an *ordinal*; the same bytes that come again
//!   after others are a new version
//! - **blob, object**: the bytes of contents, stored once, whole or as a *delta* against a *base*; an object is a
//!   blob's file in `objects/`; one that no blob names yet, or any more, is *pending* and has a row of its own
//! - **verifier**: judges versions, editions or messages: a built-in *rule*, a program, an address that is asked, or
//!   somebody outside;
//!   *required*, or *advisory*
//! - **verdict**: the result of one verifier on what it judged: passed, failed, error (could not judge), or pending
//!   (asked, no answer yet)
//! - **fingerprint**: the digest of a verifier's definition; a verdict with another one is by an earlier form of
//!   the verifier, and *stale*
//! - **refusal**: a verdict *failed* from outside: it holds for the same bytes wherever they come again
//! - **state**: what follows from the required verdicts on a version: passed, failed, error, pending, or unverified
//!   where nothing is required
//! - **policy**: the verifiers and sets in force, with a *revision*; it is the catalogue's, adopted from a
//!   configuration file
//! - **publication**: the version that a source's published file should hold, as a task until the file is there
//! - **picture, thumbnail**: a published file that passed an `image` verifier; a small copy of it, which is made when
//!   somebody looks and may be lost
//! - **set, edition, member**: sources published together as one folder; a combination of their versions, judged as
//!   one; a source of the set
//! - **pass**: the worker's round: everything that is due, each source once
//! - **event, actor, stamp**: an action that was taken, for the log; who took it; actor and time of an operation
//! - **person, session**: who signs in to the service, in a *role*; the time from sign-in to sign-out
//! - **token**: what a program shows to the service in the place of a name and a password
//! - **message, queue, unit**: JSON that was pushed; where it waits, durable, until it is persisted; the messages of one
//!   request, which are on their queue together or not at all
//! - **consumer**: persists messages: takes them from their queue in the same transaction; a message that cannot be
//!   persisted is *dead* after five tries
//! - **rates, provider**: what units of other currencies one unit of a *base* was worth on a day, as the published version
//!   of a file says; who gives such files, in a form of its own
//! - **notifier, notice**: a program or a webhook that receives changes; the message that it receives
//! - **catalogue**: the database, `gannet.db`; the *archive* is everything else in the data folder
//! - **mark**: the number that catalogue and archive carry both, so that a catalogue put back from a copy is
//!   noticed
//!
//! # The layers
//!
//! | layer | what it is for | what it alone may use |
//! | --- | --- | --- |
//! | [`domain`] | pure rules; no I/O, no clock | |
//! | [`clock`] | the time of day, or one that tests turn | the system's clock |
//! | [`files`] | modes, owners and durability of what is made | |
//! | [`config`] | the configuration in force, secrets, who acts | environment, configuration file |
//! | [`store`] | the catalogue: coarse operations, one transaction each | SQLite, in `store/sqlite/` |
//! | [`archive`] | blob codec, large objects, published files | zstd, the archive's files |
//! | [`net`] | the only HTTP client | reqwest, hyper's client |
//! | [`queue`] | messages on Redis Streams | redis |
//! | [`verify`] | built-in rules and programs that judge | child processes |
//! | [`thumbnails`] | small pictures of pictures, kept in a folder that may be lost | |
//! | [`app`] | use-cases, what every face calls | |
//! | [`worker`] | passes: claims, limits, the pipeline; the consumer of messages | |
//! | [`faces`] | the command line with the manual, the dashboard, the HTTP service | terminal, arguments, axum |
//! | [`demo`] | a small HTTPS origin to try everything on | certificates of its own |
//! | [`logging`] | the JSON log file | |
//! | [`compose`] | builds the services and starts a face or the worker | everything |
//!
//! `store`, `archive`, `net`, `queue`, `verify` and `thumbnails` import `domain`, `clock`, `files` and `config`, never each other; `app` and
//! `worker` import those; faces import `app`, `domain` and `config`. `tests/it/layers/rules.rs` holds the same table,
//! and the tests beside it fail on anything else.

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
pub mod queue;
pub mod store;
pub mod thumbnails;
pub mod verify;
pub mod worker;
