//! What the footer offers: the keys of what is before one's eyes first, then those that work everywhere.
//!
//! Which key it is comes from the keymap, as it does for dispatch and help.

use super::action::Action;
use super::history::Listing;
use super::model::{Model, Page, Pane};

/// An action with the word for what it does in a place.
type Own = (Action, &'static str);

const SOURCES: &[Own] = &[
    (Action::Open, "open"),
    (Action::Filter, "filter"),
    (Action::Add, "add"),
    (Action::Interval, "interval"),
    (Action::Toggle, word(Action::Toggle)),
    (Action::Fetch, "fetch"),
    (Action::Verify, "verify"),
];
const LOG: &[Own] = &[
    (Action::Filter, "filter"),
    (Action::Level, "level"),
    (Action::OnlySource, "one source"),
    (Action::Open, "its source"),
    (Action::Bottom, "follow"),
];
/// A list of attempts or versions.
const LIST: &[Own] = &[
    (Action::Open, "open"),
    (Action::Diff, "diff"),
    (Action::Mark, "mark"),
];
const ATTEMPTS: &[Own] = &[(Action::NextPane, "versions")];
const VERSIONS: &[Own] = &[(Action::NextPane, "attempts")];
const TEXT: &[Own] = &[(Action::NextPane, "verdicts"), (Action::Hex, "hex")];
const BYTES: &[Own] = &[(Action::NextPane, "verdicts"), (Action::Hex, "text")];
const VERDICTS: &[Own] = &[(Action::NextPane, "content")];
const DIFFERENCE: &[Own] = &[(Action::Left, "left"), (Action::Right, "right")];
/// What every page has.
const PAGE: &[Own] = &[(Action::Close, "back")];
/// What a version has, wherever it is shown.
const VERSION: &[Own] = &[
    (Action::Diff, "diff"),
    (Action::Verify, "verify"),
    (Action::Copy, "copy"),
];

/// What not every page has a use for: one that has offers it itself.
const NOT_EVERYWHERE: &[Action] = &[
    Action::Open,
    Action::Diff,
    Action::Filter,
    Action::Mark,
    Action::NextPane,
];

/// A key, and what it does, in a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hint {
    pub(crate) key: String,
    pub(crate) word: &'static str,
    /// Whether it stays, however narrow the footer is.
    pub(crate) stays: bool,
}

/// Returns what the footer may show, the nearest first.
pub(crate) fn hints(model: &Model) -> Vec<Hint> {
    let mut hints = Vec::new();
    let contexts = model.contexts();
    let general = contexts.iter().flat_map(|context| {
        let bindings = model.keymap.of(*context);
        bindings
            .filter(|binding| binding.hinted)
            .filter(|binding| model.pages.is_empty() || !NOT_EVERYWHERE.contains(&binding.action))
            .map(|binding| (binding.action, word(binding.action)))
    });
    let own = own(model).into_iter().flatten().copied();
    let mut seen = Vec::new();
    for (action, word) in own.chain(general) {
        let mut keys = contexts
            .iter()
            .filter_map(|context| model.keymap.key_in(*context, action));
        if let Some(key) = keys.next()
            && !seen.contains(&action)
        {
            seen.push(action);
            let stays = matches!(action, Action::Help | Action::Quit);
            hints.push(Hint { key, word, stays });
        }
    }
    hints.sort_by_key(|hint| hint.stays);
    hints
}

/// Returns the word for an action that works everywhere.
const fn word(action: Action) -> &'static str {
    match action {
        Action::Toggle => "on/off",
        Action::NextPane => "next pane",
        Action::NextField => "next field",
        Action::NextItem => "next",
        other => other.name(),
    }
}

/// Returns what belongs to the page or the pane that is before one's eyes.
fn own(model: &Model) -> [&'static [Own]; 4] {
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
        (None, Some(Page::Diff(_)), _) => [DIFFERENCE, PAGE, &[(Action::Copy, "copy")], &[]],
        (None, None, Pane::Sources) => [SOURCES, &[], &[], &[]],
        (None, None, Pane::History | Pane::Verdicts) => [LIST, VERSION, &[], &[]],
        (None, None, Pane::Log) => [LOG, &[], &[], &[]],
    }
}
