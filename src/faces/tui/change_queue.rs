//! Applies the operator's changes one after another, in the order of their keys, with undo and redo.

use std::sync::Arc;

use tokio::sync::mpsc::{Sender, UnboundedReceiver};

use super::format::name_lines;
use super::message::{Change, ChangeDone, Msg, Refused};
use super::rows::load_rows;
use super::worker_handle::WorkerHandle;
use crate::app::{
    App, Error, ErrorKind, LeftAlone, LeftAtPaths, NewSource, Result, Undo, Undone, Unpublished,
};
use crate::domain::{Address, Edit, SettingsPatch, Source, SourceId};
use crate::faces::file_change::{FileChange, FileOutcome, Seen};
use crate::faces::text::{clean, count};

/// Most changes that can be undone.
const UNDOS: usize = 50;

/// The task that applies changes, with the undo and redo stacks of this session.
pub(super) struct ChangeQueue {
    app: Arc<App>,
    worker: Arc<dyn WorkerHandle>,
    messages: Sender<Msg>,
    /// The undo step of each change; that of the latest change is last.
    undos: Vec<Undo>,
    /// The redo step of each undone change; that of the change undone last is last.
    redos: Vec<Undo>,
    /// Whether this session has changed anything, even if all of it was undone.
    has_changed: bool,
    /// Whether the latest undo step is a toggle. A toggle of the same sources right after it joins that step.
    switched: bool,
}

impl ChangeQueue {
    pub(super) fn new(app: Arc<App>, worker: Arc<dyn WorkerHandle>, messages: Sender<Msg>) -> Self {
        Self {
            app,
            worker,
            messages,
            undos: Vec::new(),
            redos: Vec::new(),
            has_changed: false,
            switched: false,
        }
    }

    /// Applies every change of the channel until the dashboard stops listening.
    pub(super) async fn run(mut self, mut changes: UnboundedReceiver<Change>) {
        while let Some(change) = changes.recv().await {
            let origin = change.origin();
            let message = match self.make(change).await {
                Ok(made) => Msg::ChangeDone(Box::new(ChangeDone { origin, ..made })),
                Err(error) => Msg::Refused(Refused {
                    text: error.with_hint(),
                    origin,
                }),
            };
            if self.messages.send(message).await.is_err() {
                return;
            }
        }
    }

    async fn make(&mut self, change: Change) -> Result<ChangeDone> {
        match change {
            Change::Add(new) => self.add(new).await,
            Change::Edit(ids, edit) => {
                let before = self.present(&ids).await?;
                self.edit(before, *edit, "changed").await
            }
            Change::Toggle(ids) => self.toggle(&ids).await,
            Change::Remove(ids) => {
                let removed = self.app.remove(&selectors(&ids), false).await?;
                self.remember(Undo::Removed(ids.clone()));
                let sources = count(removed.sources.len(), "source");
                let left = self.app.left_of(&removed.sources).await?;
                let at_paths = if left.is_empty() {
                    still_there(&self.app.left_at_paths(&removed.sources).await?)
                } else {
                    String::new()
                };
                let in_sets = match self.app.left_in_sets(&removed.sources).await?.len() {
                    0 => String::new(),
                    left => {
                        format!("; {left} still in the folder of their set until its next edition")
                    }
                };
                let text = format!("removed {sources}{at_paths}{in_sets}; z brings back");
                Ok(self.done(text + &not_published(&left), ids).await)
            }
            Change::Revert {
                is_redo,
                may_remove,
            } => self.revert(is_redo, &may_remove).await,
        }
    }

    async fn add(&mut self, new: Vec<NewSource>) -> Result<ChangeDone> {
        self.refuse_former(&new).await?;
        let added = self.app.add(new).await?;
        let ids: Vec<_> = added.iter().map(|added| added.source.id).collect();
        self.remember(Undo::Added(ids.clone()));
        let text = format!("added {}", count(ids.len(), "source"));
        Ok(ChangeDone {
            shown: ids.first().copied(),
            added: ids.clone(),
            ..self.done(text, ids).await
        })
    }

