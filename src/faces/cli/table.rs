//! Tables for people: aligned columns, states in colour, and cells that do not fit wrapped below their row: long texts
//! first, then the last columns.
//!
//! Widths are display columns (Unicode Annex 11). Only output to a terminal is cut, wrapped or coloured.

use std::borrow::Cow;
use std::io::{self, Write};

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::look::Look;
use crate::domain::BY_HAND;
use crate::faces::text::{clean, fit, wrap};

/// The least width to which a column is cut.
const LEAST_WIDTH: usize = 10;
const GAP: usize = 2;
/// The indentation of a wrapped cell below its row.
const STEP: usize = 4;

/// One column: its heading and its behaviour.
#[derive(Clone)]
pub(crate) struct Column {
    heading: Cow<'static, str>,
    kind: ColumnKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ColumnKind {
    /// Words.
    Left,
    /// Numbers.
    Right,
    /// Words that may be cut to fit the terminal.
    Flexible,
    /// Paths and addresses that may be cut at their beginning to fit the terminal, since their ends differ.
    Path,
    /// Words that say how good or bad something is, coloured if the terminal has colours.
    Toned,
    /// Text that is wrapped below the row if the columns do not fit side by side.
    Below,
}

impl ColumnKind {
    fn may_be_cut(self) -> bool {
        matches!(self, Self::Flexible | Self::Path)
    }
}

/// Declares a function for each kind of column, which takes the heading.
macro_rules! columns {
    ($($(#[$about:meta])* $name:ident = $kind:ident;)+) => {$(
        $(#[$about])*
        pub(crate) fn $name(heading: impl Into<Cow<'static, str>>) -> Column {
            Column { heading: heading.into(), kind: ColumnKind::$kind }
        }
    )+};
}

columns! {
    /// A column of words.
    left = Left;
    /// A column of numbers.
    right = Right;
    /// A column of words that may be cut to fit the terminal.
    flexible = Flexible;
    /// A column of paths or addresses, which may be cut at their beginning to fit the terminal.
    path = Path;
    /// A column of coloured words that say how good or bad something is.
    toned = Toned;
    /// The last column, of long text that is wrapped below its row.
    below = Below;
}

/// The text of a column for one item of a list.
pub(crate) type Cell<T> = fn(&T, &Look) -> String;

/// Rows under headings. Every cell is cleaned of control characters.
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(columns: impl Into<Vec<Column>>) -> Self {
        Self {
            columns: columns.into(),
            rows: Vec::new(),
        }
    }

    /// Returns the table of these columns, with a row for each item.
    pub(crate) fn of<T, const N: usize>(
        columns: [(Column, Cell<T>); N],
        items: &[T],
        look: &Look,
    ) -> Self {
        let cells = columns.each_ref().map(|(_, cell)| *cell);
        let mut table = Self::new(columns.map(|(column, _)| column));
        for item in items {
            table.row(cells.map(|cell| cell(item, look)));
        }
        table
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

    /// Writes headings and rows, each after `indent` spaces, within the terminal's width if there is one.
    pub(crate) fn write(&self, out: &mut dyn Write, indent: usize, look: &Look) -> io::Result<()> {
        let limit = look.width.map(|width| width.saturating_sub(indent));
        let beside = self.beside(limit);
        let widths = self.widths(beside, limit);
        let headings: Vec<_> = self.columns.iter().map(|c| c.heading.to_string()).collect();
        self.write_row(out, indent, &headings, &widths, false)?;
        for row in &self.rows {
            self.write_row(out, indent, row, &widths, look.colours)?;
            let width = limit.unwrap_or(usize::MAX).saturating_sub(STEP);
            for line in self.lines_below(row, beside, width) {
                writeln!(out, "{}{line}", " ".repeat(indent + STEP))?;
            }
        }
        Ok(())
    }

    fn write_row(
        &self,
        out: &mut dyn Write,
        indent: usize,
        row: &[String],
        widths: &[usize],
        colours: bool,
    ) -> io::Result<()> {
        let mut line = " ".repeat(indent);
        for ((cell, column), width) in row.iter().zip(&self.columns).zip(widths) {
            let tone = if colours && column.kind == ColumnKind::Toned {
                tone_of(cell)
            } else {
                None
            };
            push_cell(&mut line, cell, column.kind, *width, tone);
        }
        writeln!(out, "{}", line.trim_end())
    }

    /// Returns the number of columns that stand side by side: all, or those that fit once long text has moved below.
    fn beside(&self, limit: Option<usize>) -> usize {
        let all = self.columns.len();
        let natural = self.natural_widths();
        let Some(limit) = limit.filter(|limit| total(&natural) > *limit) else {
            return all;
        };
        let least: Vec<_> = natural
            .iter()
            .zip(&self.columns)
            .map(|(width, column)| match column.kind {
                kind if kind.may_be_cut() => LEAST_WIDTH.min(*width),
                _ => *width,
            })
            .collect();
        let ends_below = self
            .columns
            .last()
            .is_some_and(|c| c.kind == ColumnKind::Below);
        let most = all - usize::from(ends_below);
        let fits = |beside: &usize| total(&least[..*beside]) <= limit;
        (1..=most).rev().find(fits).unwrap_or(1)
    }

    /// Returns the lines below a row: first the columns that do not fit, each behind its heading, then the long text.
    fn lines_below(&self, row: &[String], beside: usize, width: usize) -> Vec<String> {
        let cells = row.iter().zip(&self.columns).skip(beside);
        let cells = cells.filter(|(cell, _)| !cell.is_empty() && *cell != "-");
        let (texts, columns): (Vec<_>, Vec<_>) =
            cells.partition(|(_, column)| column.kind == ColumnKind::Below);
        let columns = columns.iter();
        let columns = columns.map(|(cell, column)| format!("{} {cell}", column.heading));
        let columns = columns.collect::<Vec<_>>().join(", ");
        let texts = texts.into_iter().map(|(cell, _)| cell.clone());
        let parts = std::iter::once(columns).chain(texts);
        parts
            .filter(|part| !part.is_empty())
            .flat_map(|part| wrap(&part, width))
            .collect()
    }

    fn natural_widths(&self) -> Vec<usize> {
        let mut widths: Vec<_> = self.columns.iter().map(|c| c.heading.width()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.width().max(*width);
            }
        }
        widths
    }

    fn widths(&self, beside: usize, limit: Option<usize>) -> Vec<usize> {
        let mut widths = self.natural_widths();
        widths.truncate(beside);
        let Some(limit) = limit else { return widths };
        let mut excess = total(&widths).saturating_sub(limit);
        // The widest column shrinks first, so that short columns stay whole.
        while excess > 0 {
            let widest = widths
                .iter_mut()
                .zip(&self.columns)
                .filter(|(width, column)| column.kind.may_be_cut() && **width > LEAST_WIDTH)
                .map(|(width, _)| width)
                .max();
            let Some(width) = widest else { break };
            *width -= 1;
            excess -= 1;
        }
        widths
    }
}

fn total(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)
}

fn push_cell(line: &mut String, cell: &str, kind: ColumnKind, width: usize, tone: Option<&str>) {
    let right = kind == ColumnKind::Right;
    let cell = if kind == ColumnKind::Path {
        fit_end(cell, width)
    } else {
        fit(cell, width).into_owned()
    };
    let padding = " ".repeat(width.saturating_sub(cell.width()));
    if right {
        line.push_str(&padding);
    }
    match tone {
        Some(tone) => {
            for part in ["\u{1b}[", tone, "m", &cell, "\u{1b}[0m"] {
                line.push_str(part);
            }
        }
        None => line.push_str(&cell),
    }
    if !right {
        line.push_str(&padding);
    }
    line.push_str(&" ".repeat(GAP));
}

/// Returns the colour of a word (ECMA-48, SGR): red for bad, yellow for doubtful, green for good.
fn tone_of(word: &str) -> Option<&'static str> {
    let word = word.split('(').next().unwrap_or_default();
    let word = word.strip_suffix(BY_HAND).unwrap_or(word);
    match word {
        "FAIL" | "UNPUB" | "SETFAIL" | "failed" => Some("31"),
        "down" | "error" | "pending" => Some("33"),
        "ok" | "new" | "passed" => Some("32"),
        "off" | "removed" | "never" => Some("2"),
        _ => None,
    }
}

