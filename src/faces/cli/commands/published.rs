//! What a command made of published files, and which of them could not be brought up to date.
//!
//! Never publishes: what could not be done at once is left to the next pass, and said so.

use std::collections::HashMap;

use crate::app::{App, Error, Unpublished};
use crate::domain::{EventId, Source, SourceId};
use crate::faces::cli::{Console, ExitStatus};
use crate::faces::file_change::{FileChange, Seen};
use crate::faces::text::clean;

/// Failures that a command says one by one.
const MOST_FAILURES: usize = 20;

/// Says why published files of these sources, or folders of their sets, are not what they should be after a command that
/// recorded all that it had to. Returns the exit code that follows.
pub(super) async fn tell_unpublished(
    app: &App,
    sources: impl IntoIterator<Item = SourceId>,
    console: &mut Console<'_>,
) -> Result<ExitStatus, Error> {
    let sources: Vec<_> = sources.into_iter().collect();
    Ok(tell_failures(&app.unpublished_of(&sources).await?, console))
}

/// Does the same for these files and folders.
pub(super) fn tell_failures(failures: &[Unpublished], console: &mut Console<'_>) -> ExitStatus {
    if failures.is_empty() {
        return ExitStatus::Done;
    }
    // What was recorded comes first; that it cannot be written, the end of the command says.
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

/// What consumers saw of sources before a command.
pub(super) struct Served {
    seen: HashMap<SourceId, Option<Seen>>,
    /// The newest event before the command.
    after: EventId,
}

impl Served {
    /// Begins to note what consumers see, before a command changes it.
    pub(super) async fn begin(app: &App) -> Result<Self, Error> {
        Ok(Self {
            seen: HashMap::new(),
            after: app.newest_event().await?,
        })
    }

    /// Notes what consumers see of these sources. What was noted of one before stays.
    pub(super) fn note<'a>(&mut self, sources: impl IntoIterator<Item = &'a Source>) {
        for source in sources {
            self.seen
                .entry(source.id)
                .or_insert_with(|| Seen::of(source));
        }
    }

    /// Says which verdicts were set aside since because their rows could not be read.
    pub(super) async fn tell_set_aside(
        &self,
        app: &App,
        console: &mut Console<'_>,
    ) -> Result<(), Error> {
        for line in app.set_aside_after(self.after).await? {
            console.warn_line(&format!("gannet: {}", clean(&line)));
        }
        Ok(())
    }

    /// Returns what became of each file since, by source, in the order of their names. Sources that are there no more are left
    /// out.
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