    /// Refuses addresses of removed sources: a second history of the same file is seldom meant.
    async fn refuse_former(&self, new: &[NewSource]) -> Result<()> {
        // A text that is no address belongs to no removed source; adding it is refused later.
        let parsed = |new: &NewSource| Address::parse(&new.address, true).ok();
        let addresses: Vec<_> = new.iter().filter_map(parsed).collect();
        let former = self.app.formerly(&addresses).await?;
        let Some(former) = former.into_iter().flatten().next() else {
            return Ok(());
        };
        let (id, name) = (former.id, former.settings.name);
        let message = format!("this was source {id} ({name}), which was removed");
        let hint = format!(
            "`gannet restore {id}` goes on with its history; `gannet add --new` begins another"
        );
        Err(Error::new(ErrorKind::Conflict, message).hint(hint))
    }

    /// Switches all sources on if the first of them is off in the catalogue now, else all off, whatever the screen
    /// showed.
    async fn toggle(&mut self, ids: &[SourceId]) -> Result<ChangeDone> {
        let before = self.present(ids).await?;
        let first = before.iter().find(|source| ids.first() == Some(&source.id));
        let enabled = !first.is_some_and(|source| source.settings.enabled);
        let patch = SettingsPatch {
            enabled: Some(enabled),
            ..SettingsPatch::default()
        };
        let word = if enabled {
            "switched on"
        } else {
            "switched off"
        };
        let (depth, had_switched) = (self.undos.len(), self.switched);
        let made = self.edit(before, patch, word).await?;
        self.switched = !had_switched || self.join_switches(depth);
        Ok(made)
    }

    /// Returns these sources as they are before a change; refuses the change if one of them was removed meanwhile.
    async fn present(&self, ids: &[SourceId]) -> Result<Vec<Source>> {
        let sources = self.app.sources_by_id(ids.to_vec()).await?;
        if sources.len() < ids.len() {
            return Err(Error::not_found("removed meanwhile: nothing is changed"));
        }
        Ok(sources)
    }

    /// Applies a patch to these sources, given as they were before it.
    async fn edit(
        &mut self,
        before: Vec<Source>,
        patch: SettingsPatch,
        word: &str,
    ) -> Result<ChangeDone> {
        let ids: Vec<_> = before.iter().map(|source| source.id).collect();
        let edits = self.app.edit(&selectors(&ids), patch).await?;
        let mut text = match &edits[..] {
            [one] => format!("{word} {}", clean(&one.source.settings.name)),
            many => format!("{word} {}", count(many.len(), "source")),
        };
        // The change is committed: an error of this read must not hide the change.
        let made = edits.iter().map(|one| (one.source.id, &one.edit));
        let ended = self.app.refusals_ended_by(made).await.unwrap_or_default();
        let Some(undo) = Undo::of_edits(edits) else {
            let text = "nothing changed: it was so already".to_owned();
            return Ok(self.done(text, ids).await);
        };
        self.remember(undo);
        self.worker.wake();
        text.push_str(&self.files_since(&before).await);
        for one in ended {
            text.push_str("; ");
            text.push_str(&clean(&one.to_string()));
        }
        Ok(self.done(text, ids).await)
    }

    /// Returns a clause on the changes to the published files of these sources, given the sources before the change.
    async fn files_since(&self, before: &[Source]) -> String {
        let ids = before.iter().map(|source| source.id).collect();
        // The change is committed: an error of this read must not hide the change. The task that watches the catalogue
        // sends the rows too.
        let now = self.app.sources_by_id(ids).await.unwrap_or_default();
        files_between(before, &now)
    }

    /// Joins the last two undo steps if both toggle the same sources with no other change between. So one undo reverts
    /// all toggles of a held key, and older steps are not pushed out. Two toggles that cancel each other leave no step.
    /// Returns whether the latest step is still a toggle.
    fn join_switches(&mut self, depth: usize) -> bool {
        let [.., Undo::Edited(first), Undo::Edited(last)] = &self.undos[..] else {
            return true;
        };
        let follows = first.len() == last.len()
            && first
                .iter()
                .zip(last)
                .all(|((one, before), (other, after))| {
                    one == other && before.after == after.before
                });
        // A full stack drops its oldest step, so the new step did not make the stack longer.
        if !follows || self.undos.len() <= depth && depth < UNDOS {
            return true;
        }
        let joined: Vec<_> = first
            .iter()
            .zip(last)
            .map(|((id, first), (_, last))| {
                let edit = Edit {
                    before: first.before.clone(),
                    after: last.after.clone(),
                };
                (*id, edit)
            })
            .collect();
        self.undos.truncate(self.undos.len() - 2);
        let is_one = joined.iter().any(|(_, edit)| edit.before != edit.after);
        if is_one {
            self.undos.push(Undo::Edited(joined));
        }
        is_one
    }

