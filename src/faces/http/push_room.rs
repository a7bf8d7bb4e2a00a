//! The memory of messages that are being pushed, from the first byte of a request to the last byte of its answer.
//!
//! Never lets long requests take the room of short ones.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The kibibytes of long requests: of the longest there are two at once.
const LONG_KIB: usize = 16 << 10;
/// The kibibytes of short requests.
const SHORT_KIB: usize = 4 << 10;
/// The longest short request, in bytes.
const SHORT_BYTES: usize = 64 << 10;

/// The memory of pushed messages.
pub(super) struct PushRoom {
    long: Arc<Semaphore>,
    short: Arc<Semaphore>,
}

impl Default for PushRoom {
    fn default() -> Self {
        Self {
            long: Semaphore::new(LONG_KIB).into(),
            short: Semaphore::new(SHORT_KIB).into(),
        }
    }
}

impl PushRoom {
    /// Takes room for so many bytes; `None` while others have it.
    pub(super) fn take(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let room = if bytes > SHORT_BYTES {
            &self.long
        } else {
            &self.short
        };
        let kib = u32::try_from(bytes.div_ceil(1 << 10)).ok()?;
        Arc::clone(room).try_acquire_many_owned(kib).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_requests_leave_room_for_short_ones() {
        let room = PushRoom::default();
        let long: Vec<_> = (0..2).map(|_| room.take(8 << 20)).collect();
        assert!(long.iter().all(Option::is_some));
        assert!(room.take(SHORT_BYTES + 1).is_none());
        assert!(room.take(SHORT_BYTES).is_some());
        drop(long);
        assert!(room.take(8 << 20).is_some());
    }
}
