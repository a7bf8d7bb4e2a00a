//! What changes sources, or has the worker do something with them.

use std::sync::Arc;

use super::act::{open, say};
use super::look::selected_version;
use super::overlay::ask;
use crate::domain::Source;
use crate::faces::text::{clean, count};
use crate::faces::tui::action::Action;
use crate::faces::tui::form::Form;
use crate::faces::tui::message::{Change, Effect};
use crate::faces::tui::model::{Model, Overlay, Page, Pane};

/// Does it, or opens the form or the question that comes first.
pub(super) fn change(model: &mut Model, action: Action) -> Vec<Effect> {
    if action == Action::Undo {
        return vec![Effect::Change(Change::Undo)];
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
        Action::Toggle => vec![Effect::Change(Change::Toggle(ids))],
        Action::Fetch if !model.mode.may_fetch => say(
            model,
            "no worker here (--no-worker): use `gannet fetch` in a shell",
        ),
        Action::Fetch => vec![Effect::Fetch(ids)],
        Action::Verify => verify(model, targets),
        Action::Remove => {
            let mut text = vec![format!("Remove {}?", name_of(&targets))];
            if targets.len() > 1 {
                text.extend(names(&targets));
                text.push(
                    "Their published files go; history stays, and z brings all back.".to_owned(),
                );
            } else {
                text.push(
                    "Its published file goes; its history stays, and z brings it back.".to_owned(),
                );
            }
            ask(model, text, Effect::Change(Change::Remove(ids)), None)
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
        page => match (page, model.pane, selected_version(model)) {
            (Some(_), _, Some((source, version)))
            | (None, Pane::History | Pane::Verdicts, Some((source, version))) => {
                vec![(source, Some(Box::new(version)))]
            }
            _ => targets.into_iter().map(|source| (source, None)).collect(),
        },
    };
    vec![Effect::Verify(versions)]
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

/// Returns the first of these sources, a line each, and how many more there are.
fn names(sources: &[Arc<Source>]) -> Vec<String> {
    const SHOWN: usize = 5;
    let shown = sources.iter().take(SHOWN);
    let mut lines: Vec<_> = shown
        .map(|source| format!("  {}", clean(&source.settings.name)))
        .collect();
    if let more @ 1.. = sources.len().saturating_sub(SHOWN) {
        lines.push(format!("  and {more} more"));
    }
    lines
}

fn name_of(sources: &[Arc<Source>]) -> String {
    match sources {
        [source] => clean(&source.settings.name).into_owned(),
        many => count(many.len(), "source"),
    }
}
