//! The engines of the store, as the contract suite needs them: where a catalogue is made, and a look behind the store's back.

use std::path::PathBuf;

use gannet::store::{Store, StoreOptions};

use crate::rig::folder;

/// A catalogue of an engine, which goes when this does.
pub(super) trait Catalogue {
    /// Makes room for one.
    fn new() -> Self;

    /// Opens it, or makes it; once more, as another process would.
    fn open(&self) -> Store;

    /// Likewise, with options.
    fn open_with(&self, options: StoreOptions) -> Store;

    /// How many rows a table has.
    fn count(&self, table: &str) -> i64;

    /// Fails when it is not sound, or a row names another that is not there.
    fn assert_sound(&self);
}

/// A file in a folder of its own.
pub(super) struct Sqlite(tempfile::TempDir);

impl Sqlite {
    pub(super) fn folder(&self) -> PathBuf {
        self.0.path().to_owned()
    }

    pub(super) fn path(&self) -> PathBuf {
        self.0.path().join("gannet.db")
    }

    /// A plain connection, to look behind the store's back.
    pub(super) fn sql(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path()).expect("a connection")
    }
}

impl Catalogue for Sqlite {
    fn new() -> Self {
        Self(folder())
    }

    fn open(&self) -> Store {
        Store::open(&self.path()).expect("a store")
    }

    fn open_with(&self, options: StoreOptions) -> Store {
        Store::open_with(&self.path(), options).expect("a store")
    }

    fn count(&self, table: &str) -> i64 {
        let count = format!("SELECT count(*) FROM {table}");
        let row = self.sql().query_row(&count, [], |row| row.get(0));
        row.expect("a count")
    }

    fn assert_sound(&self) {
        let sql = self.sql();
        let integrity: String = sql
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .expect("a check");
        assert_eq!(integrity, "ok");
        for (what, query) in [
            ("foreign keys", "SELECT count(*) FROM pragma_foreign_key_check"),
            (
                "attempts of versions that are gone",
                "SELECT count(*) FROM attempt WHERE version_id NOT NULL AND version_id NOT IN (SELECT id FROM version)",
            ),
            (
                "events of versions that are gone",
                "SELECT count(*) FROM event WHERE version_id NOT NULL AND version_id NOT IN (SELECT id FROM version)",
            ),
            (
                "attempts without their provenance",
                "SELECT count(*) FROM attempt a WHERE provenance_id NOT NULL
                 AND provenance_id NOT IN (SELECT id FROM provenance p WHERE p.source_id IS NULL OR p.source_id = a.source_id)",
            ),
            (
                "newest versions that are not",
                "SELECT count(*) FROM source_state t WHERE version_id IS NOT (SELECT id FROM version
                 WHERE source_id = t.source_id ORDER BY ordinal DESC LIMIT 1)",
            ),
            (
                "published versions of other sources",
                "SELECT count(*) FROM source_state t WHERE published_version_id NOT NULL AND published_version_id NOT IN
                 (SELECT id FROM version WHERE source_id = t.source_id)",
            ),
            (
                "gaps in the ordinals",
                "SELECT count(*) FROM (SELECT count(*) AS n, max(ordinal) AS m FROM version GROUP BY source_id)
                 WHERE n <> m + 1",
            ),
            (
                "blobs that nothing needs",
                "SELECT count(*) FROM blob b WHERE NOT EXISTS (SELECT 1 FROM version WHERE blob_id = b.id)
                 AND NOT EXISTS (SELECT 1 FROM blob WHERE base_id = b.id)",
            ),
        ] {
            let count: i64 = sql
                .query_row(query, [], |row| row.get(0))
                .expect("a count");
            assert_eq!(count, 0, "{what}");
        }
    }
}
