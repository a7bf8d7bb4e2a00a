//! What each action does to the model.

use std::sync::Arc;

use tui_input::Input;

use super::input::filter;
use super::walk::walk;
use crate::app::SourceEdit;
use crate::domain::{Source, Version};
use crate::faces::text::count;
use crate::faces::tui::action::Action;
use crate::faces::tui::form::{Form, Wanted};
use crate::faces::tui::history::HistoryView;
use crate::faces::tui::message::Effect;
use crate::faces::tui::model::{
    DiffPage, Filtered, Model, Overlay, Page, Pane, SourcePage, VersionPage,
};

/// Attempts and versions that the pane shows; the page of a source has all.
pub(crate) const RECENT: usize = 500;

pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    if action == Action::QuitNow {
        return quit(model);
    }
    if action == Action::Suspend {
        return vec![Effect::Suspend];
    }
    if model.overlay.is_some() {
        return in_overlay(model, action);
    }
    if action.changes() && model.mode.read_only {
        model.complain(format!(
            "{}: this dashboard is read-only (--read-only)",
            action.name()
        ));
        return Vec::new();
    }
    if let Some(effects) = walk(model, action) {
        return effects;
    }
    match action {
        Action::Quit if model.pages.is_empty() => quit(model),
        Action::Quit | Action::Close => close(model),
        Action::Help => open(model, Overlay::Help { top: 0 }),
        Action::Palette => open(
            model,
            Overlay::Palette {
                input: Input::default(),
                cursor: 0,
            },
        ),
        Action::Filter => open_filter(model),
        Action::NextPane => turn_pane(model, 1),
        Action::PreviousPane => turn_pane(model, Pane::ALL.len() - 1),
        Action::Sort | Action::Reverse | Action::Level | Action::OnlySource => {
            arrange(model, action)
        }
        Action::Freeze => freeze(model),
        Action::Mark | Action::Unmark => mark(model, action),
        Action::Open => open_selected(model),
        Action::Diff => compare(model),
        Action::Hex => {
            if let Some(Page::Version(page)) = model.pages.last_mut()
                && let Some((_, viewer)) = &mut page.content
            {
                viewer.toggle_hex();
            }
            Vec::new()
        }
        Action::Copy => copy(model),
        Action::Add => open(model, Overlay::Form(Box::new(Form::add()))),
        _ => change(model, action),
    }
}

/// What changes sources, or has the worker do something with them.
fn change(model: &mut Model, action: Action) -> Vec<Effect> {
    if action == Action::Undo {
        return match model.undos.pop() {
            Some(undo) => vec![Effect::Undo(undo)],
            None => say(
                model,
                "nothing to take back: this session has changed nothing",
            ),
        };
    }
    let targets = targets(model);
    let Some(first) = targets.first().cloned() else {
        return say(model, "no source is selected");
    };
    let ids: Vec<_> = targets.iter().map(|source| source.id).collect();
    match action {
        Action::Interval => {
            let form = Form::interval(ids, first.settings.interval);
            open(model, Overlay::Form(Box::new(form)))
        }
        Action::Edit if targets.len() > 1 => say(
            model,
            "all settings are edited one source at a time: take the marks away with M",
        ),
        Action::Edit => open(
            model,
            Overlay::Form(Box::new(Form::edit(first.id, &first.settings))),
        ),
        Action::Toggle => {
            // Many become what the first of them was not.
            let edit = SourceEdit {
                enabled: Some(!first.settings.enabled),
                ..SourceEdit::default()
            };
            vec![Effect::Edit(targets, Box::new(edit))]
        }
        Action::Fetch if !model.mode.may_fetch => say(
            model,
            "no worker here (--no-worker): use `gannet fetch` in a shell",
        ),
        Action::Fetch => vec![Effect::Fetch(ids)],
        Action::Verify => verify(model, targets),
        Action::Remove => {
            let text = vec![
                format!("Remove {}?", name_of(&targets)),
                "Its published file goes; its history stays, and z brings it back.".to_owned(),
            ];
            ask(model, text, Effect::Remove(ids), None)
        }
        _ => Vec::new(),
    }
}

fn verify(model: &mut Model, targets: Vec<Arc<Source>>) -> Vec<Effect> {
    let versions = match model.pages.last() {
        Some(Page::Version(page)) => {
            vec![(
                Arc::new(page.source.clone()),
                Some(Box::new(page.version.clone())),
            )]
        }
        _ => match (model.pane, selected_version(model)) {
            (Pane::History | Pane::Verdicts, Some((source, version))) => {
                vec![(source, Some(Box::new(version)))]
            }
            _ => targets.into_iter().map(|source| (source, None)).collect(),
        },
    };
    vec![Effect::Verify(versions)]
}

/// Returns the version that is selected in the history pane or on the page of a source.
fn selected_version(model: &Model) -> Option<(Arc<Source>, Version)> {
    let view = match model.pages.last() {
        Some(Page::Source(page)) => page.view.as_ref()?,
        _ => model.history.as_ref()?,
    };
    let (version, _) = view.selected_version()?;
    Some((Arc::new(view.history.source.clone()), version.clone()))
}

