//! What has to be said while the work goes on: long waits for other processes, a log that cannot be written. On stderr, or
//! where the dashboard shows it.

use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::app::App;
use crate::domain::{Action, NewEvent};
use crate::store::Fact;

/// Who is told a line.
pub(super) type Tell = Arc<dyn Fn(&str) + Send + Sync>;

/// Where lines go: to stderr, until another place is given.
#[derive(Clone, Default)]
pub(super) struct Notes(Arc<Mutex<Option<Tell>>>);

impl Notes {
    /// Returns what tells a line, from any thread.
    pub(super) fn teller(&self) -> Tell {
        let notes = self.clone();
        Arc::new(move |line: &str| notes.say(line))
    }

    /// Tells `place` instead of stderr from now on.
    pub(super) fn redirect(&self, place: Tell) {
        *self.place() = Some(place);
    }

    /// Tells a line.
    pub(super) fn say(&self, line: &str) {
        let elsewhere = self.place().clone();
        match elsewhere {
            Some(tell) => tell(line),
            // There is nowhere to report that stderr is closed.
            None => drop(writeln!(std::io::stderr(), "gannet: {line}")),
        }
    }

    fn place(&self) -> std::sync::MutexGuard<'_, Option<Tell>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The log's failures on their way into the catalogue: told at once, recorded as events by whoever has time.
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

    /// Returns what the log's thread tells.
    pub(super) fn teller(&self, notes: &Notes) -> Tell {
        let (sender, notes) = (self.sender.clone(), notes.clone());
        Arc::new(move |line: &str| {
            notes.say(line);
            // Nobody records any more when the process is about to end.
            let _ = sender.send(line.to_owned());
        })
    }

    /// Records each failure as it comes.
    pub(super) async fn record_all(&self, app: &App) -> std::convert::Infallible {
        let mut receiver = self.receiver.lock().await;
        loop {
            match receiver.recv().await {
                Some(line) => record(app, line).await,
                None => std::future::pending().await,
            }
        }
    }

    /// Records those that came already.
    pub(super) async fn record_rest(&self, app: &App) {
        let mut receiver = self.receiver.lock().await;
        while let Ok(line) = receiver.try_recv() {
            record(app, line).await;
        }
    }
}

async fn record(app: &App, line: String) {
    let event = NewEvent::of(Action::LogFailed).detail(line);
    if let Err(error) = app
        .ports()
        .store
        .record(Fact::Event(event), app.stamp())
        .await
    {
        // It was told on stderr, and the disk of the catalogue may be the same one.
        tracing::warn!("{error}");
    }
}
