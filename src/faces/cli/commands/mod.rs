//! The commands, one file each, and the one place that chooses among them.

mod add;
mod apply;
mod cat;
mod change;
mod completions;
mod diff;
mod dispatch;
mod dump;
mod export;
mod fetched;
mod grep;
mod held_back;
mod help;
mod history;
mod import;
mod list;
mod log;
mod manual;
mod notify;
mod overview;
mod policy;
mod rehearse;
mod report;
mod sets;
mod show;
mod verdict;
mod verdicts;
mod verify;

pub use completions::print_completions;
pub use dispatch::run;
pub use fetched::print_fetched;
pub use help::print_help;
pub use manual::print_manual;
pub use overview::print_overview;
pub use policy::{adopt_archive, adopt_policy, print_policy};
pub use rehearse::rehearse;
