//! The log pane.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::paint::{boxed, pane_border, put_all, put_fitting, restyle};
use crate::faces::tui::log::Level;
use crate::faces::tui::model::{Model, Pane};
use crate::faces::tui::theme::Theme;

pub(crate) fn draw(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let log = &model.log;
    let right = match (log.is_following(), log.missed()) {
        (true, _) => "follow".to_owned(),
        (false, 0) => "paused".to_owned(),
        (false, missed) => format!("↓ {missed} new"),
    };
    let style = pane_border(model, Pane::Log, theme);
    let inner = boxed(buffer, area, &title(model), &right, style);
    if log.len() == 0 && log.newest().is_some() {
        put_all(buffer, inner, 0, &[("No event matches.", theme.dim)]);
    }
    for (line, place) in (0..inner.height).zip(log.window(usize::from(inner.height))) {
        let Some(entry) = log.line(place) else { break };
        let style = match entry.level {
            Level::Info => theme.text,
            Level::Warning => theme.warning,
            Level::Error => theme.bad,
        };
        let at = model.zone.wall(entry.event.stamp.at);
        let is_today = at.date() == model.zone.wall(model.now).date();
        let format = if is_today {
            "%H:%M:%S "
        } else {
            "%m-%d %H:%M:%S "
        };
        let time = at.format(format).to_string();
        let who = format!("  {}", entry.event.stamp.actor);
        let pieces = [
            (time.as_str(), theme.dim),
            (&entry.text, style),
            (&who, theme.dim),
        ];
        put_fitting(buffer, inner, line, &pieces);
        if !log.is_following() && place == log.bottom() && model.pane == Pane::Log {
            let row = Rect::new(inner.x, inner.y + line, inner.width, 1);
            restyle(buffer, row, theme.selected);
        }
    }
}

fn title(model: &Model) -> String {
    let log = &model.log;
    let level = match log.level() {
        Level::Info => "",
        Level::Warning => "  warnings",
        Level::Error => "  errors",
    };
    let mut title = format!("Log{level}");
    if let Some(source) = log.only_source().and_then(|id| model.table.get(id)) {
        title = format!("{title}  {}", source.settings.name);
    }
    if !log.filter_text().is_empty() {
        title = format!("{title}  /{}", log.filter_text());
    }
    title
}
