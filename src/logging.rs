//! The log: one JSON object a line, one file a day, a configured number of days.
//!
//! Events of the catalogue have the target `gannet::event`; all other lines are warnings or errors.

mod file;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::layer::SubscriberExt as _;

pub use self::file::FailureReporter;
use self::file::LogFile;
use crate::config::LogConfig;
use crate::domain::{About, CommittedEvent, is_out_of_space};
use crate::files::{Owner, explain_io_error, make_folders};

/// Most lines that wait for the log's thread. The queue is allocated in full when the log starts: the crate's default
/// of 128,000 would take 4 MB, and a tenth of the time of a pass that finds nothing due.
const MAX_WAITING_LINES: usize = 8192;

/// The log could not be started.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the log in {path}: {}", explain_io_error(source, path))]
pub struct LogError {
    path: PathBuf,
    source: io::Error,
}

/// Starts the log in `folder`. Dropping the returned guard writes the last lines. `owner` gets the folder if it has to
/// be made.
///
/// A thread writes the lines and drops none: a full queue makes the caller wait. A full disk is reported to `report`,
/// and is no error.
pub fn start(
    folder: &Path,
    owner: Owner,
    config: &LogConfig,
    report: FailureReporter,
) -> Result<WorkerGuard, LogError> {
    let begun = make_folders(folder, owner).and_then(|()| {
        let mut file = LogFile::new(folder, config.keep_days, Arc::clone(&report));
        file.open_today()?;
        Ok(file)
    });
    let file = match begun {
        Ok(file) => file,
        Err(error) if is_out_of_space(error.kind()) => {
            LogFile::new(folder, config.keep_days, report)
        }
        Err(source) => {
            let path = folder.to_owned();
            return Err(LogError { path, source });
        }
    };
    // The thread flushes when no line waits: many lines share one write, and none is delayed while writing works.
    let (writer, guard) = NonBlockingBuilder::default()
        .lossy(false)
        .buffered_lines_limit(MAX_WAITING_LINES)
        .finish(file);
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_writer(writer);
    let only_ours =
        tracing_subscriber::filter::Targets::new().with_target("gannet", LevelFilter::INFO);
    let subscriber = tracing_subscriber::registry().with(only_ours).with(lines);
    // A second start in one process (tests, a demo) leaves the first log in force.
    let _ = tracing::subscriber::set_global_default(subscriber);
    Ok(guard)
}

/// Writes committed events to the log, one line each.
pub fn log_events(events: &[CommittedEvent]) {
    for CommittedEvent { id, stamp, event } in events {
        let about = event.about;
        tracing::info!(
            target: "gannet::event",
            event = id.0,
            action = event.action.as_str(),
            actor = stamp.actor.0,
            source = event.source_id.map(|id| id.0),
            version = event.version_id.map(|id| id.0),
            attempt = about.and_then(About::attempt).map(|id| id.0),
            verdict = about.and_then(About::verdict).map(|id| id.0),
            edition = about.and_then(About::edition).map(|id| id.0),
            policy_revision = event.policy_revision,
            detail = event.detail,
        );
    }
}