    /// Undoes the latest change, or redoes the one undone last. A step that would remove sources returns a question
    /// first.
    async fn revert(&mut self, is_redo: bool, may_remove: &[SourceId]) -> Result<ChangeDone> {
        self.switched = false;
        let stack = if is_redo { &self.redos } else { &self.undos };
        let Some(undo) = stack.last().cloned() else {
            return Ok(text_only(self.nothing_to_revert(is_redo)));
        };
        match &undo {
            Undo::Added(ids) if may_remove.is_empty() => return self.question(is_redo, ids).await,
            Undo::Added(ids) if ids == may_remove => {}
            _ if may_remove.is_empty() => {}
            _ => {
                return Ok(text_only(
                    "something else was changed meanwhile: nothing is removed",
                ));
            }
        }
        // Sources that are gone by now are reported as left alone.
        let before = self.app.sources_by_id(ids_of(&undo)).await?;
        let undone = self.apply_step(&undo, is_redo).await?;
        self.worker.wake();
        let word = if is_redo { "made again" } else { "taken back" };
        let mut text = format!("{word}: {}", count(undone.sources.len(), "source"));
        text.push_str(&left_alone(&undone.left_alone));
        text.push_str(&self.files_since(&before).await);
        let ids = ids_of(&undo);
        let shown = match undo {
            Undo::Removed(ids) => ids.first().copied(),
            Undo::Added(_) | Undo::Edited(_) => None,
        };
        Ok(ChangeDone {
            shown,
            ..self.done(text, ids).await
        })
    }

    fn nothing_to_revert(&self, is_redo: bool) -> &'static str {
        match (is_redo, self.has_changed) {
            (true, _) => "nothing to make again: no change is taken back",
            (false, true) => "nothing to take back any more",
            (false, false) => "nothing to take back: this session has changed nothing",
        }
    }

    /// Undoes or redoes a step, and moves it from its stack to the other.
    async fn apply_step(&mut self, undo: &Undo, is_redo: bool) -> Result<Undone> {
        let undone = if is_redo {
            self.app.redo(undo).await
        } else {
            self.app.undo(undo).await
        };
        // A step that failed because something is unavailable stays on its stack for another try.
        let stays = undone
            .as_ref()
            .is_err_and(|error| error.kind == ErrorKind::Unavailable);
        let (from, to) = if is_redo {
            (&mut self.redos, &mut self.undos)
        } else {
            (&mut self.undos, &mut self.redos)
        };
        if !stays {
            from.pop();
        }
        let mut undone = undone?;
        to.extend(undone.redo.take());
        Ok(undone)
    }

    /// Returns the question asked before an undo or redo removes sources.
    async fn question(&self, is_redo: bool, ids: &[SourceId]) -> Result<ChangeDone> {
        let sources = self.app.sources_by_id(ids.to_vec()).await?;
        let number = count(sources.len(), "source");
        let mut text = vec![if is_redo {
            format!("Remove {number} again?")
        } else {
            format!("Take back the addition of {number}, which removes them?")
        }];
        text.extend(name_lines(sources.iter()));
        text.push("History stays, and `z` and `Z` bring them back.".to_owned());
        let change = Change::Revert {
            is_redo,
            may_remove: ids.to_vec(),
        };
        Ok(ChangeDone {
            question: Some((text, change)),
            ..ChangeDone::default()
        })
    }

    /// Pushes the undo step of a new change, which clears the redo stack.
    fn remember(&mut self, undo: Undo) {
        if self.undos.len() == UNDOS {
            self.undos.remove(0);
        }
        self.undos.push(undo);
        self.redos.clear();
        self.has_changed = true;
        self.switched = false;
    }

    /// Returns the message for a committed change of these sources, with their rows as they are now.
    async fn done(&self, mut text: String, ids: Vec<SourceId>) -> ChangeDone {
        let unpublished = self.app.unpublished_of(&ids).await.unwrap_or_default();
        text.push_str(&not_published(&unpublished));
        // The change is committed: an error of this read must not hide the change. The task that watches the catalogue
        // sends the rows too.
        let (rows, gone) = load_rows(&self.app, ids).await.unwrap_or_default();
        ChangeDone {
            text,
            rows,
            gone,
            ..ChangeDone::default()
        }
    }
}

