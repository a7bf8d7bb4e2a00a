//! Rows of the catalogue that were left out because they are damaged: told at the end, and recorded once.

use super::{App, Error, ErrorKind, Result};
use crate::domain::SourceId;
use crate::store::StoreError;

impl App {
    /// Returns which rows were left out of what was read, in words.
    pub fn damage(&self) -> Vec<String> {
        let damaged = self.store.damage();
        damaged.iter().map(ToString::to_string).collect()
    }

    /// Returns the sources whose rows are among them.
    pub(crate) fn damaged_sources(&self) -> Vec<SourceId> {
        let damaged = self.store.damage().into_iter();
        damaged
            .filter(|row| row.table.starts_with("source"))
            .filter_map(|row| row.id.parse().ok().map(SourceId))
            .collect()
    }

    /// Returns the damage that was met since this was asked last, an error for each row. Records an event for each that none
    /// tells yet.
    pub(crate) async fn take_damage(&self) -> Vec<Error> {
        let damaged = self.store.take_damage();
        if damaged.is_empty() {
            return Vec::new();
        }
        let recorded = async {
            let untold = self.store.untold_damage(damaged.clone()).await?;
            if !untold.is_empty() {
                self.join_archive_once().await?;
                self.store.record_damage(untold, self.stamp()).await?;
            }
            Ok::<_, Error>(())
        };
        // What is damaged is said in any case.
        if let Err(error) = recorded.await {
            tracing::warn!("damage is not recorded: {error}");
        }
        let rows = damaged.into_iter();
        rows.map(|row| StoreError::DamagedRow(Box::new(row)).into())
            .collect()
    }

    /// Returns what was found; nothing, and a note of it, when a row of the catalogue is damaged.
    pub(super) fn unless_damaged<T>(&self, found: Result<T>) -> Result<Option<T>> {
        match found {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.kind == ErrorKind::Damaged => {
                let below = error.source.as_ref();
                let below = below.and_then(|below| below.downcast_ref::<StoreError>());
                if !below.is_some_and(|below| self.store.note_damage(below)) {
                    return Err(error);
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}
