//! Verifiers (built-in rules, and programs run as supervised child processes), and the programs of notifiers.
//!
//! The only layer with child processes. Never decides what follows from a judgement, and never returns an error for a
//! verifier that cannot judge: that is an *error* judgement.

mod builtin;
mod command;
mod disk_quota;
mod fingerprint;
mod html;
mod judged_input;
mod left_behind;
mod message_facts;
mod notification;
mod output;
mod process;
mod reaper;
mod reply;
mod resources;
mod rule_context;
mod run_tag;
mod set;
mod verifier;
mod version_facts;
mod work_folder;

pub use left_behind::end_left_behind;
pub use message_facts::MessageFacts;
pub use notification::{Notification, run_notification};
pub use reply::VerifierReply;
pub use rule_context::{Companion, Previous, RuleContext};
pub use set::{SetFile, SetFiles};
pub use verifier::Verifier;
pub use version_facts::VersionFacts;
