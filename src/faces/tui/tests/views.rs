//! Every view at four sizes, and its styles in each theme.

use bytes::Bytes;

use super::styles::styles;
use super::*;
use crate::app::{Comparison, History};
use crate::domain::{Content, VerdictOutcome};
use crate::faces::version_diff::Diff;

const OLD: &str = "item,price\nbolt,3\nnut,1\nscrew,2\n";
const NEW: &str = "item,price\nbolt,3\nnut,2\nscrew,2\nwasher,1\n";

fn history() -> History {
    let version = |id, ordinal, text: &str| fixtures::version(id, ordinal, text.as_bytes());
    let failed = fixtures::verdict(2, VerdictOutcome::Failed, "row 17: price is empty");
    let passed = fixtures::verdict(1, VerdictOutcome::Passed, "");
    History {
        served: None,
        set_failure: None,
        source: source(1, "prices.csv", 0),
        attempts: vec![fixtures::failed_attempt(3)],
        versions: vec![
            (version(2, 1, NEW), vec![failed]),
            (version(1, 0, OLD), vec![passed]),
        ],
    }
}

/// Returns the main screen with the history of `prices.csv`, after these keys and the results of their effects.
pub(super) fn view(keys: &str) -> Model {
    let mut model = model();
    model.table.show(SourceId(1));
    update(&mut model, Msg::History(Box::new(history()), None));
    press_answered(&mut model, keys);
    model
}

/// Presses these keys; the effects of each key get their results before the next.
pub(super) fn press_answered(model: &mut Model, keys: &str) {
    for key in keys.chars() {
        for effect in press(model, &key.to_string()) {
            answer(model, effect);
        }
    }
}

/// Sends the result of an effect to the model, and the results of the effects that follow.
pub(super) fn answer(model: &mut Model, effect: Effect) {
    let msg = match effect {
        Effect::ReadHistory(id, _) => {
            let Some(source) = model.table.get(id) else {
                return;
            };
            let history = History {
                source: Source::clone(source),
                ..history()
            };
            Msg::History(Box::new(history), None)
        }
        Effect::ReadVerdicts(id) => {
            let of = |(version, _): &&(crate::domain::Version, _)| version.id == id;
            let history = history();
            let found = history.versions.iter().find(of);
            Msg::Verdicts(id, found.map(|(_, said)| said.clone()).unwrap_or_default())
        }
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
        other => match super::messages::answered(&other) {
            Some(msg) => msg,
            None => return,
        },
    };
    for effect in update(model, msg) {
        answer(model, effect);
    }
}

const SIZES: [(u16, u16); 4] = [(50, 14), (80, 24), (120, 40), (200, 50)];

fn at_every_size(model: &mut Model) -> String {
    let screens = SIZES.map(|(width, height)| {
        let text = screen(model, (width, height), ThemeChoice::Dark, false);
        format!("{width} x {height}\n{text}")
    });
    screens.join("\n")
}

pub(super) fn looks_as_before(name: &str, model: &mut Model) {
    insta::assert_snapshot!(name, at_every_size(model));
    insta::assert_snapshot!(format!("{name}_styles"), styles(model, &SIZES));
}

