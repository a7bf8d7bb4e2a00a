//! Recognises I/O errors that mean a full disk or an exhausted quota.

use std::io;

/// Returns whether deleting files would remove the cause of an error of this kind.
pub fn is_out_of_space(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}
