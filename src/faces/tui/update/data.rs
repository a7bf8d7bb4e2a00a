//! What came from outside: keys to the input, data to where it belongs.

use super::act::{act, show_selected};
use super::input;
use crate::app::Undo;
use crate::domain::SourceId;
use crate::faces::tui::history::HistoryView;
use crate::faces::tui::log::Line;
use crate::faces::tui::message::{Effect, Job, Msg};
use crate::faces::tui::model::{Model, Overlay, Page, VersionPage};
use crate::faces::tui::table::Row;
use crate::faces::tui::viewer::Viewer;

/// Changes the model by what happened, and returns what is to be done.
pub(crate) fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Key(key, event) => match model.keymap.action(model.contexts(), key) {
            Some(action) => act(model, action),
            None => input::typed(model, event),
        },
        Msg::Paste(text) => input::pasted(model, &text),
        Msg::Resize(columns, lines) => {
            model.size = (columns, lines);
            Vec::new()
        }
        Msg::Time(now, uptime) => {
            (model.now, model.uptime) = (now, uptime);
            model
                .toasts
                .retain(|toast| toast.until.is_none_or(|until| until > uptime));
            Vec::new()
        }
        Msg::Resynced { .. } | Msg::Changed { .. } if model.frozen && model.loaded => Vec::new(),
        // Reading that had failed began again: more is there already.
        Msg::Peeked(_) if model.loaded => Vec::new(),
        Msg::Peeked(rows) => {
            model.table.replace(rows);
            show_selected(model, false)
        }
        Msg::Resynced { rows, lines } => resynced(model, rows, lines),
        Msg::Changed { rows, gone, lines } => changed(model, rows, &gone, lines),
        Msg::Pass(progress) => {
            model.pass = progress;
            Vec::new()
        }
        Msg::Job(job) => {
            took_job(model, job);
            Vec::new()
        }
        Msg::Done(text, undo) => done(model, text, undo),
        Msg::Refused(text) => {
            refused(model, text);
            Vec::new()
        }
        Msg::Trouble(text) => {
            model.complain(text);
            Vec::new()
        }
        Msg::Stop => act(model, crate::faces::tui::action::Action::QuitNow),
        other => read(model, other),
    }
}

/// Takes what an effect has read, if it is still wanted.
fn read(model: &mut Model, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::History(history) => {
            let id = history.source.id;
            if let Some(Page::Source(page)) = model.pages.iter_mut().find(|page| is_of(page, id)) {
                page.view = Some(renewed(page.view.take(), *history));
            } else if model.table.selected().is_some_and(|source| source.id == id) {
                model.history = Some(renewed(model.history.take(), *history));
            }
        }
        Msg::Began(id, ..) | Msg::Opened(id, ..) | Msg::Window(id, ..) | Msg::Unreadable(id, _) => {
            if let Some(Page::Version(page)) = model.pages.last_mut()
                && page.version.id == id
            {
                return read_content(page, msg);
            }
        }
        Msg::Compared(old, new, diff) => {
            if let Some(Page::Diff(page)) = model.pages.last_mut()
                && (page.old.id, page.new.id) == (old, new)
            {
                page.diff = Some(*diff);
            }
        }
        _ => {}
    }
    Vec::new()
}

/// Takes a part of the content of the version that is looked at.
fn read_content(page: &mut VersionPage, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Began(_, size_bytes, bytes) => page.viewer = Some(Viewer::new(size_bytes, bytes)),
        Msg::Opened(_, content, bytes) => {
            let opened = || Viewer::new(content.size_bytes(), bytes);
            // Whoever looked at the beginning may have gone on.
            page.viewer.get_or_insert_with(opened);
            page.content = Some(content);
            return page.window().into_iter().collect();
        }
        Msg::Window(_, start, bytes) => {
            if let Some(viewer) = &mut page.viewer {
                viewer.give(start, bytes);
            }
        }
        Msg::Unreadable(_, text) => {
            page.viewer = None;
            page.problem = Some(text);
        }
        _ => {}
    }
    Vec::new()
}

fn is_of(page: &Page, id: SourceId) -> bool {
    matches!(page, Page::Source(page) if page.id == id)
}

fn renewed(view: Option<HistoryView>, history: crate::app::History) -> HistoryView {
    match view {
        Some(view) if view.source_id() == history.source.id => view.renewed(history),
        _ => HistoryView::new(history),
    }
}

fn resynced(model: &mut Model, rows: Vec<Row>, lines: Vec<Line>) -> Vec<Effect> {
    model.loaded = true;
    model.table.replace(rows);
    model.log.clear();
    model.log.extend(lines);
    let mut effects = show_selected(model, true);
    effects.extend(model.pages.iter().filter_map(reread));
    effects
}

fn changed(model: &mut Model, rows: Vec<Row>, gone: &[SourceId], lines: Vec<Line>) -> Vec<Effect> {
    let touched: Vec<SourceId> = rows.iter().map(|row| row.source.id).collect();
    model.table.update(rows, gone);
    model.log.extend(lines);
    let selected = model.table.selected().map(|source| source.id);
    let is_touched = selected.is_some_and(|id| touched.contains(&id));
    let mut effects = show_selected(model, is_touched);
    effects.extend(select_awaited(model));
    let pages = model.pages.iter();
    effects.extend(
        pages
            .filter(|page| touched.iter().any(|id| is_of(page, *id)))
            .filter_map(reread),
    );
    effects
}

fn reread(page: &Page) -> Option<Effect> {
    match page {
        Page::Source(page) => Some(Effect::ReadHistory(page.id, None)),
        Page::Version(_) | Page::Diff(_) => None,
    }
}

fn took_job(model: &mut Model, job: Job) {
    model.jobs.retain(|other| other.id != job.id);
    if job.done < job.total {
        model.jobs.push(job);
    }
}

/// Gives a form back with what is wrong with it, so that nothing that was typed is lost.
fn refused(model: &mut Model, text: String) {
    match model.submitted.take() {
        Some(mut form) if model.overlay.is_none() => {
            form.refuse(&text);
            model.overlay = Some(Overlay::Form(form));
        }
        _ => model.complain(text),
    }
}

fn done(model: &mut Model, text: String, undo: Option<Undo>) -> Vec<Effect> {
    model.tell(text);
    model.submitted = None;
    if let Some(undo) = undo {
        if let Undo::Removed(ids) = &undo {
            for id in ids {
                model.table.marks.remove(id);
            }
        }
        if let Undo::Added(ids) = &undo {
            model.awaited = ids.first().copied();
        }
        model.remember(undo);
    }
    select_awaited(model)
}

/// Goes to what was just added as soon as it is there: whoever adds a source looks for it.
fn select_awaited(model: &mut Model) -> Vec<Effect> {
    match model.awaited {
        Some(id) if model.table.get(id).is_some() => {
            model.awaited = None;
            model.table.select_source(id);
            show_selected(model, false)
        }
        _ => Vec::new(),
    }
}
