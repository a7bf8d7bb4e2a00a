//! The dashboard as it is used: the real program in a real pseudo-terminal, its screen read by a terminal emulator.

use crate::rig::{Gannet, Home, Reply, Start, Terminal};

#[test]
fn a_source_is_added_fetched_looked_at_and_switched_off() {
    let gannet = Home::new("");
    let origin = &gannet.origin;
    origin.on("/prices.csv", [Reply::file("item,price\nbolt,3\n")]);
    gannet.ok(&["build_db"]);
    let mut terminal = Terminal::start(&gannet, &[]);
    terminal.wait_for("No sources yet");
    terminal.press("a");
    terminal.wait_for("Add sources");
    terminal.press(&origin.url("/prices.csv"));
    terminal.wait_for("prices.csv");
    // Up from the first field is the last: allow empty, allow http, allow private.
    terminal.press("\x1b[Z\x1b[Z\x1b[Z ");
    terminal.wait_for("allow private [x]");
    terminal.press("\r");
    terminal.wait_for("added 1 source");
    // The worker in the process fetches it at once.
    terminal.wait_for("new v1");
    terminal.press("\r");
    terminal.wait_for("allowed    private addresses");
    terminal.press("\r");
    terminal.wait_for("bolt,3");
    terminal.close("bolt,3");
    terminal.close("allowed    private addresses");
    terminal.wait_for("History: prices.csv");
    terminal.press("f");
    terminal.wait_for("unchanged (304)");
    terminal.press(" ");
    terminal.wait_for("○ off");
    terminal.press("q");
    terminal.wait_for_the_shell();
    assert_eq!(terminal.ended().exit_code(), 0);
    let log = gannet.ok(&["log"]);
    assert!(
        log.contains("source.added") && log.contains("by tui"),
        "{log}"
    );
    assert!(log.contains("enabled true -> false"), "{log}");
    assert_eq!(
        gannet.bytes(&["cat", "prices.csv~0"]),
        b"item,price\nbolt,3\n"
    );
}

#[test]
fn what_is_switched_on_or_comes_back_is_fetched_at_once() {
    let gannet = Home::new("");
    let origin = &gannet.origin;
    for name in ["off", "gone"] {
        origin.on(&format!("/{name}.csv"), [Reply::file("item,price\n")]);
    }
    let (off, gone) = (origin.url("/off.csv"), origin.url("/gone.csv"));
    gannet.ok(&["add", &off, "--allow-private", "--disabled"]);
    let mut terminal = Terminal::start(&gannet, &[]);
    terminal.wait_for("○ off");
    // The worker has looked, found nothing, and would look again in a minute.
    terminal.press(" ");
    terminal.wait_for("switched on off.csv");
    terminal.wait_for("new v1");
    gannet.ok(&["add", &gone, "--allow-private"]);
    terminal.wait_for("gone.csv");
    terminal.press("g");
    terminal.wait_for("History: gone.csv");
    terminal.press("D");
    terminal.wait_for("Remove gone.csv?");
    terminal.press("y");
    terminal.wait_for("removed 1 source");
    terminal.press("z");
    terminal.wait_for("new v2");
    terminal.press("q");
    assert_eq!(terminal.ended().exit_code(), 0);
}

#[test]
fn changes_are_made_one_after_another_however_fast_keys_come() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/prices.csv"]);
    let mut terminal = Terminal::start(&gannet, &["--no-worker"]);
    terminal.wait_for("prices.csv");
    // Off, on, off: one change to take back, as of a held key.
    terminal.press("   z");
    terminal.wait_for("taken back: 1 source");
    terminal.press("Z");
    terminal.wait_for("made again: 1 source");
    terminal.wait_for("○ off");
    terminal.press("zz");
    terminal.wait_for("nothing to take back any more");
    terminal.press("q");
    terminal.wait_for_the_shell();
    let log = gannet.ok(&["log"]);
    let words: Vec<_> = log
        .lines()
        .filter_map(|line| line.split_once("enabled ").map(|(_, change)| change))
        .collect();
    let (off, on) = ("true -> false", "false -> true");
    assert_eq!(words.len(), 6, "{log}");
    for (word, expected) in words.iter().zip([off, on, off, on, off, on]) {
        assert!(word.starts_with(expected), "{log}");
    }
    // The fourth and the sixth take back, the fifth makes again what the fourth took back.
    for (word, count) in [("undone: enabled", 2), ("redone: enabled", 1)] {
        assert_eq!(log.matches(word).count(), count, "{log}");
    }
}

