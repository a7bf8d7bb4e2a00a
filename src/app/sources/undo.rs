//! Undoes an operator's last change, and redoes it.

use std::sync::Arc;

use crate::app::{App, Result};
use crate::domain::{Edit, SourceId};
use crate::store::{Edited, SourceChange};

/// How to undo a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undo {
    /// Remove the added sources; fetched versions stay as the history of removed sources.
    Added(Vec<SourceId>),
    /// Restore the settings before an edit, where they still have the edit's values.
    Edited(Vec<(SourceId, Edit)>),
    /// Restore removed sources with their histories.
    Removed(Vec<SourceId>),
}

/// The result of undoing a change.
#[derive(Clone, Debug)]
pub struct Undone {
    /// The sources that changed.
    pub sources: Vec<SourceId>,
    /// Settings that were left alone because somebody changed them after the undone change.
    pub left_alone: Vec<LeftAlone>,
    /// How to redo the change; `None` when nothing was undone.
    pub redo: Option<Undo>,
}

/// Settings of a source that were left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftAlone {
    /// The source's name.
    pub name: String,
    /// The settings, such as `tags`; `removed` when the source is gone.
    pub settings: Vec<&'static str>,
}

impl Undo {
    /// Returns how to undo these edits; `None` when they changed nothing.
    pub fn of_edits(edits: Vec<Edited>) -> Option<Self> {
        let changed: Vec<_> = edits
            .into_iter()
            .filter(|done| done.edit.before != done.edit.after)
            .map(|done| (done.source.id, done.edit))
            .collect();
        (!changed.is_empty()).then_some(Self::Edited(changed))
    }
}

impl App {
    /// Undoes those parts of a change that nobody changed since. Appends events; earlier events stay.
    ///
    /// # Errors
    ///
    /// A conflict when another source has taken the name or the address.
    pub async fn undo(&self, undo: &Undo) -> Result<Undone> {
        self.back(undo, SourceChange::TakeBack).await
    }

    /// Redoes an undone change, on the same terms.
    ///
    /// # Errors
    ///
    /// As [`App::undo`].
    pub async fn redo(&self, redo: &Undo) -> Result<Undone> {
        self.back(redo, SourceChange::MakeAgain).await
    }

    async fn back(
        &self,
        undo: &Undo,
        of_edit: fn(SourceId, Box<Edit>) -> SourceChange,
    ) -> Result<Undone> {
        match undo {
            Undo::Added(ids) => {
                let removals = ids.iter().map(|id| SourceChange::Remove {
                    id: *id,
                    purge: false,
                });
                let ids = self.change(removals.collect()).await?;
                Ok(Undone::all(ids, Undo::Removed))
            }
            Undo::Removed(ids) => {
                let back = |id: &SourceId| SourceChange::Restore(*id, Arc::default());
                let restored = ids.iter().map(back);
                let ids = self.change(restored.collect()).await?;
                for id in &ids {
                    self.settle_recorded(*id).await?;
                }
                Ok(Undone::all(ids, Undo::Added))
            }
            Undo::Edited(edits) => self.back_edits(edits, of_edit).await,
        }
    }

    async fn back_edits(
        &self,
        edits: &[(SourceId, Edit)],
        of_edit: fn(SourceId, Box<Edit>) -> SourceChange,
    ) -> Result<Undone> {
        let ids = edits.iter().map(|(id, _)| *id).collect();
        let kept = self.sources_by_id(ids).await?;
        let (there, gone): (Vec<_>, Vec<_>) = edits
            .iter()
            .partition(|(id, _)| kept.iter().any(|source| source.id == *id));
        let changes = there
            .into_iter()
            .map(|(id, edit)| of_edit(*id, Box::new(edit.clone())));
        let mut undone = Undone::edits(self.change_edits(changes.collect()).await?);
        let gone = gone.into_iter().map(|(_, edit)| LeftAlone {
            name: edit.after.name.clone(),
            settings: vec!["removed"],
        });
        undone.left_alone.extend(gone);
        Ok(undone)
    }
}

impl Undone {
    fn all(ids: Vec<SourceId>, redo: fn(Vec<SourceId>) -> Undo) -> Self {
        Self {
            redo: Some(redo(ids.clone())),
            sources: ids,
            left_alone: Vec::new(),
        }
    }

    fn edits(edits: Vec<Edited>) -> Self {
        let left_alone = edits
            .iter()
            .filter(|done| !done.left_alone.is_empty())
            .map(|done| LeftAlone {
                name: done.source.settings.name.clone(),
                settings: done.left_alone.clone(),
            })
            .collect();
        let redo = Undo::of_edits(edits);
        Self {
            sources: match &redo {
                Some(Undo::Edited(changed)) => changed.iter().map(|(id, _)| *id).collect(),
                _ => Vec::new(),
            },
            left_alone,
            redo,
        }
    }
}
