//! The columns of the table of sources: heading, width, content of a cell, and sort order of each.
//!
//! A column is one entry of [`COLUMNS`]; the table and its drawing name none of them.

use std::cmp::Ordering;

use chrono::{DateTime, Utc};
use ratatui::style::Style;

use super::format::{moment, source_state, until, version_state};
use super::theme::Theme;
use crate::config::Zone;
use crate::domain::{AttemptOutcome, Slot, Source, VersionState};
use crate::faces::state_word::{StateWord, is_newest_damaged, next_due, state_word};

/// The values beside its source that a cell depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CellContext<'a> {
    pub(crate) theme: &'a Theme,
    pub(crate) now: DateTime<Utc>,
    /// The time zone of every time in a cell.
    pub(crate) zone: &'a Zone,
}

/// A column.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) heading: &'static str,
    width: Width,
    /// Text and style for a source.
    pub(crate) cell: fn(&Source, CellContext<'_>) -> (String, Style),
    /// The order of sources by this column, least first; none for a column that `sort` skips.
    order: Option<fn(&Source, &Source) -> Ordering>,
}

/// The width of a column.
#[derive(Clone, Copy, Debug)]
enum Width {
    /// A fixed number of terminal columns; shown in tables of at least `from` terminal columns.
    Fixed { columns: u16, from: u16 },
    /// The terminal columns that the others leave, less a gap of one.
    Rest,
}

const fn fixed(columns: u16, from: u16) -> Width {
    Width::Fixed { columns, from }
}

/// Every column, from left to right.
pub(crate) static COLUMNS: [&Column; 6] = [
    &Column {
        heading: "STATE",
        width: fixed(9, 20),
        cell: |source, context| (state_word(source), source_state(source, context.theme).1),
        order: Some(|one, other| attention(one).cmp(&attention(other))),
    },
    &NAME,
    &Column {
        heading: "INTERVAL",
        width: fixed(9, 58),
        cell: |source, context| (source.settings.interval.to_string(), context.theme.text),
        order: Some(|one, other| one.settings.interval.cmp(&other.settings.interval)),
    },
    &Column {
        heading: "LAST",
        width: fixed(7, 50),
        cell: |source, context| {
            let last = moment(source.state.last_attempt_at, context.now, context.zone);
            (last, context.theme.text)
        },
        // The latest first.
        order: Some(|one, other| other.state.last_attempt_at.cmp(&one.state.last_attempt_at)),
    },
    &Column {
        heading: "NEXT",
        width: fixed(5, 36),
        cell: |source, context| (until(next_due(source), context.now), context.theme.text),
        order: Some(|one, other| due(one).cmp(&due(other))),
    },
    &Column {
        heading: "VERIFIED",
        width: fixed(11, 42),
        cell: |source, context| {
            let (word, style) = match version_state(source.state.version_state, context.theme) {
                _ if is_newest_damaged(source) => (StateWord::Damaged.shown(), context.theme.bad),
                known => known,
            };
            (word.to_owned(), style)
        },
        order: Some(|one, other| verified_rank(one).cmp(&verified_rank(other))),
    },
];

/// The column that every table shows. Tables are sorted by name at first, and wherever another column is equal.
pub(crate) static NAME: Column = Column {
    heading: "SOURCE",
    width: Width::Rest,
    cell: |source, context| {
        let style = if source.settings.enabled {
            context.theme.text
        } else {
            context.theme.dim
        };
        (source.settings.name.clone(), style)
    },
    order: Some(by_name),
};