#[test]
fn what_is_taken_back_and_made_again_is_said_as_it_is() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/prices.csv"]);
    let mut terminal = Terminal::start(&gannet, &["--no-worker"]);
    terminal.wait_for("prices.csv");
    for (keys, words) in [
        ("z", "this session has changed nothing"),
        ("Z", "no change is taken back"),
        (" ", "switched off"),
        ("z", "taken back: 1 source"),
        ("z", "nothing to take back any more"),
        ("Z", "made again: 1 source"),
        ("Z", "no change is taken back"),
    ] {
        terminal.press(keys);
        terminal.wait_for(words);
    }
    terminal.press("q");
    terminal.wait_for_the_shell();
    let log = gannet.ok(&["log"]);
    assert!(log.contains("redone: enabled true -> false"), "{log}");
}

#[test]
fn what_others_changed_is_not_taken_back() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/prices.csv"]);
    let mut terminal = Terminal::start(&gannet, &["--no-worker"]);
    terminal.wait_for("prices.csv");
    for (others, told, interval) in [
        (&["disable", "prices.csv"][..], "taken back: 1 source", "1d"),
        (&["interval", "prices.csv", "3h"][..], "left alone", "3h"),
    ] {
        terminal.press("e");
        terminal.wait_for("whole hours or days");
        terminal.press("\x155h\r");
        // The toast of the round before may still be there.
        terminal.wait("the table with the interval", |screen| {
            let text = screen.contents();
            text.contains(" 5h ") && !text.contains("whole hours or days")
        });
        gannet.ok(&["edit", "prices.csv", "--tag", "urgent"]);
        gannet.ok(others);
        terminal.press("z");
        terminal.wait_for(told);
        let file = gannet.ok(&["list", "--json"]);
        let is_so = |text: &str| assert!(file.contains(text), "{text}: {file}");
        is_so("urgent");
        is_so(&format!("\"interval\": \"{interval}\","));
        is_so("\"enabled\": false");
    }
    terminal.press("q");
    terminal.wait_for_the_shell();
}

#[test]
fn an_addition_is_taken_back_after_a_question_and_made_again() {
    let gannet = Gannet::new();
    gannet.ok(&["build_db"]);
    let mut terminal = Terminal::start(&gannet, &["--no-worker"]);
    terminal.wait_for("No sources yet");
    terminal.press("ahttps://example.org/prices.csv\r");
    terminal.wait_for("added 1 source");
    terminal.press("z");
    terminal.wait_for("Take back the addition of 1 source");
    terminal.press("\r");
    terminal.press("z");
    terminal.wait_for("Take back the addition of 1 source");
    assert!(gannet.ok(&["list"]).contains("prices.csv"));
    terminal.press("y");
    terminal.wait_for("taken back: 1 source");
    terminal.press("Z");
    terminal.wait_for("made again: 1 source");
    assert!(gannet.ok(&["list"]).contains("prices.csv"));
    terminal.press("q");
    terminal.wait_for_the_shell();
}

#[test]
fn a_copy_goes_through_tmux_where_there_is_one() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/prices.csv"]);
    let mut terminal = Start::gannet(&gannet, &["--no-worker"])
        .env("TMUX", "/nowhere/tmux,1,0")
        .env("PATH", "/nowhere")
        .run();
    terminal.wait_for("prices.csv");
    terminal.press("y");
    // This one cannot be started, and nothing else is claimed.
    terminal.wait_for("cannot copy: tmux load-buffer");
    terminal.press("q");
    terminal.wait_for_the_shell();
}

#[test]
fn what_another_process_does_shows_up() {
    let gannet = Gannet::new();
    gannet.ok(&["build_db"]);
    let mut terminal = Terminal::start(&gannet, &["--read-only"]);
    terminal.wait_for("No sources yet");
    gannet.ok(&["add", "https://example.org/a.txt", "--name", "from-outside"]);
    terminal.wait_for("from-outside");
    terminal.wait_for("source.added");
    terminal.press("a");
    terminal.wait_for("read-only (--read-only)");
    terminal.press("\u{3}");
    assert_eq!(terminal.ended().exit_code(), 0);
}

#[test]
fn what_was_removed_comes_back() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/a.txt", "--name", "kept"]);
    let mut terminal = Terminal::start(&gannet, &["--no-worker"]);
    terminal.wait_for("kept");
    terminal.press("D");
    terminal.wait_for("y yes");
    terminal.press("y");
    terminal.wait_for("No sources yet");
    terminal.press("z");
    terminal.wait_for("taken back: 1 source");
    terminal.wait_for("source.restored");
    terminal.press("q");
    assert_eq!(terminal.ended().exit_code(), 0);
    assert_eq!(gannet.source("kept")["enabled"], true);
}

