//! A row of the catalogue that cannot be read, in words.

use std::fmt;

/// Stands in the place of a table for an index, which is the id.
pub(crate) const INDEX: &str = "index";

/// A row of the catalogue that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DamagedRow {
    /// The name of its table.
    pub table: &'static str,
    /// Its id, or the name in the place of one; empty when unknown.
    pub id: String,
    /// The name of the source to which it belongs, if readable.
    pub source: Option<String>,
    /// The column with its invalid value, or what is missing.
    pub reason: String,
}

impl fmt::Display for DamagedRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, id, .. } = self;
        if self.table.is_empty() {
            f.write_str("a row of the catalogue")?;
        } else if *table == INDEX {
            write!(f, "the catalogue's index `{id}`")?;
        } else if id.is_empty() {
            write!(f, "a row of the catalogue's table `{table}`")?;
        } else if *table == "version" && id.bytes().all(|byte| byte.is_ascii_digit()) {
            write!(f, "the catalogue's row of v{id}")?;
        } else {
            write!(f, "the catalogue's row {id} of the table `{table}`")?;
        }
        if let Some(source) = &self.source {
            write!(f, " (source {source})")?;
        }
        write!(f, " is damaged: {}", self.reason)
    }
}