macro_rules! views {
    ($($name:ident: $keys:literal,)*) => {
        $(#[test]
        fn $name() {
            looks_as_before(stringify!($name), &mut view($keys));
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
    // Expects the second version in the pane and on the page, the newest in the table.
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
fn what_verifiers_printed_is_read_for_the_version_that_is_looked_at() {
    let wanted = |effects: &[Effect]| -> Vec<i64> {
        let ids = effects.iter().filter_map(|effect| match effect {
            Effect::ReadVerdicts(id) => Some(id.0),
            _ => None,
        });
        ids.collect()
    };
    let mut short = history();
    for verdict in short.versions.iter_mut().flat_map(|(_, said)| said) {
        verdict.verdict.judgement.output.clear();
    }
    short.attempts = [2, 1]
        .map(|id| crate::domain::Attempt {
            outcome: AttemptOutcome::New,
            version_id: Some(VersionId(id)),
            ..fixtures::failed_attempt(id)
        })
        .to_vec();
    let mut model = model();
    model.table.show(SourceId(1));
    let read = || Msg::History(Box::new(short.clone()), None);
    let text = |model: &mut Model| screen(model, (120, 40), ThemeChoice::Dark, false);
    assert_eq!(wanted(&update(&mut model, read())), [2]);
    assert!(!text(&mut model).contains("line 3: bad"));
    answer(&mut model, Effect::ReadVerdicts(VersionId(2)));
    assert!(text(&mut model).contains("line 3: bad"));
    // While the history is read again, the output stays on the screen.
    assert_eq!(wanted(&update(&mut model, read())), [2]);
    assert!(text(&mut model).contains("line 3: bad"));
    let mut read = Vec::new();
    for keys in ["\t", "j", "j", "k", "k"] {
        read.push(wanted(&press(&mut model, keys)));
    }
    assert_eq!(read, [vec![], vec![1], vec![], vec![2], vec![]]);
}

#[test]
fn a_large_version_is_shown_before_it_is_checked() {
    let mut model = view("\n\t");
    let effects = press(&mut model, "\n");
    assert!(
        matches!(&effects[..], [Effect::Open(_), Effect::ReadVerdicts(_)]),
        "{effects:?}"
    );
    let size = 100_000_000;
    update(
        &mut model,
        Msg::Preview(VersionId(2), size, Bytes::from_static(b"item,price\n")),
    );
    let text = |model: &mut Model| screen(model, (80, 24), ThemeChoice::Dark, false);
    let shown = text(&mut model);
    assert!(
        shown.contains("item,price") && shown.contains("not checked yet"),
        "{shown}"
    );
    // No other part can be read before the version is checked.
    assert!(press(&mut model, "G").is_empty());
    let content = Content::Memory(Bytes::from_static(b"item,price\n"));
    let opened = Msg::Opened(VersionId(2), content, Bytes::new());
    assert!(matches!(
        &update(&mut model, opened)[..],
        [Effect::ReadWindow(..)]
    ));
    assert!(!text(&mut model).contains("not checked yet"));
    update(
        &mut model,
        Msg::Unreadable(VersionId(2), "blob 7 is damaged".to_owned()),
    );
    let shown = text(&mut model);
    assert!(
        !shown.contains("item,price") && shown.contains("blob 7 is damaged"),
        "{shown}"
    );
}

#[test]
fn opening_a_failed_attempt_tells_why() {
    let mut model = view("\t");
    assert!(press(&mut model, "\n").is_empty());
    let text = screen(&mut model, (80, 24), ThemeChoice::Dark, false);
    assert!(
        text.contains("18:00 failed: 503 Service Unavailable"),
        "{text}"
    );
    // A failed attempt has no version to mark.
    press(&mut model, "\u{1b}m");
    assert!(model.history.is_some_and(|view| view.marks.is_empty()));
}

#[test]
fn removing_many_names_them() {
    let mut model = view("mmmD");
    let text = screen(&mut model, (80, 24), ThemeChoice::Dark, false);
    for part in [
        "3 marked",
        "Remove 3 sources?",
        "zz",
        "Their published files go",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn what_is_cut_says_so_and_the_log_names_another_day() {
    let mut model = view("");
    model.now += chrono::Duration::days(1);
    let text = screen(&mut model, (80, 24), ThemeChoice::Dark, false);
    assert!(text.contains("failed: 503 Serv…│"), "{text}");
    assert!(text.contains("│01-31 14:07:31 fetch.new"), "{text}");
}

#[test]
fn without_sources() {
    let mode = model().mode;
    let mut model = Model::new(Keymap::default(), mode, now());
    let (rows, lines) = (Vec::new(), Vec::new());
    update(&mut model, Msg::Resynced { rows, lines });
    looks_as_before("without_sources", &mut model);
}

#[test]
fn toasts_lie_above() {
    let mut model = view("");
    model.toast("added 3 sources");
    model.toast_error("cannot write the catalogue: the disk is full; make room");
    looks_as_before("toasts_lie_above", &mut model);
}

#[test]
fn nothing_of_the_help_is_cut() {
    for columns in [40, 60, 80] {
        let mut model = view("?");
        let mut shown = String::new();
        for _ in 0..40 {
            shown.push_str(&screen(&mut model, (columns, 24), ThemeChoice::Dark, false));
            press(&mut model, "jjjjj");
        }
        let words: Vec<_> = shown
            .split(['│', '\n', ' '])
            .filter(|word| !word.is_empty())
            .collect();
        let text = words.join(" ");
        for (state, _, word) in crate::faces::state_word::StateWord::ALL {
            let meaning = state.meaning();
            let last = meaning.split(' ').next_back().unwrap_or_default();
            assert!(
                text.contains(word) && text.contains(last),
                "{columns}: {meaning}: {shown}"
            );
        }
    }
}

#[test]
fn why_a_set_fails_is_on_the_page_of_a_member_and_beside_its_verdicts() {
    let mut failing = history();
    failing.source.state.version_id = Some(VersionId(2));
    failing.source.state.version_state = Some(crate::domain::VersionState::Passed);
    failing.source.state.failures = 0;
    failing.source.state.published_version_id = None;
    failing.source.state.set = Some("pic".to_owned());
    failing.source.state.set_fails = true;
    failing.set_failure = Some("failed by pair: line 3 differs".to_owned());
    let mut model = model();
    let rows = vec![Row::new(failing.source.clone())];
    update(
        &mut model,
        Msg::Changed {
            rows,
            gone: Vec::new(),
            lines: Vec::new(),
        },
    );
    model.table.show(SourceId(1));
    update(&mut model, Msg::History(Box::new(failing.clone()), None));
    press(&mut model, "\t\tG");
    let shown = screen(&mut model, (200, 50), ThemeChoice::Dark, false);
    assert!(
        shown.contains("pic  failed by pair: line 3 differs"),
        "{shown}"
    );
    press(&mut model, "\t\t\n");
    update(&mut model, Msg::History(Box::new(failing), None));
    for width in [80, 120] {
        let shown = screen(&mut model, (width, 30), ThemeChoice::Dark, false);
        for part in [
            "why        set pic: failed by pair: line 3 differs",
            "published  nothing yet: the set pic has not",
        ] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
    }
}

#[test]
fn help_ends_with_what_the_states_mean() {
    for size in [(80, 24), (120, 40), (160, 80)] {
        let mut model = view("?");
        press(&mut model, &"j".repeat(80));
        let shown = screen(&mut model, size, ThemeChoice::Dark, false);
        for word in [
            "down(3): three in a row",
            "a verifier failed the newest version",
        ] {
            assert!(shown.contains(word), "{word}: {shown}");
        }
    }
}

/// Page and pane show the sound rows, and one line that names the damage. An older version's reason is not shown as
/// that of a damaged newest version.
#[test]
fn a_damaged_history_is_shown_as_far_as_it_is_sound() {
    let why = "why        schema: row 17: price is empty";
    for (newest, damaged_row, is_said) in [(2, 1, true), (3, 3, false)] {
        let damage = format!("the catalogue's row of v{damaged_row} is damaged: it names no blob");
        let mut damaged = history();
        damaged.source.state.failures = 0;
        damaged.source.state.version_id = Some(VersionId(newest));
        damaged.source.state.version_state = Some(VersionState::Failed);
        damaged
            .versions
            .retain(|(version, _)| version.id.0 != damaged_row);
        damaged.versions[0].0.state = VersionState::Failed;
        damaged.attempts[0].outcome = AttemptOutcome::New;
        damaged.attempts[0].version_id = Some(VersionId(newest));
        let mut model = model();
        let changed = Msg::Changed {
            rows: vec![Row::new(damaged.source.clone())],
            gone: Vec::new(),
            lines: Vec::new(),
        };
        update(&mut model, changed);
        model.table.show(SourceId(1));
        let read =
            |damage: Option<&String>| Msg::History(Box::new(damaged.clone()), damage.cloned());
        update(&mut model, read(Some(&damage)));
        let pane = screen(&mut model, (200, 40), ThemeChoice::Dark, false);
        assert!(pane.contains(&damage), "{pane}");
        assert_eq!(pane.contains("Verdicts: v2"), is_said, "{pane}");
        press(&mut model, "\n");
        update(&mut model, read(Some(&damage)));
        let shown = |model: &mut Model| screen(model, (120, 30), ThemeChoice::Dark, false);
        let attempts = shown(&mut model);
        press(&mut model, "\t");
        let versions = shown(&mut model);
        for page in [&attempts, &versions] {
            assert!(page.contains(&damage), "{page}");
            assert_eq!(page.contains(why), is_said, "{page}");
        }
        assert!(versions.contains(" v2 "), "{versions}");
        // A backup was put back.
        update(&mut model, read(None));
        let mended = shown(&mut model);
        assert!(!mended.contains("damaged"), "{mended}");
    }
}
