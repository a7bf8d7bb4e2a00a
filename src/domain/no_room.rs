//! Which errors say that a disk has no room left, or an account none of its share.

use std::io;

/// Tells whether an error of this kind passes when something is deleted.
pub fn is_no_room(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}
