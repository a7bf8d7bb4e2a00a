//! Claims: which worker may fetch a source, and with which fencing number.
//!
//! A claim ends when its worker records an attempt, releases it, or was not seen for a lease.

use rusqlite::{CachedStatement, Connection, params};

use super::Store;
use super::damaged_state::of_state;
use super::failure::Outcome;
use super::published_file::{SEAL_COLUMNS, read_seal};
use super::row::{Columns, int, to_json};
use super::source_row::{
    SETLESS_COLUMNS, SOURCE_COLUMNS, SOURCE_TABLES, have_sets_members, read_source, read_source_row,
};
use super::sql_damage::damaged_row_in;
use super::transaction::Transaction;
use super::version_row::{PLACE_COLUMNS, damaged_row, read_place};
use super::worker::{RELEASE, end, end_lapsed, end_of_nobody, has_lapsed, see};
use crate::domain::{
    Claim, Digest, NewestVersion, Slot, SourceId, StoredObject, Validators, VersionState, WorkerId,
};
use crate::store::damaged_row::DamagedRow;
use crate::store::error::Result;
use crate::store::types::{ClaimRequest, ClaimWhat, ClaimsToRelease};

impl Store {
    /// Claims up to the requested number of sources for a worker. Skips sources with a live claim, on an excluded host,
    /// or removed. A source with a damaged row is left out ([`Store::damage`]).
    pub async fn claim(&self, request: ClaimRequest) -> Result<Vec<Claim>> {
        let claimed = self.write(move |transaction| {
            see(transaction, &request.worker, request.now)?;
            end_lapsed(transaction, request.now)?;
            match &request.what {
                ClaimWhat::Due => claim_due(transaction, &request),
                ClaimWhat::These(ids) => claim_these(transaction, ids, &request),
            }
        });
        let claimed = claimed.await?;
        let damaged = claimed.damaged.into_iter();
        self.noted().add(damaged.map(|(_, row)| row).collect());
        Ok(claimed.claims)
    }

    /// Ends claims; their sources can be claimed again at once.
    pub async fn release_claims(&self, which: ClaimsToRelease) -> Result<()> {
        // A read costs less than a commit, and usually none has lapsed.
        if let ClaimsToRelease::Lapsed(now) = which
            && !self.read_with(move |sql| Ok(has_lapsed(sql, now)?)).await?
        {
            return Ok(());
        }
        self.write(move |transaction| Ok(release(transaction, &which)?))
            .await
    }
}

fn release(transaction: &Transaction<'_>, which: &ClaimsToRelease) -> rusqlite::Result<()> {
    match which {
        ClaimsToRelease::Of(worker) => end(transaction, worker),
        ClaimsToRelease::Lapsed(now) => {
            end_lapsed(transaction, *now)?;
            end_of_nobody(transaction)
        }
        ClaimsToRelease::One {
            source,
            fence,
            worker,
        } => {
            let release = format!("{RELEASE} WHERE {HELD}");
            transaction.execute(&release, params![source.0, fence, worker.0])?;
            Ok(())
        }
    }
}

/// Claims due sources, the longest due first.
fn claim_due(transaction: &Transaction<'_>, request: &ClaimRequest) -> Outcome<Claimed> {
    let mut claimed = Claimed::default();
    loop {
        let ids = transaction
            .sql
            .prepare_cached(DUE)?
            .query_map(
                params![
                    Slot::containing(request.now).0,
                    to_json(&request.excluded_hosts),
                    int(request.limit - claimed.claims.len() + claimed.damaged.len())
                ],
                |row| row.get(0),
            )?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        // Sources with damaged rows are replaced by as many others.
        if claim_all(transaction, &ids, request, &mut claimed)? {
            return Ok(claimed);
        }
    }
}

fn claim_these(
    transaction: &Transaction<'_>,
    ids: &[SourceId],
    request: &ClaimRequest,
) -> Outcome<Claimed> {
    let mut claimed = Claimed::default();
    let ids = transaction
        .sql
        .prepare_cached(THESE)?
        .query_map(
            params![
                to_json(&ids),
                to_json(&request.excluded_hosts),
                int(request.limit)
            ],
            |row| row.get(0),
        )?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    claim_all(transaction, &ids, request, &mut claimed)?;
    Ok(claimed)
}

