//! Bounds how many do the same costly thing at once. Never fair: whoever wakes first goes on.

use std::sync::{Condvar, Mutex, PoisonError};

/// A fixed number of places.
#[derive(Debug)]
pub(super) struct Slots {
    free: Mutex<usize>,
    freed: Condvar,
}

/// A place that is taken until this is dropped.
pub(super) struct Slot<'a>(&'a Slots);

impl Slots {
    /// Returns `count` free places.
    pub(super) fn new(count: usize) -> Self {
        Self {
            free: Mutex::new(count),
            freed: Condvar::new(),
        }
    }

    /// Takes a place, waiting for one.
    pub(super) fn take(&self) -> Slot<'_> {
        // A count is right even when its holder panicked: it changes in one step.
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = self
            .freed
            .wait_while(free, |free| *free == 0)
            .unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        Slot(self)
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
}
