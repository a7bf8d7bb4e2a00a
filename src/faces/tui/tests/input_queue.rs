//! The first page of sources, and keys that wait until all sources are read.

use super::{model, now, press, screen, source, views};
use crate::config::ThemeChoice;
use crate::domain::SourceId;
use crate::faces::tui::keymap::Keymap;
use crate::faces::tui::message::{Change, ChangeDone, Effect, Msg, Refused};
use crate::faces::tui::model::{Model, Overlay, Page};
use crate::faces::tui::table::Row;
use crate::faces::tui::update::update;

/// The screen while only the first three sources of 400 are read.
fn peeked() -> Model {
    let mut model = Model::new(Keymap::default(), model().mode, now());
    let few = (1..=3).map(|id| Row::new(source(id, &format!("f{id}.csv"), 1)));
    let effects = update(&mut model, Msg::FirstPage(few.collect()));
    assert!(matches!(
        &effects[..],
        [Effect::ReadHistory(SourceId(1), Some(_))]
    ));
    model
}

/// Returns the message with all 400 sources.
fn all_read() -> Msg {
    let rows = (1..=400).map(|id| Row::new(source(id, &format!("f{id}.csv"), 1)));
    Msg::Resynced {
        rows: rows.collect(),
        lines: Vec::new(),
    }
}

#[test]
fn the_first_sources_are_shown_while_the_others_are_read() {
    let mut model = peeked();
    press(&mut model, "jm");
    let before = screen(&mut model, (100, 24), ThemeChoice::Dark, false);
    for part in ["Sources …", "f3.csv", "reading the catalogue"] {
        assert!(before.contains(part), "{part} in {before}");
    }
    // The counts of all sources are not shown before all are read.
    assert!(!before.contains("· down"), "{before}");
    update(&mut model, all_read());
    let after = screen(&mut model, (100, 24), ThemeChoice::Dark, false);
    assert!(
        after.contains("Sources 400") && after.contains("down 399"),
        "{after}"
    );
    assert_eq!(
        model.table.selected().map(|source| source.id),
        Some(SourceId(3))
    );
    assert!(model.table.marks.contains(&SourceId(2)));
    // The watcher begins again after an error: its first page does not replace all sources.
    update(&mut model, Msg::FirstPage(Vec::new()));
    assert_eq!(model.table.total(), 400);
}

#[test]
fn keys_about_all_sources_wait_until_all_are_read() {
    let selected = |model: &Model| {
        model
            .table
            .selected()
            .map(|source| source.settings.name.clone())
    };
    for (keys, name) in [
        ("G", "f99.csv"),
        ("Sg", "f99.csv"),
        ("jGk", "f98.csv"),
        ("/f40\n", "f40.csv"),
        ("/f40\nj", "f400.csv"),
        ("/none\u{1b}", "f1.csv"),
    ] {
        let mut model = peeked();
        press(&mut model, keys);
        assert!(model.overlay.is_none());
        update(&mut model, all_read());
        assert_eq!(selected(&model).as_deref(), Some(name), "{keys:?}");
        assert!(model.queued_input.is_empty());
    }
    // Keys that do not depend on all sources do not wait.
    let mut model = peeked();
    press(&mut model, "?");
    assert!(matches!(model.overlay, Some(Overlay::Help { .. })));
    let mut model = Model::new(Keymap::default(), model.mode, now());
    press(&mut model, "jj");
    update(&mut model, all_read());
    assert_eq!(selected(&model).as_deref(), Some("f100.csv"));
}

#[test]
fn keys_wait_for_the_history_that_they_are_about() {
    let mut model = views::view("j");
    let selected = model.table.selected().expect("one").id;
    let effects = press(&mut model, "kdy");
    assert!(
        matches!(&effects[..], [Effect::ReadHistory(SourceId(1), _)]),
        "{effects:?}"
    );
    assert!(model.pages.is_empty());
    assert_ne!(selected, SourceId(1));
    for effect in effects {
        views::answer(&mut model, effect);
    }
    let Some(Page::Diff(page)) = model.pages.last() else {
        panic!("no difference");
    };
    assert_eq!(page.name, "prices.csv");
    // `y` ran after `d`, and so copied the digest of the newer version, not the address.
    let copied = model.toasts.last().expect("a toast");
    assert!(
        copied.text.starts_with("sent to the terminal: sha256:"),
        "{copied:?}"
    );
}

#[test]
fn an_action_of_the_palette_waits_in_its_turn() {
    let mut model = views::view("j");
    let effects = press(&mut model, "k:diff\ny");
    assert_eq!(model.queued_input.len(), 2);
    for effect in effects {
        views::answer(&mut model, effect);
    }
    assert!(matches!(model.pages.last(), Some(Page::Diff(_))));
    assert!(model.queued_input.is_empty());
}

#[test]
fn keys_do_not_wait_for_what_cannot_be_read() {
    let mut model = views::view("j");
    press(&mut model, "kdd");
    assert_eq!(model.queued_input.len(), 2);
    update(&mut model, Msg::Failed("the disk is gone".to_owned()));
    assert!(model.queued_input.is_empty());
    let told =
        |model: &Model, text: &str| model.toasts.iter().any(|toast| toast.text.contains(text));
    assert!(told(&model, "still being read"));
    // The failed read brings no result, and no key waits for one.
    press(&mut model, "\u{1b}\t\td?");
    assert!(matches!(model.overlay, Some(Overlay::Help { .. })));
    press(&mut model, "\u{1b}q");
    assert!(model.quitting);
}

#[test]
fn keys_wait_for_a_change_that_moves_the_selection() {
    let mut model = views::view("g");
    let first = model.table.selected().expect("one").id;
    let effects = press(&mut model, "Dy ");
    assert!(
        matches!(&effects[..], [Effect::Change(Change::Remove(_))]),
        "{effects:?}"
    );
    let made = ChangeDone {
        gone: vec![first],
        origin: Change::Remove(vec![first]).origin(),
        ..ChangeDone::default()
    };
    let effects = update(&mut model, Msg::ChangeDone(Box::new(made)));
    let is_toggled = |effect: &Effect| match effect {
        Effect::Change(Change::Toggle(ids)) => *ids != [first],
        _ => false,
    };
    assert!(effects.iter().any(is_toggled), "{effects:?}");
}

#[test]
fn input_waits_for_the_outcome_of_a_form() {
    let form = "ahttps://a.example/1\n";
    let refused = || {
        Msg::Refused(Refused {
            text: "the address is taken".to_owned(),
            origin: Change::Add(Vec::new()).origin(),
        })
    };
    let mut model = views::view("");
    let effects = press(&mut model, &format!("{form}?"));
    assert!(
        matches!(&effects[..], [Effect::Change(Change::Add(_))]),
        "{effects:?}"
    );
    update(&mut model, Msg::Paste("https://a.example/2".to_owned()));
    assert!(model.overlay.is_none());
    // The refused form opens again as it was; the keys typed after it are dropped.
    update(&mut model, refused());
    let text = screen(&mut model, (120, 40), ThemeChoice::Dark, false);
    assert!(text.contains("https://a.example/1 "), "{text}");
    assert!(model.queued_input.is_empty());

    press(&mut model, "\na");
    let paste = Msg::Paste("https://a.example/2".to_owned());
    update(&mut model, paste);
    let made = ChangeDone {
        origin: Change::Add(Vec::new()).origin(),
        ..ChangeDone::default()
    };
    update(&mut model, Msg::ChangeDone(Box::new(made)));
    let text = screen(&mut model, (120, 40), ThemeChoice::Dark, false);
    assert!(text.contains("https://a.example/2"), "{text}");
}