/// Makes a claimed source due no later than this slot, however its claim ends.
pub(super) fn keep_due(
    transaction: &Transaction<'_>,
    source: SourceId,
    (fence, worker): (i64, &WorkerId),
    slot: Slot,
) -> rusqlite::Result<()> {
    transaction.execute(
        &format!("UPDATE source_state SET next_slot = min(next_slot, ?4) WHERE {HELD}"),
        params![source.0, fence, worker.0, slot.0],
    )?;
    Ok(())
}

/// The condition under which a claim holds: this source, this fencing number, this worker.
const HELD: &str = "source_id = ?1 AND fence = ?2 AND lease_owner = ?3";

const DUE: &str = "SELECT source_id FROM source_state INDEXED BY source_state_due
     WHERE active = 1 AND next_slot <= ?1 AND lease_owner IS NULL
     AND host NOT IN (SELECT value FROM json_each(?2))
     ORDER BY next_slot, source_id LIMIT ?3";

/// The objects of a blob and of its chain of bases. A blob's body is its row's last column, so no body is read.
const OBJECTS: &str = "WITH RECURSIVE chain (id) AS (
         SELECT ?1 UNION SELECT b.base_id FROM chain c CROSS JOIN blob b ON b.id = c.id WHERE b.base_id IS NOT NULL)
     SELECT b.object, b.stored_bytes FROM chain c CROSS JOIN blob b ON b.id = c.id WHERE b.object IS NOT NULL";

const THESE: &str =
    "SELECT t.source_id FROM json_each(?1) i CROSS JOIN source_state t ON t.source_id = i.value
     CROSS JOIN source s ON s.id = t.source_id
     WHERE s.removed_at IS NULL AND t.lease_owner IS NULL
     AND t.host NOT IN (SELECT value FROM json_each(?2))
     GROUP BY i.value ORDER BY min(i.key) LIMIT ?3";

/// The claims made, and the damaged rows met.
#[derive(Default)]
struct Claimed {
    claims: Vec<Claim>,
    /// Each damaged row with the id of its source.
    damaged: Vec<(i64, DamagedRow)>,
}

/// Claims these sources, except those known to be damaged. Returns whether no further damage was met.
fn claim_all(
    transaction: &Transaction<'_>,
    ids: &[i64],
    request: &ClaimRequest,
    claimed: &mut Claimed,
) -> rusqlite::Result<bool> {
    let mut claim = transaction.sql.prepare_cached(
        "UPDATE source_state SET lease_owner = ?2, fence = fence + 1 WHERE source_id = ?1",
    )?;
    let mut load = transaction
        .sql
        .prepare_cached(&load_sql(transaction.sql)?)?;
    let mut objects = transaction.sql.prepare_cached(OBJECTS)?;
    let (worker, mut is_all) = (&request.worker.id, true);
    claimed.claims.reserve(ids.len());
    for id in ids {
        if claimed.damaged.iter().any(|(damaged, _)| damaged == id) {
            continue;
        }
        let found = load.query_row([id], |row| {
            read_source_row(row, |columns| read_claim(columns, worker))
        });
        let found = found.and_then(|found| claim.execute(params![id, worker.0]).map(|_| found));
        let (mut claim, blob) = match found {
            Ok(found) => found,
            Err(error) => {
                let row = damage_of(transaction, *id, error)?;
                claimed.damaged.push((*id, row));
                is_all = false;
                continue;
            }
        };
        if let Some(blob) = blob {
            add_objects(&mut objects, &mut claim, blob)?;
        }
        claimed.claims.push(claim);
    }
    Ok(is_all)
}

/// Returns the statement that reads a source for its claim.
fn load_sql(sql: &Connection) -> rusqlite::Result<String> {
    let columns = if have_sets_members(sql)? {
        SOURCE_COLUMNS
    } else {
        SETLESS_COLUMNS
    };
    Ok(format!(
        "SELECT {columns}, t.fence, t.validators, t.requests, t.whole_at, t.checked_at, {SEAL_COLUMNS},
             {PLACE_COLUMNS}, b.digest, b.size_bytes,
             CASE WHEN b.object IS NOT NULL OR b.base_id IS NOT NULL THEN b.id END
         FROM {SOURCE_TABLES} LEFT JOIN blob b ON b.id = v.blob_id AND b.digest = v.digest WHERE s.id = ?1"
    ))
}

