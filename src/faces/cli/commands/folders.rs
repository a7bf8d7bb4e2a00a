//! The effect of a command on the folders of sets.
//!
//! Never looks at a folder, only at the catalogue.

use std::collections::BTreeSet;

use crate::app::{App, Error, SetFolder};
use crate::domain::EventId;
use crate::faces::cli::Console;
use crate::faces::file_change::FileOutcome;
use crate::faces::folder_change::{ChangedFolder, FolderChange};

/// The published edition of every set before a command; `None` where it could not be read. Commands that need it then
/// fail, and commands that repair the catalogue go on.
pub struct SetFolders {
    folders: Option<Vec<SetFolder>>,
    /// The newest event before the command; `None` where it could not be read.
    after: Option<EventId>,
}

impl SetFolders {
    /// Reads the published edition of every set.
    pub async fn now(app: &App) -> Self {
        Self {
            folders: app.set_folders().await.ok(),
            after: app.newest_event().await.ok(),
        }
    }

    /// Returns the sets whose folders were restored since.
    async fn put_back(&self, app: &App) -> Result<Vec<String>, Error> {
        match self.after {
            Some(after) => app.sets_put_back_after(after).await,
            None => Ok(Vec::new()),
        }
    }

    /// Returns the change of a set's folder since.
    pub(super) async fn change_of(&self, app: &App, set: &str) -> Result<FolderChange, Error> {
        let now = app.set_folders().await?;
        let before = self.folders.as_deref().unwrap_or_default();
        let put_back = self.put_back(app).await?;
        let change = FolderChange::between(find(before, set), find(&now, set));
        Ok(change.put_back_if(put_back.iter().any(|one| one == set)))
    }

    /// Returns the changed folders, ordered by set.
    pub(crate) async fn changes(&self, app: &App) -> Result<Vec<ChangedFolder>, Error> {
        let Some(before) = &self.folders else {
            return Ok(Vec::new());
        };
        let now = app.set_folders().await?;
        let put_back = self.put_back(app).await?;
        let names: BTreeSet<_> = before.iter().chain(&now).map(|one| &one.set.name).collect();
        let changes = names.into_iter().filter_map(|set| {
            let (before, now) = (find(before, set), find(&now, set));
            let failed =
                |one: Option<&SetFolder>| one.and_then(|one| one.set.publish_error.clone());
            let published = FolderChange::between(before, now).put_back_if(put_back.contains(set));
            let is_news = match published.change {
                FileOutcome::Unchanged | FileOutcome::Nothing => false,
                // The failure existed before this command.
                FileOutcome::Failed => failed(before) != failed(now),
                _ => true,
            };
            let set = set.clone();
            is_news.then_some(ChangedFolder { set, published })
        });
        Ok(changes.collect())
    }

    /// Prints the change of each changed folder on stdout.
    pub async fn print(&self, app: &App, console: &mut Console<'_>) {
        let lines = self.lines(app).await;
        // A closed stdout cannot be reported.
        let _ = lines.iter().try_for_each(|line| console.print_line(line));
    }

    /// Prints the change of each changed folder on stderr.
    pub async fn print_to_stderr(&self, app: &App, console: &mut Console<'_>) {
        for line in self.lines(app).await {
            console.note(&line);
        }
    }

    async fn lines(&self, app: &App) -> Vec<String> {
        // The command has reported an unreadable store.
        let changes = self.changes(app).await.unwrap_or_default();
        changes.iter().map(ChangedFolder::line).collect()
    }
}

fn find<'a>(folders: &'a [SetFolder], set: &str) -> Option<&'a SetFolder> {
    folders.iter().find(|one| one.set.name == set)
}
