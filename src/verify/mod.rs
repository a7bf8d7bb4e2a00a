//! Verifiers: built-in rules, and programs that run as supervised child processes; and the programs of notifiers.
//!
//! The only user of child processes. Never decides what follows from a judgement, and never fails: a verifier that
//! cannot judge says so in its judgement.

mod answer;
mod builtin;
mod child;
mod command;
mod evidence;
mod facts;
mod fingerprint;
mod html;
mod left_behind;
mod mark;
mod notice;
mod output;
mod resources;
mod set;
mod subject;
mod sweep;
mod verifier;
mod watch;
mod work_folder;

pub use answer::Answer;
pub use evidence::{Companion, Evidence, Previous};
pub use facts::Facts;
pub use left_behind::end_left_behind;
pub use notice::{Notice, run_notice};
pub use set::{SetFile, SetFiles};
pub use verifier::Verifier;
