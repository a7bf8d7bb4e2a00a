//! Damaged rows that were left out of reads: reported at the end, and recorded once.

use super::{App, Error, ErrorKind, Result};
use crate::domain::{Source, SourceId};
use crate::store::{DamagedRow, Fact, StoreError, UnreportedDamage};

impl App {
    /// Returns the damaged rows that were left out of reads, in words.
    pub fn damage(&self) -> Vec<String> {
        let damaged = self.ports.store.damage();
        damaged.iter().map(ToString::to_string).collect()
    }

    /// Returns the sources with such rows.
    pub(crate) fn damaged_sources(&self) -> Vec<SourceId> {
        let damaged = self.ports.store.damage().into_iter();
        damaged
            .filter(|row| row.table.starts_with("source"))
            .filter_map(|row| row.id.parse().ok().map(SourceId))
            .collect()
    }

    /// Returns the damage met since the last call, one error per row. Records an event for each row that no event
    /// reports yet.
    pub(crate) async fn take_damage(&self) -> Vec<Error> {
        let damaged = self.ports.store.take_damage();
        self.record_rows(damaged.clone()).await;
        let rows = damaged.into_iter();
        rows.map(|row| StoreError::DamagedRow(Box::new(row)).into())
            .collect()
    }

    /// Records an event for each damaged row that a command met and no event reports yet: an index that was built anew
    /// and a row that an upgrade set aside are met once.
    pub async fn record_damaged_rows(&self) {
        self.record_rows(self.ports.store.damage()).await;
    }

    /// Records an event for each of these rows that no event reports yet.
    async fn record_rows(&self, damaged: Vec<DamagedRow>) {
        if damaged.is_empty() {
            return;
        }
        let recorded = async {
            let untold = self.read(UnreportedDamage(damaged)).await?;
            if !untold.is_empty() {
                self.join_archive_once().await?;
                self.record(Fact::Damage(untold)).await?;
            }
            Ok::<_, Error>(())
        };
        // The damage is reported even when it cannot be recorded.
        if let Err(error) = recorded.await {
            tracing::warn!("damage is not recorded: {error}");
        }
    }

    /// Notes the damaged or lost rows among these sources' newest versions.
    pub async fn record_damaged_newest(&self, sources: &[Source]) -> Result<()> {
        for source in sources {
            let state = &source.state;
            let Some(id) = state.version_id.filter(|_| state.version_state.is_none()) else {
                continue;
            };
            let found = self.ports.store.find_version(id).await;
            let is_there = self.unless_damaged(found.map_err(Error::from))?;
            // A readable row here belongs to another source.
            if let Some(found) = is_there {
                let reason = match found {
                    Some(_) => "it is another source's",
                    None => "it is missing",
                };
                self.ports.store.note_damage(&StoreError::Damaged {
                    version: id,
                    reason: reason.into(),
                });
            }
        }
        Ok(())
    }

    /// Returns the result; for a damaged row, notes it and returns `None`.
    pub(super) fn unless_damaged<T>(&self, found: Result<T>) -> Result<Option<T>> {
        match found {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.kind == ErrorKind::Damaged => {
                let below = error.source.as_ref();
                let below = below.and_then(|below| below.downcast_ref::<StoreError>());
                if !below.is_some_and(|below| self.ports.store.note_damage(below)) {
                    return Err(error);
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Returns the damaged row and its reason as named in a line, in the same words for every such line; `None` for a line
/// about no row.
pub fn row_named_in(line: &str) -> Option<String> {
    if let Some((_, rows)) = line.split_once("the catalogue's rows ") {
        return Some(rows.to_owned());
    }
    let (_, row) = line.split_once("the catalogue's row ")?;
    let (row, reason) = row.split_once(" is damaged: ")?;
    // Not every line names the row's source.
    let (row, _) = row.split_once(" (source ").unwrap_or((row, ""));
    Some(format!("{row}: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_about_one_row_name_the_same() {
        let row = Some("5 of the table `edition`: it is missing".to_owned());
        for line in [
            "the catalogue's row 5 of the table `edition` is damaged: it is missing",
            "set eu: not published: the catalogue's row 5 of the table `edition` is damaged: it is missing",
            "the catalogue's row 5 of the table `edition` (source a) is damaged: it is missing",
        ] {
            assert_eq!(row_named_in(line), row, "{line}");
        }
        assert_eq!(row_named_in("a: not published: no room"), None);
        let rows = "the catalogue's rows of the set eu are missing: its folder stays";
        let named = row_named_in(&format!("set eu: not published: {rows}"));
        assert_eq!(named, row_named_in(rows));
        assert!(named.is_some());
    }
}
