//! The process's signals: the first SIGINT or SIGTERM stops gently, the second at once.
//!
//! A single pass never listens for SIGHUP. With `--loop` a worker reads its configuration again on SIGHUP, and so
//! outlives its terminal even without `nohup`.

use std::convert::Infallible;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use rustix::process::Signal as Number;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::worker::Stop;

/// Stack of the thread that cleans up, in bytes: enough to remove a folder.
const STACK: usize = 128 << 10;

/// The signals that ask to stop. A signal for which no listener could be set keeps its default action.
pub(super) struct Signals(Vec<Signal>);

impl Signals {
    /// Listens for SIGINT and SIGTERM.
    pub(super) fn new() -> Self {
        Self::of(&[SignalKind::interrupt(), SignalKind::terminate()])
    }

    /// Listens for SIGHUP too: a dashboard stops in order when its terminal is gone.
    pub(super) fn with_hang_up() -> Self {
        Self::of(&[
            SignalKind::interrupt(),
            SignalKind::terminate(),
            SignalKind::hangup(),
        ])
    }

    fn of(kinds: &[SignalKind]) -> Self {
        Self(kinds.iter().filter_map(|kind| signal(*kind).ok()).collect())
    }

    /// Requests a stop on each signal; never returns.
    pub(super) async fn request_stops(mut self, stop: &Stop) -> Infallible {
        loop {
            self.next().await;
            tracing::warn!("stopping: a signal came");
            stop.request();
        }
    }

    /// Waits for the next signal.
    pub(super) async fn next(&mut self) {
        poll_fn(|context| {
            let came = self
                .0
                .iter_mut()
                .any(|signal| signal.poll_recv(context).is_ready());
            if came { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

/// Makes a write beyond the allowed size of a file fail with EFBIG, instead of ending the process by SIGXFSZ. The signal
/// gets a handler: programs that this process starts have the default action, as they would not for an ignored signal.
pub(super) fn survive_file_size_limit() {
    // Without a handler the signal keeps its default action.
    let _ = signal_hook::flag::register(Number::XFSZ.as_raw(), Arc::default());
}

/// Listens for SIGHUP; returns nothing if no listener can be set.
pub(super) fn hang_ups() -> Option<Signal> {
    signal(SignalKind::hangup()).ok()
}

/// Waits for SIGHUP; for ever without a listener.
pub(super) async fn hang_up(hang_ups: Option<&mut Signal>) {
    let came = match hang_ups {
        Some(signal) => signal.recv().await,
        None => None,
    };
    if came.is_none() {
        std::future::pending::<()>().await;
    }
}

/// The end of the process by a signal, which another thread carries out.
#[derive(Clone, Default)]
pub(super) struct EndBySignal(Arc<Mutex<()>>);

impl EndBySignal {
    /// Waits while a signal is ending the process; returns at once otherwise. A command that fails because the clean-up
    /// removed its temporary files must not end the process first, with an exit code of its own.
    pub(super) fn give_way(&self) {
        drop(self.0.lock());
    }
}

/// Calls `clean_up` on a signal that ends the process, then ends the process by that signal. A signal that the process
/// was started to ignore stays ignored. Without a thread to spare, signals keep their default action.
pub(super) fn clean_up_before_the_end(clean_up: impl FnOnce() + Send + 'static) -> EndBySignal {
    let end = EndBySignal::default();
    let begun = end.clone();
    let ignored = ignored();
    let deadly = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];
    let deadly = deadly
        .into_iter()
        .filter(move |one| ignored & (1 << (one - 1)) == 0);
    let (ready, listens) = std::sync::mpsc::channel();
    let watch = move || {
        let Ok(mut signals) = signal_hook::iterator::Signals::new(deadly) else {
            return;
        };
        let _ = ready.send(());
        if let Some(signal) = signals.forever().next() {
            let _end = begun.0.lock();
            clean_up();
            let _ = signal_hook::low_level::emulate_default_handler(signal);
        }
    };
    // A thread of its own: the command's thread may be blocked in a write.
    let _ = std::thread::Builder::new().stack_size(STACK).spawn(watch);
    // Waits until the thread listens, before the command makes a file. Returns at once if the thread was not started.
    let _ = listens.recv();
    end
}

/// Returns the signals that this process ignores, one bit each (proc(5), `SigIgn`); 0 if they cannot be read.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}

/// Requests a stop on each signal; never returns.
pub(super) async fn watch(stop: &Stop) -> Infallible {
    Signals::new().request_stops(stop).await
}