impl Column {
    /// Returns the gap behind the column; none behind fixed columns, whose width includes one.
    pub(crate) fn gap(&self) -> &'static str {
        match self.width {
            Width::Fixed { .. } => "",
            Width::Rest => " ",
        }
    }

    /// Compares two sources by this column, then by name, then by id.
    pub(crate) fn compare(&self, one: &Source, other: &Source) -> Ordering {
        let by_column = self
            .order
            .map_or(Ordering::Equal, |order| order(one, other));
        by_column
            .then_with(|| by_name(one, other))
            .then(one.id.cmp(&other.id))
    }

    /// Returns the column to sort by after this one: name first, then from left to right.
    pub(crate) fn next_sorted(&self) -> &'static Self {
        let others = COLUMNS.iter().copied();
        let others = others.filter(|one| one.order.is_some() && one.heading != NAME.heading);
        let mut round = std::iter::once(&NAME).chain(others);
        round.find(|one| one.heading == self.heading);
        round.next().unwrap_or(&NAME)
    }
}

/// Returns the columns that a table of this width shows, with their widths; `taken` is the width used by the marks.
pub(crate) fn shown(width: u16, taken: u16) -> Vec<(&'static Column, u16)> {
    let width_of = |column: &Column| match column.width {
        Width::Fixed { columns, from } if width >= from => Some(columns),
        _ => None,
    };
    let used: u16 = COLUMNS.iter().filter_map(|column| width_of(column)).sum();
    let rest = width.saturating_sub(taken + used + 1).max(1);
    let shown = COLUMNS.iter().filter_map(|column| match column.width {
        Width::Rest => Some((*column, rest)),
        Width::Fixed { .. } => width_of(column).map(|columns| (*column, columns)),
    });
    shown.collect()
}

fn by_name(one: &Source, other: &Source) -> Ordering {
    one.settings.name.cmp(&other.settings.name)
}

/// Returns a rank by the attention that a source needs: first sources that cannot be fetched, then those whose newest
/// version a verifier failed; disabled sources last.
fn attention(source: &Source) -> (u8, u32) {
    let state = &source.state;
    match (source.settings.enabled, state.failures, state.last_outcome) {
        (false, ..) => (5, 0),
        (true, failures @ 1.., _) => (0, u32::MAX - failures),
        _ if state.version_state == Some(VersionState::Failed) => (1, 0),
        (true, 0, None) => (2, 0),
        (true, 0, Some(AttemptOutcome::New)) => (3, 0),
        (true, 0, Some(_)) => (4, 0),
    }
}

fn due(source: &Source) -> (bool, Slot) {
    (!source.settings.enabled, source.state.next_slot)
}

fn verified_rank(source: &Source) -> u8 {
    match source.state.version_state {
        Some(VersionState::Failed) => 0,
        Some(VersionState::Error) => 1,
        Some(VersionState::Pending) => 2,
        Some(VersionState::Passed) => 3,
        Some(VersionState::Unverified) => 4,
        None => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sort_goes_through_every_column_that_has_an_order() {
        let mut round = vec![NAME.heading];
        let mut column = NAME.next_sorted();
        while column.heading != NAME.heading {
            round.push(column.heading);
            column = column.next_sorted();
        }
        let expected = ["SOURCE", "STATE", "INTERVAL", "LAST", "NEXT", "VERIFIED"];
        assert_eq!(round, expected);
    }

    #[test]
    fn a_narrow_table_shows_fewer_columns() {
        for (width, expected) in [
            (10, vec![("SOURCE", 6)]),
            (20, vec![("STATE", 9), ("SOURCE", 7)]),
            (36, vec![("STATE", 9), ("SOURCE", 18), ("NEXT", 5)]),
            (
                58,
                vec![
                    ("STATE", 9),
                    ("SOURCE", 13),
                    ("INTERVAL", 9),
                    ("LAST", 7),
                    ("NEXT", 5),
                    ("VERIFIED", 11),
                ],
            ),
            (0, vec![("SOURCE", 1)]),
        ] {
            let shown = shown(width, 3).into_iter();
            let found: Vec<_> = shown
                .map(|(column, width)| (column.heading, width))
                .collect();
            assert_eq!(found, expected, "{width}");
        }
    }
}
