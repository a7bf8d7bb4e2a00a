//! The log file: one JSON object a line, a file a day, so many days kept.
//!
//! Events of the catalogue have the target `gannet::event`; everything else is a warning or an error about them.

use std::io::{self, BufWriter};
use std::path::Path;

use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_appender::rolling::{InitError, RollingFileAppender, Rotation};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::config::LogConfig;

/// The log could not be begun.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the log in {path}: {reason}")]
pub struct LogError {
    path: std::path::PathBuf,
    reason: String,
}

/// Begins the log in `folder`; what is returned writes the last lines when it is dropped.
///
/// Lines are written by a thread of their own and none is dropped: a full queue makes the caller wait.
pub fn start(folder: &Path, config: &LogConfig) -> Result<WorkerGuard, LogError> {
    let failed = |reason: String| LogError {
        path: folder.to_owned(),
        reason,
    };
    std::fs::create_dir_all(folder).map_err(|error: io::Error| failed(error.to_string()))?;
    let file = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("gannet")
        .filename_suffix("log")
        .max_log_files(config.keep_days)
        .build(folder)
        .map_err(|error: InitError| failed(error.to_string()))?;
    // The thread flushes when no line waits: many lines share one write, and, as long as writing works, none is kept back.
    let file = BufWriter::new(file);
    let (writer, guard) = NonBlockingBuilder::default().lossy(false).finish(file);
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_writer(writer);
    let only_ours =
        tracing_subscriber::filter::Targets::new().with_target("gannet", LevelFilter::INFO);
    let subscriber = tracing_subscriber::registry().with(only_ours).with(lines);
    // A second start in one process (tests, a demo) keeps the first log.
    let _ = tracing::subscriber::set_global_default(subscriber);
    Ok(guard)
}
