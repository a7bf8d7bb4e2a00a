//! The effect of a change on a published file, compared before and after: a clause for people, an object for programs.
//!
//! Uses only the catalogue's record of a file, never the file. A publication left to the next pass is named so.

use serde::Serialize;

use super::publication::{BY_NEWEST, all_of_sets, kept_until, one_of_sets, unvetted};
use super::text::clean;
use crate::domain::{Source, VersionId, VersionState};

/// The effect on a published file, or on the folder of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FileOutcome {
    /// Consumers see another version than before, or their first one.
    Published,
    /// Consumers see the same version.
    Unchanged,
    /// Consumers see the same version; its file had been changed or removed, and was restored.
    PutBack,
    /// Consumers see the same version at another place: at the source's own path, or in the folder of its set.
    Moved,
    /// Consumers see no version any more.
    Withdrawn,
    /// Consumers see no version until the set of the source is published.
    Waiting,
    /// The next pass publishes the file.
    Due,
    /// The file could not be published.
    Failed,
    /// Consumers saw no version, and see none.
    Nothing,
}

/// The change of a source's published file.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct FileChange {
    pub(crate) change: FileOutcome,
    /// The version that consumers see now.
    version_id: Option<VersionId>,
    /// The path below `published/`; `None` if consumers see the file in the folder of the set.
    path: Option<String>,
    set: Option<String>,
    /// For people: the sets in whose folders consumers see the file.
    #[serde(skip)]
    shown_in: Option<String>,
    /// Why the file was withdrawn or could not be published.
    why: Option<String>,
    /// For people: the objection to a version that is published by its rule all the same.
    #[serde(skip)]
    against: Option<&'static str>,
    /// For people: a remark on the file.
    #[serde(skip)]
    more: String,
    /// For people: the version that consumers saw, if that is a newer one.
    #[serde(skip)]
    back_from: Option<VersionId>,
}

impl FileChange {
    /// Compares the published file of a source before and now.
    pub(crate) fn between(before: Option<&Seen>, source: &Source) -> Self {
        let state = &source.state;
        let served = state.served();
        let seen = Seen::of(source);
        let is_in_set = state.published_version_id.is_none()
            && (state.set.is_some() || state.set_version_id.is_some());
        let withdrawn = state.withdrawn.as_ref();
        let change = match served {
            _ if state.publish_error.is_some() => FileOutcome::Failed,
            _ if state.publish_due => FileOutcome::Due,
            Some(_) if seen.as_ref() == before => FileOutcome::Unchanged,
            Some(_) if served == before.map(|one| one.version) => FileOutcome::Moved,
            Some(_) => FileOutcome::Published,
            None if before.is_some() => FileOutcome::Withdrawn,
            None if state.set.is_some() => FileOutcome::Waiting,
            None => FileOutcome::Nothing,
        };
        let because = withdrawn.map(|withdrawn| withdrawn.because.clone());
        Self {
            change,
            version_id: served,
            path: (!is_in_set).then(|| source.published_path.clone()),
            set: state.set.clone(),
            shown_in: state.showing_set.clone(),
            why: match change {
                FileOutcome::Failed => state.publish_error.clone(),
                FileOutcome::Withdrawn => because,
                _ => None,
            },
            against: unvetted(source).map(|one| one.clause),
            more: waiting(source),
            back_from: before
                .map(|one| one.version)
                .filter(|was| served.is_some_and(|now| now < *was)),
        }
    }

    /// Marks an unchanged file as restored. Any other outcome stays.
    pub(crate) fn put_back(mut self) -> Self {
        if self.change == FileOutcome::Unchanged {
            self.change = FileOutcome::PutBack;
        }
        self
    }

    /// Returns the present state of a source's file, as an unchanged file.
    pub(crate) fn now(source: &Source) -> Self {
        Self::between(Seen::of(source).as_ref(), source)
    }