/// Returns what an action is about: the page's source, the marked ones, or the selected one.
fn targets(model: &Model) -> Vec<Arc<Source>> {
    let id = model.pages.last().map(|page| match page {
        Page::Source(page) => page.id,
        Page::Version(page) => page.source.id,
        Page::Diff(page) => page.new.source_id,
    });
    match id {
        Some(id) => model.table.get(id).cloned().into_iter().collect(),
        None => model.table.targets(),
    }
}

fn name_of(sources: &[Arc<Source>]) -> String {
    match sources {
        [source] => crate::faces::text::clean(&source.settings.name).into_owned(),
        many => count(many.len(), "source"),
    }
}

fn say(model: &mut Model, text: &str) -> Vec<Effect> {
    model.tell(text);
    Vec::new()
}

fn open(model: &mut Model, overlay: Overlay) -> Vec<Effect> {
    model.overlay = Some(overlay);
    Vec::new()
}

fn ask(
    model: &mut Model,
    text: Vec<String>,
    effect: Effect,
    form: Option<Box<Form>>,
) -> Vec<Effect> {
    open(model, Overlay::Question { text, effect, form })
}

fn quit(model: &mut Model) -> Vec<Effect> {
    model.quitting = true;
    vec![Effect::Quit]
}

/// Closes one layer: a page, an error, marks, a filter.
fn close(model: &mut Model) -> Vec<Effect> {
    if let Some(at) = model.toasts.iter().rposition(|toast| toast.is_error) {
        model.toasts.remove(at);
    } else if model.pages.pop().is_some() {
        return show_selected(model, true);
    } else if !model.table.marks.is_empty() {
        model.table.marks.clear();
    } else if model.pane == Pane::Log && !model.log.filter_text().is_empty() {
        model.log.filter("");
    } else if !model.table.filter_text().is_empty() {
        return filter(model, Filtered::Sources, "");
    }
    Vec::new()
}

fn open_filter(model: &mut Model) -> Vec<Effect> {
    if !model.pages.is_empty() {
        return Vec::new();
    }
    let (what, before) = if model.pane == Pane::Log {
        (Filtered::Log, model.log.filter_text().to_owned())
    } else {
        (Filtered::Sources, model.table.filter_text().to_owned())
    };
    let input = Input::new(before.clone());
    open(
        model,
        Overlay::Filter {
            what,
            input,
            before,
        },
    )
}

fn turn_pane(model: &mut Model, by: usize) -> Vec<Effect> {
    match model.pages.last_mut() {
        Some(Page::Source(page)) => {
            if let Some(view) = &mut page.view {
                view.switch_listing();
            }
        }
        Some(Page::Version(page)) => page.shows_verdicts = !page.shows_verdicts,
        Some(Page::Diff(_)) => {}
        None => {
            let at = Pane::ALL
                .iter()
                .position(|pane| *pane == model.pane)
                .unwrap_or(0);
            model.pane = Pane::ALL[(at + by) % Pane::ALL.len()];
        }
    }
    Vec::new()
}

fn arrange(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Sort => model.table.sort_by_next(),
        Action::Reverse => model.table.reverse(),
        Action::Level => model.log.next_level(),
        _ => {
            let selected = model.table.selected().map(|source| source.id);
            let only = if model.log.only_source().is_some() {
                None
            } else {
                selected
            };
            model.log.only(only);
        }
    }
    show_selected(model, false)
}

fn freeze(model: &mut Model) -> Vec<Effect> {
    model.frozen = !model.frozen;
    if model.frozen {
        Vec::new()
    } else {
        vec![Effect::Resync]
    }
}

fn mark(model: &mut Model, action: Action) -> Vec<Effect> {
    let in_history = model.pane == Pane::History;
    let view = match model.pages.last_mut() {
        Some(Page::Source(page)) => page.view.as_mut(),
        Some(_) => return Vec::new(),
        None if in_history => model.history.as_mut(),
        None => {
            if action == Action::Mark {
                model.table.toggle_mark();
            } else {
                model.table.marks.clear();
            }
            return show_selected(model, false);
        }
    };
    if let Some(view) = view {
        if action == Action::Mark {
            view.toggle_mark();
        } else {
            view.marks.clear();
        }
    }
    Vec::new()
}

