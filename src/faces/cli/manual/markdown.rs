//! Parses the subset of Markdown in which the manual is written: headings, paragraphs, lists of one level, fenced
//! code, tables, inline code and emphasis.
//!
//! Anything else is an error, so that every page looks the same on a terminal, in `man` and in a browser.

/// A block of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Block {
    /// `#` to `###`.
    Heading(usize, String),
    /// The text of consecutive lines.
    Paragraph(Vec<Span>),
    /// One item of a list.
    Item(Vec<Span>),
    /// Lines between fences, verbatim.
    Code(Vec<String>),
    /// Rows of cells; the first row is the heading.
    Table(Vec<Vec<Vec<Span>>>),
}

/// A part of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Span {
    /// Plain text.
    Plain(String),
    /// Text between backquotes.
    Code(String),
    /// Text between asterisks.
    Emphasis(String),
}

const FENCE: &str = "```";

/// Parses a page. An error names the line, from 1, and the unsupported part of Markdown.
pub(super) fn parse(text: &str) -> Result<Vec<Block>, String> {
    let mut reader = Parser::default();
    for (index, line) in text.lines().enumerate() {
        reader
            .take(line)
            .map_err(|problem| format!("line {}: {problem}: {line}", index + 1))?;
    }
    if reader.code.is_some() {
        return Err("the last fence is not closed".to_owned());
    }
    reader.end_block()?;
    Ok(reader.blocks)
}

/// The state of the parser.
#[derive(Default)]
struct Parser {
    blocks: Vec<Block>,
    /// The lines of the current paragraph or item.
    lines: Vec<String>,
    is_item: bool,
    table: Vec<Vec<Vec<Span>>>,
    code: Option<Vec<String>>,
}

impl Parser {
    fn take(&mut self, line: &str) -> Result<(), String> {
        if let Some(code) = &mut self.code {
            if line == FENCE {
                let code = self.code.take().unwrap_or_default();
                self.blocks.push(Block::Code(code));
            } else {
                code.push(line.to_owned());
            }
            return Ok(());
        }
        if let Some(language) = line.strip_prefix(FENCE) {
            self.end_block()?;
            if language.is_empty() {
                return Err("a fence without a language".to_owned());
            }
            self.code = Some(Vec::new());
        } else if line.is_empty() {
            self.end_block()?;
        } else if let Some(cells) = line.strip_prefix('|') {
            self.end_paragraph()?;
            self.row(cells)?;
        } else if line.starts_with('#') {
            self.end_block()?;
            self.blocks.push(heading(line)?);
        } else if let Some(item) = line.strip_prefix("- ") {
            self.end_block()?;
            self.is_item = true;
            self.lines.push(item.to_owned());
        } else {
            self.continue_paragraph(line)?;
        }
        Ok(())
    }

    fn continue_paragraph(&mut self, line: &str) -> Result<(), String> {
        let text = match (self.is_item, line.strip_prefix("  ")) {
            (true, Some(text)) => text,
            (true, None) => return Err("an item goes on behind two spaces".to_owned()),
            (false, _) => line,
        };
        let is_number = |text: &str| {
            text.split_once(". ")
                .is_some_and(|(number, _)| number.bytes().all(|byte| byte.is_ascii_digit()))
        };
        let is_block = text.starts_with([' ', '\t', '>', '<', '=', '!'])
            || ["- ", "* ", "+ "].iter().any(|mark| text.starts_with(mark));
        if is_block || is_number(text) {
            return Err("a block that the manual does without".to_owned());
        }
        self.lines.push(text.to_owned());
        Ok(())
    }

    fn row(&mut self, cells: &str) -> Result<(), String> {
        let cells = cells.strip_suffix('|').ok_or("a row ends with `|`")?;
        let cells: Vec<_> = cells.split('|').map(str::trim).collect();
        if self.table.len() == 1 && cells.iter().all(|cell| *cell == "---") {
            return Ok(());
        }
        let row: Vec<_> = cells.into_iter().map(spans).collect::<Result<_, _>>()?;
        if self
            .table
            .first()
            .is_some_and(|first| first.len() != row.len())
        {
            return Err("another number of cells than the row before".to_owned());
        }
        self.table.push(row);
        Ok(())
    }

