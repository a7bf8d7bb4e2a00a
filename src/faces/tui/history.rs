//! The history of one source as a list with a cursor: its attempts or its versions, newest first.

use std::collections::HashMap;

use crate::app::History;
use crate::domain::{Attempt, AttemptOutcome, SourceId, Verdict, Version, VersionId};

/// The kind of rows that the list shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Listing {
    #[default]
    Attempts,
    Versions,
}

/// A history with its cursor, scroll position and marks.
#[derive(Debug)]
pub(crate) struct HistoryView {
    pub(crate) history: History,
    /// A description of the damage in the history, whose versions do not include damaged ones.
    pub(crate) damage: Option<String>,
    versions: HashMap<VersionId, usize>,
    pub(crate) listing: Listing,
    cursor: usize,
    /// The first row on the screen.
    pub(crate) top: usize,
    /// At most two versions, marked to be compared.
    pub(crate) marks: Vec<VersionId>,
    /// The version whose verdicts were requested with the whole output of the verifiers.
    full: Option<VersionId>,
}

impl HistoryView {
    pub(crate) fn new(history: History) -> Self {
        let ids = history.versions.iter().map(|(version, _)| version.id);
        Self {
            versions: ids.zip(0..).collect(),
            history,
            damage: None,
            listing: Listing::default(),
            cursor: 0,
            top: 0,
            marks: Vec::new(),
            full: None,
        }
    }

    /// Returns the view with the source's present history. A cursor on the newest row stays on the newest; any other
    /// cursor stays on its row.
    pub(crate) fn reloaded(self, history: History) -> Self {
        let selected = self.selected_key();
        let mut view = Self {
            listing: self.listing,
            marks: self.marks.clone(),
            top: self.top,
            ..Self::new(history)
        };
        if let Some((version, verdicts)) = self
            .full
            .and_then(|id| self.history.versions.get(*self.versions.get(&id)?))
        {
            // The outputs read before stay until they are read again.
            view.take_verdicts(version.id, verdicts);
        }
        if self.cursor > 0 {
            let same = (0..view.len()).find(|at| view.key_at(*at) == selected);
            view.select(same.unwrap_or(self.cursor));
        }
        view
    }

    fn key_at(&self, at: usize) -> Option<i64> {
        match self.listing {
            Listing::Attempts => self.history.attempts.get(at).map(|attempt| attempt.id.0),
            Listing::Versions => self
                .history
                .versions
                .get(at)
                .map(|(version, _)| version.id.0),
        }
    }

    fn selected_key(&self) -> Option<i64> {
        self.key_at(self.cursor)
    }

    pub(crate) fn source_id(&self) -> SourceId {
        self.history.source.id
    }

    pub(crate) fn len(&self) -> usize {
        match self.listing {
            Listing::Attempts => self.history.attempts.len(),
            Listing::Versions => self.history.versions.len(),
        }
    }

    pub(crate) fn cursor(&self) -> usize {
        self.cursor
    }

    pub(crate) fn select(&mut self, at: usize) {
        self.cursor = at.min(self.len().saturating_sub(1));
    }

    pub(crate) fn switch_listing(&mut self) {
        let version = self.selected_version().map(|(version, _)| version.id);
        self.listing = match self.listing {
            Listing::Attempts => Listing::Versions,
            Listing::Versions => Listing::Attempts,
        };
        let same = (0..self.len()).find(|at| {
            let found = self.version_at(*at).map(|(found, _)| found.id);
            found.is_some() && found == version
        });
        self.select(same.unwrap_or(0));
    }

    pub(crate) fn version(&self, id: VersionId) -> Option<&(Version, Vec<Verdict>)> {
        self.history.versions.get(*self.versions.get(&id)?)
    }

    /// Returns the version of a row: for an attempt, the version that the attempt brought or found unchanged.
    pub(crate) fn version_at(&self, at: usize) -> Option<&(Version, Vec<Verdict>)> {
        match self.listing {
            Listing::Attempts => self.version(self.history.attempts.get(at)?.version_id?),
            Listing::Versions => self.history.versions.get(at),
        }
    }

    /// Returns the attempt of the selected row if the attempt failed: it has an error instead of a version.
    pub(crate) fn failed_attempt(&self) -> Option<&Attempt> {
        let attempt = self.history.attempts.get(self.cursor);
        attempt.filter(|attempt| {
            self.listing == Listing::Attempts && attempt.outcome == AttemptOutcome::Failed
        })
    }

    /// Returns the version of the selected row, or the newest if the row's attempt failed. Returns nothing if the
    /// version's row in the catalogue is damaged.
    pub(crate) fn selected_version(&self) -> Option<&(Version, Vec<Verdict>)> {
        self.version_at(self.cursor).or_else(|| {
            if self.damage.is_none() {
                return self.history.versions.first();
            }
            let attempt = self.history.attempts.get(self.cursor);
            let has_version = attempt.is_some_and(|attempt| attempt.version_id.is_some());
            self.history.newest().filter(|_| !has_version)
        })
    }

    /// Returns the failure of the source's set, if the selected version is the one that the set would publish.
    pub(crate) fn set_failure(&self) -> Option<String> {
        let (version, _) = self.selected_version()?;
        let state = &self.history.source.state;
        let why = self.history.set_failure.as_ref();
        let why = why.filter(|_| state.version_id == Some(version.id))?;
        Some(format!("{}  {why}", state.set.as_ref()?))
    }

    /// Returns the selected version if its verdicts must still be read in full. The caller must read them: the next
    /// call returns nothing.
    pub(crate) fn verdicts_to_read(&mut self) -> Option<VersionId> {
        let (version, verdicts) = self.selected_version()?;
        let id = version.id;
        if verdicts.is_empty() || self.full == Some(id) {
            return None;
        }
        self.full = Some(id);
        Some(id)
    }

    /// Replaces the verdicts on a version by the same verdicts with the whole output of the verifiers.
    pub(crate) fn take_verdicts(&mut self, id: VersionId, full: &[Verdict]) {
        let at = self.versions.get(&id);
        if let Some((_, verdicts)) = at.and_then(|at| self.history.versions.get_mut(*at)) {
            // Fewer verdicts: they were read before the newest was recorded.
            if full.len() >= verdicts.len() {
                full.clone_into(verdicts);
            }
        }
    }

    /// Marks or unmarks the version of the selected row; a third mark replaces the first.
    pub(crate) fn toggle_mark(&mut self) {
        let Some(id) = self.version_at(self.cursor).map(|(version, _)| version.id) else {
            return;
        };
        if let Some(at) = self.marks.iter().position(|mark| *mark == id) {
            self.marks.remove(at);
        } else {
            self.marks.push(id);
            if self.marks.len() > 2 {
                self.marks.remove(0);
            }
        }
        self.select(self.cursor + 1);
    }

    /// Returns the two versions to compare, the older first: the marked ones, else the selected one and that before it.
    pub(crate) fn diff_pair(&self) -> Option<(Version, Version)> {
        let (one, other) = if let [one, other] = self.marks[..] {
            (self.version(one)?, self.version(other)?)
        } else {
            let selected = self.selected_version()?;
            let at = *self.versions.get(&selected.0.id)?;
            (self.history.versions.get(at + 1)?, selected)
        };
        let (one, other) = (one.0.clone(), other.0.clone());
        Some(if one.ordinal < other.ordinal {
            (one, other)
        } else {
            (other, one)
        })
    }
}