    /// Returns a clause without a full stop, safe for a terminal.
    pub(crate) fn clause(&self) -> String {
        let set = self.set.as_deref().unwrap_or_default();
        let place = match (&self.path, &self.shown_in) {
            (Some(path), _) => format!("at {path}"),
            (None, Some(shown)) => format!("with {}", all_of_sets(shown)),
            (None, None) => format!("with {}", all_of_sets(set)),
        };
        let place = place + self.against.map_or("", |_| BY_NEWEST);
        let clause = self.against.map(|against| format!(", {against},"));
        let clause = clause.unwrap_or_default();
        let version = self.version_id.map(|id| format!("v{id}{clause}"));
        let version = version.unwrap_or_default();
        let more = &self.more;
        let words = match self.change {
            FileOutcome::Published => {
                let back = self.back_from.map(|was| format!(", back from v{was}"));
                format!(
                    "published {version} {place}{}{more}",
                    back.unwrap_or_default()
                )
            }
            FileOutcome::Unchanged => format!("{version} stays published {place}{more}"),
            FileOutcome::PutBack => {
                format!(
                    "{version} was put back {place}{more}: the file had been changed or removed"
                )
            }
            FileOutcome::Moved => format!("{version} is published {place} now{more}"),
            FileOutcome::Withdrawn => {
                format!("no longer published {place}{}", colon(self.why.as_deref()))
            }
            FileOutcome::Waiting => {
                format!("waits for {} to be published", one_of_sets(set))
            }
            FileOutcome::Due => format!("the next pass brings the file {place} up to date"),
            FileOutcome::Failed => format!("not brought up to date {place}"),
            FileOutcome::Nothing => "nothing of it is published".to_owned(),
        };
        clean(&words).into_owned()
    }
}

/// The version of a source that consumers see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    version: VersionId,
    /// The set in whose folder consumers see it; `None` for the source's own path.
    set: Option<String>,
}

impl Seen {
    /// Returns the version that consumers see; `None` if they see none.
    pub(crate) fn of(source: &Source) -> Option<Self> {
        let state = &source.state;
        let is_own = state.published_version_id.is_some();
        Some(Self {
            version: state.served()?,
            set: state.showing_set.clone().filter(|_| !is_own),
        })
    }
}

/// Returns what delays a source's file, while consumers see an older version, or none of the set yet.
fn waiting(source: &Source) -> String {
    let state = &source.state;
    if let Some(set) = kept_until(source) {
        return format!(", until {} is published with it", one_of_sets(set));
    }
    let is_good = matches!(
        state.version_state,
        Some(VersionState::Passed | VersionState::Unverified)
    );
    match (state.version_id, &state.set) {
        (Some(newest), Some(set)) if is_good && state.served() != Some(newest) => {
            format!("; v{newest} waits for {}", one_of_sets(set))
        }
        _ => String::new(),
    }
}

