//! The linked SQLite: its version, and its process-wide settings.

use std::sync::Once;

use rusqlite::ffi;

use super::catalogue_file::CatalogueFile;
use crate::store::error::Result;

/// The first SQLite release in which resetting a write-ahead log cannot corrupt the database.
const LEAST_SQLITE: i32 = 3_051_003;

static IS_SET_UP: Once = Once::new();

/// Refuses a linked SQLite that could lose data, and configures it before the first connection.
pub(super) fn prepare(file: &CatalogueFile) -> Result<()> {
    if rusqlite::version_number() < LEAST_SQLITE {
        return Err(file.failed(format!(
            "SQLite {} is too old: 3.51.3 or later is needed",
            rusqlite::version()
        )));
    }
    IS_SET_UP.call_once(count_no_memory);
    Ok(())
}

/// Turns off SQLite's memory statistics, which nobody reads: they take a process-wide lock for every allocation.
#[expect(
    unsafe_code,
    reason = "rusqlite has no call for settings of the process"
)]
fn count_no_memory() {
    // SAFETY: the option takes one integer. It must not be set while another thread is inside SQLite. SQLite refuses it
    // once a connection was opened, and this runs before the first one is.
    unsafe {
        ffi::sqlite3_config(ffi::SQLITE_CONFIG_MEMSTATUS, 0);
    }
}
