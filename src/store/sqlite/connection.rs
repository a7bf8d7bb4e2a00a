//! Connections to the catalogue's file, with the settings that durability depends on.
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

/// "gant" in ASCII (`PRAGMA application_id`): a database without it belongs to another program and is refused.
pub(super) const APPLICATION_ID: i32 = 0x6761_6e74;

/// The page size of a new catalogue; an older one keeps the pages of 4 KiB that it was made with. Small pages waste
/// less behind the end of a body and in tables that are empty; large ones need fewer writes.
const PAGE_BYTES: i64 = 2048;

/// Prepared statements cached per connection; more than the program has.
const CACHED_STATEMENTS: usize = 128;

/// The write-ahead log is checkpointed at this many bytes of pages; a checkpoint costs two syncs.
const CHECKPOINT_BYTES: i64 = 16 << 20;

/// The write-ahead log's file is truncated to this many bytes after a checkpoint.
const WAL_KEEP_BYTES: i64 = 16 << 20;

/// The writer's page cache, in KiB. SQLite walks all of it at a commit for which it split a page: it swaps pages by way
/// of a number beyond the file's end. A pass goes through the rows in order, so a larger cache spares few reads.
const WRITER_CACHE_KIB: i64 = 2 << 10;

/// The page cache of each reading connection, in KiB: SQLite empties it after each commit of another connection.
const READER_CACHE_KIB: i64 = 1 << 10;

/// Opens the file, made by [`make_private`], for writing. Writes only to an empty file.
pub(super) fn open_for_writing(file: &CatalogueFile) -> Result<Connection> {
    let open = || {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&file.path, flags)?;
        connection.busy_timeout(file.busy_timeout)?;
        keep_statements(&connection)?;
        add_row_checksum(&connection)?;
        // Takes effect only while the file is empty.
        connection.pragma_update(None, "page_size", PAGE_BYTES)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        // Rows that move to other pages then leave no copies behind, which a purge could not find.
        connection.pragma_update(None, "secure_delete", "FAST")?;
        connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
        let page_bytes: i64 = connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
        let pages = CHECKPOINT_BYTES / page_bytes;
        let checkpoint = format!("PRAGMA wal_autocheckpoint = {pages}");
        connection.query_row(&checkpoint, [], |_| Ok(()))?;
        Ok(connection)
    };
    open().map_err(|error| sql_error(&error, file))
}

/// Creates the file, unless it exists, readable by this account or the folder's owner only. SQLite copies its mode.
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

/// Has SQLite prepare each statement only once. With the planner's stability guarantee off, SQLite prepares many
/// statements again for each set of parameters, for column statistics that no catalogue has: half of the writer's time.
fn keep_statements(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// Switches the file to write-ahead mode, in which readers and the writer do not block each other.
pub(super) fn use_write_ahead_log(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.query_row(
        &format!("PRAGMA journal_size_limit = {WAL_KEEP_BYTES}"),
        [],
        |_| Ok(()),
    )
}

/// Opens the file for reading only; the writer has opened it before, so it exists.
pub(super) fn open_for_reading(file: &CatalogueFile) -> Result<Connection> {
    let open = || {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&file.path, flags)?;
        settle_for_reading(&connection, file.busy_timeout)?;
        Ok(connection)
    };
    open().map_err(|error| sql_error(&error, file))
}

/// Applies the settings of a reading connection.
pub(super) fn settle_for_reading(
    connection: &Connection,
    busy_timeout: Duration,
) -> rusqlite::Result<()> {
    connection.busy_timeout(busy_timeout)?;
    keep_statements(connection)?;
    add_row_checksum(connection)?;
    connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    connection.pragma_update(None, "temp_store", "MEMORY")
}
