//! Dispatch of messages: input to the queue, results of effects to the part of the model that waits for them.

use super::actions::run_action;
use super::screen::{ask, show_selected, toast};
use super::{input_queue, messages};
use crate::app::History;
use crate::domain::{SourceId, Verdict, VersionId};
use crate::faces::tui::history::HistoryView;
use crate::faces::tui::log::LogLine;
use crate::faces::tui::message::{ChangeDone, Effect, Job, Msg, Origin, Refused};
use crate::faces::tui::model::{Model, Overlay, Page, Pending, UserInput, VersionPage};
use crate::faces::tui::scroll::keep_in_view;
use crate::faces::tui::table::Row;
use crate::faces::tui::user_action::UserAction;
use crate::faces::tui::viewer::Viewer;

/// Changes the model by a message, and returns the effects to run.
pub(crate) fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    let mut effects = apply(model, msg);
    input_queue::track(model, &effects);
    effects.extend(input_queue::run_ready(model));
    let shown = model.history.as_mut().filter(|_| model.pages.is_empty());
    effects.extend(
        shown
            .and_then(HistoryView::verdicts_to_read)
            .map(Effect::ReadVerdicts),
    );
    effects.extend(messages::body_to_read(model));
    keep_in_view(model);
    effects
}

fn apply(model: &mut Model, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Key(key, event) => input_queue::enqueue(model, UserInput::Key(key, event)),
        Msg::Paste(text) => input_queue::enqueue(model, UserInput::Paste(text)),
        Msg::Resynced { .. } | Msg::Changed { .. } if model.frozen && model.loaded => Vec::new(),
        // The watcher began again after an error: all sources are shown already.
        Msg::FirstPage(_) if model.loaded => Vec::new(),
        Msg::FirstPage(rows) => {
            model.table.replace(rows);
            show_selected(model, false)
        }
        Msg::Resynced { rows, lines } => resynced(model, rows, lines),
        Msg::Changed { rows, gone, lines } => changed(model, rows, &gone, lines),
        Msg::Done(text) => toast(model, &text),
        Msg::ChangeDone(made) => change_done(model, *made),
        Msg::Stop => run_action(model, UserAction::QuitNow),
        Msg::Preview(id, ..)
        | Msg::Opened(id, ..)
        | Msg::Window(id, ..)
        | Msg::Unreadable(id, _) => match model.pages.last_mut() {
            Some(Page::Version(page)) if page.version.id == id => read_content(page, msg),
            _ => Vec::new(),
        },
        Msg::QueuesMayDiffer => messages::read(model).into_iter().collect(),
        Msg::Messages(_)
        | Msg::MessagesUnread(_)
        | Msg::Message(_)
        | Msg::MessageUnreadable(..)
        | Msg::DeadCount(_)
        | Msg::DeadDeedEnded(_) => messages::take(model, msg),
        other => {
            record(model, other);
            Vec::new()
        }
    }
}

/// Stores what a message reports of the terminal, the time, and the work under way; or the result of a read, if the
/// page or pane that asked for it is still open.
fn record(model: &mut Model, msg: Msg) {
    match msg {
        Msg::Resize(columns, lines) => model.size = (columns, lines),
        Msg::Time(now, uptime) => {
            (model.now, model.uptime) = (now, uptime);
            let is_shown = |until| until > uptime;
            model
                .toasts
                .retain(|toast| toast.until.is_none_or(is_shown));
        }
        Msg::Pass(progress) => model.pass = progress,
        Msg::Job(job) => update_job(model, job),
        Msg::FetchEnded(ids) => model.under_way.fetches.retain(|id| !ids.contains(id)),
        Msg::VerifyEnded(ended) => {
            let verifies = &mut model.under_way.verifies;
            verifies.retain(|verified| !ended.contains(verified));
        }
        Msg::Refused(change) => change_refused(model, change),
        Msg::Failed(text) => {
            // A pending result may never come.
            model.pending = Pending::default();
            model.toast_error(text);
        }
        Msg::History(history, damage) => show_history(model, *history, damage),
        Msg::Verdicts(id, verdicts) => show_verdicts(model, id, &verdicts),
        Msg::Compared(old, new, diff) => {
            if let Some(Page::Diff(page)) = model.pages.last_mut()
                && (page.old.id, page.new.id) == (old, new)
            {
                page.diff = Some(*diff);
            }
        }
        _ => {}
    }
}

fn show_history(model: &mut Model, history: History, damage: Option<String>) {
    let id = history.source.id;
    if let Some(Page::Source(page)) = model.pages.iter_mut().find(|page| is_of(page, id)) {
        page.view = Some(reloaded(page.view.take(), history, damage));
    } else if model.table.selected().is_some_and(|source| source.id == id) {
        model.history = Some(reloaded(model.history.take(), history, damage));
    }
}