#[test]
fn an_address_that_was_removed_is_not_added_as_if_it_were_new() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/a.txt", "--name", "before"]);
    gannet.ok(&["remove", "before"]);
    let mut terminal = Start::gannet(&gannet, &["--no-worker"]).size(160, 40).run();
    terminal.wait_for("No sources yet");
    terminal.press("a");
    terminal.wait_for("Add sources");
    terminal.press("https://EXAMPLE.org/a.txt\r");
    terminal.wait_for("this was source 1 (before), which was removed");
    terminal.close("Add sources");
    terminal.press("q");
    assert_eq!(terminal.ended().exit_code(), 0);
    assert_eq!(
        gannet.ok(&["dump", "--toml"]).matches("[[source]]").count(),
        0
    );
}

/// Of this computer, as its name in the header says; `--utc` takes it back.
#[test]
fn times_are_those_of_the_zone() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/a.txt"]);
    let added = gannet.json(&["show", "a.txt", "--json"])["created_at"].clone();
    let added: chrono::DateTime<chrono::Utc> = added
        .as_str()
        .and_then(|text| text.parse().ok())
        .expect("a time");
    let quarter = chrono::TimeDelta::minutes(5 * 60 + 45);
    for (flags, zone, wall) in [
        (&["--no-worker"][..], "Asia/Kathmandu", added + quarter),
        (&["--no-worker", "--utc"], "UTC", added),
    ] {
        let start = Start::gannet(&gannet, flags).env("TZ", "Asia/Kathmandu");
        let mut terminal = start.run();
        terminal.wait_for(zone);
        terminal.wait_for(&wall.format("%H:%M:%S").to_string());
        terminal.press("q");
        assert_eq!(terminal.ended().exit_code(), 0);
    }
}

#[test]
fn pasted_lines_become_sources_after_one_question_and_never_keys() {
    let gannet = Gannet::new();
    gannet.ok(&["build_db"]);
    let mut terminal = Terminal::start(&gannet, &["--no-worker"]);
    terminal.wait("pastes in brackets", vt100::Screen::bracketed_paste);
    terminal.wait_for("No sources yet");
    terminal.press("\x1b[200~a\rq\nD\x1b[201~");
    terminal.wait_for("pasted text goes into the form");
    terminal.press("a");
    terminal.wait_for("Add sources");
    terminal.press(
        "\x1b[200~https://example.org/1\nhttps://example.org/2 6h\nhttps://example.org/3\n\x1b[201~",
    );
    terminal.wait_for("3 addresses");
    terminal.press("\r");
    terminal.wait_for("y yes");
    terminal.press("y");
    terminal.wait_for("added 3 sources");
    terminal.press("q");
    assert_eq!(terminal.ended().exit_code(), 0);
    let list = gannet.json(&["list", "--json"]);
    assert_eq!(list.as_array().map(Vec::len), Some(3), "{list}");
}

#[test]
fn a_narrow_terminal_has_one_pane_and_a_wide_one_all() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/a.txt"]);
    let mut terminal = Start::gannet(&gannet, &["--no-worker"]).size(50, 12).run();
    terminal.wait_for("a.txt");
    assert!(!terminal.screen().contents().contains("Verdicts"));
    terminal.resize(200, 50);
    terminal.wait_for("Verdicts");
    terminal.resize(15, 3);
    terminal.wait("one line", |screen| {
        let text = screen.contents();
        text.contains("gannet") && !text.contains("Sources")
    });
    terminal.press("q");
    assert_eq!(terminal.ended().exit_code(), 0);
}

#[test]
fn the_demo_is_alive_and_leaves_nothing_behind() {
    let gannet = Gannet::new();
    let mut terminal = Terminal::start(&gannet, &["demo"]);
    terminal.wait_for("7 fetched: 7 new");
    terminal.wait_for("404 Not Found");
    terminal.wait_for("FAIL 3");
    terminal.wait_for("demo: an hour in 6 s");
    terminal.press("q");
    terminal.wait_for("is deleted.");
    terminal.wait_for("Next: gannet add");
    assert_eq!(terminal.ended().exit_code(), 0);
    let entries = std::fs::read_dir(gannet.path("")).expect("a folder");
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    assert!(
        !names
            .into_iter()
            .any(|name| name.starts_with("gannet-demo-"))
    );
}
