//! Links of verifiers, found by the digest of their secret, and the services that honour them.
//!
//! Never decides whether a link lasts, but uses each once, and deletes those that ended a week ago.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::types::Type;
use rusqlite::{Connection, params};

use super::Store;
use super::failure::Outcome;
use super::refusal::refuse_version;
use super::row::{Columns, millis};
use super::select::{Damage, Select};
use super::sql_damage::read_row;
use super::statements::Statements as _;
use super::transaction::Transaction;
use crate::domain::{
    CLOCK_TOLERANCE, Digest, NewVerdict, SERVICE_LEASE, Stamp, VersionId, VersionState,
};
use crate::store::error::Result;
use crate::store::link_types::{NewLinks, ServiceInfo, VerifierLink};
use crate::store::query::{LinkWith, ServicesSeenSince};

/// How long a link stays after its end, used or not.
const KEPT: TimeDelta = TimeDelta::days(7);

impl Store {
    /// Uses a link. Returns whether that was its first use.
    pub async fn use_link(&self, digest: Digest, now: DateTime<Utc>) -> Result<bool> {
        self.write(move |transaction| Ok(use_once(transaction, digest, now)?))
            .await
    }

    /// Uses a link and records the verdict that was given by it, or neither. Returns the state as
    /// [`Store::record_outside_verdict`] does; `None` when the link was used before.
    pub async fn record_linked_verdict(
        &self,
        digest: Digest,
        version: VersionId,
        verdict: NewVerdict,
        stamp: Stamp,
    ) -> Result<Option<VersionState>> {
        self.write(move |transaction| {
            if !use_once(transaction, digest, stamp.at)? {
                return Ok(None);
            }
            let (state, _) = refuse_version(transaction, version, &verdict, &stamp)?;
            Ok(Some(state))
        })
        .await
    }
}

macro_rules! checksum {
    () => {
        "row_checksum(digest, opens, version_id, verifier, fingerprint, created_at, expires_at)"
    };
}

impl Select<Option<VerifierLink>> for LinkWith {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Option<VerifierLink>> {
        const LINK: &str = concat!(
            "SELECT digest, coalesce(checksum = ",
            checksum!(),
            ", 0) AS checksum, opens, version_id, verifier, fingerprint, created_at, expires_at, used_at
             FROM verifier_link WHERE digest = ?1"
        );
        Ok(sql.first(LINK, [&self.0.0], |row| {
            read_row("verifier_link", row, read)
        })?)
    }
}

impl Select<Vec<ServiceInfo>> for ServicesSeenSince {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Vec<ServiceInfo>> {
        const SERVICES: &str = "SELECT address, url FROM service WHERE seen_at BETWEEN ?1 AND ?2
             ORDER BY url IS NULL, seen_at DESC";
        // One that a clock running ahead recorded may have ended long ago.
        let latest = self.0 + SERVICE_LEASE + CLOCK_TOLERANCE;
        let bounds = [self.0, latest].map(millis);
        Ok(sql.all(SERVICES, bounds, |row| {
            Ok(ServiceInfo {
                address: row.get(0)?,
                url: row.get(1)?,
            })
        })?)
    }
}

fn read(columns: &mut Columns<'_>) -> rusqlite::Result<VerifierLink> {
    columns.skip();
    if !columns.get::<bool>()? {
        return Err(columns.malformed(Type::Integer, ""));
    }
    Ok(VerifierLink {
        opens: columns.word()?,
        version_id: VersionId(columns.get()?),
        verifier: columns.get()?,
        fingerprint: columns.get()?,
        created_at: columns.time()?,
        expires_at: columns.time()?,
        used_at: columns.optional_time()?,
    })
}

/// Keeps links, ends those by which the same verifier was asked about the same version before, and deletes those that ended
/// a week ago.
pub(super) fn make_links(
    transaction: &Transaction<'_>,
    new: &NewLinks,
    now: DateTime<Utc>,
) -> rusqlite::Result<()> {
    let over = "DELETE FROM verifier_link WHERE expires_at < ?1";
    transaction.execute(over, [millis(now - KEPT)])?;
    // A verifier that is asked again answers the last request alone.
    let earlier = "UPDATE verifier_link SET used_at = ?3 WHERE version_id = ?1 AND verifier = ?2 AND used_at IS NULL";
    transaction.execute(
        earlier,
        params![new.version_id.0, new.verifier, millis(now)],
    )?;
    for (digest, opens, end) in &new.links {
        transaction.execute(
            "INSERT INTO verifier_link (digest, opens, version_id, verifier, fingerprint, created_at, expires_at, checksum)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, row_checksum(?1, ?2, ?3, ?4, ?5, ?6, ?7))",
            params![
                digest.0,
                opens.as_str(),
                new.version_id.0,
                new.verifier,
                new.fingerprint,
                millis(new.created_at),
                millis(*end)
            ],
        )?;
    }
    Ok(())
}

fn use_once(
    transaction: &Transaction<'_>,
    digest: Digest,
    now: DateTime<Utc>,
) -> rusqlite::Result<bool> {
    let used = "UPDATE verifier_link SET used_at = ?2 WHERE digest = ?1 AND used_at IS NULL";
    Ok(transaction.execute(used, params![digest.0, millis(now)])? == 1)
}

/// Records that a service runs.
pub(super) fn see_service(
    transaction: &Transaction<'_>,
    service: &ServiceInfo,
    now: DateTime<Utc>,
) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT INTO service (address, url, seen_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (address) DO UPDATE SET url = excluded.url, seen_at = excluded.seen_at",
        params![service.address, service.url, millis(now)],
    )?;
    Ok(())
}

/// Records that a service ended.
pub(super) fn end_service(transaction: &Transaction<'_>, address: &str) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM service WHERE address = ?1", [address])?;
    Ok(())
}
