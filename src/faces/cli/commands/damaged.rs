//! Histories of which the catalogue has damaged or lost versions.

use crate::app::{App, Error, History};
use crate::domain::Source;
use crate::faces::cli::exit::damaged_history;
use crate::faces::cli::{Console, ExitStatus};

/// A message for each incomplete history.
#[derive(Default)]
pub(super) struct Damaged(Vec<String>);

impl Damaged {
    /// Returns the readable history of a source, its newest `limit` attempts and versions (`None` for all), and
    /// records a message if it is incomplete. `None` for a source that was purged meanwhile.
    pub(super) async fn history(
        &mut self,
        app: &App,
        source: &Source,
        limit: Option<usize>,
    ) -> Result<Option<History>, Error> {
        let found = app.sound_history_of(source.id, limit).await?;
        Ok(found.map(|found| self.record(found)))
    }

    /// Returns the history, and records a message if it is incomplete.
    pub(super) fn record(&mut self, (history, damage): (History, Option<Error>)) -> History {
        let line = damage.map(|damage| damaged_history(&history.source, &damage));
        self.0.extend(line);
        history
    }

    /// Prints the messages, and returns the exit code.
    pub(super) fn report(&self, console: &mut Console<'_>) -> ExitStatus {
        for line in &self.0 {
            console.warn(line);
        }
        if self.0.is_empty() {
            ExitStatus::Done
        } else {
            ExitStatus::CouldNotRun
        }
    }
}
