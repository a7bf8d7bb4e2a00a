//! The command line: turns arguments into text, tables, JSON and an exit code.
//!
//! Decides nothing itself: `app` does. Never reads the environment or the clock.

pub mod args;
mod commands;
mod complete;
mod config_page;
mod consent;
mod console;
mod exit;
mod export_folder;
mod facts;
mod import;
mod look;
mod manual;
mod outlook;
mod pass_json;
mod pass_results;
mod password;
mod progress;
mod sources_file;
mod summary;
mod table;
mod usage;

pub use args::{AppCommand, Cli, Command};
pub use commands::{
    SetFolders, adopt_archive, adopt_policy, agree_to_removal, note_policy, print_completions,
    print_fetched, print_help, print_ingest, print_manual, print_overview, print_policy, rehearse,
    run,
};
pub use complete::{Completion, NameKind, completion, print_completion};
pub use config_page::{config_page, print_config_json, settings_lines};
pub use console::Console;
pub use exit::{ExitStatus, print_failures, print_text, purged_meanwhile, report, status_of};
pub use import::ImportFormat;
pub use manual::TEMPLATE as CONFIG_TEMPLATE;
pub use outlook::print_outlook;
pub use pass_json::{PassToPrint, print_failed_pass_json};
pub use progress::draw_progress;
pub use summary::{name_put_back, print_pass, print_summary};
pub use usage::print_usage;
