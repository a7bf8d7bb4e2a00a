//! Renders a page of the manual as text: wrapped to a width, headings in bold, code indented.
//!
//! Without colours only the characters of the text are written, for files and pipes.

use unicode_width::UnicodeWidthChar as _;

use super::markdown::{Block, Span};

/// The longest line, unless it is a single word.
const MOST_COLUMNS: usize = 90;
/// The width for a pipe or a file.
const USUAL_COLUMNS: usize = 80;
/// The least width to which a column of a table shrinks.
const LEAST_COLUMNS: usize = 8;
const GAP: usize = 2;
/// The indentation of code.
const INDENT: &str = "    ";

/// Code up to this length is not wrapped: a broken command is hard to read and to copy.
const MOST_UNBROKEN: usize = 30;
const UNBROKEN_SPACE: char = '\u{a0}';

const BOLD: &str = "\u{1b}[1m";
const UNDERLINED: &str = "\u{1b}[4m";
const RESET: &str = "\u{1b}[0m";

/// Renders blocks as lines of at most `columns` columns; code is not wrapped.
pub(super) fn render_blocks(blocks: &[Block], columns: Option<usize>, colours: bool) -> String {
    let width = columns.unwrap_or(USUAL_COLUMNS).clamp(20, MOST_COLUMNS);
    let mut text = String::new();
    let mut before: Option<&Block> = None;
    for block in blocks {
        let in_a_list = matches!((before, block), (Some(Block::Item(_)), Block::Item(_)));
        if before.is_some() && !in_a_list {
            text.push('\n');
        }
        for line in block_lines(block, width, colours) {
            text.push_str(line.trim_end());
            text.push('\n');
        }
        before = Some(block);
    }
    text
}

/// Renders one page of the manual.
pub(crate) fn render(topic: &super::Topic, columns: Option<usize>, colours: bool) -> String {
    render_blocks(&topic.blocks(), columns, colours)
}

fn block_lines(block: &Block, width: usize, colours: bool) -> Vec<String> {
    match block {
        Block::Heading(level, text) if colours => vec![format!(
            "{}{BOLD}{text}{RESET}",
            if *level > 2 { UNDERLINED } else { "" }
        )],
        Block::Heading(1, text) => vec![text.clone(), "=".repeat(text.chars().count())],
        Block::Heading(2, text) => vec![text.clone(), "-".repeat(text.chars().count())],
        Block::Heading(_, text) => vec![text.clone(), ".".repeat(text.chars().count())],
        Block::Paragraph(spans) => {
            let lines = wrap(spans, width, colours).into_iter();
            lines.map(|line| line.text).collect()
        }
        Block::Item(spans) => {
            let lines = wrap(spans, width - GAP, colours).into_iter().enumerate();
            lines
                .map(|(index, line)| {
                    let lead = if index == 0 { "- " } else { "  " };
                    format!("{lead}{}", line.text)
                })
                .collect()
        }
        Block::Code(lines) => lines.iter().map(|line| format!("{INDENT}{line}")).collect(),
        Block::Table(rows) => table_lines(rows, width, colours),
    }
}

/// A wrapped line, and its width in columns.
struct WrappedLine {
    text: String,
    width: usize,
}

/// A character and its style.
type Styled = (char, &'static str);

/// Splits spans into words; without colours, code keeps its backquotes.
fn split_words(spans: &[Span], colours: bool) -> Vec<Vec<Styled>> {
    let mut characters: Vec<Styled> = Vec::new();
    for span in spans {
        let (text, style, mark) = match span {
            Span::Plain(text) => (text, "", ""),
            Span::Code(text) if colours => (text, BOLD, ""),
            Span::Code(text) => (text, "", "`"),
            Span::Emphasis(text) if colours => (text, UNDERLINED, ""),
            Span::Emphasis(text) => (text, "", "*"),
        };
        let stays_whole = matches!(span, Span::Code(_)) && text.chars().count() <= MOST_UNBROKEN;
        let marked = mark.chars().chain(text.chars()).chain(mark.chars());
        characters.extend(marked.map(|c| match c {
            ' ' if stays_whole => (UNBROKEN_SPACE, style),
            c => (c, style),
        }));
    }
    let words = characters.split(|(c, _)| *c == ' ');
    words
        .filter(|word| !word.is_empty())
        .map(<[Styled]>::to_vec)
        .collect()
}

fn width_of(word: &[Styled]) -> usize {
    word.iter().map(|(c, _)| c.width().unwrap_or(0)).sum()
}

fn wrap(spans: &[Span], width: usize, colours: bool) -> Vec<WrappedLine> {
    let mut lines: Vec<Vec<Styled>> = vec![Vec::new()];
    for word in split_words(spans, colours) {
        let line = lines.last_mut().expect("there is always a line");
        if line.is_empty() {
            *line = word;
        } else if width_of(line) + 1 + width_of(&word) > width {
            lines.push(word);
        } else {
            // A space between two words of one style has that style too, so that underlining is continuous.
            let style = match (line.last(), word.first()) {
                (Some((_, before)), Some((_, after))) if before == after => before,
                _ => "",
            };
            line.push((' ', style));
            line.extend(word);
        }
    }
    lines
        .iter()
        .map(|line| WrappedLine {
            text: styled_text(line),
            width: width_of(line),
        })
        .collect()
}

fn styled_text(line: &[Styled]) -> String {
    let mut text = String::new();
    let mut current = "";
    for (c, style) in line.iter().copied() {
        if style != current {
            if !current.is_empty() {
                text.push_str(RESET);
            }
            text.push_str(style);
            current = style;
        }
        text.push(if c == UNBROKEN_SPACE { ' ' } else { c });
    }
    if !current.is_empty() {
        text.push_str(RESET);
    }
    text
}

fn table_lines(rows: &[Vec<Vec<Span>>], width: usize, colours: bool) -> Vec<String> {
    let widths = column_widths(rows, width, colours);
    let mut lines = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        lines.extend(row_lines(row, &widths, colours));
        if index == 0 {
            let rules = widths.iter().map(|width| "-".repeat(*width));
            lines.push(rules.collect::<Vec<_>>().join("  "));
        }
    }
    lines
}

