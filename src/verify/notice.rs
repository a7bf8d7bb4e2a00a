//! Hands a message to a notifier's program, which is run as a verifier's is.
//!
//! Never decides what follows from how it ended.

use std::path::Path;
use std::time::Duration;

use super::child::{End, Limits, Run};
use super::command::{cannot_start, command_in, ending, overrunning, run_in};
use super::output;
use super::verifier::GRACE;
use super::work_folder::WorkFolder;
use crate::config::ResourceLimits;
use crate::domain::{Content, duration_words};
use crate::files::trouble;

/// What the file with the changes is called.
const FILE_NAME: &str = "changes.json";

/// A message for a program.
#[derive(Clone, Debug)]
pub struct Notice<'a> {
    /// The program, absolute, and its arguments; `{path}` is the path of the file with the changes.
    pub argv: &'a [String],
    /// What it gets on its stdin.
    pub text: Content,
    /// The changes.
    pub json: Content,
    /// What it gets in its environment beside what every program gets.
    pub variables: Vec<(&'static str, String)>,
    /// After this it is ended.
    pub timeout: Duration,
}

/// Runs the program and returns what it said last, or why the message is not delivered.
///
/// `work_dir` is an existing folder, below which it gets its own temporary folder. Dropping the future ends the program
/// and all that it started.
pub async fn run_notice(notice: Notice<'_>, work_dir: &Path) -> Result<Option<String>, String> {
    let folder = WorkFolder::with_content(work_dir, FILE_NAME, &notice.json).await;
    let folder = folder.map_err(|error| {
        format!(
            "cannot make a working folder in {}: {}",
            work_dir.display(),
            trouble(&error, work_dir)
        )
    })?;
    let mut command = command_in(&folder, notice.argv).ok_or("the command is empty")?;
    command.envs(notice.variables);
    let limits = Limits {
        timeout: notice.timeout,
        grace: GRACE,
        resources: ResourceLimits::default(),
    };
    let run = run_in(folder, command, Some(&notice.text), limits).await;
    let run = run.map_err(|error| cannot_start(notice.argv, &error, work_dir))?;
    read(&run, limits)
}

fn read(run: &Run, limits: Limits) -> Result<Option<String>, String> {
    let said = output::last_line(&run.stdout, &run.stderr);
    let ended = match &run.end {
        End::Exited(status) if status.success() => return Ok(said),
        End::Exited(status) => ending(*status, limits.resources),
        End::TimedOut => format!("timed out after {}", duration_words(limits.timeout)),
        End::Overrun(overrun) => overrunning(overrun, limits.resources),
    };
    Err(match said {
        Some(said) => format!("{ended}: {said}"),
        None => ended,
    })
}
