//! The table of sources: its rows, their order, the filter, the selection and the marks.
//!
//! The selection stays on its source, whatever is sorted, filtered, added or removed. Never draws.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::columns::{Column, NAME};
use crate::domain::{Slot, Source, SourceId, VersionState};
use crate::faces::state_word::{state_word, verified_word};

/// One source, and the text that a filter searches.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) source: Arc<Source>,
    haystack: Box<str>,
}

impl Row {
    pub(crate) fn new(source: Source) -> Self {
        let settings = &source.settings;
        let verified = verified_word(&source).unwrap_or_default();
        let haystack = format!(
            "{}\n{}\n{}\n{}\n{verified}",
            settings.name,
            settings.address.as_str(),
            settings.tags.join(" "),
            state_word(&source),
        );
        Self {
            haystack: haystack.to_lowercase().into(),
            source: Arc::new(source),
        }
    }
}

/// The number of sources in each state, for the header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Sources whose last attempt failed.
    pub(crate) down: usize,
    /// Sources whose newest version a verifier failed.
    pub(crate) failed_verification: usize,
    /// Sets whose newest files failed together, or could not be judged.
    pub(crate) sets: usize,
    /// Sources whose newest version could not be judged.
    pub(crate) errors: usize,
    /// Sources whose newest version waits for a verdict.
    pub(crate) pending: usize,
    /// Sources whose file could not be published.
    pub(crate) unpublished: usize,
    /// The first slot in which a source is due.
    pub(crate) next: Option<Slot>,
}

/// The sources, and the part of them that is on the screen.
#[derive(Debug)]
pub(crate) struct SourceTable {
    rows: Vec<Row>,
    index: HashMap<SourceId, u32>,
    /// All rows in sort order, as places in `rows`; stored so that a filter need not sort again.
    sorted: Vec<u32>,
    /// The rows of `sorted` that match the filter.
    order: Vec<u32>,
    selected: Option<SourceId>,
    /// The place of the selected row in `order`, or its last place there.
    cursor: usize,
    /// The first row on the screen.
    pub(crate) top: usize,
    pub(crate) marks: BTreeSet<SourceId>,
    filter: String,
    /// The filter as it was typed.
    typed_filter: String,
    sort: &'static Column,
    reversed: bool,
    counts: Counts,
}

impl Default for SourceTable {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            index: HashMap::new(),
            sorted: Vec::new(),
            order: Vec::new(),
            selected: None,
            cursor: 0,
            top: 0,
            marks: BTreeSet::new(),
            filter: String::new(),
            typed_filter: String::new(),
            sort: &NAME,
            reversed: false,
            counts: Counts::default(),
        }
    }
}

impl SourceTable {
    /// Replaces all rows.
    pub(crate) fn replace(&mut self, rows: Vec<Row>) {
        self.rows = rows;
        self.reindex();
        self.arrange();
    }

    /// Inserts and updates rows, and removes the sources that are gone.
    pub(crate) fn update(&mut self, changed: Vec<Row>, gone: &[SourceId]) {
        let gone: BTreeSet<_> = gone
            .iter()
            .filter(|id| self.index.contains_key(id))
            .collect();
        if !gone.is_empty() {
            self.rows.retain(|row| !gone.contains(&row.source.id));
            self.reindex();
            self.arrange();
        }
        let mut touched = vec![false; self.rows.len()];
        for row in changed {
            if let Some(at) = self.index.get(&row.source.id) {
                touched[*at as usize] = true;
                self.rows[*at as usize] = row;
            } else {
                let at = u32::try_from(self.rows.len()).expect("fewer sources than 2^32");
                self.index.insert(row.source.id, at);
                self.rows.push(row);
                touched.push(true);
            }
        }
        self.merge(&touched);
        self.count();
        self.narrow();
    }

    fn reindex(&mut self) {
        let ids = self.rows.iter().map(|row| row.source.id);
        self.index = ids.zip(0..).collect();
        self.marks.retain(|id| self.index.contains_key(id));
    }

    /// Merges the touched rows into the sort order; the others are in order already.
    fn merge(&mut self, touched: &[bool]) {
        let touched_rows = (0_u32..).zip(touched).filter(|(_, touched)| **touched);
        let mut moved: Vec<u32> = touched_rows.map(|(at, _)| at).collect();
        moved.sort_by(|a, b| self.compare(*a, *b));
        let mut merged = Vec::with_capacity(self.rows.len());
        let mut moved = moved.into_iter().peekable();
        for at in self
            .sorted
            .iter()
            .copied()
            .filter(|at| !touched[*at as usize])
        {
            while let Some(other) = moved.next_if(|other| self.compare(*other, at).is_lt()) {
                merged.push(other);
            }
            merged.push(at);
        }
        merged.extend(moved);
        self.sorted = merged;
    }

    /// Sorts and filters all rows.
    fn arrange(&mut self) {
        let all = 0..u32::try_from(self.rows.len()).expect("fewer sources than 2^32");
        let mut sorted: Vec<u32> = all.collect();
        sorted.sort_by(|a, b| self.compare(*a, *b));
        self.sorted = sorted;
        self.count();
        self.narrow();
    }

    /// Filters all rows.
    fn narrow(&mut self) {
        let sorted = self.sorted.iter().copied();
        self.order = sorted.filter(|at| self.matches(*at)).collect();
        self.find_cursor();
    }

