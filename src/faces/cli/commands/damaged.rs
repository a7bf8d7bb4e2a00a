//! Histories that are not whole: the catalogue is damaged where some of their versions should be.

use crate::app::{App, Error, History};
use crate::domain::Source;
use crate::faces::cli::exit::damaged_history;
use crate::faces::cli::{Console, ExitStatus};

/// Whose histories are not whole, a line each.
#[derive(Default)]
pub(super) struct Damaged(Vec<String>);

impl Damaged {
    /// Returns the history of a source as far as it is sound, and notes when that is not all: its newest `limit` attempts and
    /// versions, all without a limit. Nothing comes back of a source that was purged meanwhile.
    pub(super) async fn history(
        &mut self,
        app: &App,
        source: &Source,
        limit: Option<usize>,
    ) -> Result<Option<History>, Error> {
        let found = app.sound_history_of(source.id, limit).await?;
        Ok(found.map(|found| self.note(found)))
    }

    /// Returns a history, and notes when it is not whole.
    pub(super) fn note(&mut self, (history, damage): (History, Option<Error>)) -> History {
        let line = damage.map(|damage| damaged_history(&history.source, &damage));
        self.0.extend(line);
        history
    }

    /// Says what is missing, and returns the exit code that follows.
    pub(super) fn tell(&self, console: &mut Console<'_>) -> ExitStatus {
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
