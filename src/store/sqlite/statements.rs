//! Short forms for running a cached statement: all rows, the sound ones, the first, the only one, or whether there is
//! any.

use rusqlite::{Connection, OptionalExtension as _, Params, Result, Row};

use super::row::Columns;
use super::sql_damage::{read_row, sound_rows};
use crate::store::damaged_row::DamagedRow;

pub(super) trait Statements {
    fn connection(&self) -> &Connection;

    /// Returns what `read` makes of each row.
    fn all<T>(
        &self,
        statement: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut statement = self.connection().prepare_cached(statement)?;
        statement.query_map(params, read)?.collect()
    }

    /// Returns what `read` makes of each sound row of `table`; the first column is the id. Damaged rows are added to
    /// `damaged`.
    fn sound<T>(
        &self,
        table: &'static str,
        statement: &str,
        params: impl Params,
        damaged: &mut Vec<DamagedRow>,
        mut read: impl FnMut(&mut Columns<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut statement = self.connection().prepare_cached(statement)?;
        let rows = statement.query_map(params, |row| read_row(table, row, &mut read))?;
        sound_rows(rows, damaged)
    }

    /// Returns what `read` makes of the first row, if there is one.
    fn first<T>(
        &self,
        statement: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        self.only(statement, params, read).optional()
    }

    /// Returns what `read` makes of the first row. Without one, that is an error.
    fn only<T>(
        &self,
        statement: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut statement = self.connection().prepare_cached(statement)?;
        statement.query_row(params, read)
    }

    /// Reports whether there is a row.
    fn any(&self, statement: &str, params: impl Params) -> Result<bool> {
        self.connection().prepare_cached(statement)?.exists(params)
    }
}

impl Statements for Connection {
    fn connection(&self) -> &Connection {
        self
    }
}
