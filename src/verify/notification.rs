//! Runs a notifier's program with a message, supervised as a verifier's program is.
//!
//! Never decides what follows from a failed delivery.

use std::path::Path;
use std::time::Duration;

use super::command::{cannot_start, command_in, ending, overrunning, run_in};
use super::output;
use super::process::{FinishedRun, RunEnd, RunLimits};
use super::verifier::GRACE;
use super::work_folder::WorkFolder;
use crate::config::ResourceLimits;
use crate::domain::{Content, duration_words};
use crate::files::explain_io_error;

/// Name of the file with the changes.
const FILE_NAME: &str = "changes.json";

/// A message for a notifier's program.
#[derive(Clone, Debug)]
pub struct Notification<'a> {
    /// The absolute path of the program, and its arguments; `{path}` stands for the file with the changes.
    pub argv: &'a [String],
    /// The message, written to stdin.
    pub text: Content,
    /// The changes, written to the file.
    pub json: Content,
    /// Additional environment variables.
    pub variables: Vec<(&'static str, String)>,
    /// Time limit of the run.
    pub timeout: Duration,
}

/// Runs the program. Returns the last line that it printed, or why the message was not delivered.
///
/// `work_dir` is an existing folder, in which the run gets a temporary folder. Dropping the future ends the program and
/// its descendants.
pub async fn run_notification(
    notification: Notification<'_>,
    work_dir: &Path,
) -> Result<Option<String>, String> {
    let folder = WorkFolder::with_content(work_dir, FILE_NAME, &notification.json).await;
    let folder = folder.map_err(|error| {
        format!(
            "cannot make a working folder in {}: {}",
            work_dir.display(),
            explain_io_error(&error, work_dir)
        )
    })?;
    let mut command = command_in(&folder, notification.argv).ok_or("the command is empty")?;
    command.envs(notification.variables);
    let limits = RunLimits {
        timeout: notification.timeout,
        grace: GRACE,
        resources: ResourceLimits::default(),
    };
    let run = run_in(folder, command, Some(&notification.text), limits).await;
    let run = run.map_err(|error| cannot_start(notification.argv, &error, work_dir))?;
    read(&run, limits)
}

fn read(run: &FinishedRun, limits: RunLimits) -> Result<Option<String>, String> {
    let said = output::last_line(&run.stdout, &run.stderr);
    let ended = match &run.end {
        RunEnd::Exited(status) if status.success() => return Ok(said),
        RunEnd::Exited(status) => ending(*status, limits.resources),
        RunEnd::TimedOut => format!("timed out after {}", duration_words(limits.timeout)),
        RunEnd::Overrun(overrun) => overrunning(overrun, limits.resources),
    };
    Err(match said {
        Some(said) => format!("{ended}: {said}"),
        None => ended,
    })
}
