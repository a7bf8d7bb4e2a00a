//! The servers on which messages were put. Never holds a password.

use rusqlite::Connection;

use super::Store;
use super::failure::Outcome;
use super::select::{Damage, Select};
use crate::store::error::Result;
use crate::store::query::QueueServers;

impl Store {
    /// Keeps the address of a server on which messages are about to be put.
    pub async fn keep_queue_server(&self, address: String) -> Result<()> {
        self.write(move |transaction| {
            let keep = "INSERT INTO queue_server (address) VALUES (?1) ON CONFLICT DO NOTHING";
            transaction.execute(keep, [&address])?;
            Ok(())
        })
        .await
    }

    /// Forgets a server on which no messages wait any more.
    pub async fn forget_queue_server(&self, address: String) -> Result<()> {
        self.write(move |transaction| {
            transaction.execute("DELETE FROM queue_server WHERE address = ?1", [&address])?;
            Ok(())
        })
        .await
    }
}

impl Select<Vec<String>> for QueueServers {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Vec<String>> {
        let mut statement =
            sql.prepare_cached("SELECT address FROM queue_server ORDER BY address")?;
        let addresses = statement.query_map([], |row| row.get(0))?;
        Ok(addresses.collect::<rusqlite::Result<_>>()?)
    }
}
