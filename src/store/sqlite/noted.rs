//! The damaged rows met since they were last taken, and whether damaged indexes can be built anew.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::index::MendedIndexes;
use crate::store::damaged_row::DamagedRow;

/// At most so many damaged rows are noted.
const MAX_NOTED: usize = 1000;

/// The damaged rows met since they were last taken, each once.
#[derive(Default)]
pub(super) struct Noted {
    rows: Mutex<BTreeSet<DamagedRow>>,
    is_mending_vain: AtomicBool,
}

impl Noted {
    pub(super) fn lock(&self) -> MutexGuard<'_, BTreeSet<DamagedRow>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, damaged: Vec<DamagedRow>) {
        if damaged.is_empty() {
            return;
        }
        let mut noted = self.lock();
        for row in damaged {
            if noted.len() < MAX_NOTED {
                noted.insert(row);
            }
        }
    }

    /// Adds the indexes that disagreed with their tables. Returns whether any was built anew.
    pub(super) fn add_mended(&self, mended: MendedIndexes) -> bool {
        let is_vain = mended.rebuilt == 0;
        self.is_mending_vain.store(is_vain, Ordering::Relaxed);
        self.add(mended.damaged);
        !is_vain
    }

    /// Lets all indexes be checked again after the next damage.
    pub(super) fn hope_to_mend(&self) {
        self.is_mending_vain.store(false, Ordering::Relaxed);
    }

    /// Reports whether the last check of all indexes, which reads the whole catalogue, built none anew.
    pub(super) fn is_mending_vain(&self) -> bool {
        self.is_mending_vain.load(Ordering::Relaxed)
    }
}
