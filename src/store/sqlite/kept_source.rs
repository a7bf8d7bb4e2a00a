//! Sources to be changed: they exist, and no other source has their names or addresses.

use super::damaged_source::refuse_removed_at_no_time;
use super::failure::Outcome;
use super::source_row::source_by_id;
use super::statements::Statements as _;
use super::transaction::Transaction;
use crate::domain::{Source, SourceId, SourceSettings};
use crate::store::error::StoreError;
use crate::store::types::Changed;

pub(super) fn changed(source_id: SourceId) -> Changed {
    Changed {
        source_id,
        objects: Vec::new(),
        edited: None,
    }
}

/// Returns the source unless it was removed.
pub(super) fn kept_source(transaction: &Transaction<'_>, id: SourceId) -> Outcome<Source> {
    let source = source_by_id(transaction.sql, id)?;
    if source.removed_at.is_some() {
        return Err(StoreError::Missing {
            what: "source",
            id: id.0,
        }
        .into());
    }
    Ok(source)
}

/// Refuses a name or an address that a source other than `own` uses as its name or address.
pub(super) fn refuse_taken(
    transaction: &Transaction<'_>,
    own: Option<SourceId>,
    settings: &SourceSettings,
) -> Outcome<()> {
    let (name, address) = (settings.name.as_str(), settings.address.as_str());
    for (what, value, column) in [
        ("address", address, "address"),
        ("name", name, "name"),
        // A name that equals another source's address, or the reverse, would be ambiguous.
        ("name", name, "address"),
        ("address", address, "name"),
    ] {
        let sql = format!("SELECT id, name FROM source WHERE removed_at IS NULL AND {column} = ?1");
        let other = transaction.first(&sql, [value], |row| {
            Ok((SourceId(row.get(0)?), row.get(1)?))
        })?;
        if let Some((id, name)) = other
            && Some(id) != own
        {
            let value = value.to_owned();
            return Err(StoreError::Taken {
                what,
                value,
                id,
                name,
            }
            .into());
        }
    }
    refuse_removed_at_no_time(transaction.sql, settings)
}
