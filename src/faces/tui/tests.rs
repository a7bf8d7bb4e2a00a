//! The dashboard without a terminal: keys into the model, the model onto a buffer.

use chrono::{DateTime, Utc};
use crokey::KeyCombination;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

mod acting;
mod input_queue;
mod judged_messages;
mod messages;
mod styles;
mod views;

use super::draw::{self, draw, to_ascii};
use super::keymap::Keymap;
use super::layout::Areas;
use super::log::LogLine;
use super::message::{Change, ChangeDone, Effect, Msg, Refused};
use super::model::{Mode, Model, Pane};
use super::table::Row;
use super::theme::Theme;
use super::update::update;
use crate::config::ThemeChoice;
use crate::domain::{
    Action, Actor, AttemptOutcome, Event, EventId, Interval, NewEvent, Slot, Source, SourceId,
    Stamp, VersionId, VersionState,
};
use crate::faces::fixtures;

fn now() -> DateTime<Utc> {
    "2026-01-31T14:07:31Z".parse().expect("a time")
}

fn source(id: i64, name: &str, failures: u32) -> Source {
    let mut source = fixtures::source(id, name);
    source.settings.interval = Interval::DEFAULT;
    source.settings.enabled = id != 3;
    source.state.failures = failures;
    source.state.next_slot = Slot(Slot::containing(now()).0 + id);
    source.state.last_attempt_at = Some(now());
    source.state.last_outcome = Some(AttemptOutcome::Unchanged);
    if id == 2 {
        source.state.version_state = Some(VersionState::Failed);
    }
    source
}

fn event(id: i64, text: &str) -> LogLine {
    LogLine::new(Event {
        id: EventId(id),
        stamp: Stamp {
            at: now(),
            actor: Actor("worker@host".to_owned()),
        },
        event: NewEvent::of(Action::FetchNew)
            .source(SourceId(1))
            .version(VersionId(id))
            .detail(text.to_owned()),
        source_name: Some("prices.csv".to_owned()),
    })
}

fn model() -> Model {
    let mode = Mode {
        read_only: false,
        is_demo: false,
        has_worker: true,
        may_fetch: true,
        in_tmux: false,
    };
    let mut model = Model::new(Keymap::default(), mode, now());
    let names = [
        "prices.csv",
        "rates\u{1b}[2J",
        "東京👨\u{200d}👩\u{fe0f}.csv",
        "e\u{301}tat",
        "zz",
    ];
    let rows = (1..)
        .zip(names)
        .map(|(id, name)| Row::new(source(id, name, u32::from(id == 4))));
    update(
        &mut model,
        Msg::Resynced {
            rows: rows.collect(),
            lines: (1..20).map(|id| event(id, "1,442 B")).collect(),
        },
    );
    model
}

fn key(code: KeyCode) -> Msg {
    let event = KeyEvent::new(code, KeyModifiers::NONE);
    Msg::Key(KeyCombination::from(event), event)
}

fn press(model: &mut Model, keys: &str) -> Vec<Effect> {
    let mut effects = Vec::new();
    for character in keys.chars() {
        let code = match character {
            '\n' => KeyCode::Enter,
            '\u{1b}' => KeyCode::Esc,
            '\t' => KeyCode::Tab,
            other => KeyCode::Char(other),
        };
        effects.extend(update(model, key(code)));
    }
    effects
}

fn screen(model: &mut Model, size: (u16, u16), theme: ThemeChoice, ascii: bool) -> String {
    update(model, Msg::Resize(size.0, size.1));
    let mut buffer = Buffer::empty(Rect::new(0, 0, size.0, size.1));
    draw(model, &Theme::of(theme, true, true), &mut buffer);
    if ascii {
        to_ascii(&mut buffer);
    }
    let mut text = String::new();
    for y in 0..size.1 {
        let mut hidden = 0;
        for x in 0..size.0 {
            let symbol = buffer[(x, y)].symbol();
            if hidden == 0 {
                text.push_str(symbol);
                hidden = unicode_width::UnicodeWidthStr::width(symbol).max(1);
            }
            hidden -= 1;
        }
        text = text.trim_end().to_owned();
        text.push('\n');
    }
    text
}

