//! The page of one source: its settings, plots of latency and size, and its whole history.

use chrono::{DateTime, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::list::{draw_list, latencies};
use super::paint::{boxed, put_all, put_fitting};
use super::plot::bars;
use crate::config::Zone;
use crate::domain::Source;
use crate::faces::publication::published_words;
use crate::faces::state_word::{next_due, state_word, why};
use crate::faces::tui::format::{moment, until};
use crate::faces::tui::history::{HistoryView, Listing};
use crate::faces::tui::layout::{skip, source_page};
use crate::faces::tui::model::{Model, SourcePage};
use crate::faces::tui::theme::Theme;

/// The line of the settings with the reason for the source's state; it crosses the page below the plots.
const WHY: u16 = 8;

pub(crate) fn draw(
    page: &SourcePage,
    model: &Model,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
) {
    let Some(source) = model.table.get(page.id) else {
        boxed(buffer, area, "This source was removed", "esc", theme.focus);
        return;
    };
    let what = page.view.as_ref().map_or("", |view| match view.listing {
        Listing::Attempts => "attempts (tab: versions)",
        Listing::Versions => "versions (tab: attempts)",
    });
    let inner = boxed(buffer, area, &source.settings.name, what, theme.focus);
    let areas = source_page(inner);
    if areas.settings.height > 0 {
        let why = page.view.as_ref().and_then(|view| why(&view.history));
        let why = why.unwrap_or_default();
        let label = if why.is_empty() { "" } else { "why        " };
        let pieces = [(label, theme.dim), (why.as_str(), theme.bad)];
        put_fitting(buffer, inner, WHY, &pieces);
    }
    draw_facts(source, model, theme, areas.settings, buffer);
    let Some(view) = &page.view else {
        let pieces = [("Reading its history…", theme.dim)];
        put_all(buffer, areas.list, 0, &pieces);
        return;
    };
    draw_plots(view, theme, areas.plots, buffer);
    draw_list(view, &model.zone, theme, areas.list, true, buffer);
}

fn draw_facts(source: &Source, model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let facts = settings_facts(source, (model.now, &model.zone));
    for (line, (label, text)) in (0..).zip(&facts) {
        let label = format!("{label:<11}");
        let pieces = [(&*label, theme.dim), (&**text, theme.text)];
        put_all(buffer, area, line, &pieces);
    }
}

fn draw_plots(view: &HistoryView, theme: &Theme, areas: [Rect; 2], buffer: &mut Buffer) {
    let plots = [
        (
            "latency of attempts, newest on the right",
            latencies(view, theme),
        ),
        ("size of versions", sizes(view, theme)),
    ];
    for (area, (title, plot)) in areas.into_iter().zip(plots) {
        put_all(buffer, area, 0, &[(title, theme.dim)]);
        bars(buffer, skip(area, 1), &plot);
    }
}

fn sizes(view: &HistoryView, theme: &Theme) -> Vec<super::plot::Bar> {
    let versions = view.history.versions.iter();
    versions
        .map(|(version, _)| (Some(version.size_bytes), theme.accent))
        .collect()
}

fn settings_facts(
    source: &Source,
    (now, zone): (DateTime<Utc>, &Zone),
) -> [(&'static str, String); 8] {
    let (settings, state) = (&source.settings, &source.state);
    let allowed = [
        (settings.allow_private, "private addresses"),
        (settings.allow_http, "plain http"),
        (settings.allow_empty, "empty bodies"),
    ];
    let allowed = allowed.into_iter().filter(|(allowed, _)| *allowed);
    let headers = settings.headers.iter().map(|(name, _)| name.as_str());
    let (last, next) = (
        moment(state.last_attempt_at, now, zone),
        until(next_due(source), now),
    );
    let time = |time| moment(Some(time), now, zone);
    [
        ("address", settings.address.to_string()),
        (
            "state",
            format!("{}, every {}", state_word(source), settings.interval),
        ),
        ("last, next", format!("{last}, {next}")),
        ("tags", listed(settings.tags.iter().map(String::as_str))),
        ("headers", listed(headers)),
        ("allowed", listed(allowed.map(|(_, word)| word))),
        ("publishes", settings.publish.to_string()),
        (
            "published",
            published_words(source, &source.published_path, time),
        ),
    ]
}

fn listed<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<_> = words.collect();
    if words.is_empty() {
        "none".to_owned()
    } else {
        words.join(", ")
    }
}
