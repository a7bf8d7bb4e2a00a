//! The catalogue in a SQLite file: the only place that knows SQL and rusqlite.
//!
//! One writer thread has the only writing connection; it gathers the operations that wait into one transaction, so
//! that many share the price of one sync. Readers have connections of their own. What an operation takes, returns and
//! fails with is the port's ([`crate::store`]): no type of SQLite leaves this folder.

mod archive_mark;
mod attempt;
mod awaited;
mod blob;
mod catalogue_file;
mod change;
mod change_run;
mod claim;
mod connection;
mod damage;
mod damaged_source;
mod edit;
mod edition;
mod edition_choice;
mod edition_row;
mod edition_state;
mod event;
mod event_row;
mod expected_file;
mod failure;
mod file_identity;
mod file_set;
mod hand_verdict;
mod handle;
mod holder;
mod interned;
mod judged;
mod judging_death;
mod kept_source;
mod known_policy;
mod library;
mod lost_member;
mod new_version;
mod noted;
mod notice;
mod overtaken;
mod policy;
mod policy_in_force;
mod publication;
mod published_file;
mod purge;
mod read_only;
mod reader;
mod refusal;
mod refusal_row;
mod refusals;
mod row;
mod schema;
mod served;
mod set_aside;
mod source;
mod source_row;
mod sql_damage;
mod times;
mod told;
mod transaction;
mod unfit;
mod unservable;
mod verdict;
mod verdict_list;
mod verdict_row;
mod verdict_words;
mod version;
mod version_row;
mod version_state;
mod wanted_file;
mod withdrawal;
mod writer;

pub use expected_file::ExpectedFile;
pub use handle::Store;
pub use times::Mended;
pub use unservable::Unservable;
