//! The content of a version in the best form for it: a table, a tree, a picture, text, or hexadecimal; by windows.

use axum::response::Response;
use maud::{Markup, html};
use serde_json::value::RawValue;

use super::content_window::{
    HEX_BYTES, LINES, PIECE_BYTES, beginning, bytes_at, lines_from, piece_of, read, rows_from,
    whole,
};
use super::elements::{grouped, text};
use super::history_tables::id_param;
use super::json_tree::tree;
use super::layout::Section;
use super::visit::Visit;
use crate::domain::{Content, Version, format_size, shortened};
use crate::faces::http::content::picture_type;
use crate::faces::http::extract::Part;
use crate::faces::http::problem::Problem;
use crate::faces::text::clean_line;

/// Larger contents are not shown as a table, which is read from the start up to its window.
const MAX_TABLE_BYTES: u64 = 64 << 20;
/// Larger contents are not shown as a tree, which is read whole.
const MAX_TREE_BYTES: u64 = 4 << 20;
/// The most columns of a table.
const MAX_COLUMNS: usize = 60;
/// The most characters of a cell.
const MAX_CELL: usize = 300;

/// A form in which content is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Table,
    Tree,
    Picture,
    Text,
    Hex,
}

impl Form {
    const ALL: [(Self, &'static str, &'static str); 5] = [
        (Self::Table, "table", "Table"),
        (Self::Tree, "tree", "Tree"),
        (Self::Picture, "picture", "Picture"),
        (Self::Text, "text", "Text"),
        (Self::Hex, "hex", "Hexadecimal"),
    ];

    fn as_str(self) -> &'static str {
        let found = Self::ALL.iter().find(|(form, ..)| *form == self);
        found.map_or("", |(_, word, _)| *word)
    }
}

/// Shows the content alone, on a page of its own.
pub(super) async fn show(visit: Visit, Part(version): Part<String>) -> Result<Response, Problem> {
    let (source, version) = visit.app().version(&version).await?;
    let title = format!("Content of v{}", version.id);
    let content = html! {
        p.crumbs {
            a href={ "/sources/" (source.id) } { (text(&source.settings.name)) } " / "
            a href={ "/versions/" (version.id) } { "v" (version.id) }
        }
        h1 { (title) }
        (content_section(&visit, &version).await)
    };
    Ok(visit.page(Section::Sources, &title, &content))
}

