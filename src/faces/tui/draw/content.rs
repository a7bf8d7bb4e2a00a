//! The page of a version, and the page of the difference of two versions.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::list::write_verdicts;
use super::paint::{boxed, pad, put_all, put_fitting};
use crate::config::Zone;
use crate::domain::{LastModified, Version, format_size};
use crate::faces::text::or_dash;
use crate::faces::tui::format::version_state;
use crate::faces::tui::layout::{below_facts, is_wide};
use crate::faces::tui::model::{DiffPage, VersionPage};
use crate::faces::tui::theme::Theme;
use crate::faces::tui::verdict_lines::verdict_lines;
use crate::faces::version_diff::{DiffLine, Side};

pub(crate) fn draw_version(
    page: &VersionPage,
    zone: &Zone,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
) {
    let version = &page.version;
    let title = format!("{} v{}", page.source.settings.name, version.id);
    let inner = boxed(buffer, area, &title, tab_of(page), theme.focus);
    let body = below_facts(inner);
    if body.height < inner.height {
        draw_facts(version, zone, theme, inner, buffer);
    }
    if page.shows_verdicts {
        let lines = verdict_lines(&page.source, None, &page.verdicts);
        write_verdicts(&lines, page.top, theme, body, buffer);
        return;
    }
    if let Some(problem) = &page.problem {
        let pieces = [("It cannot be shown: ", theme.text), (problem, theme.bad)];
        put_fitting(buffer, body, 0, &pieces);
        return;
    }
    let Some(viewer) = &page.viewer else {
        put_all(buffer, body, 0, &[("Reading…", theme.dim)]);
        return;
    };
    if viewer.size() == 0 {
        put_all(buffer, body, 0, &[("It is empty.", theme.dim)]);
    }
    for (line, text) in (0..).zip(viewer.page(usize::from(body.height))) {
        let text: String = text.chars().skip(viewer.left).collect();
        put_all(buffer, body, line, &[(&text, theme.text)]);
    }
}

fn tab_of(page: &VersionPage) -> &'static str {
    match (&page.content, &page.viewer) {
        _ if page.shows_verdicts => "verdicts (tab: content)",
        (None, Some(_)) => "content, not checked yet (tab: verdicts)",
        _ => "content (tab: verdicts)",
    }
}

fn draw_facts(version: &Version, zone: &Zone, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let (word, style) = version_state(Some(version.state), theme);
    let modified = version.last_modified.as_ref().and_then(LastModified::time);
    let facts = format!(
        ", {}, {}, fetched {}, modified {}",
        format_size(version.size_bytes),
        version.media_type.as_deref().unwrap_or("no media type"),
        zone.minute(version.fetched_at),
        or_dash(modified.map(|time| zone.minute(time)))
    );
    put_fitting(buffer, area, 0, &[(word, style), (&facts, theme.text)]);
    let digest = version.digest.to_string();
    put_all(buffer, area, 1, &[(&digest, theme.dim)]);
}

pub(crate) fn draw_diff(page: &DiffPage, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let title = format!("{}: v{} -> v{}", page.name, page.old.id, page.new.id);
    let counts = page.diff.as_ref();
    let counts = counts.map(|diff| format!("+{} −{}", diff.added, diff.removed));
    let counts = counts.unwrap_or_default();
    let inner = boxed(buffer, area, &title, &counts, theme.focus);
    let Some(diff) = &page.diff else {
        put_all(buffer, inner, 0, &[("Comparing…", theme.dim)]);
        return;
    };
    let wide = is_wide(inner);
    let mut line = 0;
    for entry in diff.lines.iter().skip(page.top) {
        if line >= inner.height {
            break;
        }
        if let DiffLine::Head(text) = entry {
            put_all(buffer, inner, line, &[(text, theme.accent)]);
            line += 1;
        } else if wide {
            let sides = sides_of(entry, theme);
            draw_side_by_side(page.left, sides, theme, inner, line, buffer);
            line += 1;
        } else {
            let sides = sides_of(entry, theme).into_iter().flatten();
            let is_same = matches!(entry, DiffLine::Same(..));
            for (sign, side, style) in sides.skip(usize::from(is_same)) {
                let pieces = [(sign, style), (&*cut(side, page.left), style)];
                put_all(buffer, inner, line, &pieces);
                line += 1;
            }
        }
    }
}

/// A side of a line: its sign, its text, and the style of both.
type SignedSide<'a> = (&'static str, &'a Side, Style);

/// Returns the old and the new side of a line.
fn sides_of<'a>(entry: &'a DiffLine, theme: &Theme) -> [Option<SignedSide<'a>>; 2] {
    match entry {
        DiffLine::Head(_) => [None; 2],
        DiffLine::Same(old, new) => [old, new].map(|side| Some((" ", side, theme.text))),
        DiffLine::Changed(old, new) => [
            old.as_ref().map(|old| ("-", old, theme.bad)),
            new.as_ref().map(|new| ("+", new, theme.good)),
        ],
    }
}

fn cut(side: &Side, left: usize) -> String {
    side.text.chars().skip(left).collect()
}

fn draw_side_by_side(
    left: usize,
    sides: [Option<SignedSide<'_>>; 2],
    theme: &Theme,
    area: Rect,
    line: u16,
    buffer: &mut Buffer,
) {
    let width = area.width / 2;
    for (x, side) in [area.x, area.x + width].into_iter().zip(sides) {
        let Some((sign, side, style)) = side else {
            continue;
        };
        let column = Rect { x, width, ..area };
        let number = format!("{:>6} {sign}", side.number);
        let text = pad(&cut(side, left), usize::from(width).saturating_sub(9));
        let pieces = [(&*number, theme.dim), (&*text, style)];
        put_all(buffer, column, line, &pieces);
    }
}
