//! The sources that a pass asks for nothing more. Never stops one by itself.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::{Source, SourceId};

/// The sources that were stopped in a pass; a dated source for all its days.
#[derive(Default)]
pub(super) struct Stopped(Mutex<HashSet<SourceId>>);

impl Stopped {
    /// Adds a source; returns whether it is new.
    pub(super) fn add(&self, source: &Source) -> bool {
        self.all().insert(owner(source))
    }

    /// Reports whether a source was stopped.
    pub(super) fn has(&self, source: &Source) -> bool {
        self.all().contains(&owner(source))
    }

    fn all(&self) -> MutexGuard<'_, HashSet<SourceId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn owner(source: &Source) -> SourceId {
    source.day.map_or(source.id, |day| day.series)
}
