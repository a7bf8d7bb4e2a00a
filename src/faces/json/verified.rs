//! The JSON of what was judged: `verify` and `verify --stale`.

use std::collections::HashMap;

use serde::Serialize;

use super::verdict::{SetAsideJson, VerdictJson, set_aside_json};
use crate::app::{StaleProgress, Verified, VerifiedSet};
use crate::domain::{EditionId, SourceId, VersionId};
use crate::faces::file_change::FileChange;
use crate::faces::folder_change::{ChangedFolder, FolderChange};

/// One of `verify --json`.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum JudgedJson<'a> {
    Version(VerifiedJson<'a>),
    Set(VerifiedSetJson<'a>),
    /// A set whose folder changed because of a judged version.
    Folder(&'a ChangedFolder),
}

/// A version that was judged.
#[derive(Serialize)]
pub(crate) struct VerifiedJson<'a> {
    source_id: SourceId,
    source: &'a str,
    version_id: VersionId,
    verified: &'static str,
    verdicts: Vec<VerdictJson<'a>>,
    /// Verdicts by hand that no longer count.
    set_aside: Vec<SetAsideJson<'a>>,
    /// The change of the source's published file; `None` if the source was purged meanwhile.
    published: Option<&'a FileChange>,
}

impl<'a> VerifiedJson<'a> {
    /// `files` are the changes of published files, by source; `actor` had the version judged.
    pub(crate) fn new(
        verified: &'a Verified,
        files: &HashMap<SourceId, &'a FileChange>,
        actor: &'a str,
    ) -> Self {
        let verdicts = verified.verdicts.iter();
        Self {
            source_id: verified.source.id,
            source: &verified.source.settings.name,
            version_id: verified.version.id,
            verified: verified.state.as_str(),
            verdicts: verdicts
                .map(|verdict| VerdictJson::new(verdict, actor))
                .collect(),
            set_aside: set_aside_json(&verified.set_aside),
            published: files.get(&verified.source.id).copied(),
        }
    }
}

/// An edition that was judged.
#[derive(Serialize)]
struct JudgedSetJson<'a> {
    set: &'a str,
    edition_id: EditionId,
    verified: &'static str,
    /// Why the edition is older than the set's newest combination.
    waits_for: Option<&'a str>,
    verdicts: Vec<VerdictJson<'a>>,
    /// Verdicts by hand that no longer count.
    set_aside: Vec<SetAsideJson<'a>>,
}

impl<'a> JudgedSetJson<'a> {
    fn new(verified: &'a VerifiedSet, actor: &'a str) -> Self {
        let verdicts = verified.verdicts.iter();
        Self {
            set: &verified.edition.set,
            edition_id: verified.edition.id,
            verified: verified.edition.state.as_str(),
            waits_for: verified.waits.as_deref(),
            verdicts: verdicts
                .map(|verdict| VerdictJson::new(verdict, actor))
                .collect(),
            set_aside: set_aside_json(&verified.set_aside),
        }
    }
}

/// A set that was judged.
#[derive(Serialize)]
pub(crate) struct VerifiedSetJson<'a> {
    #[serde(flatten)]
    judged: JudgedSetJson<'a>,
    /// The change of the set's folder.
    published: &'a FolderChange,
}

impl<'a> VerifiedSetJson<'a> {
    pub(crate) fn new(
        verified: &'a VerifiedSet,
        published: &'a FolderChange,
        actor: &'a str,
    ) -> Self {
        let judged = JudgedSetJson::new(verified, actor);
        Self { judged, published }
    }
}

/// The whole of `verify --stale --json`.
#[derive(Serialize)]
pub(crate) struct StaleJson<'a> {
    judged: u64,
    passed: u64,
    unverified: u64,
    failed: u64,
    undecided: u64,
    /// The number of these that wait for a verdict, which is no failure.
    waiting: u64,
    sets: u64,
    /// The number of sets that did not pass.
    sets_failed: u64,
    /// The number of these that wait for a verdict.
    sets_pending: u64,
    sets_unverified: u64,
    sets_waiting: u64,
    /// The number of verdicts by hand that stay.
    by_hand: u64,
    changed: Vec<VerifiedJson<'a>>,
    /// Editions that did not pass, or whose state changed.
    sets_judged: Vec<JudgedSetJson<'a>>,
    /// Sets whose folders changed.
    sets_changed: &'a [ChangedFolder],
}

impl<'a> StaleJson<'a> {
    /// `versions` and `sets` were judged, `files` are the changes of published files, by source.
    pub(crate) fn new(
        done: &StaleProgress,
        (versions, sets): (&'a [Verified], &'a [VerifiedSet]),
        files: &HashMap<SourceId, &'a FileChange>,
        sets_changed: &'a [ChangedFolder],
        actor: &'a str,
    ) -> Self {
        let (versions, editions) = (versions.iter(), sets.iter());
        Self {
            judged: done.done,
            passed: done.passed,
            unverified: done.unverified,
            failed: done.failed,
            undecided: done.undecided,
            waiting: done.waiting,
            sets: done.sets,
            sets_failed: done.sets_failed,
            sets_pending: done.sets_pending,
            sets_unverified: done.sets_unverified,
            sets_waiting: done.sets_waiting,
            by_hand: done.by_hand,
            changed: versions
                .map(|one| VerifiedJson::new(one, files, actor))
                .collect(),
            sets_judged: editions.map(|one| JudgedSetJson::new(one, actor)).collect(),
            sets_changed,
        }
    }
}