    fn matches(&self, at: u32) -> bool {
        let haystack = &self.rows[at as usize].haystack;
        self.filter
            .split_whitespace()
            .all(|word| haystack.contains(word))
    }

    fn compare(&self, a: u32, b: u32) -> Ordering {
        let (one, other) = (&self.rows[a as usize].source, &self.rows[b as usize].source);
        let order = self.sort.compare(one, other);
        if self.reversed {
            order.reverse()
        } else {
            order
        }
    }

    fn count(&mut self) {
        let mut counts = Counts::default();
        let mut sets = BTreeSet::new();
        for source in self.rows.iter().map(|row| &row.source) {
            if !source.settings.enabled {
                continue;
            }
            counts.down += usize::from(source.state.failures > 0);
            let is = |state| usize::from(source.state.version_state == Some(state));
            counts.failed_verification += is(VersionState::Failed);
            counts.errors += is(VersionState::Error);
            counts.pending += is(VersionState::Pending);
            counts.unpublished += usize::from(source.state.publish_error.is_some());
            if source.state.set_fails {
                sets.insert(source.state.set.as_deref());
            }
            let next = source.state.next_slot;
            counts.next = Some(counts.next.map_or(next, |least| least.min(next)));
        }
        counts.sets = sets.len();
        self.counts = counts;
    }

    /// Moves the cursor to the selected source. If that source is no longer shown, the row in its place is selected.
    fn find_cursor(&mut self) {
        let wanted = self.selected.and_then(|id| self.index.get(&id).copied());
        let same = |at: usize| wanted.is_some() && self.order.get(at) == wanted.as_ref();
        if !same(self.cursor) {
            let found = wanted.and_then(|row| self.order.iter().position(|at| *at == row));
            self.cursor = found.unwrap_or(self.cursor);
        }
        self.select(self.cursor);
    }

    /// Selects the row at this place, or the last row. With no row shown, the selected source stays selected until its
    /// row is shown again.
    pub(crate) fn select(&mut self, at: usize) {
        self.cursor = at.min(self.order.len().saturating_sub(1));
        let shown = self.shown(self.cursor).map(|row| row.source.id);
        self.selected = shown.or(self.selected);
    }

    /// Selects a source, and clears a filter that hides it.
    pub(crate) fn show(&mut self, id: SourceId) {
        let at = self.index.get(&id).copied();
        if at.is_some_and(|at| !self.matches(at)) {
            self.filter("");
        }
        self.selected = Some(id);
        self.find_cursor();
    }

    pub(crate) fn filter(&mut self, text: &str) {
        self.filter = text.to_lowercase();
        text.clone_into(&mut self.typed_filter);
        self.narrow();
    }

    pub(crate) fn sort_by_next(&mut self) {
        self.sort = self.sort.next_sorted();
        self.reversed = false;
        self.arrange();
    }

    pub(crate) fn reverse(&mut self) {
        self.reversed = !self.reversed;
        self.arrange();
    }

    /// Returns the column that the table is sorted by, and whether in reverse.
    pub(crate) fn sorting(&self) -> (&'static Column, bool) {
        (self.sort, self.reversed)
    }

    pub(crate) fn filter_text(&self) -> &str {
        &self.typed_filter
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// Returns the number of rows shown.
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// Returns the number of sources.
    pub(crate) fn total(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn cursor(&self) -> usize {
        self.cursor
    }

    /// Returns the row at a place among those that are shown.
    pub(crate) fn shown(&self, at: usize) -> Option<&Row> {
        let row = self.order.get(at)?;
        self.rows.get(*row as usize)
    }

    pub(crate) fn selected(&self) -> Option<&Arc<Source>> {
        self.shown(self.cursor).map(|row| &row.source)
    }

    pub(crate) fn get(&self, id: SourceId) -> Option<&Arc<Source>> {
        let at = self.index.get(&id)?;
        self.rows.get(*at as usize).map(|row| &row.source)
    }

    /// Returns the sources to act on: the marked ones that are shown, in their order, or else the selected one.
    pub(crate) fn targets(&self) -> Vec<Arc<Source>> {
        let marked: Vec<_> = self.shown_marks().cloned().collect();
        if marked.is_empty() {
            return self.selected().cloned().into_iter().collect();
        }
        marked
    }

    fn shown_marks(&self) -> impl Iterator<Item = &Arc<Source>> {
        // Usually nothing is marked, and the rows, which may be many, need not be searched.
        let shown: &[u32] = if self.marks.is_empty() {
            &[]
        } else {
            &self.order
        };
        let rows = shown.iter().map(|at| &self.rows[*at as usize].source);
        rows.filter(|source| self.marks.contains(&source.id))
    }

    /// Returns the number of marked sources that the filter hides.
    pub(crate) fn hidden_marks(&self) -> usize {
        self.marks.len() - self.shown_marks().count()
    }

    /// Marks or unmarks the selected source, and selects the next.
    pub(crate) fn toggle_mark(&mut self) {
        if let Some(id) = self.selected().map(|source| source.id) {
            if !self.marks.remove(&id) {
                self.marks.insert(id);
            }
            self.select(self.cursor + 1);
        }
    }
}
