//! A look into the catalogue by SQL, for people who may read all of it.
//!
//! Never changes anything, and never returns the hash of a password, a session or a token.

use super::{App, Result};
use crate::store::{QueryLimits, Table, TableFacts};

impl App {
    /// Runs one query that only reads, within the usual limits.
    ///
    /// # Errors
    ///
    /// [`super::ErrorKind::Invalid`] for a query that is not allowed, that the engine does not accept, or that took too long.
    pub async fn sql(&self, query: &str) -> Result<Table> {
        self.sql_within(query, QueryLimits::default()).await
    }

    /// Like [`Self::sql`], within these limits.
    pub async fn sql_within(&self, query: &str, limits: QueryLimits) -> Result<Table> {
        Ok(self.ports.store.sql(query.to_owned(), limits).await?)
    }

    /// Returns the tables of the catalogue by name, with their columns and numbers of rows.
    pub async fn tables(&self) -> Result<Vec<TableFacts>> {
        Ok(self.ports.store.tables().await?)
    }
}
