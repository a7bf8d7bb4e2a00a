//! The damaged rows met since they were last taken.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::store::damaged_row::DamagedRow;

/// At most so many damaged rows are noted.
const MAX_NOTED: usize = 1000;

/// The damaged rows met since they were last taken, each once.
#[derive(Default)]
pub(super) struct Noted(Mutex<BTreeSet<DamagedRow>>);

impl Noted {
    pub(super) fn lock(&self) -> MutexGuard<'_, BTreeSet<DamagedRow>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
}