fn show_verdicts(model: &mut Model, id: VersionId, verdicts: &[Verdict]) {
    if let Some(view) = &mut model.history {
        view.take_verdicts(id, verdicts);
    }
    for page in &mut model.pages {
        if let Page::Version(page) = page
            && page.version.id == id
        {
            page.verdicts = verdicts.to_vec();
        }
    }
}

/// Stores a part of the content of the open version.
fn read_content(page: &mut VersionPage, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Preview(_, size_bytes, bytes) => page.viewer = Some(Viewer::new(size_bytes, bytes)),
        Msg::Opened(_, content, bytes) => {
            let opened = || Viewer::new(content.size_bytes(), bytes);
            // The operator may have scrolled in the preview.
            page.viewer.get_or_insert_with(opened);
            page.content = Some(content);
            return page.window().into_iter().collect();
        }
        Msg::Window(_, start, bytes) => {
            if let Some(viewer) = &mut page.viewer {
                viewer.set_window(start, bytes);
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

fn reloaded(view: Option<HistoryView>, history: History, damage: Option<String>) -> HistoryView {
    let mut view = match view {
        Some(view) if view.source_id() == history.source.id => view.reloaded(history),
        _ => HistoryView::new(history),
    };
    view.damage = damage;
    view
}

fn resynced(model: &mut Model, rows: Vec<Row>, lines: Vec<LogLine>) -> Vec<Effect> {
    model.loaded = true;
    model.pending.initial_load = false;
    model.table.replace(rows);
    model.log.clear();
    model.log.extend(lines);
    let mut effects = show_selected(model, true);
    effects.extend(messages::recount(model));
    effects.extend(messages::read(model));
    effects.extend(model.pages.iter().filter_map(reread));
    effects
}

fn changed(
    model: &mut Model,
    rows: Vec<Row>,
    gone: &[SourceId],
    lines: Vec<LogLine>,
) -> Vec<Effect> {
    let recount = messages::note(model, &lines);
    let touched: Vec<SourceId> = rows.iter().map(|row| row.source.id).collect();
    model.table.update(rows, gone);
    model.log.extend(lines);
    let selected = model.table.selected().map(|source| source.id);
    let is_touched = selected.is_some_and(|id| touched.contains(&id));
    let mut effects = show_selected(model, is_touched);
    effects.extend(recount);
    effects.extend(messages::read(model));
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
        Page::Version(_) | Page::Diff(_) | Page::Messages | Page::Message(_) => None,
    }
}

fn update_job(model: &mut Model, job: Job) {
    model.jobs.retain(|other| other.id != job.id);
    if job.done < job.total {
        model.jobs.push(job);
    }
}

/// Opens the refused form again with the reason, so that nothing that was typed is lost.
fn change_refused(model: &mut Model, refused: Refused) {
    settle_pending(model, refused.origin);
    // The queued input was meant for a change that did not happen.
    model.queued_input.clear();
    match model.last_form.take_if(|_| refused.origin.is_form) {
        // An open overlay is not replaced: after `Msg::Failed` input did not wait for the form.
        Some(mut form) if model.overlay.is_none() => {
            form.refuse(&refused.text);
            model.overlay = Some(Overlay::Form(form));
        }
        _ => model.toast_error(refused.text),
    }
}

/// Records that the outcome of a change has come.
fn settle_pending(model: &mut Model, origin: Origin) {
    model.pending.form_outcome &= !origin.is_form;
    let changes = &mut model.pending.changes;
    *changes = changes.saturating_sub(usize::from(origin.moves));
}

/// Shows the operator's own change at once, even in a frozen view.
fn change_done(model: &mut Model, made: ChangeDone) -> Vec<Effect> {
    settle_pending(model, made.origin);
    model.last_form.take_if(|_| made.origin.is_form);
    if let Some((text, change)) = made.question {
        if model.overlay.is_some() {
            return toast(model, "something is to be asked first: press the key again");
        }
        return ask(model, text, Effect::Change(change), None);
    }
    model.toast(made.text);
    let mut effects = changed(model, made.rows, &made.gone, Vec::new());
    if let Some(id) = made.shown {
        model.table.show(id);
        effects.extend(show_selected(model, false));
    }
    // A new source is fetched at once: the operator wants to see that it works.
    let added = made.added.iter().filter_map(|id| model.table.get(*id));
    let due: Vec<_> = added
        .filter(|source| source.settings.enabled)
        .map(|source| source.id)
        .collect();
    if model.mode.may_fetch && !due.is_empty() {
        effects.push(Effect::Fetch(due));
    }
    effects
}