#[test]
fn the_header_says_that_an_earlier_configuration_is_in_force() {
    use crate::app::BEFORE_STAYS;
    let words = "config rejected, the earlier is in force";
    let config = |id, action, detail: String| {
        let mut line = event(id, "");
        line.event.event.action = action;
        line.event.event.detail = Some(detail);
        line
    };
    let broken = || format!("config.toml:1: unknown key `a`{BEFORE_STAYS}");
    let mut model = model();
    assert!(!screen(&mut model, (120, 30), ThemeChoice::Dark, false).contains(words));
    for (id, action, detail, is_said) in [
        (30, Action::ConfigRejected, broken(), true),
        (31, Action::FetchNew, String::new(), true),
        (32, Action::ConfigReloaded, "config.toml".to_owned(), false),
        // Another process's file was rejected: in this process no earlier configuration is in force.
        (
            33,
            Action::ConfigRejected,
            "come from /etc/a".to_owned(),
            false,
        ),
        (34, Action::ConfigRejected, broken(), true),
        (35, Action::PolicyAdopted, "revision 2".to_owned(), false),
    ] {
        let lines = vec![config(id, action, detail)];
        let (rows, gone) = (Vec::new(), Vec::new());
        update(&mut model, Msg::Changed { rows, gone, lines });
        let screen = screen(&mut model, (120, 30), ThemeChoice::Dark, false);
        let header = screen.lines().next().unwrap_or_default();
        assert_eq!(header.contains(words), is_said, "{id}: {screen}");
    }
}

#[test]
fn the_page_of_keys_is_what_the_program_prints() {
    let page = Keymap::default().page();
    assert_eq!(
        include_str!("../../../assets/keys.md"),
        page,
        "gannet config keys > assets/keys.md"
    );
}

#[test]
fn the_main_screen() {
    insta::assert_snapshot!(screen(&mut model(), (100, 24), ThemeChoice::Dark, false));
}

