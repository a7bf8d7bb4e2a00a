//! The Redis server in use: opened once, and again when the configuration names another.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::queue::RedisQueue;

/// The queues on a server, with the setting by which they were opened.
#[derive(Default)]
pub(super) struct RedisInUse(Mutex<Option<(String, Arc<RedisQueue>)>>);

impl RedisInUse {
    /// Returns the queues that were opened by this setting.
    pub(super) fn opened_by(&self, setting: &str) -> Option<Arc<RedisQueue>> {
        let opened = self.lock();
        let (by, redis) = opened.as_ref()?;
        (by == setting).then(|| Arc::clone(redis))
    }

    /// Keeps queues that were opened by this setting.
    pub(super) fn put(&self, setting: String, redis: Arc<RedisQueue>) {
        *self.lock() = Some((setting, redis));
    }

    fn lock(&self) -> MutexGuard<'_, Option<(String, Arc<RedisQueue>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
