//! Opens pages: a source, a version, the difference of two versions. Copies the selected address, digest or line.

use std::sync::Arc;

use super::screen::{show_selected, toast};
use crate::domain::{Source, SourceId, Version};
use crate::faces::tui::history::HistoryView;
use crate::faces::tui::message::Effect;
use crate::faces::tui::model::{DiffPage, Model, Page, Pane, SourcePage, VersionPage};

/// The toast for an action that needs a history which is still being read.
const UNREAD: &str = "its history is still being read";

/// Opens the page of the selected source, of the selected version, or of the source of a line of the log. For a failed
/// attempt, shows the error.
pub(super) fn open_selected(model: &mut Model) -> Vec<Effect> {
    match (model.pages.last(), model.pane) {
        (Some(Page::Version(_) | Page::Diff(_) | Page::Messages | Page::Message(_)), _) => {
            Vec::new()
        }
        (None, Pane::Sources) => open_source(model),
        (None, Pane::Log) => match line_source(model) {
            Ok(id) => {
                model.table.show(id);
                show_selected(model, false)
            }
            Err(why) => toast(model, why),
        },
        (Some(Page::Source(_)), _) | (None, Pane::History | Pane::Verdicts) => open_version(model),
    }
}

fn open_source(model: &mut Model) -> Vec<Effect> {
    let Some(id) = model.table.selected().map(|source| source.id) else {
        return Vec::new();
    };
    let page = SourcePage { id, view: None };
    model.pages.push(Page::Source(page));
    vec![Effect::ReadHistory(id, None)]
}

fn open_version(model: &mut Model) -> Vec<Effect> {
    let zone = model.zone.clone();
    let Some(view) = current_history(model) else {
        return toast(model, UNREAD);
    };
    if let Some(attempt) = view.failed_attempt() {
        let why = attempt.error.as_deref().unwrap_or("no reason was recorded");
        let text = format!("{} failed: {why}", zone.minute(attempt.started_at));
        model.toast_error(text);
        return Vec::new();
    }
    let Some((version, verdicts)) = view.selected_version().cloned() else {
        return toast(model, "no version yet");
    };
    let page = VersionPage {
        source: view.history.source.clone(),
        version: version.clone(),
        verdicts: verdicts.clone(),
        shows_verdicts: model.pages.is_empty() && model.pane == Pane::Verdicts,
        viewer: None,
        content: None,
        problem: None,
        top: 0,
    };
    model.pages.push(Page::Version(Box::new(page)));
    let in_full = (!verdicts.is_empty()).then_some(Effect::ReadVerdicts(version.id));
    let mut effects = vec![Effect::Open(Box::new(version))];
    effects.extend(in_full);
    effects
}

pub(super) fn open_diff(model: &mut Model) -> Vec<Effect> {
    if matches!(model.pages.last(), Some(Page::Diff(_))) {
        return Vec::new();
    }
    let Some(view) = current_history(model) else {
        return toast(model, UNREAD);
    };
    let of_page = match model.pages.last() {
        Some(Page::Version(page)) => Some(page.version.id),
        _ => None,
    };
    let pair = match of_page {
        Some(id) => {
            let versions = view.history.versions.iter().map(|(version, _)| version);
            let mut from = versions.skip_while(|version| version.id != id);
            let new = from.next().cloned();
            from.next().cloned().zip(new)
        }
        None => view.diff_pair(),
    };
    let Some((old, new)) = pair else {
        return toast(model, "there is no version before to compare with");
    };
    let name = view.history.source.settings.name.clone();
    model.pages.push(Page::Diff(DiffPage {
        name,
        old: old.clone(),
        new: new.clone(),
        diff: None,
        top: 0,
        left: 0,
    }));
    vec![Effect::Compare(Box::new(old), Box::new(new))]
}

/// Returns the source of the highlighted line of the log, or the reason why there is none.
pub(super) fn line_source(model: &Model) -> Result<SourceId, &'static str> {
    let line = model.log.line(model.log.bottom());
    let id = line
        .and_then(|line| line.event.event.source_id)
        .ok_or("this line is about no source")?;
    let is_there = model.table.get(id).is_some();
    is_there
        .then_some(id)
        .ok_or("the source of this line is removed")
}

pub(super) fn copy(model: &mut Model) -> Vec<Effect> {
    let text = match (model.pages.last(), model.pane) {
        (Some(Page::Version(page)), _) => Some(page.version.digest.to_string()),
        (Some(Page::Diff(page)), _) => Some(page.new.digest.to_string()),
        (None, Pane::History | Pane::Verdicts) | (Some(Page::Source(_)), _) => {
            selected_version(model).map(|(_, version)| version.digest.to_string())
        }
        (None, Pane::Log) => model
            .log
            .line(model.log.bottom())
            .map(|line| line.text.to_string()),
        (Some(Page::Messages | Page::Message(_)), _) => None,
        (None, Pane::Sources) => model
            .table
            .selected()
            .map(|s| s.settings.address.to_string()),
    };
    text.map_or_else(Vec::new, |text| copy_text(model, text))
}

/// Copies a text to the clipboard.
pub(super) fn copy_text(model: &mut Model, text: String) -> Vec<Effect> {
    // A terminal does not report whether it copied the text; tmux does.
    if !model.mode.in_tmux {
        model.toast(format!("sent to the terminal: {text}"));
    }
    vec![Effect::Copy(text)]
}

/// Returns the history of the page's source, or of the selected source; none while the history is being read.
fn current_history(model: &Model) -> Option<&HistoryView> {
    let id = match model.pages.last() {
        None => return model.selected_history(),
        Some(Page::Source(page)) => return page.view.as_ref(),
        Some(Page::Version(page)) => page.source.id,
        Some(Page::Diff(page)) => page.new.source_id,
        Some(Page::Messages | Page::Message(_)) => return None,
    };
    let below = model.pages.iter().rev().find_map(|page| match page {
        Page::Source(page) => page.view.as_ref(),
        _ => None,
    });
    let view = below.or(model.history.as_ref());
    view.filter(|view| view.source_id() == id)
}

/// Returns the selected version of the history pane or the page of a source, with its source.
pub(super) fn selected_version(model: &Model) -> Option<(Arc<Source>, Version)> {
    let view = current_history(model)?;
    let (version, _) = view.selected_version()?;
    Some((Arc::new(view.history.source.clone()), version.clone()))
}
