//! Taking an operator's last change back.

use super::settings::differences;
use super::{App, Result};
use crate::domain::{Source, SourceId};
use crate::store::{SourceChange, SourceFilter};

/// What takes a change back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undo {
    /// Removes what was added; what was fetched meanwhile stays as the history of a removed source.
    Added(Vec<SourceId>),
    /// Gives sources the settings that they had.
    Edited(Vec<Source>),
    /// Brings removed sources back, history and all.
    Removed(Vec<SourceId>),
}

impl App {
    /// Takes a change back, all of it or nothing, and returns how many sources that concerned. Events say so, since
    /// what happened is never unsaid.
    ///
    /// # Errors
    ///
    /// A conflict when another source has taken the name or the address since.
    pub async fn undo(&self, undo: &Undo) -> Result<usize> {
        let changes = match undo {
            Undo::Added(ids) => ids
                .iter()
                .map(|id| SourceChange::Remove {
                    id: *id,
                    purge: false,
                })
                .collect(),
            Undo::Removed(ids) => ids.iter().copied().map(SourceChange::Restore).collect(),
            Undo::Edited(before) => self.reversal(before).await?,
        };
        let ids = self.change(changes).await?;
        if matches!(undo, Undo::Removed(_)) && self.policy_standing().await?.is_in_force() {
            for id in &ids {
                self.settle(*id).await?;
            }
        }
        Ok(ids.len())
    }

    async fn reversal(&self, before: &[Source]) -> Result<Vec<SourceChange>> {
        let filter = SourceFilter {
            ids: Some(before.iter().map(|source| source.id).collect()),
            ..SourceFilter::default()
        };
        let now = self.store.sources(filter).await?;
        let changes = before.iter().filter_map(|source| {
            let present = now.iter().find(|present| present.id == source.id)?;
            let differences = differences(&present.settings, &source.settings);
            (!differences.is_empty()).then(|| {
                let words = format!("undone: {}", differences.join("; "));
                SourceChange::Edit(source.id, source.settings.clone(), words)
            })
        });
        Ok(changes.collect())
    }
}
