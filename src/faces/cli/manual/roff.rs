//! Converts a page of the manual to roff, the source of `man` pages (man(7)).
//!
//! Writes no tables: each row becomes an item with its first cell as the tag.

use super::markdown::{Block, Span};

/// Adds blocks to a page, except the title, which the head has.
pub(super) fn push_body(page: &mut String, blocks: &[Block]) {
    for block in blocks {
        push_block(page, block);
    }
}

/// Returns the head of a page: its title and its NAME section. Hyphenation and justification are off: broken or
/// stretched names are hard to read and to copy.
pub(super) fn head(name: &str, section: u8, about: &str) -> String {
    format!(
        ".TH {} {section} \"\" \"gannet {}\" \"gannet manual\"\n.nh\n.ad l\n.SH NAME\n{} \\- {}\n",
        escape(name),
        env!("CARGO_PKG_VERSION"),
        escape(name),
        escape(about),
    )
}

/// Escapes a text, so that it holds no request or escape sequence, and each `-` can be copied as a minus.
pub(super) fn escape(text: &str) -> String {
    let text = text
        .replace('\\', "\\e")
        .replace('-', "\\-")
        .replace('\'', "\\(aq")
        .replace('`', "\\(ga")
        .replace('^', "\\(ha")
        .replace('~', "\\(ti")
        .replace('"', "\\(dq");
    if text.starts_with('.') {
        format!("\\&{text}")
    } else {
        text
    }
}

/// Returns spans as one line.
pub(super) fn inline(spans: &[Span]) -> String {
    let parts = spans.iter().map(|span| match span {
        Span::Plain(text) => escape(text),
        Span::Code(text) => format!("\\fB{}\\fR", escape(text)),
        Span::Emphasis(text) => format!("\\fI{}\\fR", escape(text)),
    });
    parts.collect()
}

/// Adds lines verbatim.
pub(super) fn push_code(page: &mut String, lines: &[String]) {
    begin_paragraph(page);
    page.push_str(".RS 4\n.nf\n");
    for line in lines {
        // Between `.nf` and `.fi`, an empty line is allowed.
        page.push_str(&escape(line));
        page.push('\n');
    }
    page.push_str(".fi\n.RE\n");
}

/// Begins a paragraph; directly behind a heading, roff has begun one already.
pub(super) fn begin_paragraph(page: &mut String) {
    let last = page.lines().next_back().unwrap_or_default();
    if !last.starts_with(".SH") && !last.starts_with(".SS") {
        page.push_str(".PP\n");
    }
}

fn push_block(page: &mut String, block: &Block) {
    match block {
        // The NAME section holds the title.
        Block::Heading(1, _) => {}
        Block::Heading(2, text) => push_heading(page, text),
        Block::Heading(_, text) => push(page, &[".SS \"", &escape(text), "\""]),
        Block::Paragraph(spans) => {
            begin_paragraph(page);
            push(page, &[&inline(spans)]);
        }
        Block::Item(spans) => push(page, &[".IP \\(bu 2\n", &inline(spans)]),
        Block::Code(lines) => push_code(page, lines),
        Block::Table(rows) => push_table(page, rows),
    }
}

/// Adds the heading of a section.
pub(super) fn push_heading(page: &mut String, text: &str) {
    push(page, &[".SH \"", &escape(&text.to_uppercase()), "\""]);
}

/// Adds a tagged paragraph; tag and text are roff already.
pub(super) fn push_tagged(page: &mut String, tag: &str, about: &str) {
    // `.TP` needs a line behind its tag.
    let about = if about.is_empty() { "\\&" } else { about };
    push(page, &[".TP\n", tag, "\n", about]);
}

/// Adds a line made of these parts.
pub(super) fn push(page: &mut String, parts: &[&str]) {
    page.extend(parts.iter().copied());
    page.push('\n');
}

/// Adds a table: the first cell of each row as a tag, the second behind it, further cells with their headings.
fn push_table(page: &mut String, rows: &[Vec<Vec<Span>>]) {
    let Some((headings, rows)) = rows.split_first() else {
        return;
    };
    for row in rows {
        let mut cells = headings.iter().zip(row);
        let tag = cells.next().map(|(_, cell)| inline(cell));
        let about = cells.next().map(|(_, cell)| inline(cell));
        push_tagged(page, &tag.unwrap_or_default(), &about.unwrap_or_default());
        for (heading, cell) in cells.filter(|(_, cell)| !cell.is_empty()) {
            push(page, &[".br\n", &inline(heading), ": ", &inline(cell)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faces::cli::manual::markdown::parse;

    #[test]
    fn every_block_has_its_request() {
        let page = "# A page\n\n## Two words\n\n.dot `--all` *x*\n\n- item\n\n```sh\n.a\n'b \\n\n```\n\n### Three\n\n\
                    | key | does | with |\n| --- | --- | --- |\n| `k` | this | `w` |\n| `m` |  |  |\n";
        let mut source = String::new();
        push_body(&mut source, &parse(page).expect("a page"));
        insta::assert_snapshot!(source, @r#"
        .SH "TWO WORDS"
        \&.dot \fB\-\-all\fR \fIx\fR
        .IP \(bu 2
        item
        .PP
        .RS 4
        .nf
        \&.a
        \(aqb \en
        .fi
        .RE
        .SS "Three"
        .TP
        \fBk\fR
        this
        .br
        with: \fBw\fR
        .TP
        \fBm\fR
        \&
        "#);
    }
}
