//! The SQLite that is linked in: which one, and the settings that hold for the whole process.

use std::sync::Once;

use rusqlite::ffi;

use super::catalogue_file::CatalogueFile;
use crate::store::error::Result;

/// The first release in which the reset of a write-ahead log cannot corrupt the database.
const LEAST_SQLITE: i32 = 3_051_003;

static IS_SET_UP: Once = Once::new();

/// Refuses a linked SQLite that could lose data, and sets it up before the first connection.
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

/// Has SQLite keep no account of its memory, which nobody asks for: it takes one lock of the process for every allocation.
#[expect(
    unsafe_code,
    reason = "rusqlite has no call for settings of the process"
)]
fn count_no_memory() {
    // SAFETY: the option takes one integer. It must not be set while another thread is inside SQLite: it is refused, with no
    // other effect, once a connection was opened, and this runs before the first one is.
    unsafe {
        ffi::sqlite3_config(ffi::SQLITE_CONFIG_MEMSTATUS, 0);
    }
}
