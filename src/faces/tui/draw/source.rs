//! The page of one source: its settings, plots of latency and size, and its whole history.

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
    settings(
        source,
        (model.now, &model.zone),
        theme,
        areas.settings,
        buffer,
    );
    let Some(view) = &page.view else {
        put_all(
            buffer,
            areas.list,
            0,
            &[("Reading its history…", theme.dim)],
        );
        return;
    };
    let [latency, size] = areas.plots;
    put_all(
        buffer,
        latency,
        0,
        &[("latency of attempts, newest on the right", theme.dim)],
    );
    bars(buffer, skip(latency, 1), &latencies(view, theme));
    put_all(buffer, size, 0, &[("size of versions", theme.dim)]);
    bars(buffer, skip(size, 1), &sizes(view, theme));
    draw_list(view, &model.zone, theme, areas.list, true, buffer);
}

fn sizes(view: &HistoryView, theme: &Theme) -> Vec<super::plot::Bar> {
    let versions = view.history.versions.iter();
    versions
        .map(|(version, _)| (Some(version.size_bytes), theme.accent))
        .collect()
}

fn settings(
    source: &Source,
    (now, zone): (chrono::DateTime<chrono::Utc>, &Zone),
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
) {
    let settings = &source.settings;
    let yes = |on: bool, word: &'static str| on.then_some(word);
    let allowed: Vec<_> = [
        yes(settings.allow_private, "private addresses"),
        yes(settings.allow_http, "plain http"),
        yes(settings.allow_empty, "empty bodies"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let or_none = |text: String| {
        if text.is_empty() {
            "none".to_owned()
        } else {
            text
        }
    };
    let published = published_words(source, &source.published_path, |time| {
        moment(Some(time), now, zone)
    });
    let lines = [
        ("address", settings.address.to_string()),
        (
            "state",
            format!("{}, every {}", state_word(source), settings.interval),
        ),
        (
            "last, next",
            format!(
                "{}, {}",
                moment(source.state.last_attempt_at, now, zone),
                until(next_due(source), now)
            ),
        ),
        ("tags", or_none(settings.tags.join(", "))),
        (
            "headers",
            or_none(
                settings
                    .headers
                    .iter()
                    .map(|(name, _)| name.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
            ),
        ),
        ("allowed", or_none(allowed.join(", "))),
        ("publishes", settings.publish.to_string()),
        ("published", published),
    ];
    for (line, (label, text)) in (0..).zip(&lines) {
        put_all(
            buffer,
            area,
            line,
            &[(&format!("{label:<11}"), theme.dim), (text, theme.text)],
        );
    }
}
