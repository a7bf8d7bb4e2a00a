//! Prints a pass as JSON: reads what the results of its sources lack.

use std::collections::HashMap;
use std::io::Write as _;

use serde::{Serialize, Serializer};

use super::commands::SetFolders;
use super::exit::conclude;
use super::pass_results::{reasons, why};
use super::summary::status_of_pass;
use super::{Console, ExitStatus};
use crate::app::{App, Error, NamedVersion, PassSummary, SourceResult, StandingFaults};
use crate::domain::{SourceId, VersionId, VersionState};
use crate::faces::folder_change::ChangedFolder;
use crate::faces::json::{self, PassJson, SourceResultJson};

/// The number of sources whose published versions are read at once.
const SERVED_AT_ONCE: usize = 1024;

/// A pass with what its object has beyond the report.
pub struct PassToPrint<'a> {
    summary: &'a PassSummary,
    faults: &'a StandingFaults,
    error: Option<&'a Error>,
    sources: NamedResults<'a>,
    sets: Vec<ChangedFolder>,
    /// Why some of it could not be read.
    unread: Option<Error>,
}

impl<'a> PassToPrint<'a> {
    /// Reads what the report of a pass lacks. `faults` are the problems at its end, `error` is what kept it from
    /// completing, `folders` are the set folders before it.
    pub async fn read(
        app: &App,
        (summary, results): (&'a PassSummary, &'a [SourceResult]),
        (faults, error): (&'a StandingFaults, Option<&'a Error>),
        folders: &SetFolders,
    ) -> Self {
        let (sets, unread_sets) = or_error(folders.changes(app).await);
        let (sources, unread) = or_error(NamedResults::read(app, results).await);
        Self {
            summary,
            faults,
            error,
            sources: sources.unwrap_or_else(|| NamedResults::nameless(results)),
            sets: sets.unwrap_or_default(),
            unread: unread_sets.or(unread),
        }
    }

    /// Prints the pass as JSON, sources by name, indented or on one line; returns the exit code.
    pub fn print(self, on_one_line: bool, console: &mut Console<'_>) -> ExitStatus {
        let error = self.error.or(self.unread.as_ref());
        let whole = PassJson::new(self.summary, self.sources, &self.sets, self.faults, error);
        let written = if on_one_line {
            json::write_line(&mut console.out, &whole)
        } else {
            json::write(&mut console.out, &whole)
        };
        let result = match (written, self.unread) {
            (Err(error), _) => Err(error.into()),
            (Ok(()), Some(error)) => Err(error.into()),
            (Ok(()), None) => Ok(status_of_pass(self.summary)),
        };
        conclude(result, console)
    }
}

/// Prints the object of a pass that did not begin because of `error`. Prints no error: the caller does.
pub fn print_failed_pass_json(error: &Error, console: &mut Console<'_>) {
    let (summary, faults) = (PassSummary::default(), StandingFaults::default());
    let whole = PassJson::new(&summary, [(); 0], &[], &faults, Some(error));
    // An output that cannot be written hides no error: that one stands on stderr.
    let written = json::write(&mut console.out, &whole);
    let _ = written.and_then(|()| console.out.flush());
}

fn or_error<T>(read: crate::app::Result<T>) -> (Option<T>, Option<Error>) {
    match read {
        Ok(value) => (Some(value), None),
        Err(error) => (None, Some(error)),
    }
}

/// The results of a pass with their sources. Each object is made as it is written: a pass may have many.
struct NamedResults<'a> {
    results: Vec<&'a SourceResult>,
    /// The sources, by id; purged and removed ones are missing.
    sources: Vec<NamedVersion>,
    /// The published versions of the sources whose newest version is not published at their own path.
    served: HashMap<SourceId, VersionId>,
    /// For each source, why the fetched version is bad or not published.
    reasons: HashMap<SourceId, String>,
}

impl<'a> NamedResults<'a> {
    /// Returns the results by id, for want of the sources.
    fn nameless(results: &'a [SourceResult]) -> Self {
        let mut results: Vec<_> = results.iter().collect();
        results.sort_by_key(|result| result.id);
        Self {
            results,
            sources: Vec::new(),
            served: HashMap::new(),
            reasons: HashMap::new(),
        }
    }

    async fn read(app: &App, results: &'a [SourceResult]) -> crate::app::Result<Self> {
        let ids = results.iter().map(|result| result.id).collect();
        let mut sources = app.named_versions(ids).await?;
        sources.sort_unstable_by_key(|source| source.id);
        let mut results: Vec<_> = results.iter().collect();
        results.sort_by_cached_key(|result| {
            let name = find(&sources, result.id).map(|source| source.name.as_str());
            (name, result.id)
        });
        let others = sources.iter().filter(|one| {
            let has_passed = !matches!(
                one.version_state,
                Some(VersionState::Failed | VersionState::Error | VersionState::Pending)
            );
            !(one.is_published && has_passed)
        });
        let others: Vec<_> = others.map(|one| one.id).collect();
        let (mut served, mut reasons_of) = (HashMap::new(), HashMap::new());
        let failing_sets = if others.is_empty() {
            Vec::new()
        } else {
            app.failing_sets().await?
        };
        for some in others.chunks(SERVED_AT_ONCE) {
            let some = app.sources_by_id(some.to_vec()).await?.into_iter();
            let some: HashMap<_, _> = some.map(|one| (one.id, one)).collect();
            reasons_of.extend(reasons(app, results.iter().copied(), &some, &failing_sets).await?);
            let some = some.into_values();
            served.extend(some.filter_map(|one| Some((one.id, one.state.served()?))));
        }
        Ok(Self {
            results,
            sources,
            served,
            reasons: reasons_of,
        })
    }

    fn object(&self, result: &'a SourceResult) -> SourceResultJson<'_> {
        let source = find(&self.sources, result.id);
        let own = source.filter(|one| one.is_published);
        let served = own.and_then(|one| one.version_id);
        let served = served.or_else(|| self.served.get(&result.id).copied());
        let reason = self.reasons.get(&result.id);
        let why = reason.map_or_else(|| why(result), Into::into);
        let why = (!why.is_empty()).then_some(why);
        SourceResultJson::new(result, source, why, served)
    }
}

fn find(sources: &[NamedVersion], id: SourceId) -> Option<&NamedVersion> {
    let at = sources.binary_search_by_key(&id, |source| source.id).ok()?;
    sources.get(at)
}

impl Serialize for NamedResults<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let objects = self.results.iter();
        serializer.collect_seq(objects.map(|one| self.object(one)))
    }
}
