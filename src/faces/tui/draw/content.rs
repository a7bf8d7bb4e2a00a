//! The page of a version, and the page of the difference of two versions.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::list::write_verdicts;
use super::paint::{boxed, pad, put_all, put_fitting};
use crate::config::Zone;
use crate::domain::{LastModified, Version, format_size};
use crate::faces::text::or_dash;
use crate::faces::tui::diff::{DiffLine, Side};
use crate::faces::tui::format::version_state;
use crate::faces::tui::layout::{below_facts, is_wide};
use crate::faces::tui::model::{DiffPage, VersionPage};
use crate::faces::tui::theme::Theme;
use crate::faces::tui::verdict_lines::verdict_lines;

pub(crate) fn draw_version(
    page: &VersionPage,
    zone: &Zone,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
) {
    let version = &page.version;
    let title = format!("{} v{}", page.source.settings.name, version.id);
    let tab = match (&page.content, &page.viewer) {
        _ if page.shows_verdicts => "verdicts (tab: content)",
        (None, Some(_)) => "content, not checked yet (tab: verdicts)",
        _ => "content (tab: verdicts)",
    };
    let inner = boxed(buffer, area, &title, tab, theme.focus);
    let body = below_facts(inner);
    if body.height < inner.height {
        draw_facts(version, zone, theme, inner, buffer);
    }
    if page.shows_verdicts {
        let lines = verdict_lines(None, &page.verdicts);
        write_verdicts(&lines, page.top, theme, body, buffer);
        return;
    }
    if let Some(problem) = &page.problem {
        put_fitting(
            buffer,
            body,
            0,
            &[("It cannot be shown: ", theme.text), (problem, theme.bad)],
        );
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
    let counts = page
        .diff
        .as_ref()
        .map(|diff| format!("+{} −{}", diff.added, diff.removed));
    let inner = boxed(
        buffer,
        area,
        &title,
        &counts.unwrap_or_default(),
        theme.focus,
    );
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
        line += match (entry, wide) {
            (DiffLine::Head(text), _) => {
                put_all(buffer, inner, line, &[(text, theme.accent)]);
                1
            }
            (DiffLine::Same(old, new), true) => draw_side_by_side(
                page.left,
                (" ", Some(old), theme.text),
                (" ", Some(new), theme.text),
                theme,
                inner,
                line,
                buffer,
            ),
            (DiffLine::Changed(old, new), true) => draw_side_by_side(
                page.left,
                ("-", old.as_ref(), theme.bad),
                ("+", new.as_ref(), theme.good),
                theme,
                inner,
                line,
                buffer,
            ),
            (DiffLine::Same(_, new), false) => {
                draw_unified(page.left, " ", new, theme.text, inner, line, buffer)
            }
            (DiffLine::Changed(old, new), false) => {
                let old = old.as_ref().map_or(0, |old| {
                    draw_unified(page.left, "-", old, theme.bad, inner, line, buffer)
                });
                old + new.as_ref().map_or(0, |new| {
                    draw_unified(page.left, "+", new, theme.good, inner, line + old, buffer)
                })
            }
        };
    }
}

fn cut(side: &Side, left: usize) -> String {
    side.text.chars().skip(left).collect()
}

fn draw_unified(
    left: usize,
    sign: &str,
    side: &Side,
    style: Style,
    area: Rect,
    line: u16,
    buffer: &mut Buffer,
) -> u16 {
    put_all(
        buffer,
        area,
        line,
        &[(sign, style), (&cut(side, left), style)],
    );
    1
}

fn draw_side_by_side(
    left: usize,
    old: (&str, Option<&Side>, Style),
    new: (&str, Option<&Side>, Style),
    theme: &Theme,
    area: Rect,
    line: u16,
    buffer: &mut Buffer,
) -> u16 {
    let half = usize::from(area.width / 2);
    for (at, (sign, side, style)) in [(0, old), (half, new)] {
        let Some(side) = side else { continue };
        let x = area.x + u16::try_from(at).unwrap_or(0);
        let column = Rect {
            x,
            width: area.width / 2,
            ..area
        };
        let number = format!("{:>6} {sign}", side.number);
        let text = pad(&cut(side, left), half.saturating_sub(9));
        put_all(
            buffer,
            column,
            line,
            &[(&number, theme.dim), (&text, style)],
        );
    }
    1
}
