//! What is counted of the queues, mended when the server lost it or somebody changed it.

use redis::cmd;

use super::error::QueueError;
use super::keys;
use super::redis_queue::RedisQueue;
use super::scripts::MEND;
use crate::domain::QueueName;

/// How often consumers look at what is counted.
const MEND_EVERY_MS: u64 = 60_000;

impl RedisQueue {
    /// Counts the messages of queues again of which the counted number cannot be.
    pub(super) async fn mend(&self) -> Result<(), QueueError> {
        let queues = self.queues_with_streams().await?;
        let mut call = self.call(&MEND);
        call.key(keys::TOTALS)
            .key(keys::WAITING)
            .key(keys::BYTES)
            .key(keys::UNITS)
            .key(keys::MENDED)
            .arg(MEND_EVERY_MS)
            .arg(keys::stream(""))
            .arg(queues);
        self.server.run(&call).await
    }

    /// Returns the queues that have a stream, whatever else is known of them.
    async fn queues_with_streams(&self) -> Result<Vec<String>, QueueError> {
        let (prefix, mut queues, mut cursor) = (keys::stream(""), Vec::new(), 0);
        loop {
            let scan = cmd("SCAN")
                .arg(cursor)
                .arg(&["MATCH", &format!("{prefix}*"), "COUNT", "1000"])
                .arg(&["TYPE", "stream"])
                .to_owned();
            let (next, found): (u64, Vec<String>) = self.server.command(&scan).await?;
            let names = found.iter().filter_map(|key| key.strip_prefix(&prefix));
            let names = names.filter(|name| name.parse::<QueueName>().is_ok());
            queues.extend(names.map(str::to_owned));
            if next == 0 {
                return Ok(queues);
            }
            cursor = next;
        }
    }
}
