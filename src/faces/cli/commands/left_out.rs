//! Sources that a page of all histories is without: the catalogue is damaged where theirs should be.

use crate::app::{App, Error, ErrorKind, History};
use crate::domain::Source;
use crate::faces::cli::exit::damaged_history;
use crate::faces::cli::{Console, ExitStatus};

/// Which sources were left out so far, a line each.
#[derive(Default)]
pub(super) struct LeftOut(Vec<String>);

impl LeftOut {
    /// Returns the history of a source, its newest `limit` attempts and versions, all without a limit. Nothing comes back of one
    /// that was purged meanwhile, and of one that is damaged, which is noted.
    pub(super) async fn history(
        &mut self,
        app: &App,
        source: &Source,
        limit: Option<usize>,
    ) -> Result<Option<History>, Error> {
        match app.history_of(source.id, limit).await {
            Err(error) if error.kind == ErrorKind::Damaged => {
                self.0.push(damaged_history(source, &error));
                Ok(None)
            }
            history => history,
        }
    }

    /// Says what is missing, and returns the exit code that follows.
    pub(super) fn tell(&self, console: &mut Console<'_>) -> ExitStatus {
        for line in &self.0 {
            console.warn(&format!("{line}, and is left out"));
        }
        if self.0.is_empty() {
            ExitStatus::Done
        } else {
            ExitStatus::CouldNotRun
        }
    }
}
