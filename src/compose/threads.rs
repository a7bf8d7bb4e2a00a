//! The runtime and its threads. It is built only if the system can start all the threads that the program needs, and
//! open the files that the runtime needs.
//!
//! A runtime whose threads cannot be started or whose files cannot be opened panics, or waits for ever.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::RwLock;
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};

use crate::app::{Error, ErrorKind, Result};
use crate::files::exhausted_resource;

/// Threads beside the runtime's workers: the store's writer, the log's writer, and some for blocking calls.
const BESIDE: usize = 8;
/// Pairs of sockets that are as many open files as the runtime takes: of an event queue, and of its signals.
const SOCKET_PAIRS: usize = 4;
/// Stack of a thread that only waits, in bytes: a small one is set up sooner.
const SMALL_STACK: usize = 64 << 10;
/// How long an idle thread for blocking calls stays: longer than the pause between two passes. While one such thread is
/// alive, further calls can wait for it if the system refuses to start another.
const KEEP_ALIVE: Duration = Duration::from_mins(3);

/// Builds the runtime; an error if the system cannot start enough threads.
pub(super) fn runtime() -> Result<Runtime> {
    let workers = thread::available_parallelism().map_or(2, usize::from);
    try_starting(workers + BESIDE)?;
    let sockets: io::Result<Vec<_>> = (0..SOCKET_PAIRS).map(|_| UnixStream::pair()).collect();
    drop(sockets.map_err(|error| cannot_start(&error))?);
    Builder::new_multi_thread()
        .worker_threads(workers)
        .thread_keep_alive(KEEP_ALIVE)
        .enable_all()
        .build()
        .map_err(|error| cannot_start(&error))
}

fn cannot_start(error: &io::Error) -> Error {
    let why = exhausted_resource(error).map_or_else(|| error.to_string(), str::to_owned);
    Error::new(
        ErrorKind::Unavailable,
        format!("cannot start the runtime: {why}"),
    )
}

/// Raises the number of files that this process may open to what the system allows it: each connection is one.
pub(super) fn allow_connections() {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let raised = rustix::process::Rlimit {
        current: limit.maximum,
        ..limit
    };
    if let Err(error) = rustix::process::setrlimit(rustix::process::Resource::Nofile, raised) {
        tracing::warn!("cannot raise the number of open files: {error}");
    }
}

/// Starts `count` threads at once and lets them end; an error if the system cannot start them.
fn try_starting(count: usize) -> Result<()> {
    let before = count_threads();
    let gate = RwLock::new(());
    let started = thread::scope(|scope| {
        let closed = gate.write();
        let started = (0..count).try_for_each(|_| {
            let wait = || drop(gate.read());
            let builder = thread::Builder::new().stack_size(SMALL_STACK);
            builder.spawn_scoped(scope, wait).map(drop)
        });
        drop(closed);
        started
    });
    started.map_err(|error| {
        let message = format!("cannot start the {count} threads that it takes: {error}");
        Error::new(ErrorKind::Unavailable, message).hint(
            "raise the number of processes that are allowed: `ulimit -u`, TasksMax= of the service, or the container's pids limit",
        )
    })?;
    wait_until_gone(before);
    Ok(())
}

/// Waits, a second at most, until the system no longer counts the ended threads: they would use up its limit.
fn wait_until_gone(before: Option<usize>) {
    const LIMIT: Duration = Duration::from_secs(1);
    let begun = Instant::now();
    while count_threads() > before && begun.elapsed() < LIMIT {
        thread::yield_now();
    }
}

/// Returns the number of this process's threads, if the system reports it.
fn count_threads() -> Option<usize> {
    Some(std::fs::read_dir("/proc/self/task").ok()?.count())
}
