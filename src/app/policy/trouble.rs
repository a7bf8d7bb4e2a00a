//! What is wrong with the configuration of a process that stays, for as long as it is wrong.
//!
//! Never reads the configuration or decides whether it may be used.

use std::sync::{MutexGuard, PoisonError};

use super::configured::Trouble;
use super::standing::PolicyStanding;
use crate::app::App;

impl App {
    /// Returns why the configuration or its changed file is not used, as far as this process knows; `None` once that
    /// is mended.
    pub fn config_trouble(&self) -> Option<String> {
        let standing = self.trouble().standing.clone();
        standing.or_else(|| self.configured().rejected.clone())
    }

    /// Returns, once, why a changed configuration was not used.
    pub fn take_rejected(&self) -> Option<String> {
        self.trouble().rejected.take()
    }

    pub(super) fn report_rejected(&self, why: String) {
        self.trouble().rejected = Some(why);
    }

    pub(super) fn keep_trouble(&self, standing: &PolicyStanding) {
        self.trouble().standing = match standing {
            PolicyStanding::InForce(_) => None,
            PolicyStanding::Foreign(error) | PolicyStanding::Unusable(error) => {
                Some(error.with_hint())
            }
        };
    }

    fn trouble(&self) -> MutexGuard<'_, Trouble> {
        let trouble = self.ports.trouble.lock();
        trouble.unwrap_or_else(PoisonError::into_inner)
    }
}
