//! Actions on sources: settings, removal, undo, fetch and verification.

use std::sync::Arc;

use super::pages::{line_source, selected_version};
use super::screen::{ask, open_overlay, toast};
use crate::domain::{Source, SourceId};
use crate::faces::text::{clean, count};
use crate::faces::tui::form::Form;
use crate::faces::tui::format::name_lines;
use crate::faces::tui::message::{Change, Effect, verify_target};
use crate::faces::tui::model::{Model, Overlay, Page, Pane};
use crate::faces::tui::user_action::UserAction;

const ONE_AT_A_TIME: &str =
    "all settings are edited one source at a time: M in the list of sources takes the marks away";
const NO_WORKER: &str = "no worker here (--no-worker): use `gannet fetch` in a shell";

/// Returns the effects of an action on sources, or opens the form or question that precedes the action.
pub(super) fn source_action(model: &mut Model, action: UserAction) -> Vec<Effect> {
    if let UserAction::Undo | UserAction::Redo = action {
        let is_redo = action == UserAction::Redo;
        return vec![Effect::Change(Change::revert(is_redo))];
    }
    let targets = match targets(model) {
        Ok(targets) => targets,
        Err(why) => return toast(model, why),
    };
    let Some(first) = targets.first().cloned() else {
        return toast(model, "no source is selected");
    };
    if model.pages.is_empty() && model.pane != Pane::Log && model.table.hidden_marks() > 0 {
        let hidden = count(model.table.hidden_marks(), "marked source");
        model.toast(format!("{hidden} hidden by the filter: left alone"));
    }
    let ids: Vec<_> = targets.iter().map(|source| source.id).collect();
    match action {
        UserAction::Interval => {
            let form = Form::interval(ids, first.settings.interval);
            open_overlay(model, Overlay::Form(Box::new(form)))
        }
        UserAction::Edit if targets.len() > 1 => toast(model, ONE_AT_A_TIME),
        UserAction::Edit => {
            let form = Form::edit(first.id, &first.settings);
            open_overlay(model, Overlay::Form(Box::new(form)))
        }
        UserAction::Toggle => vec![Effect::Change(Change::Toggle(ids))],
        UserAction::Fetch if !model.mode.may_fetch => toast(model, NO_WORKER),
        UserAction::Fetch => fetch(model, ids),
        UserAction::Verify => verify(model, targets),
        UserAction::Remove => {
            let text = removal_question(&targets);
            ask(model, text, Effect::Change(Change::Remove(ids)), None)
        }
        _ => Vec::new(),
    }
}

fn removal_question(targets: &[Arc<Source>]) -> Vec<String> {
    let mut text = vec![format!("Remove {}?", name_of(targets))];
    if targets.len() > 1 {
        text.extend(name_lines(targets.iter().map(|source| &**source)));
    }
    text.extend(after_removal(targets));
    text
}

/// Returns the consequences of a removal for the published files of these sources, as lines of the question.
fn after_removal(targets: &[Arc<Source>]) -> Vec<String> {
    // A file in a set's folder stays for now: the folder is replaced only as a whole.
    let in_set = |source: &Arc<Source>| source.state.set_version_id.is_some();
    let lies_on = "A file in a set's folder lies there until the set's next edition passes, or its last member goes.";
    let goes: &[&str] = match targets {
        [one] if in_set(one) => &["Its history stays, and z brings it back."],
        [_] => &[
            "Its published file goes now or by the next pass;",
            "its history stays, and z brings it back.",
        ],
        several if several.iter().all(in_set) => &["History stays, and z brings all back."],
        _ => &[
            "Their published files go now or by the next pass;",
            "history stays, and z brings all back.",
        ],
    };
    let mut lines: Vec<_> = goes.iter().copied().map(str::to_owned).collect();
    if targets.iter().any(in_set) {
        lines.push(lies_on.to_owned());
    }
    lines
}

/// Fetches those of the sources that no earlier key is fetching: a held key fetches once.
fn fetch(model: &mut Model, mut ids: Vec<SourceId>) -> Vec<Effect> {
    let (now, under_way) = (model.uptime, &mut model.under_way);
    ids.retain(|id| {
        let is_held = under_way.fetch_keys.is_held(*id, now);
        !is_held && !under_way.fetches.contains(id)
    });
    if ids.is_empty() {
        return toast(model, "it is being fetched already, or was just now");
    }
    vec![Effect::Fetch(ids)]
}

fn verify(model: &mut Model, targets: Vec<Arc<Source>>) -> Vec<Effect> {
    let mut versions = match model.pages.last() {
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
    let (now, under_way) = (model.uptime, &mut model.under_way);
    versions.retain(|wanted| {
        let wanted = verify_target(wanted);
        let is_held = under_way.verify_keys.is_held(wanted, now);
        !is_held && !under_way.verifies.contains(&wanted)
    });
    if versions.is_empty() {
        return toast(model, "it is being verified already, or was just now");
    }
    vec![Effect::Verify(versions)]
}

/// Returns the sources to act on: the page's, that of the highlighted line of the log, the marked ones that are shown,
/// or the selected one. Sources that are not on the screen are left alone.
fn targets(model: &Model) -> Result<Vec<Arc<Source>>, &'static str> {
    let id = match model.pages.last() {
        Some(Page::Source(page)) => Some(page.id),
        Some(Page::Version(page)) => Some(page.source.id),
        Some(Page::Diff(page)) => Some(page.new.source_id),
        Some(Page::Messages | Page::Message(_)) => return Err("no source is selected"),
        None => None,
    };
    match id {
        Some(id) => Ok(model.table.get(id).cloned().into_iter().collect()),
        None if model.pane == Pane::Log => {
            let id = line_source(model)?;
            Ok(model.table.get(id).cloned().into_iter().collect())
        }
        None => Ok(model.table.targets()),
    }
}

fn name_of(sources: &[Arc<Source>]) -> String {
    match sources {
        [source] => clean(&source.settings.name).into_owned(),
        many => count(many.len(), "source"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::VersionId;
    use crate::faces::fixtures;

    #[test]
    fn the_question_says_what_stays_in_the_folder_of_a_set() {
        let source = |id, in_set: Option<i64>| {
            let mut source = fixtures::source(id, "a.txt");
            source.state.set_version_id = in_set.map(VersionId);
            Arc::new(source)
        };
        let (single, member) = (source(1, None), source(2, Some(7)));
        for (targets, goes, stays) in [
            (vec![single.clone()], true, false),
            (vec![member.clone()], false, true),
            (vec![single.clone(), single.clone()], true, false),
            (vec![member.clone(), member.clone()], false, true),
            (vec![single, member], true, true),
        ] {
            let text = after_removal(&targets).join(" ");
            let says = ["published file", "lies there until"].map(|part| text.contains(part));
            assert_eq!(says, [goes, stays], "{text}");
        }
    }
}
