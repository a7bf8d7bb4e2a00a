//! Connections to the catalogue's file, with the settings that its durability rests on.
//!
//! Never creates tables: that is `schema.rs`.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::catalogue_file::CatalogueFile;
use super::failure::sql_error;
use super::interned::add_row_checksum;
use crate::files::Owner;
use crate::store::error::Result;

/// "gant" in ASCII, in the file's header (`PRAGMA application_id`): another program's database is refused.
pub(super) const APPLICATION_ID: i32 = 0x6761_6e74;

/// Small pages waste less behind the end of a body, large ones cost fewer writes. Measured on the four histories of the
/// benchmark, all bytes of the catalogues: 7.8 MB with pages of 1 KiB, 8.0 MB with 2 KiB, 8.4 MB with 4 KiB and 10.5 MB
/// with 16 KiB; and a first fetch of 10,000 files took 10 to 13 s with 1 KiB, 8 s with 2 KiB, 5 s with 4 and 8 KiB.
const PAGE_BYTES: i64 = 4096;

/// Statements that a connection keeps ready; more than all there are.
const CACHED_STATEMENTS: usize = 128;

/// Pages in the write-ahead log at which it is folded into the database, which costs two syncs: 16 MiB.
const CHECKPOINT_PAGES: i64 = (16 << 20) / PAGE_BYTES;

/// The write-ahead log's file is cut back to this after a checkpoint, in bytes.
const WAL_KEEP_BYTES: i64 = 16 << 20;

/// The writer's page cache, in KiB.
const WRITER_CACHE_KIB: i64 = 8 << 10;

/// Opens the file for writing; [`make_private`] made it. Nothing is written to one that is not empty.
pub(super) fn open_for_writing(file: &CatalogueFile) -> Result<Connection> {
    let open = || {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&file.path, flags)?;
        connection.busy_timeout(file.busy_timeout)?;
        keep_statements(&connection)?;
        add_row_checksum(&connection)?;
        // Takes effect on a file that is still empty only.
        connection.pragma_update(None, "page_size", PAGE_BYTES)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        // Rows that move to other pages leave no copies behind, which a purge of them would not know of.
        connection.pragma_update(None, "secure_delete", "FAST")?;
        connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
        connection.query_row(
            &format!("PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}"),
            [],
            |_| Ok(()),
        )?;
        Ok(connection)
    };
    open().map_err(|error| sql_error(&error, file))
}

/// Makes a file for this account alone, or for the folder's owner, unless it is there. SQLite makes its other files after it.
pub(super) fn make_private(path: &Path) -> std::io::Result<()> {
    let made = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(path);
    match made {
        Ok(_) => Owner::of(path.parent().unwrap_or(Path::new("/"))).give(path),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Prepares each statement once. Without the planner's guarantee, SQLite prepares many of them anew for every set of
/// parameters (its answer to statistics of columns, which no catalogue has): half of the writer's time.
fn keep_statements(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// Puts the file into write-ahead mode, in which readers and the writer do not wait for each other.
pub(super) fn use_write_ahead_log(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.query_row(
        &format!("PRAGMA journal_size_limit = {WAL_KEEP_BYTES}"),
        [],
        |_| Ok(()),
    )
}

/// Opens the file for reading only; it exists, since the writer opened it before.
pub(super) fn open_for_reading(file: &CatalogueFile) -> Result<Connection> {
    let open = || {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&file.path, flags)?;
        settle_for_reading(&connection, file.busy_timeout)?;
        Ok(connection)
    };
    open().map_err(|error| sql_error(&error, file))
}

/// Gives a connection that reads its settings.
pub(super) fn settle_for_reading(
    connection: &Connection,
    busy_timeout: Duration,
) -> rusqlite::Result<()> {
    connection.busy_timeout(busy_timeout)?;
    keep_statements(connection)?;
    add_row_checksum(connection)?;
    connection.pragma_update(None, "temp_store", "MEMORY")
}