/// Returns the widths of the columns; the widest shrinks first if they do not fit.
fn column_widths(rows: &[Vec<Vec<Span>>], width: usize, colours: bool) -> Vec<usize> {
    let columns = rows.first().map_or(0, Vec::len);
    let widest = |column: usize| {
        let cells = rows
            .iter()
            .map(|row| wrap(&row[column], usize::MAX, colours));
        cells.map(|lines| lines[0].width).max().unwrap_or(0)
    };
    let mut widths: Vec<usize> = (0..columns).map(widest).collect();
    let total = |widths: &[usize]| widths.iter().sum::<usize>() + GAP * (columns - 1);
    while columns > 0 && total(&widths) > width {
        let Some(widest) = widths.iter_mut().max().filter(|one| **one > LEAST_COLUMNS) else {
            break;
        };
        *widest -= 1;
    }
    widths
}

fn row_lines(row: &[Vec<Span>], widths: &[usize], colours: bool) -> Vec<String> {
    let cells: Vec<_> = row
        .iter()
        .zip(widths)
        .map(|(cell, width)| wrap(cell, *width, colours))
        .collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or(0);
    (0..height)
        .map(|index| {
            let parts = cells.iter().zip(widths).map(|(cell, width)| {
                let (text, used) = cell
                    .get(index)
                    .map_or(("", 0), |line| (line.text.as_str(), line.width));
                format!("{text}{}", " ".repeat((width + GAP).saturating_sub(used)))
            });
            parts.collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faces::cli::manual::markdown::parse;

    const PAGE: &str = "# A page\n\nWords `of code` and *weight* that go on until the line is full.\n\n- one item that is longer than its line\n- two\n\n\
                        ```sh\ngannet list --failing --a-long-line-is-never-broken\n```\n\n## Table\n\n| key | what it does |\n| --- | --- |\n\
                        | `min` | the least length of a file |\n";

    #[test]
    fn a_page_fits_its_width_and_says_all_without_colours() {
        let text = render_blocks(&parse(PAGE).expect("a page"), Some(30), false);
        insta::assert_snapshot!(text, @r"
        A page
        ======

        Words `of code` and *weight*
        that go on until the line is
        full.

        - one item that is longer than
          its line
        - two

            gannet list --failing --a-long-line-is-never-broken

        Table
        -----

        key    what it does
        -----  -----------------------
        `min`  the least length of a
               file
        ");
    }

    #[test]
    fn a_terminal_shows_weight_in_place_of_marks() {
        let text = render_blocks(&parse(PAGE).expect("a page"), Some(80), true);
        for part in [
            "\u{1b}[1mA page\u{1b}[0m\n",
            "Words \u{1b}[1mof code\u{1b}[0m and \u{1b}[4mweight\u{1b}[0m that",
            "\u{1b}[1mmin\u{1b}[0m  the least",
        ] {
            assert!(text.contains(part), "{part:?} in {text:?}");
        }
        assert!(!text.contains('`'), "{text}");
    }

    #[test]
    fn every_topic_fits_a_narrow_terminal_and_a_wide_one() {
        for topic in crate::faces::cli::manual::TOPICS {
            assert!(!render(topic, Some(1), true).is_empty(), "{}", topic.name);
            for columns in [70, 80, 300] {
                let text = render(topic, Some(columns), false);
                let is_code = |line: &&str| line.starts_with(INDENT);
                for line in text.lines().filter(|line| !is_code(line)) {
                    let width = line.chars().count();
                    assert!(
                        width <= columns.min(MOST_COLUMNS),
                        "{} at {columns}: {line}",
                        topic.name
                    );
                }
            }
        }
    }
}
