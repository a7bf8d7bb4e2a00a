//! The view of messages: opens it, moves in it, narrows it, retries and drops dead messages, takes what was read.

use super::pages::copy_text;
use super::screen::{ask, open_filter_of, toast};
use super::step::Step;
use crate::domain::{Action, MessageId};
use crate::faces::tui::log::LogLine;
use crate::faces::tui::message::{Effect, Msg};
use crate::faces::tui::messages::ask::{DeadDeed, MessageFilter, MessageRef};
use crate::faces::tui::messages::parts::MessagePane;
use crate::faces::tui::messages::view::OpenMessage;
use crate::faces::tui::model::{FilterTarget, Model, Page};
use crate::faces::tui::user_action::UserAction;

const NONE_DEAD: &str = "no message is dead";
const NOT_SELECTED: &str = "no dead message is selected: tab leads to the list of them";
const ELSEWHERE: &str = "dead messages are in the view of messages: 4 leads to it";

/// Opens the view, which shows the newest messages and follows.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    model.pages.clear();
    model.pages.push(Page::Messages);
    let missed = model.messages.follow().map(Effect::ReadMessages);
    missed.into_iter().chain(read(model)).collect()
}

/// Reads what is new, if the view is open.
pub(super) fn read(model: &mut Model) -> Option<Effect> {
    if !model.is_in_messages() {
        return None;
    }
    model.messages.ask().map(Effect::ReadMessages)
}

/// Notes whether dead messages came or went by these events, and counts them then.
pub(super) fn note(model: &mut Model, lines: &[LogLine]) -> Option<Effect> {
    let is_about_dead = |line: &LogLine| {
        matches!(
            line.event.event.action,
            Action::MessageDead | Action::MessageRetried | Action::MessageDeleted
        )
    };
    if !lines.iter().any(is_about_dead) {
        return None;
    }
    recount(model)
}

/// Reads the dead messages again, if the view is open; else counts them.
pub(super) fn recount(model: &mut Model) -> Option<Effect> {
    model.messages.forget_dead();
    (!model.is_in_messages()).then_some(Effect::CountDead)
}

/// Shows what was read, or why nothing was.
pub(super) fn take(model: &mut Model, msg: Msg) -> Vec<Effect> {
    let next = match msg {
        Msg::Messages(read) => {
            model.pending.messages = false;
            model.messages.take(*read)
        }
        Msg::MessagesUnread(text) => {
            model.pending.messages = false;
            model.toast_error(text);
            model.messages.not_read()
        }
        Msg::Message(whole) => {
            show(model, OpenMessage::read(whole));
            None
        }
        Msg::MessageUnreadable(of, text) => {
            show(model, OpenMessage::unreadable(of, text));
            None
        }
        Msg::DeadCount(count) => {
            model.messages.dead_count = count;
            None
        }
        Msg::DeadDeedEnded(id) => {
            model.messages.acting.remove(&id);
            None
        }
        _ => None,
    };
    let next = next.filter(|_| model.is_in_messages());
    next.map(Effect::ReadMessages).into_iter().collect()
}

fn show(model: &mut Model, open: OpenMessage) {
    if let Some(Page::Message(page)) = model.pages.last_mut()
        && page.of == open.of
    {
        match &open.whole {
            Some(whole) if page.whole.is_some() => page.read_again(whole.clone()),
            _ => **page = open.clone(),
        }
    }
    model.messages.show_body(open);
}

/// Reads the selected message, if that is not shown yet, or not as it is now.
pub(super) fn body_to_read(model: &mut Model) -> Option<Effect> {
    if !model.is_in_messages() {
        return None;
    }
    model.messages.body_to_read().map(Effect::ReadMessage)
}

/// Runs an action that has a meaning of its own in the view; returns none for any other.
pub(super) fn act(model: &mut Model, action: UserAction) -> Option<Vec<Effect>> {
    if let UserAction::Retry | UserAction::Drop = action {
        return Some(on_dead(model, action));
    }
    if !model.is_in_messages() {
        return None;
    }
    if action.is_about_sources() {
        let text = format!("{}: this is about sources, and none is here", action.name());
        return Some(toast(model, &text));
    }
    let is_page = matches!(model.pages.last(), Some(Page::Message(_)));
    Some(match action {
        UserAction::Copy => copy(model),
        _ if is_page => return None,
        UserAction::Open => open_selected(model),
        UserAction::Filter => {
            let before = model.messages.filter_text().to_owned();
            open_filter_of(model, FilterTarget::Messages, before)
        }
        UserAction::NextPane => turn_pane(model, true),
        UserAction::PreviousPane => turn_pane(model, false),
        UserAction::Close if has_no_error(model) && !model.messages.filter_text().is_empty() => {
            filter(model, "")
        }
        _ => return None,
    })
}

