//! Comparisons of indexes with their tables, as chores and after damage was met.
//!
//! Never runs on a catalogue that was opened for reading only.

use super::Store;
use super::index::{STATES, WORK, disagreeing, mend, mend_all};
use crate::store::error::Result;
use crate::store::mended::IndexesOf;

impl Store {
    /// Builds anew the indexes of these tables that disagree with their rows. Each is noted ([`Store::damage`]).
    pub async fn mend_indexes(&self, of: IndexesOf) -> Result<()> {
        let tables = match of {
            IndexesOf::States => STATES,
            IndexesOf::Work => WORK,
        };
        let is_sound = self.read_with(move |sql| {
            let mut found = tables.iter().map(|table| disagreeing(sql, table));
            Ok(found.all(|found| found.is_ok_and(|found| found.is_empty())))
        });
        let is_sound = is_sound.await?;
        self.noted().hope_to_mend();
        if is_sound {
            return Ok(());
        }
        let mended = self.write(move |transaction| mend(transaction.sql, tables));
        self.noted().add(mended.await?.damaged);
        Ok(())
    }

    /// Checks all indexes after a read met damage. Returns whether that was worth a try: the read may succeed now.
    pub(super) async fn mend_after_damage(&self) -> Result<bool> {
        if !self.can_write() || self.noted().is_mending_vain() {
            return Ok(false);
        }
        let mended = self.write(|transaction| mend_all(transaction.sql)).await?;
        // Another operation may have had them built anew.
        self.noted().add_mended(mended);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::index::HISTORIES;
    use crate::store::sqlite::statements::Statements as _;

    #[tokio::test]
    async fn the_indexes_of_all_tables_are_checked() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("gannet.db")).expect("a store");
        let tables = "SELECT DISTINCT tbl_name FROM sqlite_schema WHERE type = 'index' ORDER BY 1";
        let with_indexes = store
            .read_with(move |sql| Ok(sql.all::<String>(tables, [], |row| row.get(0))?))
            .await
            .expect("a read");
        let listed = [STATES, WORK, HISTORIES].concat();
        let unchecked = with_indexes.iter().filter(|table| {
            // The rows of a table without row ids are in its own index.
            !listed.contains(&table.as_str())
        });
        assert_eq!(unchecked.collect::<Vec<_>>(), [""; 0]);
    }
}
