//! The Redis servers on which messages were put: the catalogue remembers them, so that those are found that wait on one which is
//! configured no longer.
//!
//! Never keeps a password.

use std::sync::Arc;

use chrono::TimeDelta;

use super::{App, Error, ErrorKind, Result};
use crate::config::redis_address;
use crate::domain::{Template, masked};
use crate::queue::{QueueError, RedisQueue};
use crate::store::{CatalogueMark, QueueServers};

/// How often a process that puts messages on a server looks whether the catalogue remembers it: somebody may have had it forgotten.
const LOOK_EVERY: TimeDelta = TimeDelta::seconds(10);

impl App {
    /// Has the catalogue remember the server on which a message is about to be put.
    pub(super) async fn remember_queue_server(&self) -> Result<()> {
        let Some(address) = self.queue_server() else {
            return Ok(());
        };
        let now = self.now();
        let mut remembered = self.ports.remembered_server.0.lock().await;
        if let Some((known, at)) = &*remembered
            && *known == address
            && (*at..*at + LOOK_EVERY).contains(&now)
        {
            return Ok(());
        }
        if !self.read(QueueServers).await?.contains(&address) {
            self.ports.store.keep_queue_server(address.clone()).await?;
        }
        *remembered = Some((address, now));
        Ok(())
    }

    /// Returns a remark on each server that is configured no longer and on which messages wait, or may wait since it cannot be asked.
    /// One that is empty is forgotten.
    pub async fn former_queue_servers(&self) -> Result<Vec<String>> {
        let mut remarks = Vec::new();
        for address in self.former_addresses().await? {
            let found = match self.waits_on(&address).await {
                Ok(true) => "messages wait".to_owned(),
                Ok(false) => {
                    // Whoever may only read leaves that to others.
                    let _ = self.ports.store.forget_queue_server(address).await;
                    continue;
                }
                Err(why) => format!("messages may wait ({why})"),
            };
            remarks.push(format!(
                "{found} on {address}, which `queues.redis` named before: name it there again until its queues are empty, or have it forgotten with `gannet messages queues --forget-servers`"
            ));
        }
        Ok(remarks)
    }

    /// Forgets the servers that are configured no longer, with whatever waits on them. Returns their addresses.
    pub async fn forget_queue_servers(&self) -> Result<Vec<String>> {
        let former = self.former_addresses().await?;
        for address in former.clone() {
            self.ports.store.forget_queue_server(address).await?;
        }
        Ok(former)
    }

    async fn former_addresses(&self) -> Result<Vec<String>> {
        let current = self.queue_server();
        let mut known = self.read(QueueServers).await?;
        known.retain(|address| Some(address) != current.as_ref());
        Ok(known)
    }

    /// Returns whether messages of this catalogue wait on a server.
    async fn waits_on(&self, address: &str) -> Result<bool> {
        match self.open_redis(address).await?.has_any_mended().await {
            Err(QueueError::Foreign) => Ok(false),
            found => Ok(found?),
        }
    }

    /// Returns the queues of a server, which a setting names.
    pub(super) async fn open_redis(&self, setting: &str) -> Result<Arc<RedisQueue>> {
        let mark = self.read(CatalogueMark).await?;
        let owner = mark.map(|mark| mark.id).unwrap_or_default();
        let address = redis_address(setting, &self.config().secrets);
        let address = address.map_err(|why| Error::new(ErrorKind::Unavailable, why))?;
        Ok(Arc::new(RedisQueue::new(&address, owner)?))
    }

    /// Returns the server that is configured, without a password: a secret's name may stay.
    fn queue_server(&self) -> Option<String> {
        let config = self.config();
        let setting = config.all_queues.redis.as_deref()?;
        let user = setting
            .split_once("://")
            .and_then(|(_, rest)| rest.rsplit_once('@'));
        let password = user.and_then(|(user, _)| user.split_once(':'));
        let is_named = password.is_some_and(|(_, word)| Template(word).whole_name().is_some());
        Some(if is_named {
            setting.to_owned()
        } else {
            masked(setting)
        })
    }
}
