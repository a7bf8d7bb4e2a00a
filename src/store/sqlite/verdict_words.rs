//! Why a version or an edition failed, in words: by which verifier, and the reason.

use rusqlite::Connection;

use super::edition_row::members;
use super::failure::{Outcome, sound_one};
use super::verdict_row::{NO_OUTPUT, list, verdicts_on_edition};
use super::version::version_by_id;
use crate::domain::{EditionId, NewVerdict, VersionId, VersionState, deciding_verdict};

/// Returns who failed a version and why, to follow `failed by`; `None` when nobody did.
pub(super) fn failure_of(sql: &Connection, version: VersionId) -> Outcome<Option<String>> {
    // A damaged verdict gives no reason.
    let mut damaged = Vec::new();
    let of_version = [version.0];
    let verdicts = list(
        sql,
        NO_OUTPUT,
        "d.version_id = ?1",
        of_version,
        &mut damaged,
    )?;
    let newest_first = verdicts.iter().rev().map(|one| &one.verdict);
    Ok(deciding_verdict(VersionState::Failed, newest_first).map(NewVerdict::agent_with_reason))
}

/// Returns who failed an edition and why, to follow `failed by`, or which member's version failed since; `None` without
/// either.
pub(super) fn failure_of_edition(sql: &Connection, id: EditionId) -> Outcome<Option<String>> {
    // A damaged verdict gives no reason.
    let verdicts = verdicts_on_edition(sql, id, &mut Vec::new())?;
    let newest_first = verdicts.iter().rev().map(|one| &one.verdict);
    if let Some(verdict) = deciding_verdict(VersionState::Failed, newest_first) {
        return Ok(Some(verdict.agent_with_reason()));
    }
    for member in members(sql, id)? {
        // A damaged version is not known to have failed.
        let version = sound_one(version_by_id(sql, member.version_id), &mut Vec::new())?;
        if version.is_some_and(|version| version.state == VersionState::Failed) {
            let failure = failure_of(sql, member.version_id)?.unwrap_or_default();
            return Ok(Some(format!("{failure} ({})", member.name)));
        }
    }
    Ok(None)
}