/// Shows the content of a version; a content that cannot be read is a remark, since the facts are still of use.
pub(super) async fn content_section(visit: &Visit, version: &Version) -> Markup {
    let shown = match section(visit, version).await {
        Ok(shown) => shown,
        Err(problem) => {
            html! { div.alert.bad role="alert" { p { (text(&problem.into_refused().detail)) } } }
        }
    };
    html! { section aria-labelledby="content" { h2 #content { "Content" } (shown) } }
}

async fn section(visit: &Visit, version: &Version) -> Result<Markup, Problem> {
    let content = visit.app().content(version).await?;
    let start = beginning(&content).await?;
    let (forms, missing) = forms_of(&start, version);
    let asked = visit.param("view");
    let form = forms
        .iter()
        .copied()
        .find(|form| asked.as_deref() == Some(form.as_str()));
    let form = form.or(forms.first().copied()).unwrap_or(Form::Hex);
    let shown = match form {
        Form::Picture => {
            html! { p.picture { img src={ "/versions/" (version.id) "/picture" } alt={ "Picture " (text(&version.name)) }; } }
        }
        Form::Table => table(visit, &content, separator_of(&start)).await?,
        Form::Tree => json(&content).await?,
        Form::Text if visit.param("col").is_some() => long_line(visit, &content).await?,
        Form::Text => lines(visit, &content).await?,
        Form::Hex => hex(visit, &content).await?,
    };
    Ok(html! {
        nav.views aria-label="Forms of the content" {
            @for (one, word, name) in Form::ALL {
                @if forms.contains(&one) {
                    a href={ (visit.link(&[("view", Some(word)), ("line", None), ("at", None), ("col", None)])) "#content" } aria-current=[(one == form).then_some("true")] { (name) }
                }
            }
        }
        @if let Some((what, most)) = missing {
            p.dim { "No " (what) ": it is shown for contents up to " (format_size(most)) ", and this one has " (format_size(version.size_bytes)) ". The text shows all of it by pages; or download it." }
        }
        (shown)
    })
}

/// A form in which a content is too large to be shown, and the most bytes for it.
type Missing = Option<(&'static str, u64)>;

/// Returns the forms in which a content can be shown, the best first.
fn forms_of(start: &[u8], version: &Version) -> (Vec<Form>, Missing) {
    if picture_type(start).is_some() {
        return (vec![Form::Picture, Form::Hex], None);
    }
    let is_text = match std::str::from_utf8(start) {
        Ok(_) => true,
        // A character that the end of the sample cuts does not make the content binary.
        Err(error) => error.error_len().is_none(),
    };
    if !is_text || start.contains(&0) {
        return (vec![Form::Hex, Form::Text], None);
    }
    let mut forms = vec![Form::Text, Form::Hex];
    let (name, media_type) = (
        version.name.to_ascii_lowercase(),
        version.media_type.as_deref(),
    );
    let is = |ends: &[&str], types: &[&str]| {
        let media_type = media_type.unwrap_or_default();
        ends.iter().any(|end| name.ends_with(end))
            || types.iter().any(|one| media_type.contains(one))
    };
    let (form, what, most) = if is(&[".csv", ".tsv"], &["text/csv", "tab-separated"]) {
        (Form::Table, "table", MAX_TABLE_BYTES)
    } else if is(&[".json"], &["application/json", "+json"]) {
        (Form::Tree, "tree", MAX_TREE_BYTES)
    } else {
        return (forms, None);
    };
    if version.size_bytes > most {
        return (forms, Some((what, most)));
    }
    if version.size_bytes > 0 {
        forms.insert(0, form);
    }
    (forms, None)
}

/// Returns the separator that the first line has most of.
fn separator_of(start: &[u8]) -> u8 {
    let line = start
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let count = |separator: &u8| line.split(|byte| byte == separator).count();
    // Of equals the last one is taken: a comma.
    [b'\t', b';', b',']
        .into_iter()
        .max_by_key(count)
        .unwrap_or(b',')
}

/// Returns the first line of the window, from 1.
fn first_line(visit: &Visit) -> Result<usize, Problem> {
    let line = id_param(visit, "line")?.unwrap_or(1);
    Ok(usize::try_from(line).unwrap_or(1).max(1))
}

async fn lines(visit: &Visit, content: &Content) -> Result<Markup, Problem> {
    let first = first_line(visit)?;
    let window = read(content, move |content| lines_from(content, first)).await?;
    let count = window.lines.len();
    let pages = pages(visit, window.first, count, (window.has_more, window.total));
    if window.lines.is_empty() {
        return Ok(
            html! { p.dim { @if first == 1 { "The content is empty." } @else { "No lines here." } } (pages) },
        );
    }
    Ok(html! {
        (pages)
        div.scroll role="group" aria-label="Lines" tabindex="0" {
            table.code { tbody {
                @for (at, line) in window.lines.iter().enumerate() {
                    tr { td.line { (window.first + at) } td { code { (clean_line(&line.text)) } @if line.is_cut { (cut(visit, window.first + at, line.bytes)) } } }
                }
            } }
        }
        (pages)
    })
}

/// Says that a line goes on, and leads to the whole of it.
fn cut(visit: &Visit, line: usize, bytes: u64) -> Markup {
    let place = visit.link(&[
        ("view", Some("text")),
        ("line", Some(&line.to_string())),
        ("col", Some("0")),
    ]);
    html! { span.dim { " … cut: the line has " (grouped(bytes)) " bytes, " a href={ (place) "#content" } { "read it" } } }
}

/// Shows a piece of a long line.
async fn long_line(visit: &Visit, content: &Content) -> Result<Markup, Problem> {
    let line = first_line(visit)?;
    let at = offset(visit, "col")?;
    let piece = read(content, move |content| piece_of(content, line, at)).await?;
    let Some(piece) = piece else {
        return Ok(html! { p.dim { "No line here." } });
    };
    let end = piece.at + piece.length;
    let piece_at = |at: Option<u64>| {
        let at = at.map(|at| at.to_string());
        format!("{}#content", visit.link(&[("col", at.as_deref())]))
    };
    Ok(html! {
        nav.pages aria-label="Windows" {
            span { "line " (line) ", bytes " (grouped(piece.at)) "–" (grouped(end)) " of " (grouped(piece.line_bytes)) }
            @if piece.at > 0 { a rel="prev" href=(piece_at(Some(piece.at.saturating_sub(PIECE_BYTES)))) { "Earlier" } }
            @if end < piece.line_bytes { a rel="next" href=(piece_at(Some(end))) { "Later" } }
            a href=(piece_at(None)) { "All lines" }
        }
        div.output.wrapped tabindex="0" role="group" aria-label="Line" { code { (clean_line(&piece.text)) } }
    })
}

/// Returns an offset of the query.
fn offset(visit: &Visit, name: &str) -> Result<u64, Problem> {
    let at = id_param(visit, name)?;
    Ok(at.and_then(|at| u64::try_from(at).ok()).unwrap_or(0))
}

async fn table(visit: &Visit, content: &Content, separator: u8) -> Result<Markup, Problem> {
    let first = first_line(visit)?;
    let heading = read(content, move |content| rows_from(content, separator, 1))
        .await?
        .0
        .into_iter()
        .next();
    let from = first + 1;
    let (rows, has_more) =
        read(content, move |content| rows_from(content, separator, from)).await?;
    let cell = |bytes: &[u8]| {
        let cell = String::from_utf8_lossy(bytes);
        text(&shortened(&cell, MAX_CELL)).into_owned()
    };
    let widest = heading
        .iter()
        .chain(&rows)
        .map(csv::ByteRecord::len)
        .max()
        .unwrap_or(0);
    let pages = pages(visit, first, rows.len(), (has_more, None));
    Ok(html! {
        (pages)
        @if widest > MAX_COLUMNS { p.dim { "The first " (MAX_COLUMNS) " of " (widest) " columns: the text shows all." } }
        div.scroll role="group" aria-label="Rows" tabindex="0" {
            table.csv {
                @if let Some(heading) = &heading {
                    thead { tr { th.line scope="col" { "#" } @for one in heading.iter().take(MAX_COLUMNS) { th scope="col" { (cell(one)) } } } }
                }
                tbody {
                    @for (at, row) in rows.iter().enumerate() {
                        tr { td.line { (first + at) } @for one in row.iter().take(MAX_COLUMNS) { td { (cell(one)) } } }
                    }
                }
            }
        }
        (pages)
    })
}

async fn json(content: &Content) -> Result<Markup, Problem> {
    read(content, |content| {
        let bytes = whole(content)?;
        let parsed = serde_json::from_slice::<&RawValue>(&bytes);
        Ok(match parsed {
            Ok(value) => tree(value),
            Err(error) => {
                let why = format!("No JSON: {error}");
                html! { p.alert.bad { (text(&why)) } }
            }
        })
    })
    .await
}

async fn hex(visit: &Visit, content: &Content) -> Result<Markup, Problem> {
    let at = offset(visit, "at")?;
    let at = at - at % 16;
    let size = content.size_bytes();
    let bytes = read(content, move |content| bytes_at(content, at)).await?;
    let link = |at: u64| format!("{}#content", visit.link(&[("at", Some(&at.to_string()))]));
    Ok(html! {
        nav.pages aria-label="Windows" {
            span { "offset " (at) " of " (grouped(size)) }
            @if at > 0 { a rel="prev" href=(link(at.saturating_sub(HEX_BYTES))) { "Earlier" } }
            @if at + HEX_BYTES < size { a rel="next" href=(link(at + HEX_BYTES)) { "Later" } }
        }
        pre.output tabindex="0" {
            @for (row, chunk) in bytes.chunks(16).enumerate() { (hex_line(at + 16 * row as u64, chunk)) "\n" }
        }
    })
}

/// Returns the offset, the bytes, and the printable characters of a row.
fn hex_line(offset: u64, chunk: &[u8]) -> String {
    let bytes: Vec<_> = chunk.iter().map(|byte| format!("{byte:02x}")).collect();
    let shown = |byte: &u8| {
        if (b' '..=b'~').contains(byte) {
            char::from(*byte)
        } else {
            '.'
        }
    };
    let characters: String = chunk.iter().map(shown).collect();
    format!("{offset:08x}  {:<47}  {characters}", bytes.join(" "))
}

fn pages(
    visit: &Visit,
    first: usize,
    count: usize,
    (has_more, total): (bool, Option<usize>),
) -> Markup {
    let link = |line: usize| {
        let line = line.to_string();
        let line = (line != "1").then_some(line.as_str());
        format!("{}#content", visit.link(&[("line", line)]))
    };
    html! {
        @if first > 1 || has_more {
            nav.pages aria-label="Windows" {
                span {
                    (grouped(first as u64)) "–" (grouped((first + count.saturating_sub(1)) as u64))
                    @if let Some(total) = total { " of " (grouped(total as u64)) " lines" }
                }
                @if first > 1 { a rel="prev" href=(link(first.saturating_sub(LINES).max(1))) { "Earlier" } }
                @if has_more { a rel="next" href=(link(first + LINES)) { "Later" } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faces::fixtures::version;

    #[test]
    fn the_best_form_comes_first() {
        for (name, content, expected) in [
            ("a.csv", &b"a,b\n1,2\n"[..], Form::Table),
            ("a.json", b"{}", Form::Tree),
            ("a.txt", b"text", Form::Text),
            ("a.csv", b"a\0b", Form::Hex),
            ("a.csv", b"\xff\xfe", Form::Hex),
            ("a.svg", b"<svg/>", Form::Text),
            ("a.txt", b"GIF89a", Form::Picture),
        ] {
            let mut version = version(1, 0, content);
            (version.name, version.media_type) = (name.to_owned(), None);
            assert_eq!(
                forms_of(content, &version).0.first(),
                Some(&expected),
                "{name}"
            );
        }
    }

    #[test]
    fn what_is_too_large_for_a_form_is_said() {
        for (name, size_bytes, expected) in [
            ("a.csv", MAX_TABLE_BYTES, None),
            (
                "a.csv",
                MAX_TABLE_BYTES + 1,
                Some(("table", MAX_TABLE_BYTES)),
            ),
            ("a.json", MAX_TREE_BYTES + 1, Some(("tree", MAX_TREE_BYTES))),
            ("a.txt", u64::MAX, None),
        ] {
            let mut version = version(1, 0, b"{}");
            (version.name, version.media_type, version.size_bytes) =
                (name.to_owned(), None, size_bytes);
            assert_eq!(forms_of(b"{}", &version).1, expected, "{name}");
        }
    }

    #[test]
    fn separators_and_rows_of_bytes() {
        for (line, expected) in [
            ("a,b", b','),
            ("a;b;c,d", b';'),
            ("a\tb", b'\t'),
            ("a", b','),
        ] {
            assert_eq!(separator_of(line.as_bytes()), expected, "{line}");
        }
        assert_eq!(
            hex_line(16, b"a\x1b<"),
            format!("00000010  61 1b 3c{}  a.<", " ".repeat(39))
        );
    }
}
