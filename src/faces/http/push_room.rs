//! The memory of messages that are being pushed, from the first byte of a request to the last byte of its answer.
//!
//! Never lets long requests take the room of short ones.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The kibibytes of long requests: of the longest there are two at once, or one beside shorter ones where messages wait on a
/// server, since on the way there they are in memory several times.
const LONG_KIB: usize = 16 << 10;
const LONG_TO_SERVER_KIB: usize = 10 << 10;
/// The kibibytes of short requests.
const SHORT_KIB: usize = 4 << 10;
/// The longest short request, in bytes.
const SHORT_BYTES: usize = 64 << 10;

/// The memory of pushed messages.
pub(super) struct PushRoom {
    long: Arc<Semaphore>,
    short: Arc<Semaphore>,
}

impl PushRoom {
    /// Returns the room of messages that go to a server, or into the catalogue.
    pub(super) fn new(to_server: bool) -> Self {
        let long = if to_server {
            LONG_TO_SERVER_KIB
        } else {
            LONG_KIB
        };
        Self {
            long: Semaphore::new(long).into(),
            short: Semaphore::new(SHORT_KIB).into(),
        }
    }

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
        for (to_server, lengths) in [(false, [8, 8]), (true, [8, 2])] {
            let room = PushRoom::new(to_server);
            let long = lengths.map(|mib| room.take(mib << 20));
            assert!(long.iter().all(Option::is_some));
            assert!(room.take(SHORT_BYTES + 1).is_none());
            assert!(room.take(SHORT_BYTES).is_some());
            drop(long);
            assert!(room.take(8 << 20).is_some());
        }
    }
}
