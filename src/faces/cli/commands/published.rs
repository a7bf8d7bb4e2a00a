//! The effect of a command on published files, and the files that could not be brought up to date.
//!
//! Never publishes: the next pass does what could not be done at once, and the command reports so.

use std::collections::HashMap;

use crate::app::{App, Error, Unpublished};
use crate::domain::{EventId, Source, SourceId};
use crate::faces::cli::{Console, ExitStatus};
use crate::faces::file_change::{FileChange, Seen};
use crate::faces::text::clean;

/// The number of failures that are listed one by one.
const MOST_FAILURES: usize = 20;

/// Warns of published files of these sources, and folders of their sets, that are out of date after a command recorded
/// its work. Returns the exit code.
pub(super) async fn warn_of_unpublished(
    app: &App,
    sources: impl IntoIterator<Item = SourceId>,
    console: &mut Console<'_>,
) -> Result<ExitStatus, Error> {
    let sources: Vec<_> = sources.into_iter().collect();
    Ok(print_publish_failures(
        &app.unpublished_of(&sources).await?,
        console,
    ))
}

/// Warns of these files and folders. Returns the exit code.
pub(super) fn print_publish_failures(
    failures: &[Unpublished],
    console: &mut Console<'_>,
) -> ExitStatus {
    if failures.is_empty() {
        return ExitStatus::Done;
    }
    // Results come first; the end of the command reports a failure to write them.
    let _ = console.out.flush();
    for Unpublished { what, why, .. } in failures.iter().take(MOST_FAILURES) {
        console.warn_line(&format!(
            "gannet: {}: not published: {}",
            clean(what),
            clean(why)
        ));
    }
    if let more @ 1.. = failures.len().saturating_sub(MOST_FAILURES) {
        console.warn_line(&format!("gannet: and {more} more are not published"));
    }
    console.warn_line(
        "  hint: all else is done and recorded; remove the cause, and the next pass publishes: gannet --worker-only",
    );
    ExitStatus::Problems
}

/// The published versions of sources before a command.
pub(super) struct Served {
    seen: HashMap<SourceId, Option<Seen>>,
    /// The newest event before the command.
    after: EventId,
}

impl Served {
    /// Starts recording published versions, before a command changes them.
    pub(super) async fn begin(app: &App) -> Result<Self, Error> {
        Ok(Self {
            seen: HashMap::new(),
            after: app.newest_event().await?,
        })
    }

    /// Records the published versions of these sources, keeping earlier records.
    pub(super) fn record<'a>(&mut self, sources: impl IntoIterator<Item = &'a Source>) {
        for source in sources {
            self.seen
                .entry(source.id)
                .or_insert_with(|| Seen::of(source));
        }
    }

    /// Warns of verdicts that were set aside since because their rows are unreadable.
    pub(super) async fn print_set_aside(
        &self,
        app: &App,
        console: &mut Console<'_>,
    ) -> Result<(), Error> {
        for line in app.set_aside_after(self.after).await? {
            console.warn_line(&format!("gannet: {}", clean(&line)));
        }
        Ok(())
    }

    /// Returns the change of each file since, by source, ordered by name. Purged sources are left out.
    pub(super) async fn changes(&self, app: &App) -> Result<Vec<(Source, FileChange)>, Error> {
        let ids = self.seen.keys().copied().collect();
        let now = app.sources_by_id(ids).await?.into_iter();
        let put_back = app.put_back_after(self.after).await?;
        let compared = now.map(|source| {
            let before = self.seen.get(&source.id).and_then(Option::as_ref);
            let change = FileChange::between(before, &source);
            let is_put_back = put_back.contains(&source.id);
            let change = if is_put_back {
                change.put_back()
            } else {
                change
            };
            (source, change)
        });
        Ok(compared.collect())
    }
}