#[test]
fn the_main_screen_in_seven_bits() {
    let text = screen(&mut model(), (80, 20), ThemeChoice::Mono, true);
    assert!(text.is_ascii(), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn the_mono_theme_sets_no_colour() {
    let model = model();
    let mut buffer = Buffer::empty(Rect::new(0, 0, 80, 24));
    draw(
        &model,
        &Theme::of(ThemeChoice::Auto, false, false),
        &mut buffer,
    );
    let coloured = |cell: &ratatui::buffer::Cell| {
        cell.fg != ratatui::style::Color::Reset || cell.bg != ratatui::style::Color::Reset
    };
    assert!(!buffer.content().iter().any(coloured));
}

#[test]
fn the_selection_follows_its_source() {
    let mut model = model();
    press(&mut model, "jj");
    let id = model.table.selected().map(|source| source.id);
    press(&mut model, "s");
    assert_eq!(model.table.selected().map(|source| source.id), id);
    press(&mut model, "S");
    assert_eq!(model.table.selected().map(|source| source.id), id);
    let more = Row::new(source(9, "aaa", 0));
    let msg = Msg::Changed {
        rows: vec![more],
        gone: vec![SourceId(1)],
        lines: Vec::new(),
    };
    update(&mut model, msg);
    assert_eq!(model.table.selected().map(|source| source.id), id);
    assert_eq!(model.table.total(), 5);
}

#[test]
fn a_filter_narrows_as_it_is_typed_and_esc_takes_it_back() {
    let mut model = model();
    press(&mut model, "/prices");
    assert_eq!(model.table.len(), 1);
    press(&mut model, "\u{1b}");
    assert_eq!(model.table.len(), 5);
}

#[test]
fn removing_asks_and_no_is_the_default() {
    let mut model = model();
    assert!(press(&mut model, "D\n").is_empty());
    assert!(press(&mut model, "DD\u{1b}").is_empty());
    let effects = press(&mut model, "Dy");
    assert!(
        matches!(&effects[..], [Effect::Change(Change::Remove(ids))] if ids.len() == 1),
        "{effects:?}"
    );
}

#[test]
fn the_footer_offers_the_keys_of_the_page_first() {
    let footer = |keys: &str| {
        let mut model = views::view(keys);
        let text = screen(&mut model, (80, 24), ThemeChoice::Dark, false);
        text.lines().last().unwrap_or_default().to_owned()
    };
    for (keys, expected) in [
        ("\n", "enter open  d diff  m mark  tab versions  esc back"),
        (
            "\n\t\n",
            "tab verdicts  x hex  esc back  d diff  v verify  y copy",
        ),
        ("\n\t\nx", "tab verdicts  x text  esc back"),
        ("\n\t\n\t", "tab content  esc back  d diff"),
        ("\n\td", "h left  l right  esc back  y copy"),
        (
            "",
            "enter open  / filter  a add  e interval  space on/off  f fetch",
        ),
        (
            "\t\t\t",
            "/ filter  w level  o one source  enter its source",
        ),
        ("\t", "enter open  d diff  m mark  v verify"),
    ] {
        let footer = footer(keys);
        assert!(footer.starts_with(expected), "{keys:?}: {footer}");
        assert!(footer.ends_with("? help  q quit"), "{keys:?}: {footer}");
    }
}

#[test]
fn read_only_changes_nothing() {
    let mut model = model();
    model.mode.read_only = true;
    for keys in ["a", "e", "E", " ", "f", "v", "D", "z"] {
        assert!(press(&mut model, keys).is_empty(), "{keys}");
        assert!(model.overlay.is_none(), "{keys}");
    }
    let text = screen(&mut model, (120, 30), ThemeChoice::Dark, false);
    assert!(text.contains("read-only"));
    let footer = text.lines().last().unwrap_or_default();
    assert!(
        footer.starts_with("enter open  / filter  4 messages  s sort"),
        "{footer}"
    );
}

#[test]
fn pasted_text_runs_nothing_outside_of_an_input() {
    let mut model = model();
    assert!(update(&mut model, Msg::Paste("Dy\nq".to_owned())).is_empty());
    assert!(!model.quitting && model.overlay.is_none());
    press(&mut model, "a");
    update(
        &mut model,
        Msg::Paste("https://a.example/1\nhttps://a.example/2".to_owned()),
    );
    let effects = press(&mut model, "\ny");
    assert!(
        matches!(&effects[..], [Effect::Change(Change::Add(new))] if new.len() == 2),
        "{effects:?}"
    );
}

#[test]
fn what_was_added_is_selected_and_fetched() {
    let made = || ChangeDone {
        text: "added 1 source".to_owned(),
        rows: vec![Row::new(source(9, "added.csv", 0))],
        shown: Some(SourceId(9)),
        added: vec![SourceId(9)],
        ..ChangeDone::default()
    };
    // Also in a frozen view, and under a filter that hides the source.
    for keys in ["", "F", "/rates\n"] {
        let mut model = model();
        press(&mut model, keys);
        let effects = update(&mut model, Msg::ChangeDone(Box::new(made())));
        let selected = model.table.selected().map(|source| source.id);
        assert_eq!(selected, Some(SourceId(9)), "{keys:?}");
        let is_wanted = |wanted: &str| effects.iter().any(|e| format!("{e:?}").starts_with(wanted));
        assert!(is_wanted("ReadHistory(SourceId(9)"), "{effects:?}");
        assert!(is_wanted("Fetch([SourceId(9)])"), "{effects:?}");
        // A later move of the cursor stays.
        press(&mut model, "G");
        update(&mut model, changed(10));
        assert_ne!(model.table.selected().map(|source| source.id), selected);
    }
}

/// Returns the message that a source was added.
fn changed(id: i64) -> Msg {
    Msg::Changed {
        rows: vec![Row::new(source(id, "late", 0))],
        gone: Vec::new(),
        lines: Vec::new(),
    }
}

#[test]
fn a_refused_form_comes_back_with_what_was_typed() {
    let mut model = model();
    press(&mut model, "ahttps://a.example/1");
    let effects = press(&mut model, "\n");
    assert!(
        matches!(&effects[..], [Effect::Change(Change::Add(_))]),
        "{effects:?}"
    );
    // The outcomes of other changes leave the form alone.
    let refused = |text: &str, change: &Change| {
        Msg::Refused(Refused {
            text: text.to_owned(),
            origin: change.origin(),
        })
    };
    update(&mut model, Msg::ChangeDone(Box::default()));
    update(&mut model, refused("locked", &Change::revert(false)));
    assert!(model.overlay.is_none());
    let form = Change::Add(Vec::new());
    update(&mut model, refused("the address is taken", &form));
    let text = screen(&mut model, (120, 40), ThemeChoice::Dark, false);
    assert!(
        text.contains("https://a.example/1") && text.contains("the address is taken"),
        "{text}"
    );
}

#[test]
fn the_log_stands_still_while_it_is_scrolled_up() {
    let mut model = views::view("");
    model.size = (100, 24);
    press(&mut model, "\t\t\tkkk");
    let window = |model: &Model| {
        let shown = model.log.window(4);
        shown
            .filter_map(|at| model.log.line(at).map(|line| line.id))
            .collect::<Vec<_>>()
    };
    let before = window(&model);
    let lines = (20..1020).map(|id| event(id, "x")).collect();
    let msg = Msg::Changed {
        rows: Vec::new(),
        gone: Vec::new(),
        lines,
    };
    update(&mut model, msg);
    assert_eq!(window(&model), before);
    assert!(screen(&mut model, (100, 24), ThemeChoice::Dark, false).contains("↓ 1000 new"));
    press(&mut model, "G");
    assert!(model.log.is_following());
}

#[test]
fn a_frozen_view_takes_nothing_until_it_goes_on() {
    let mut model = model();
    press(&mut model, "F");
    update(&mut model, changed(9));
    assert_eq!(model.table.total(), 5);
    assert!(matches!(&press(&mut model, "F")[..], [Effect::Resync]));
}

#[test]
fn only_the_rows_on_the_screen_are_built() {
    let mut model = model();
    let rows = (1..=100_000).map(|id| Row::new(source(id, &format!("f{id}.csv"), 0)));
    let (rows, lines) = (rows.collect(), Vec::new());
    update(&mut model, Msg::Resynced { rows, lines });
    let theme = Theme::of(ThemeChoice::Dark, true, true);
    for (keys, lines, height) in [
        ("", 66, 50),
        ("G", 66, 50),
        ("G", 5, 3),
        ("kS", 34, 24),
        ("/csv\n", 34, 24),
    ] {
        update(&mut model, Msg::Resize(120, lines));
        press(&mut model, keys);
        let areas = Areas::of(model.size, model.pane);
        let area = areas.pane(Pane::Sources).expect("the table is shown");
        assert_eq!(area.height, height, "{lines} lines");
        let built = draw::table::draw(&model, &theme, area, &mut Buffer::empty(area));
        // Rows are built within the borders, and below the heading if there is one.
        assert_eq!(
            built,
            (usize::from(height) - 3).max(1),
            "{keys:?} in {height} lines"
        );
    }
    assert_eq!(model.table.len(), 100_000);
}

#[test]
fn the_cursor_stays_on_the_screen_whatever_its_size() {
    let mut model = model();
    let rows = (1..=300).map(|id| Row::new(source(id, &format!("f{id}.csv"), 0)));
    let (rows, lines) = (rows.collect(), Vec::new());
    update(&mut model, Msg::Resynced { rows, lines });
    for (keys, size) in [
        ("G", (120, 40)),
        ("", (60, 15)),
        ("kkkkk", (200, 60)),
        ("S", (80, 24)),
        // A screen of one line shows no list, and nothing is scrolled.
        ("", (80, 3)),
        ("g", (59, 14)),
    ] {
        press(&mut model, keys);
        let text = screen(&mut model, size, ThemeChoice::Mono, false);
        let name = model.table.selected().map(|one| one.settings.name.clone());
        let name = name.unwrap_or_default();
        let mut rows = text.lines().filter(|line| !line.contains("History"));
        let is_shown = rows.any(|row| row.contains(&name));
        assert_eq!(is_shown, size.1 > 4, "{keys:?} at {size:?}: {text}");
    }
}

#[test]
fn every_size_is_drawn_with_every_dialog() {
    for width in 0..=40 {
        for height in 0..=40 {
            for keys in [
                "", "?", ":", "a", "e", "E", "D", "/", "\n", "\t", "\t\t\t", "4", "4\n", "4\t",
                "4\t\tx", "4\t\t\t",
            ] {
                let mut model = views::view("");
                model.size = (width, height);
                views::press_answered(&mut model, keys);
                model.toast_error("something failed");
                screen(&mut model, (width, height), ThemeChoice::Plain, false);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn no_keys_at_any_size_break_it(keys in "[a-zA-Z14 /:?\n\t\u{1b}]{0,60}", width in 0_u16..150, height in 0_u16..60) {
        let mut model = views::view("");
        model.size = (width, height);
        views::press_answered(&mut model, &keys);
        screen(&mut model, (width, height), ThemeChoice::Light, false);
        let selected = model.table.selected().is_some();
        prop_assert_eq!(selected, model.table.len() > 0);
    }
}
