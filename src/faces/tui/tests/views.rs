//! Every view as it looks: at three sizes, and the styles of each theme.

use bytes::Bytes;

use super::*;
use crate::app::{Comparison, History};
use crate::domain::{Content, VerdictOutcome};
use crate::faces::tui::diff::Diff;

const OLD: &str = "item,price\nbolt,3\nnut,1\nscrew,2\n";
const NEW: &str = "item,price\nbolt,3\nnut,2\nscrew,2\nwasher,1\n";

fn history() -> History {
    let version = |id, ordinal, text: &str| samples::version(id, ordinal, text.as_bytes());
    let failed = samples::verdict(2, VerdictOutcome::Failed, "row 17: price is empty");
    let passed = samples::verdict(1, VerdictOutcome::Passed, "");
    History {
        source: source(1, "prices.csv", 0),
        attempts: vec![samples::failed_attempt(3)],
        versions: vec![
            (version(2, 1, NEW), vec![failed]),
            (version(1, 0, OLD), vec![passed]),
        ],
    }
}

/// The main screen with the history of `prices.csv`, after these keys; what they ask for is answered.
pub(super) fn view(keys: &str) -> Model {
    let mut model = model();
    model.table.select_source(SourceId(1));
    update(&mut model, Msg::History(Box::new(history())));
    for key in keys.chars() {
        for effect in press(&mut model, &key.to_string()) {
            answer(&mut model, effect);
        }
    }
    model
}

fn answer(model: &mut Model, effect: Effect) {
    let msg = match effect {
        Effect::ReadHistory(..) => Msg::History(Box::new(history())),
        Effect::Open(version) => {
            let bytes = Bytes::from_static(NEW.as_bytes());
            Msg::Opened(version.id, Content::Memory(bytes.clone()), bytes)
        }
        Effect::Compare(old, new) => {
            let texts = Comparison::Text {
                old: OLD.to_owned(),
                new: NEW.to_owned(),
            };
            let diff = Diff::of(&texts, &old, &new);
            Msg::Compared(old.id, new.id, Box::new(diff))
        }
        _ => return,
    };
    update(model, msg);
}

fn at_every_size(model: &mut Model) -> String {
    let sizes = [(50, 14), (80, 24), (120, 40), (200, 50)];
    let screens = sizes.map(|(width, height)| {
        let text = screen(model, (width, height), ThemeChoice::Dark, false);
        format!("{width} x {height}\n{text}")
    });
    screens.join("\n")
}

macro_rules! views {
    ($($name:ident: $keys:literal,)*) => {
        $(#[test]
        fn $name() {
            insta::assert_snapshot!(at_every_size(&mut view($keys)));
        })*
    };
}

views! {
    main: "",
    history_has_the_focus: "\t",
    marked_filtered_and_sorted: "mjm/s\nsS",
    the_log_filtered: "\t\t\t/v18\n",
    page_of_a_source: "\n",
    versions_of_a_source: "\n\t",
    content_of_a_version: "\n\t\n",
    content_in_hex: "\n\t\nx",
    verdicts_of_a_version: "\n\t\n\t",
    difference: "\n\td",
    help: "?",
    palette: ":fe",
    form_to_add: "ahttps://example.org/new.csv",
    form_with_a_problem: "ahttp://example.org/new.csv",
    form_of_the_interval: "e",
    form_of_all_settings: "E",
    question: "D",
    filter_being_typed: "/pri",
    frozen: "F",
}

#[test]
fn verifying_is_about_the_selected_version() {
    // The second version in the pane and on the page; the newest in the table.
    for (keys, expected) in [
        ("\n\tjv", Some(VersionId(1))),
        ("\n\tj\nv", Some(VersionId(1))),
        ("v", None),
    ] {
        let (last, before) = (&keys[keys.len() - 1..], &keys[..keys.len() - 1]);
        let effects = press(&mut view(before), last);
        let [Effect::Verify(versions)] = &effects[..] else {
            panic!("{keys:?}: {effects:?}");
        };
        let version = versions[0].1.as_ref().map(|version| version.id);
        assert_eq!(version, expected, "{keys:?}");
    }
}

#[test]
fn without_sources() {
    let mode = model().mode;
    let mut model = Model::new(Keymap::default(), mode, now());
    let (rows, lines) = (Vec::new(), Vec::new());
    update(&mut model, Msg::Resynced { rows, lines });
    insta::assert_snapshot!(at_every_size(&mut model));
}

#[test]
fn toasts_lie_above() {
    let mut model = view("");
    model.tell("added 3 sources");
    model.complain("cannot write the catalogue: the disk is full; make room");
    insta::assert_snapshot!(at_every_size(&mut model));
}

/// Prints each style of the screen with the words that have it.
fn styles(keys: &str, theme: Theme) -> String {
    let mut model = view(keys);
    model.size = (110, 20);
    let mut buffer = Buffer::empty(Rect::new(0, 0, 110, 20));
    draw(&mut model, &theme, &mut buffer);
    let mut words = std::collections::BTreeMap::<String, Vec<String>>::new();
    let cells = buffer.content().chunk_by(|a, b| a.style() == b.style());
    for run in cells {
        let style = run[0].style();
        assert!(
            style
                .bg
                .is_none_or(|colour| colour == ratatui::style::Color::Reset),
            "{style:?}"
        );
        let text: String = run.iter().map(ratatui::buffer::Cell::symbol).collect();
        let text = text.replace(['─', '│', '┌', '┐', '└', '┘'], " ");
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let entry = words.entry(format!("{:?} {:?}", style.fg, style.add_modifier));
        let entry = entry.or_default();
        if !text.is_empty() && !entry.contains(&text) {
            entry.push(text);
        }
    }
    let lines = words
        .iter()
        .map(|(style, words)| format!("{style}: {}", words.join(" | ")));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_styles_of_every_theme() {
    for (name, theme) in [
        ("dark", Theme::of(ThemeChoice::Dark, true, true)),
        ("light", Theme::of(ThemeChoice::Light, true, true)),
        ("sixteen", Theme::of(ThemeChoice::Auto, true, false)),
        ("mono", Theme::of(ThemeChoice::Auto, false, false)),
    ] {
        for (view, keys) in [
            ("main", ""),
            ("verdicts", "\n\t\n\t"),
            ("difference", "\n\td"),
            ("question", "D"),
        ] {
            insta::assert_snapshot!(format!("{name}_{view}"), styles(keys, theme));
        }
    }
}
