//! The keys that the footer offers: first those of the focused pane or page, then those that work everywhere.
//!
//! Takes the keys from the keymap, as dispatch and help do.

use super::history::Listing;
use super::messages::ask::MessageRef;
use super::messages::parts::MessagePane;
use super::messages::view::MessagesView;
use super::model::{Model, Page, Pane};
use super::user_action::UserAction;

/// An action, and the word for it in one pane or page.
type PlaceHint = (UserAction, &'static str);

const SOURCES: &[PlaceHint] = &[
    (UserAction::Open, "open"),
    (UserAction::Filter, "filter"),
    (UserAction::Add, "add"),
    (UserAction::Interval, "interval"),
    (UserAction::Toggle, word(UserAction::Toggle)),
    (UserAction::Fetch, "fetch"),
    (UserAction::Verify, "verify"),
    (UserAction::Messages, "messages"),
];
const LOG: &[PlaceHint] = &[
    (UserAction::Filter, "filter"),
    (UserAction::Level, "level"),
    (UserAction::OnlySource, "one source"),
    (UserAction::Open, "its source"),
    (UserAction::Bottom, "follow"),
];
/// A list of attempts or versions.
const LIST: &[PlaceHint] = &[
    (UserAction::Open, "open"),
    (UserAction::Diff, "diff"),
    (UserAction::Mark, "mark"),
];
const ATTEMPTS: &[PlaceHint] = &[(UserAction::NextPane, "versions")];
const VERSIONS: &[PlaceHint] = &[(UserAction::NextPane, "attempts")];
const TEXT: &[PlaceHint] = &[(UserAction::NextPane, "verdicts"), (UserAction::Hex, "hex")];
const BYTES: &[PlaceHint] = &[
    (UserAction::NextPane, "verdicts"),
    (UserAction::Hex, "text"),
];
const VERDICTS: &[PlaceHint] = &[(UserAction::NextPane, "content")];
const DIFFERENCE: &[PlaceHint] = &[(UserAction::Left, "left"), (UserAction::Right, "right")];
const MESSAGES: &[PlaceHint] = &[
    (UserAction::Open, "open"),
    (UserAction::Filter, "filter"),
    (UserAction::NextPane, "next pane"),
];
/// In a list that does not follow.
const FOLLOW: &[PlaceHint] = &[(UserAction::Top, "follow")];
const QUEUES: &[PlaceHint] = &[
    (UserAction::Open, "only this queue"),
    (UserAction::NextPane, "next pane"),
];
const DEAD: &[PlaceHint] = &[
    (UserAction::Retry, "retry"),
    (UserAction::Drop, "drop"),
    (UserAction::Open, "open"),
];
const BODY: &[PlaceHint] = &[
    (UserAction::Open, "open"),
    (UserAction::Left, "left"),
    (UserAction::Right, "right"),
    (UserAction::NextPane, "next pane"),
];
/// In a list that is narrowed.
const NARROWED: &[PlaceHint] = &[(UserAction::Close, "all again")];
/// Offered in the view of messages.
const IN_MESSAGES: &[PlaceHint] = &[(UserAction::Copy, "copy"), (UserAction::Sources, "sources")];
/// Offered on every page.
const PAGE: &[PlaceHint] = &[(UserAction::Close, "back")];
/// Offered wherever a version is shown.
const VERSION: &[PlaceHint] = &[
    (UserAction::Diff, "diff"),
    (UserAction::Verify, "verify"),
    (UserAction::Copy, "copy"),
];

/// Actions that some pages have no use for; a page that has lists the action itself.
const NOT_EVERYWHERE: &[UserAction] = &[
    UserAction::Open,
    UserAction::Diff,
    UserAction::Filter,
    UserAction::Mark,
    UserAction::NextPane,
];

/// A key, and the word for its action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hint {
    pub(crate) key: String,
    pub(crate) word: &'static str,
    /// Whether the hint is shown even if the footer is too narrow for all hints.
    pub(crate) stays: bool,
}

