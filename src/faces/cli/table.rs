//! Aligned columns for people.
//!
//! Widths are display columns (Unicode Annex 11). Only what goes to a terminal is ever cut.

use std::io::{self, Write};

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::faces::text::clean;

/// No column is cut below this, in columns.
const LEAST_WIDTH: usize = 10;
const GAP: usize = 2;

/// One column: its heading, and how it behaves.
#[derive(Clone, Copy)]
pub(crate) struct Column {
    heading: &'static str,
    right: bool,
    flexible: bool,
}

/// A column of words.
pub(crate) const fn left(heading: &'static str) -> Column {
    Column {
        heading,
        right: false,
        flexible: false,
    }
}

/// A column of numbers.
pub(crate) const fn right(heading: &'static str) -> Column {
    Column {
        heading,
        right: true,
        flexible: false,
    }
}

/// A column of words that may be cut to fit the terminal.
pub(crate) const fn flexible(heading: &'static str) -> Column {
    Column {
        heading,
        right: false,
        flexible: true,
    }
}

/// Rows under headings. Every cell is cleaned of what a terminal must not see.
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(columns: &[Column]) -> Self {
        Self {
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row with a cell for each column.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let row: Vec<_> = cells
            .into_iter()
            .map(|cell| clean(&cell).into_owned())
            .collect();
        debug_assert_eq!(row.len(), self.columns.len(), "a cell for each column");
        self.rows.push(row);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Writes headings and rows, each after `indent` spaces, within `width` columns when there is a limit.
    pub(crate) fn write(
        &self,
        out: &mut dyn Write,
        indent: usize,
        width: Option<usize>,
    ) -> io::Result<()> {
        let widths = self.widths(width.map(|width| width.saturating_sub(indent)));
        let headings: Vec<_> = self.columns.iter().map(|c| c.heading.to_owned()).collect();
        for row in std::iter::once(&headings).chain(&self.rows) {
            let mut line = " ".repeat(indent);
            for ((cell, column), width) in row.iter().zip(&self.columns).zip(&widths) {
                push_cell(&mut line, cell, column.right, *width);
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    fn widths(&self, limit: Option<usize>) -> Vec<usize> {
        let mut widths: Vec<_> = self.columns.iter().map(|c| c.heading.width()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.width().max(*width);
            }
        }
        let Some(limit) = limit else { return widths };
        let gaps = GAP * widths.len().saturating_sub(1);
        let mut excess = (widths.iter().sum::<usize>() + gaps).saturating_sub(limit);
        // The widest gives first, so that short columns stay whole.
        while excess > 0 {
            let widest = widths
                .iter_mut()
                .zip(&self.columns)
                .filter(|(width, column)| column.flexible && **width > LEAST_WIDTH)
                .map(|(width, _)| width)
                .max();
            let Some(width) = widest else { break };
            *width -= 1;
            excess -= 1;
        }
        widths
    }
}

fn push_cell(line: &mut String, cell: &str, right: bool, width: usize) {
    let cell = fit(cell, width);
    let padding = " ".repeat(width.saturating_sub(cell.width()));
    if right {
        line.push_str(&padding);
    }
    line.push_str(&cell);
    if !right {
        line.push_str(&padding);
    }
    line.push_str(&" ".repeat(GAP));
}

/// Cuts `text` to `width` columns, with `…` in place of what is gone.
fn fit(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut left = width.saturating_sub(1);
    let kept = text.chars().take_while(|c| {
        let columns = c.width().unwrap_or(0);
        let fits = columns <= left;
        left = left.saturating_sub(columns);
        fits
    });
    kept.chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Table {
        let mut table = Table::new(&[right("ID"), flexible("NAME"), left("STATE")]);
        table.row(["1".into(), "東京 prices".into(), "ok".into()]);
        table.row([
            "217".into(),
            "a rather long\u{1b} name of a source".into(),
            "down(2)".into(),
        ]);
        table
    }

    fn print(table: &Table, width: Option<usize>) -> String {
        let mut out = Vec::new();
        table.write(&mut out, 0, width).expect("a buffer takes all");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn aligns_by_display_width() {
        insta::assert_snapshot!(print(&sample(), None), @r#"
         ID  NAME                            STATE
          1  東京 prices                     ok
        217  a rather long name of a source  down(2)
        "#);
    }

    #[test]
    fn fits_a_terminal() {
        let text = print(&sample(), Some(28));
        assert!(text.lines().all(|line| line.width() <= 28), "{text}");
        insta::assert_snapshot!(text, @r"
         ID  NAME            STATE
          1  東京 prices     ok
        217  a rather long…  down(2)
        ");
    }
}
