//! Notes to the operator while a command works: long waits for other processes, a log that cannot be written. They go
//! to stderr, or to the dashboard.

use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::app::App;
use crate::domain::{Action, NewEvent};
use crate::store::Fact;

/// Receives one line of text.
pub(super) type Tell = Arc<dyn Fn(&str) + Send + Sync>;

/// The place that receives notes: stderr until [`Notes::redirect`] sets another.
#[derive(Clone, Default)]
pub(super) struct Notes(Arc<Mutex<Option<Tell>>>);

impl Notes {
    /// Returns a function that prints a note; any thread may call it.
    pub(super) fn teller(&self) -> Tell {
        let notes = self.clone();
        Arc::new(move |line: &str| notes.say(line))
    }

    /// Sends notes to `place` instead of stderr from now on.
    pub(super) fn redirect(&self, place: Tell) {
        *self.place() = Some(place);
    }

    /// Prints a note.
    pub(super) fn say(&self, line: &str) {
        let elsewhere = self.place().clone();
        match elsewhere {
            Some(tell) => tell(line),
            // An error is ignored: a closed stderr can be reported nowhere.
            None => drop(writeln!(std::io::stderr(), "gannet: {line}")),
        }
    }

    fn place(&self) -> std::sync::MutexGuard<'_, Option<Tell>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Failures of the log's thread: printed as notes at once, and queued until they are recorded as events.
pub(super) struct LogTroubles {
    sender: UnboundedSender<String>,
    receiver: tokio::sync::Mutex<UnboundedReceiver<String>>,
}

impl LogTroubles {
    pub(super) fn new() -> Self {
        let (sender, receiver) = unbounded_channel();
        Self {
            sender,
            receiver: receiver.into(),
        }
    }

    /// Returns the function to which the log's thread reports its failures.
    pub(super) fn teller(&self, notes: &Notes) -> Tell {
        let (sender, notes) = (self.sender.clone(), notes.clone());
        Arc::new(move |line: &str| {
            notes.say(line);
            // The receiver is gone when the process is about to end.
            let _ = sender.send(line.to_owned());
        })
    }

    /// Records each failure as an event when it comes; never returns.
    pub(super) async fn record_all(&self, app: &App) -> std::convert::Infallible {
        let mut receiver = self.receiver.lock().await;
        loop {
            match receiver.recv().await {
                Some(line) => record(app, line).await,
                None => std::future::pending().await,
            }
        }
    }

    /// Records the failures that are still queued.
    pub(super) async fn record_rest(&self, app: &App) {
        let mut receiver = self.receiver.lock().await;
        while let Ok(line) = receiver.try_recv() {
            record(app, line).await;
        }
    }
}

async fn record(app: &App, line: String) {
    let event = NewEvent::of(Action::LogFailed).detail(line);
    if let Err(error) = app.record(Fact::Event(event)).await {
        // The note has been printed; catalogue and log may share the disk that failed.
        tracing::warn!("{error}");
    }
}