    fn end_paragraph(&mut self) -> Result<(), String> {
        if !self.lines.is_empty() {
            let text = spans(&self.lines.join(" "))?;
            self.blocks.push(if self.is_item {
                Block::Item(text)
            } else {
                Block::Paragraph(text)
            });
        }
        self.lines.clear();
        self.is_item = false;
        Ok(())
    }

    fn end_block(&mut self) -> Result<(), String> {
        self.end_paragraph()?;
        if !self.table.is_empty() {
            self.blocks
                .push(Block::Table(std::mem::take(&mut self.table)));
        }
        Ok(())
    }
}

fn heading(line: &str) -> Result<Block, String> {
    let text = line.trim_start_matches('#');
    let level = line.len() - text.len();
    match text.strip_prefix(' ') {
        Some(text) if level <= 3 && !text.contains(['`', '*']) => {
            Ok(Block::Heading(level, text.to_owned()))
        }
        _ => Err("a heading is `#` to `###`, a space and words".to_owned()),
    }
}

/// Parses the inline marks of a text.
fn spans(text: &str) -> Result<Vec<Span>, String> {
    let mut spans = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['`', '*']) {
        let (before, marked) = rest.split_at(at);
        push_plain(&mut spans, before)?;
        let mark = &marked[..1];
        let (inside, after) = marked[1..]
            .split_once(mark)
            .ok_or_else(|| format!("`{mark}` is not closed"))?;
        if inside.is_empty() {
            return Err(format!("nothing between two `{mark}`"));
        }
        spans.push(match mark {
            "`" => Span::Code(inside.to_owned()),
            _ => Span::Emphasis(inside.to_owned()),
        });
        rest = after;
    }
    push_plain(&mut spans, rest)?;
    Ok(spans)
}

fn push_plain(spans: &mut Vec<Span>, text: &str) -> Result<(), String> {
    if text.contains("](") || text.contains('\\') || text.contains("__") {
        return Err("a link or a mark that the manual does without".to_owned());
    }
    if !text.is_empty() {
        spans.push(Span::Plain(text.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Span {
        Span::Plain(text.to_owned())
    }

    #[test]
    fn reads_every_block() {
        let page = "# A page\n\nSome `code` and\n*more*.\n\n- one\n  goes on\n- two\n\n```sh\n- a\n\n# b\n```\n\
                    ## Table\n| a | b |\n| --- | --- |\n| `x` | y |\n";
        let code = |text: &str| Span::Code(text.to_owned());
        let expected = [
            Block::Heading(1, "A page".to_owned()),
            Block::Paragraph(vec![
                plain("Some "),
                code("code"),
                plain(" and "),
                Span::Emphasis("more".to_owned()),
                plain("."),
            ]),
            Block::Item(vec![plain("one goes on")]),
            Block::Item(vec![plain("two")]),
            Block::Code(["- a", "", "# b"].map(str::to_owned).to_vec()),
            Block::Heading(2, "Table".to_owned()),
            Block::Table(vec![
                vec![vec![plain("a")], vec![plain("b")]],
                vec![vec![code("x")], vec![plain("y")]],
            ]),
        ];
        assert_eq!(parse(page).expect("a page"), expected);
    }

    #[test]
    fn refuses_what_no_page_needs() {
        for text in [
            "#### too deep",
            "#no space",
            "[a](b)",
            "> quoted",
            "<b>html</b>",
            "* star",
            "1. first",
            "    code by spaces",
            "![picture](x)",
            "- item\nwithout spaces",
            "- item\n  - nested",
            "a `b",
            "a *b",
            "a **b** c",
            "| a | b |\n| --- | --- |\n| c |",
            "```\nno language\n```",
            "```sh\nnot closed",
            "a \\ b",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