pub(crate) fn colon(why: Option<&str>) -> String {
    let why = why.filter(|why| !why.is_empty());
    why.map(|why| format!(": {why}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{PublishPolicy, Withdrawal};
    use crate::faces::fixtures::{at, source};

    fn member(published: Option<i64>, in_set: Option<i64>) -> Source {
        let mut one = source(1, "prices");
        one.state.published_version_id = published.map(VersionId);
        one.state.set = Some("eu".to_owned());
        one.state.set_version_id = in_set.map(VersionId);
        one.state.showing_set = in_set.map(|_| "eu".to_owned());
        one
    }

    fn single(published: Option<i64>) -> Source {
        let mut one = member(published, None);
        one.state.set = None;
        one
    }

    fn with(mut one: Source, change: fn(&mut Source)) -> Source {
        change(&mut one);
        one
    }

    /// The version that consumers saw before, at the place where they look now.
    fn seen(version: Option<i64>, now: &Source) -> Option<Seen> {
        let is_own = now.state.published_version_id.is_some();
        Some(Seen {
            version: VersionId(version?),
            set: now.state.showing_set.clone().filter(|_| !is_own),
        })
    }

    #[test]
    fn a_file_that_moves_is_said_to_lie_elsewhere() {
        let (own, in_set) = (single(Some(3)), member(None, Some(3)));
        let entered = member(Some(3), None);
        for (before, now, change, words) in [
            (
                &own,
                &in_set,
                FileOutcome::Moved,
                "v3 is published with the set eu now",
            ),
            (
                &in_set,
                &own,
                FileOutcome::Moved,
                "v3 is published at example.org/1.csv now",
            ),
            (
                &in_set,
                &entered,
                FileOutcome::Moved,
                "v3 is published at example.org/1.csv now, until the set eu is published with it",
            ),
            (
                &own,
                &entered,
                FileOutcome::Unchanged,
                "v3 stays published at example.org/1.csv, until the set eu is published with it",
            ),
            (
                &own,
                &member(None, Some(4)),
                FileOutcome::Published,
                "published v4 with the set eu",
            ),
        ] {
            let mut now = now.clone();
            now.state.version_id = now.state.served();
            let found = FileChange::between(Seen::of(before).as_ref(), &now);
            assert_eq!((found.change, &*found.clause()), (change, words));
        }
    }

    #[test]
    fn what_speaks_against_a_published_version_is_said_with_it() {
        for (before, state, words) in [
            (
                None,
                VersionState::Failed,
                "published v4, which failed, at example.org/1.csv by the rule `newest`",
            ),
            (
                Some(3),
                VersionState::Error,
                "published v4, which could not be judged, at example.org/1.csv by the rule `newest`",
            ),
            (
                Some(4),
                VersionState::Pending,
                "v4, which waits for a verdict, stays published at example.org/1.csv by the rule `newest`",
            ),
            (
                Some(3),
                VersionState::Passed,
                "published v4 at example.org/1.csv",
            ),
        ] {
            let mut now = single(Some(4));
            now.settings.publish = PublishPolicy::Newest;
            now.state.version_id = Some(VersionId(4));
            now.state.version_state = Some(state);
            let found = FileChange::between(seen(before, &now).as_ref(), &now);
            assert_eq!(found.clause(), words);
        }
    }

    #[test]
    fn every_way_that_a_published_file_can_go_is_said() {
        let failed = |one: &mut Source| one.state.publish_error = Some("no room".to_owned());
        let due = |one: &mut Source| one.state.publish_due = true;
        let newer = |one: &mut Source| one.state.version_id = Some(VersionId(4));
        let because = |one: &mut Source| {
            one.state.withdrawn = Some(Box::new(Withdrawal {
                at: at("12:00:00"),
                because: "failed by schema".to_owned(),
            }));
        };
        for (before, now, change, words) in [
            (
                None,
                single(Some(3)),
                FileOutcome::Published,
                "published v3 at example.org/1.csv",
            ),
            (
                Some(2),
                single(Some(3)),
                FileOutcome::Published,
                "published v3 at example.org/1.csv",
            ),
            (
                Some(3),
                with(single(Some(3)), newer),
                FileOutcome::Unchanged,
                "v3 stays published at example.org/1.csv",
            ),
            (
                Some(3),
                with(single(None), because),
                FileOutcome::Withdrawn,
                "no longer published at example.org/1.csv: failed by schema",
            ),
            (
                Some(3),
                single(None),
                FileOutcome::Withdrawn,
                "no longer published at example.org/1.csv",
            ),
            (
                None,
                with(single(None), because),
                FileOutcome::Nothing,
                "nothing of it is published",
            ),
            (
                Some(3),
                with(single(Some(3)), failed),
                FileOutcome::Failed,
                "not brought up to date at example.org/1.csv",
            ),
            (
                Some(3),
                with(single(Some(3)), due),
                FileOutcome::Due,
                "the next pass brings the file at example.org/1.csv up to date",
            ),
            (
                None,
                member(None, None),
                FileOutcome::Waiting,
                "waits for the set eu to be published",
            ),
            (
                Some(3),
                with(member(None, Some(3)), newer),
                FileOutcome::Unchanged,
                "v3 stays published with the set eu; v4 waits for the set eu",
            ),
            (
                Some(3),
                member(Some(3), None),
                FileOutcome::Unchanged,
                "v3 stays published at example.org/1.csv, until the set eu is published with it",
            ),
            (
                Some(3),
                with(member(None, None), because),
                FileOutcome::Withdrawn,
                "no longer published with the set eu: failed by schema",
            ),
        ] {
            let found = FileChange::between(seen(before, &now).as_ref(), &now);
            assert_eq!((found.change, &*found.clause()), (change, words));
        }
    }
}