fn has_no_error(model: &Model) -> bool {
    model.toasts.iter().all(|toast| !toast.is_error)
}

fn turn_pane(model: &mut Model, forward: bool) -> Vec<Effect> {
    model.messages.turn_pane(forward);
    Vec::new()
}

fn filter(model: &mut Model, text: &str) -> Vec<Effect> {
    let ask = model.messages.filter(text);
    ask.map(Effect::ReadMessages).into_iter().collect()
}

/// Returns the message on the screen: the page's, or the selected one.
fn shown(model: &Model) -> Option<MessageRef> {
    match model.pages.last() {
        Some(Page::Message(open)) => Some(open.of),
        Some(Page::Messages) => model.messages.selected(),
        _ => None,
    }
}

fn copy(model: &mut Model) -> Vec<Effect> {
    match shown(model) {
        Some(of) => copy_text(model, of.id().to_string()),
        None => Vec::new(),
    }
}

/// Opens the selected message, or narrows the list to the selected queue.
fn open_selected(model: &mut Model) -> Vec<Effect> {
    let view = &mut model.messages;
    if view.pane == MessagePane::Queues {
        let queue = view.queues.selected();
        let text = MessageFilter::with_queue(view.filter_text(), queue);
        view.pane = MessagePane::List;
        return filter(model, &text);
    }
    let Some(of) = view.selected() else {
        return Vec::new();
    };
    view.hold();
    let read = view.body().filter(|open| open.of == of).cloned();
    let open = read.unwrap_or_else(|| OpenMessage::unread(of));
    let is_read = open.whole.is_some() || open.problem.is_some();
    model.pages.push(Page::Message(Box::new(open)));
    if is_read {
        return Vec::new();
    }
    vec![Effect::ReadMessage(of)]
}

/// Retries the selected dead message, or asks before it is dropped.
fn on_dead(model: &mut Model, action: UserAction) -> Vec<Effect> {
    let Some(MessageRef::Dead(id)) = shown(model) else {
        let why = if !model.is_in_messages() {
            ELSEWHERE
        } else if model.messages.dead().is_empty() {
            NONE_DEAD
        } else {
            NOT_SELECTED
        };
        return toast(model, why);
    };
    let now = model.uptime;
    let is_held = model.under_way.retry_keys.is_held(id, now);
    if model.messages.acting.contains(&id) || (is_held && action == UserAction::Retry) {
        return toast(model, "it is being done already, or was just now");
    }
    if action == UserAction::Retry {
        return vec![Effect::ActOnDead(DeadDeed::Retry, id)];
    }
    let text = question(model, id);
    ask(model, text, Effect::ActOnDead(DeadDeed::Drop, id), None)
}

fn question(model: &Model, id: MessageId) -> Vec<String> {
    let mut text = vec![format!("Drop the dead message {id}?")];
    let dead = model.messages.dead().iter();
    if let Some(row) = dead.map(|row| &row.message).find(|row| row.id == id) {
        text.push(format!(
            "It is of the queue {}, from {}.",
            row.queue, row.sender
        ));
    }
    text.push("It is deleted for good: nothing brings it back.".to_owned());
    text
}

/// Moves in the part that has the focus.
pub(super) fn navigate(model: &mut Model, step: Step, height: usize) -> Vec<Effect> {
    let view = &mut model.messages;
    match view.pane {
        MessagePane::List => {
            let last = view.rows().len().saturating_sub(1);
            let ask = view.select(step.from(view.cursor(), last));
            return ask.map(Effect::ReadMessages).into_iter().collect();
        }
        MessagePane::Dead => view.select_dead(step.from(view.dead_cursor(), usize::MAX)),
        MessagePane::Queues => {
            let at = step.from(view.queues.cursor(), usize::MAX);
            view.queues.select(at);
        }
        MessagePane::Body => {
            if let Some(open) = view.body_mut() {
                step.scroll(&mut open.viewer, height);
            }
        }
    }
    Vec::new()
}
