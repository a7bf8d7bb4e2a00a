//! Actions hit the sources on the screen, once; removals ask first.

use std::time::Duration;

use super::*;
use crate::domain::SourceId;

fn toggled(effects: &[Effect]) -> Vec<i64> {
    let [Effect::Change(Change::Toggle(ids))] = effects else {
        panic!("{effects:?}");
    };
    ids.iter().map(|id| id.0).collect()
}

fn last_toast(model: &Model) -> &str {
    model.toasts.last().map_or("", |toast| &toast.text)
}

#[test]
fn hidden_marks_are_left_alone() {
    for (keys, expected, left) in [
        // Both marked are hidden: the selected row is meant.
        ("gmmm/zz\n", vec![5], "3 marked sources hidden"),
        // All marks are shown.
        ("/zz\nm", vec![5], ""),
    ] {
        let mut model = model();
        press(&mut model, keys);
        assert_eq!(toggled(&press(&mut model, " ")), expected, "{keys}");
        assert!(
            last_toast(&model).starts_with(left),
            "{}",
            last_toast(&model)
        );
    }
}

#[test]
fn the_border_says_how_many_marks_are_hidden() {
    let mut model = model();
    press(&mut model, "gmmm/zz\n");
    let text = screen(&mut model, (120, 30), ThemeChoice::Dark, false);
    assert!(text.contains("3 marked, 3 hidden"), "{text}");
}

#[test]
fn marks_go_with_the_action() {
    for keys in [" ", "f", "v", "Dy"] {
        let mut model = model();
        press(&mut model, "gmm");
        assert_eq!(model.table.marks.len(), 2);
        let effects = press(&mut model, keys);
        assert!(!effects.is_empty(), "{keys}");
        assert!(model.table.marks.is_empty(), "{keys}");
    }
    // A question that is answered with No changes nothing.
    let mut model = model();
    press(&mut model, "gmmDn");
    assert_eq!(model.table.marks.len(), 2);
}

#[test]
fn in_the_log_keys_act_on_the_source_of_the_line() {
    let mut model = model();
    press(&mut model, "G\t\t\tk");
    assert_ne!(model.table.selected().map(|s| s.id), Some(SourceId(1)));
    assert_eq!(toggled(&press(&mut model, " ")), [1]);
    press(&mut model, "D");
    let text = screen(&mut model, (120, 30), ThemeChoice::Dark, false);
    assert!(text.contains("Remove prices.csv?"), "{text}");
    press(&mut model, "n");
    // A line of a source that is gone, and a line of no source.
    let mut gone = event(100, "x");
    gone.event.event.source_id = Some(SourceId(77));
    let mut none = event(101, "y");
    none.event.event.source_id = None;
    for (line, why) in [(gone, "is removed"), (none, "about no source")] {
        let changed = Msg::Changed {
            rows: Vec::new(),
            gone: Vec::new(),
            lines: vec![line],
        };
        update(&mut model, changed);
        press(&mut model, "G");
        for keys in [" ", "f", "v", "D", "e"] {
            assert!(press(&mut model, keys).is_empty(), "{keys}");
            assert!(model.overlay.is_none(), "{keys}");
            assert!(last_toast(&model).contains(why), "{}", last_toast(&model));
        }
    }
}

#[test]
fn a_held_key_begins_a_thing_once() {
    let mut model = model();
    press(&mut model, "g");
    let is_fetch = |effect: &Effect| matches!(effect, Effect::Fetch(_));
    let is_verify = |effect: &Effect| matches!(effect, Effect::Verify(_));
    let effects = press(&mut model, "ffffff");
    assert_eq!(effects.iter().filter(|e| is_fetch(e)).count(), 1);
    assert_eq!(
        last_toast(&model),
        "it is being fetched already, or was just now"
    );
    let effects = press(&mut model, "vvvvvv");
    assert_eq!(effects.iter().filter(|e| is_verify(e)).count(), 1);
    assert_eq!(
        last_toast(&model),
        "it is being verified already, or was just now"
    );
    // Another source may be fetched, and the same one again when its fetch has ended.
    assert!(press(&mut model, "jf").iter().any(is_fetch));
    let id = SourceId(1);
    let first = model.under_way.fetches.iter().copied().collect();
    update(&mut model, Msg::FetchEnded(first));
    let verifies = model.under_way.verifies.iter().copied().collect();
    update(&mut model, Msg::VerifyEnded(verifies));
    assert!(model.table.get(id).is_some());
    // A held key repeats at once and starts nothing, however fast the work was done; a key pressed anew starts it.
    for _ in 0..60 {
        model.uptime += Duration::from_millis(33);
        assert!(!press(&mut model, "gf").iter().any(is_fetch));
        assert!(!press(&mut model, "v").iter().any(is_verify));
    }
    model.uptime += Duration::from_secs(1);
    assert!(press(&mut model, "gf").iter().any(is_fetch));
    assert!(press(&mut model, "v").iter().any(is_verify));
}

#[test]
fn taking_an_addition_back_asks_first() {
    let asked = || ChangeDone {
        question: Some((
            vec!["Take back the addition of 2 sources?".to_owned()],
            Change::Revert {
                is_redo: false,
                may_remove: vec![SourceId(1), SourceId(2)],
            },
        )),
        ..ChangeDone::default()
    };
    // Enter answers No, and so does the key that asked.
    for (keys, is_yes) in [("\n", false), ("n", false), ("z", false), ("y", true)] {
        let mut model = model();
        press(&mut model, "z");
        update(&mut model, Msg::ChangeDone(Box::new(asked())));
        assert!(model.overlay.is_some());
        let effects = press(&mut model, keys);
        let removes = effects.iter().any(|effect| {
            matches!(effect, Effect::Change(Change::Revert { may_remove, .. }) if may_remove.len() == 2)
        });
        assert_eq!(removes, is_yes, "{keys:?}");
    }
}

#[test]
fn pasted_lines_stay_apart_in_a_filter() {
    for end in ["\r", "\n", "\r\n"] {
        let mut model = model();
        press(&mut model, "/");
        update(&mut model, Msg::Paste(["A", "b", ""].join(end)));
        assert_eq!(model.table.filter_text(), "A b", "{end:?}");
    }
}

#[test]
fn a_copy_says_where_it_went() {
    for in_tmux in [false, true] {
        let mut model = model();
        model.mode.in_tmux = in_tmux;
        let effects = press(&mut model, "y");
        assert!(matches!(&effects[..], [Effect::Copy(_)]), "{effects:?}");
        // tmux reports itself whether it took the text.
        let is_told = last_toast(&model).starts_with("sent to the terminal: https://");
        assert_eq!(is_told, !in_tmux);
    }
}