/// Returns the sources that an undo step is about.
fn ids_of(undo: &Undo) -> Vec<SourceId> {
    match undo {
        Undo::Added(ids) | Undo::Removed(ids) => ids.clone(),
        Undo::Edited(edits) => edits.iter().map(|(id, _)| *id).collect(),
    }
}

/// Returns a clause on the published files that differ `now`: one in words, several as a number. `not_published`
/// reports failed publications.
fn files_between(before: &[Source], now: &[Source]) -> String {
    let changed: Vec<_> = now
        .iter()
        .filter_map(|now| {
            let before = before.iter().find(|before| before.id == now.id)?;
            let file = FileChange::between(Seen::of(before).as_ref(), now);
            let is_same = matches!(
                file.change,
                FileOutcome::Unchanged | FileOutcome::Nothing | FileOutcome::Failed
            );
            (!is_same).then(|| file.clause())
        })
        .collect();
    match (now, &changed[..]) {
        (_, []) => String::new(),
        ([_], [words]) => format!("; {words}"),
        (_, all) => format!("; {} otherwise now", count(all.len(), "published file")),
    }
}

fn text_only(text: &str) -> ChangeDone {
    ChangeDone {
        text: text.to_owned(),
        ..ChangeDone::default()
    }
}

/// Returns a clause on the published files of removed sources that stay for now: their number, and until when.
fn still_there(left: &LeftAtPaths) -> String {
    let until = match &left.needs {
        Some(needs) => format!("until a pass with {}", clean(needs)),
        None => "until the next pass".to_owned(),
    };
    match left.sources.len() {
        0 => String::new(),
        1 => format!("; its file is still published {until}"),
        files => format!("; {files} files are still published {until}"),
    }
}

/// Returns a clause on the files and folders that could not be published: their number, and the first one's error.
fn not_published(all: &[Unpublished]) -> String {
    match all {
        [] => String::new(),
        [one] => format!("; not published: {}: {}", clean(&one.what), clean(&one.why)),
        [first, ..] => format!(
            "; {} not published, the first {}: {}",
            all.len(),
            clean(&first.what),
            clean(&first.why)
        ),
    }
}

/// Returns a clause on the settings that an undo left alone because somebody else has changed them since.
fn left_alone(all: &[LeftAlone]) -> String {
    const SHOWN: usize = 3;
    let shown = all.iter().take(SHOWN);
    let mut parts: Vec<_> = shown
        .map(|one| format!("{} ({})", clean(&one.name), one.settings.join(", ")))
        .collect();
    if let more @ 1.. = all.len().saturating_sub(SHOWN) {
        parts.push(format!("{more} more"));
    }
    if parts.is_empty() {
        return String::new();
    }
    format!(
        "; left alone, since changed by others: {}",
        parts.join(", ")
    )
}

fn selectors(ids: &[SourceId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{PublishPolicy, VersionId, VersionState};
    use crate::faces::fixtures::source;

    fn showing(id: i64, version: Option<i64>) -> Source {
        let mut one = source(id, "prices");
        one.state.version_id = Some(VersionId(13));
        one.state.version_state = Some(VersionState::Failed);
        one.state.published_version_id = version.map(VersionId);
        one
    }

    #[test]
    fn a_change_says_what_consumers_see_otherwise_by_it() {
        let mut newest = showing(1, Some(13));
        newest.settings.publish = PublishPolicy::Newest;
        let words = |before: &[Source], now: &[Source]| files_between(before, now);
        for (before, now, expected) in [
            (
                showing(1, Some(12)),
                newest.clone(),
                "; published v13, which failed, at example.org/1.csv by the rule `newest`",
            ),
            (
                newest.clone(),
                showing(1, Some(12)),
                "; published v12 at example.org/1.csv, back from v13",
            ),
            (
                newest.clone(),
                showing(1, None),
                "; no longer published at example.org/1.csv",
            ),
            (newest.clone(), newest, ""),
            (showing(1, None), showing(1, None), ""),
        ] {
            assert_eq!(words(&[before], &[now]), expected);
        }
        let before = [1, 2, 3].map(|id| showing(id, Some(12)));
        let mut now = before.clone();
        now[0].state.published_version_id = None;
        now[1].state.published_version_id = Some(VersionId(13));
        assert_eq!(words(&before, &now), "; 2 published files otherwise now");
    }
}