/// Returns the hints that the footer may show, those of the nearest context first.
pub(crate) fn hints(model: &Model) -> Vec<Hint> {
    let mut hints = Vec::new();
    let contexts = model.contexts();
    let general = contexts.iter().flat_map(|context| {
        let bindings = model.keymap.bindings_in(*context);
        bindings
            .filter(|binding| binding.in_footer)
            .filter(|binding| model.pages.is_empty() || !NOT_EVERYWHERE.contains(&binding.action))
            .filter(|binding| !model.is_in_messages() || !is_elsewhere(binding.action))
            .map(|binding| (binding.action, word(binding.action)))
    });
    let own = place_hints(model).into_iter().flatten().copied();
    let mut seen = Vec::new();
    let is_refused = |action: UserAction| model.mode.read_only && action.changes();
    let offered = own
        .chain(general)
        .filter(|(action, _)| !is_refused(*action));
    for (action, word) in offered {
        let mut keys = contexts
            .iter()
            .filter_map(|context| model.keymap.key_in(*context, action));
        if let Some(key) = keys.next()
            && !seen.contains(&action)
        {
            seen.push(action);
            let stays = matches!(action, UserAction::Help | UserAction::Quit);
            hints.push(Hint { key, word, stays });
        }
    }
    hints.sort_by_key(|hint| hint.stays);
    hints
}

/// Returns whether an action is not offered in the view of messages.
const fn is_elsewhere(action: UserAction) -> bool {
    action.is_about_sources() || matches!(action, UserAction::Add | UserAction::Undo)
}

/// Returns the word for an action that works everywhere.
const fn word(action: UserAction) -> &'static str {
    match action {
        UserAction::Toggle => "on/off",
        UserAction::NextPane => "next pane",
        UserAction::NextField => "next field",
        UserAction::NextItem => "next",
        other => other.name(),
    }
}

/// Returns the hints of the page or the focused pane.
fn place_hints(model: &Model) -> [&'static [PlaceHint]; 4] {
    match (&model.overlay, model.pages.last(), model.pane) {
        (Some(_), ..) => [&[]; 4],
        (None, Some(Page::Source(page)), _) => match page.view.as_ref().map(|view| view.listing) {
            Some(Listing::Versions) => [LIST, VERSIONS, PAGE, VERSION],
            _ => [LIST, ATTEMPTS, PAGE, VERSION],
        },
        (None, Some(Page::Version(page)), _) => match &page.viewer {
            _ if page.shows_verdicts => [VERDICTS, PAGE, VERSION, &[]],
            Some(viewer) if viewer.is_hex() => [BYTES, PAGE, VERSION, &[]],
            _ => [TEXT, PAGE, VERSION, &[]],
        },
        (None, Some(Page::Diff(_)), _) => [DIFFERENCE, PAGE, &[(UserAction::Copy, "copy")], &[]],
        (None, Some(Page::Messages), _) => messages_hints(&model.messages),
        (None, Some(Page::Message(open)), _) => match open.of {
            MessageRef::Persisted(_) => [DIFFERENCE, PAGE, IN_MESSAGES, &[]],
            MessageRef::Dead(_) => [&DEAD[..2], DIFFERENCE, PAGE, IN_MESSAGES],
        },
        (None, None, Pane::Sources) => [SOURCES, &[], &[], &[]],
        (None, None, Pane::History | Pane::Verdicts) => [LIST, VERSION, &[], &[]],
        (None, None, Pane::Log) => [LOG, &[], &[], &[]],
    }
}

fn messages_hints(view: &MessagesView) -> [&'static [PlaceHint]; 4] {
    let narrowed = if view.filter_text().is_empty() {
        &[]
    } else {
        NARROWED
    };
    match view.pane {
        MessagePane::List if view.is_following() => [MESSAGES, narrowed, IN_MESSAGES, &[]],
        MessagePane::List => [FOLLOW, MESSAGES, narrowed, IN_MESSAGES],
        MessagePane::Body if view.shows_dead() => [DEAD, BODY, IN_MESSAGES, &[]],
        MessagePane::Body => [BODY, IN_MESSAGES, &[], &[]],
        MessagePane::Dead => [DEAD, MESSAGES, IN_MESSAGES, &[]],
        MessagePane::Queues => [QUEUES, MESSAGES, IN_MESSAGES, &[]],
    }
}