/// Adds the objects that store a claim's newest version. With damage among them, the whole file is asked for.
fn add_objects(
    objects: &mut CachedStatement<'_>,
    claim: &mut Claim,
    blob: i64,
) -> rusqlite::Result<()> {
    let Some(newest) = &mut claim.newest else {
        return Ok(());
    };
    let rows = objects.query_map([blob], |row| read_object(&mut Columns::new(row)))?;
    match rows.collect::<rusqlite::Result<_>>() {
        Ok(objects) => newest.objects = objects,
        Err(error) if damaged_row_in(&error).is_some() => {
            let id = newest.id;
            tracing::error!("version {id}: {error}: the whole file is asked for");
            (claim.newest, claim.validators) = (None, Validators::default());
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Returns the damaged or missing row of an error; any other error is returned as it is.
fn damage_of(
    transaction: &Transaction<'_>,
    source: i64,
    error: rusqlite::Error,
) -> rusqlite::Result<DamagedRow> {
    if matches!(error, rusqlite::Error::QueryReturnedNoRows) {
        return Ok(DamagedRow {
            table: "source",
            id: source.to_string(),
            source: None,
            reason: "it is missing".to_owned(),
        });
    }
    let error = of_state(transaction.sql, SourceId(source), error);
    damaged_row_in(&error).ok_or(error)
}

fn read_object(columns: &mut Columns<'_>) -> rusqlite::Result<StoredObject> {
    Ok(StoredObject {
        name: columns.get()?,
        size_bytes: columns.count()?,
    })
}

/// Reads a claim without the objects of its newest version; returns the blob whose objects are still to be read.
fn read_claim(
    columns: &mut Columns<'_>,
    worker: &WorkerId,
) -> rusqlite::Result<(Claim, Option<i64>)> {
    let mut source = read_source(columns)?;
    // The fence after this claim.
    let fence = columns.get::<i64>()?.wrapping_add(1);
    let mut validators: Validators = columns.optional_json()?.unwrap_or_default();
    let requests = columns.count()?;
    let whole_at = columns.optional_time()?;
    let checked_at = columns.optional_time()?;
    // The check of the file that a damaged seal leads to reports the damage.
    let published_seal = columns.apart(3, read_seal).unwrap_or_default();
    let (newest, blob) = match source.state.version_id {
        Some(id) => match read_newest(source.id, columns) {
            Ok((newest, state, blob)) => {
                source.state.version_state = Some(state);
                (Some(newest), blob)
            }
            Err(error) => {
                tracing::error!("version {id}: {error}: the whole file is asked for");
                validators = Validators::default();
                (None, None)
            }
        },
        None => (None, None),
    };
    let claim = Claim {
        source,
        fence,
        worker: worker.clone(),
        validators,
        requests,
        whole_at,
        checked_at,
        newest,
        published_seal,
    };
    Ok((claim, blob))
}

/// Returns a source's newest version, its state, and its blob when objects store it. A damaged row is an error: the
/// next body then begins a sound version, whatever its digest.
fn read_newest(
    source: SourceId,
    columns: &mut Columns<'_>,
) -> rusqlite::Result<(NewestVersion, VersionState, Option<i64>)> {
    let place = read_place(columns)?;
    if place.source_id != source {
        return Err(damaged_row(place.id, "it is another source's"));
    }
    let digest = columns.optional()?;
    let newest = NewestVersion {
        id: place.id,
        ordinal: place.ordinal.unsigned_abs(),
        digest: Digest(
            digest.ok_or_else(|| damaged_row(place.id, "it names a blob of other content"))?,
        ),
        size_bytes: columns.count()?,
        objects: Vec::new(),
    };
    Ok((newest, place.state, columns.get()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema::query_plan;

    #[test]
    fn due_sources_are_found_in_order_by_the_partial_index() {
        let plan = query_plan(DUE);
        assert!(
            plan.starts_with("SEARCH source_state USING INDEX source_state_due (next_slot<?)"),
            "{plan}"
        );
        assert!(!plan.contains("SCAN source_state"), "{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{plan}");
    }

    #[test]
    fn objects_are_found_by_id() {
        let plan = query_plan(OBJECTS);
        assert!(!plan.contains("SCAN b"), "{plan}");
    }

    #[test]
    fn chosen_sources_are_found_by_id() {
        let plan = query_plan(THESE);
        assert!(
            !plan.contains("SCAN t") && !plan.contains("SCAN s"),
            "{plan}"
        );
    }
}
