//! What a query in SQL returns, and what the tables of the catalogue are, in types of no engine.
//!
//! Never holds more than the limits of the query.

use std::time::Duration;

/// Where a query is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueryLimits {
    /// How long it may run.
    pub timeout: Duration,
    /// How many rows it may return.
    pub rows: usize,
    /// How many bytes of each text and each blob are returned.
    pub value_bytes: usize,
    /// How many bytes are returned altogether.
    pub total_bytes: usize,
}

impl Default for QueryLimits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(5),
            rows: 10_000,
            value_bytes: 64 << 10,
            total_bytes: 16 << 20,
        }
    }
}

/// The rows that a query returned.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// The names of the columns; several may have the same name.
    pub columns: Vec<String>,
    /// The rows, each with a cell for each column.
    pub rows: Vec<Vec<Cell>>,
    /// Whether there are more rows than the limits allow.
    pub is_cut: bool,
}

/// A value in a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// No value.
    Null,
    /// A whole number.
    Integer(i64),
    /// A number with a fraction, infinite perhaps.
    Real(f64),
    /// A text.
    Text {
        /// Its beginning, or all of it. Bytes that are not UTF-8 are replaced (U+FFFD).
        text: String,
        /// The size of the whole in bytes.
        size_bytes: usize,
        /// Whether its end is missing in `text`.
        is_cut: bool,
    },
    /// Bytes.
    Blob {
        /// The first bytes, or all of them.
        head: Vec<u8>,
        /// The size of the whole.
        size_bytes: usize,
    },
}

impl Cell {
    /// Reports whether the end of the value is missing.
    pub fn is_cut(&self) -> bool {
        match self {
            Self::Text { is_cut, .. } => *is_cut,
            Self::Blob { head, size_bytes } => head.len() < *size_bytes,
            Self::Null | Self::Integer(_) | Self::Real(_) => false,
        }
    }
}

/// One table of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableFacts {
    /// Its name.
    pub name: String,
    /// Its columns, in their order.
    pub columns: Vec<ColumnFacts>,
    /// How many rows it has.
    pub rows: u64,
}

/// One column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnFacts {
    /// Its name.
    pub name: String,
    /// The type of its values: `INTEGER`, `REAL`, `TEXT`, `BLOB` or `ANY`.
    pub value_type: String,
    /// Whether a row may have no value in it.
    pub is_nullable: bool,
}
