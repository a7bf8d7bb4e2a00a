//! The Redis server in use: opened once, and again when the configuration names another; and what is known of it in this process.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

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

/// The server that the catalogue was seen to remember, and when.
#[derive(Default)]
pub(super) struct RememberedServer(pub(super) tokio::sync::Mutex<Option<(String, DateTime<Utc>)>>);
