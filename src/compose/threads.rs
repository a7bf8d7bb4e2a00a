//! The runtime and its threads: built only where as many can be started as the program cannot do without.
//!
//! A runtime whose workers cannot be started panics, or waits for ever for a thread that never comes.

use std::sync::RwLock;
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};

use crate::app::{Error, ErrorKind, Result};

/// Threads beside the runtime's workers: the store's writer, the log's, and some that may block.
const BESIDE: usize = 8;
/// What a thread that only waits needs: the less is set up for each, the sooner the program begins.
const SMALL_STACK: usize = 64 << 10;
/// Longer than the pause between two passes: as long as one thread that may block is alive, what more there is to do waits for
/// it when no other can be started.
const KEEP_ALIVE: Duration = Duration::from_mins(3);

/// Builds the runtime.
pub(super) fn runtime() -> Result<Runtime> {
    let workers = thread::available_parallelism().map_or(2, usize::from);
    try_starting(workers + BESIDE)?;
    Builder::new_multi_thread()
        .worker_threads(workers)
        .thread_keep_alive(KEEP_ALIVE)
        .enable_all()
        .build()
        .map_err(|error| {
            Error::new(
                ErrorKind::Unavailable,
                format!("cannot start the runtime: {error}"),
            )
        })
}

/// Starts so many threads at once, and lets them end.
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

/// Waits for ended threads to be gone from the system's count, which limits how many can be started next.
fn wait_until_gone(before: Option<usize>) {
    const LIMIT: Duration = Duration::from_secs(1);
    let begun = Instant::now();
    while count_threads() > before && begun.elapsed() < LIMIT {
        thread::yield_now();
    }
}

/// Counts this process's threads, where the system tells.
fn count_threads() -> Option<usize> {
    Some(std::fs::read_dir("/proc/self/task").ok()?.count())
}
