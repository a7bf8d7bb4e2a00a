//! The provenance of attempts: one row for each distinct provenance, shared by attempts. When only the source's own
//! address was asked, the row is shared by all sources: it holds who answered, and the address is the source's at that
//! time.
//!
//! A damaged provenance row never makes its attempt damaged.

use rusqlite::{Connection, params};

use super::row::{Columns, to_json};
use super::source_row::source_fits;
use super::sql_damage::NO_FIT;
use super::statements::Statements as _;
use super::transaction::Transaction;
use crate::domain::{Provenance, Request, SourceId, masked};
use crate::store::damaged_row::DamagedRow;

/// The columns of an attempt `a` and its provenance row `p` for [`read_provenance`].
pub(super) const PROVENANCE: &str = "a.provenance_id, p.source_id IS NULL,
    CASE WHEN p.checksum = row_checksum(p.source_id, p.requests) THEN p.requests END";

/// Returns the id of a provenance's row, inserting a row when no sound one exists. `address` is the source's.
pub(super) fn provenance_id(
    transaction: &Transaction<'_>,
    (source, address): (SourceId, &str),
    provenance: &Provenance,
) -> rusqlite::Result<i64> {
    if !provenance.redirects.is_empty() || provenance.asked() != address {
        return row_id(transaction, Some(source), &to_json(&shown(provenance)));
    }
    let find = || row_id(transaction, None, &to_json(&provenance.last.peer));
    match &provenance.last.peer {
        Some(peer) => transaction.peer_id(peer, find),
        None => find(),
    }
}

/// Returns a provenance with its addresses in the form shown to people.
fn shown(provenance: &Provenance) -> Provenance {
    let mut shown = provenance.clone();
    let redirects = shown.redirects.iter_mut().map(|one| &mut one.request);
    for request in redirects.chain([&mut shown.last]) {
        request.address = masked(&request.address);
    }
    shown
}

fn row_id(
    transaction: &Transaction<'_>,
    source: Option<SourceId>,
    requests: &str,
) -> rusqlite::Result<i64> {
    let row = params![source.map(|id| id.0), requests];
    let known = transaction.first(KNOWN, row, |row| row.get(0))?;
    match known {
        Some(id) => Ok(id),
        None => transaction.insert(
            "INSERT INTO provenance (source_id, checksum, requests) VALUES (?1, row_checksum(?1, ?2), ?2)",
            row,
        ),
    }
}

const KNOWN: &str = "SELECT id FROM provenance
     WHERE source_id IS ?1 AND checksum = row_checksum(?1, ?2) AND requests = ?2";

/// Stores the address of a source that is about to be replaced, for the attempts that asked it.
pub(super) fn keep_former_address(
    transaction: &Transaction<'_>,
    source: SourceId,
    next: &str,
) -> rusqlite::Result<()> {
    // An address replaced before any attempt asked it is not stored.
    transaction.execute(
        "INSERT INTO former_address (source_id, attempt_id, address, checksum)
         SELECT s.id, a.id, s.address, row_checksum(s.id, a.id, s.address)
         FROM source s, (SELECT max(id) AS id FROM attempt WHERE source_id = ?1) a
         WHERE s.id = ?1 AND s.address <> ?2 AND a.id IS NOT NULL ON CONFLICT DO NOTHING",
        params![source.0, next],
    )?;
    Ok(())
}

/// A source's present and former addresses, in the form shown to people.
pub(super) struct Addresses {
    /// Each with the last attempt that asked it, in order; `None` where the row is damaged.
    former: Vec<(i64, Option<String>)>,
    present: Option<String>,
}

impl Addresses {
    /// Reads a source's addresses; a damaged row is added to `damaged`.
    pub(super) fn of(
        sql: &Connection,
        source: SourceId,
        damaged: &mut Vec<DamagedRow>,
    ) -> rusqlite::Result<Self> {
        const FORMER: &str = "SELECT attempt_id, CASE WHEN checksum = row_checksum(source_id, attempt_id, address) THEN address END
             FROM former_address WHERE source_id = ?1 ORDER BY attempt_id";
        const PRESENT: &str = concat!(
            "SELECT s.address FROM source s WHERE s.id = ?1 AND ",
            source_fits!()
        );
        let former = sql.all(FORMER, [source.0], |row| {
            let address = row.get::<_, Option<String>>(1)?;
            // An unreadable number may be any.
            let last = row.get(0).unwrap_or(i64::MAX);
            Ok((last, address.as_deref().map(masked)))
        })?;
        let lost = former.iter().filter(|(_, address)| address.is_none());
        damaged.extend(lost.map(|(last, _)| DamagedRow {
            table: "former_address",
            id: format!("{source}, {last}"),
            source: None,
            reason: NO_FIT.to_owned(),
        }));
        let present: Option<String> = sql.first(PRESENT, [source.0], |row| row.get(0))?;
        let present = present.as_deref().map(masked);
        Ok(Self { former, present })
    }

    fn asked_by(&self, attempt: i64) -> Option<&str> {
        let former = self.former.iter().find(|(last, _)| attempt <= *last);
        former.map_or(self.present.as_deref(), |(_, address)| address.as_deref())
    }
}

/// Reads the [`PROVENANCE`] of an attempt of a source with these addresses. A lost or damaged provenance row is added
/// to `damaged`; the attempt is still sound.
pub(super) fn read_provenance(
    columns: &mut Columns<'_>,
    attempt: i64,
    addresses: &Addresses,
    damaged: &mut Vec<DamagedRow>,
) -> rusqlite::Result<Option<Provenance>> {
    let id: Option<i64> = columns.optional()?;
    let is_of_all: bool = columns.get()?;
    let requests: Option<String> = columns.get().unwrap_or_default();
    let Some(id) = id else { return Ok(None) };
    let read = |requests: String| {
        if !is_of_all {
            return serde_json::from_str(&requests).ok().map(Some);
        }
        let peer = serde_json::from_str(&requests).ok()?;
        Some(addresses.asked_by(attempt).map(|address| Provenance {
            redirects: Vec::new(),
            last: Request {
                address: address.to_owned(),
                peer,
            },
        }))
    };
    let found = requests.and_then(read);
    if found.is_none() {
        damaged.push(DamagedRow {
            table: "provenance",
            id: id.to_string(),
            source: None,
            reason: "it is missing, or does not fit its checksum".to_owned(),
        });
    }
    Ok(found.flatten())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema::query_plan;

    #[test]
    fn a_known_way_is_found_by_its_checksum() {
        let plan = query_plan(KNOWN);
        let index = "SEARCH provenance USING INDEX provenance_source (source_id=? AND checksum=?)";
        assert!(plan.contains(index), "{plan}");
    }
}