/// Cuts `text` to its last `width` columns, with `…` in front.
fn fit_end(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let kept = text.chars().rev().take_while(fits(width.saturating_sub(1)));
    let kept: Vec<_> = kept.collect();
    ['…'].into_iter().chain(kept.into_iter().rev()).collect()
}

/// Returns a filter that passes characters until this many columns are taken.
fn fits(mut left: usize) -> impl FnMut(&char) -> bool {
    move |c| {
        let columns = c.width().unwrap_or(0);
        let fits = columns <= left;
        left = if fits { left - columns } else { 0 };
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faces::fixtures::at;

    fn sample() -> Table {
        let mut table = Table::new([right("ID"), flexible("NAME"), toned("STATE")]);
        table.row(["1".into(), "東京 prices".into(), "ok".into()]);
        table.row([
            "217".into(),
            "a rather long\u{1b} name of a source".into(),
            "down(2)".into(),
        ]);
        table
    }

    fn print(table: &Table, width: Option<usize>) -> String {
        let look = Look {
            width,
            ..Look::plain(at("12:00:00"))
        };
        print_as(table, &look)
    }

    fn print_as(table: &Table, look: &Look) -> String {
        let mut out = Vec::new();
        table.write(&mut out, 0, look).expect("a buffer takes all");
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

    #[test]
    fn a_path_loses_its_beginning() {
        let mut table = Table::new([flexible("NAME"), path("PUBLISHED"), left("BY")]);
        for (name, path) in [
            ("prices.csv", "example.org/exports/2026/prices.csv"),
            ("short", "example.org/a"),
            ("東京", "example.org/東京/東京/東京/東京.csv"),
            ("old", "example.org/exports/old.csv (not up to date)"),
        ] {
            table.row([name.into(), path.into(), "cli".into()]);
        }
        for width in 27..70 {
            let text = print(&table, Some(width));
            let is_whole = |line: &str| line.width() <= width && line.ends_with("cli");
            assert!(text.lines().skip(1).all(is_whole), "{width}: {text}");
        }
        insta::assert_snapshot!(print(&table, Some(40)), @r"
        NAME        PUBLISHED                BY
        prices.csv  …xports/2026/prices.csv  cli
        short       example.org/a            cli
        東京        …京/東京/東京/東京.csv   cli
        old         …d.csv (not up to date)  cli
        ");
    }

    #[test]
    fn colours_are_for_terminals_that_show_them() {
        let colourful = Look {
            colours: true,
            ..Look::terminal(at("12:00:00"), 60)
        };
        let text = print_as(&sample(), &colourful);
        assert!(text.contains("\u{1b}[32mok\u{1b}[0m"), "{text:?}");
        assert!(text.contains("\u{1b}[33mdown(2)\u{1b}[0m"), "{text:?}");
        assert!(!print(&sample(), Some(60)).contains('\u{1b}'));
    }

    #[test]
    fn columns_that_find_no_room_stand_below() {
        let mut table = Table::new([
            left("STARTED (UTC)"),
            flexible("SOURCE"),
            toned("SAID"),
            left("FINGERPRINT"),
            flexible("BY"),
            below("DETAIL"),
        ]);
        for (source, by, detail) in [
            ("prices", "root@vm by cli", "line 3: the price is -1"),
            ("a-source-with-a-long-name", "-", ""),
        ] {
            table.row([
                "2026-01-31 12:00".into(),
                source.into(),
                "failed".into(),
                "ab12cd34ef56".into(),
                by.into(),
                detail.into(),
            ]);
        }
        for width in 20..120 {
            let text = print(&table, Some(width));
            assert!(
                text.lines().all(|line| line.width() <= width),
                "{width}: {text}"
            );
            assert!(
                text.contains("ab12cd34ef56") && text.contains("root@vm"),
                "{width}: {text}"
            );
        }
        insta::assert_snapshot!(print(&table, Some(54)), @r"
        STARTED (UTC)     SOURCE          SAID    FINGERPRINT
        2026-01-31 12:00  prices          failed  ab12cd34ef56
            BY root@vm by cli
            line 3: the price is -1
        2026-01-31 12:00  a-source-with…  failed  ab12cd34ef56
        ");
        insta::assert_snapshot!(print(&table, Some(40)), @r"
        STARTED (UTC)     SOURCE          SAID
        2026-01-31 12:00  prices          failed
            FINGERPRINT ab12cd34ef56, BY root@vm
            by cli
            line 3: the price is -1
        2026-01-31 12:00  a-source-with…  failed
            FINGERPRINT ab12cd34ef56
        ");
    }

    #[test]
    fn what_does_not_fit_beside_a_row_stands_below_it() {
        let mut table = Table::new([left("VERIFIER"), below("DETAIL")]);
        table.row(["schema".into(), "line 3: the price is -1".into()]);
        table.row(["size".into(), String::new()]);
        table.row(["utf8".into(), "x".repeat(30)]);
        insta::assert_snapshot!(print(&table, Some(20)), @r"
        VERIFIER
        schema
            line 3: the
            price is -1
        size
        utf8
            xxxxxxxxxxxxxxxx
            xxxxxxxxxxxxxx
        ");
        insta::assert_snapshot!(print(&table, Some(60)), @r"
        VERIFIER  DETAIL
        schema    line 3: the price is -1
        size
        utf8      xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
        ");
    }
}