fn open_selected(model: &mut Model) -> Vec<Effect> {
    let on_source = model.pages.is_empty() && matches!(model.pane, Pane::Sources);
    if on_source {
        let Some(id) = model.table.selected().map(|source| source.id) else {
            return Vec::new();
        };
        model
            .pages
            .push(Page::Source(SourcePage { id, view: None }));
        return vec![Effect::ReadHistory(id, None)];
    }
    if model.pages.is_empty() && model.pane == Pane::Log {
        let at = model.log.bottom();
        let source = model
            .log
            .line(at)
            .and_then(|line| line.event.event.source_id);
        if let Some(id) = source {
            model.table.select_source(id);
            return show_selected(model, false);
        }
        return Vec::new();
    }
    let view = match model.pages.last() {
        Some(Page::Source(page)) => page.view.as_ref(),
        Some(_) => return Vec::new(),
        None => model.history.as_ref(),
    };
    let Some(view) = view else { return Vec::new() };
    let Some((version, verdicts)) = view.selected_version().cloned() else {
        return say(model, "no version yet");
    };
    let page = VersionPage {
        source: view.history.source.clone(),
        version: version.clone(),
        verdicts,
        shows_verdicts: model.pages.is_empty() && model.pane == Pane::Verdicts,
        content: None,
        top: 0,
    };
    model.pages.push(Page::Version(Box::new(page)));
    vec![Effect::Open(Box::new(version))]
}

fn compare(model: &mut Model) -> Vec<Effect> {
    let view = match model.pages.last() {
        Some(Page::Diff(_)) => return Vec::new(),
        Some(Page::Source(page)) => page.view.as_ref(),
        _ => model.history.as_ref(),
    };
    let of_page = match model.pages.last() {
        Some(Page::Version(page)) => Some(page.version.id),
        _ => None,
    };
    let pair = view.and_then(|view| match of_page {
        Some(id) => {
            let versions = view.history.versions.iter().map(|(version, _)| version);
            let mut from = versions.skip_while(|version| version.id != id);
            let new = from.next()?.clone();
            Some((from.next()?.clone(), new))
        }
        None => view.to_compare(),
    });
    let Some((old, new)) = pair else {
        return say(model, "there is no version before to compare with");
    };
    let name = view
        .map(|view| view.history.source.settings.name.clone())
        .unwrap_or_default();
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

fn copy(model: &mut Model) -> Vec<Effect> {
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
        (None, Pane::Sources) => model
            .table
            .selected()
            .map(|s| s.settings.address.to_string()),
    };
    let Some(text) = text else { return Vec::new() };
    model.tell(format!("copied {text}"));
    vec![Effect::Copy(text)]
}

fn in_overlay(model: &mut Model, action: Action) -> Vec<Effect> {
    let Some(overlay) = model.overlay.take() else {
        return Vec::new();
    };
    match (overlay, action) {
        (Overlay::Help { .. }, Action::Close | Action::Quit | Action::Help) => Vec::new(),
        (help @ Overlay::Help { .. }, action) => {
            model.overlay = Some(help);
            walk(model, action).unwrap_or_default()
        }
        (Overlay::Palette { input, cursor }, Action::Accept) => {
            let actions = Model::palette(input.value());
            actions
                .get(cursor)
                .map(|action| act(model, *action))
                .unwrap_or_default()
        }
        (Overlay::Palette { input, cursor }, Action::NextItem | Action::PreviousItem) => {
            let last = Model::palette(input.value()).len().saturating_sub(1);
            let cursor = match action {
                Action::NextItem => (cursor + 1).min(last),
                _ => cursor.saturating_sub(1),
            };
            open(model, Overlay::Palette { input, cursor })
        }
        (Overlay::Question { effect, form, .. }, Action::Accept) => {
            model.submitted = form;
            vec![effect]
        }
        (Overlay::Question { form, .. }, _) => {
            model.overlay = form.map(Overlay::Form);
            Vec::new()
        }
        (Overlay::Form(mut form), Action::NextField | Action::PreviousField) => {
            match action {
                Action::NextField => form.next(),
                _ => form.previous(),
            }
            open(model, Overlay::Form(form))
        }
        (Overlay::Form(form), Action::Accept) => accept(model, form),
        (Overlay::Filter { what, before, .. }, Action::Close) => filter(model, what, &before),
        _ => Vec::new(),
    }
}

fn accept(model: &mut Model, mut form: Box<Form>) -> Vec<Effect> {
    match form.wanted() {
        Err(problem) => {
            form.refused = Some(problem);
            open(model, Overlay::Form(form))
        }
        Ok(Wanted::Add(new)) if new.len() > 1 => {
            let text = vec![format!("Add {}?", count(new.len(), "source"))];
            ask(model, text, Effect::Add(new), Some(form))
        }
        Ok(Wanted::Add(new)) => {
            model.submitted = Some(form);
            vec![Effect::Add(new)]
        }
        Ok(Wanted::Edit(ids, edit)) => {
            model.submitted = Some(form);
            let sources = ids.iter().filter_map(|id| model.table.get(*id).cloned());
            vec![Effect::Edit(sources.collect(), edit)]
        }
    }
}

/// Has the history of the selected source read when it is another one's, or when it is out of date.
pub(super) fn show_selected(model: &mut Model, is_stale: bool) -> Vec<Effect> {
    let Some(id) = model.table.selected().map(|source| source.id) else {
        model.history = None;
        return Vec::new();
    };
    let shown = model.history.as_ref().map(HistoryView::source_id);
    if shown == Some(id) && !is_stale {
        return Vec::new();
    }
    if shown != Some(id) {
        model.verdicts_top = 0;
    }
    vec![Effect::ReadHistory(id, Some(RECENT))]
}
