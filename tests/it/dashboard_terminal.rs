//! What the dashboard does to the terminal, and what it survives: panics, hang-up, suspension, few colours, seven bits.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use gannet::app::{PassProgress, Result};
use gannet::clock::SystemClock;
use gannet::domain::SourceId;
use gannet::faces::tui::{Dashboard, WorkerHandle, run};
use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::watch;

use crate::rig::{Gannet, Gate, Home, Reply, Start, Terminal, TestApp, sqlite, until};

/// A home with one source.
fn home() -> Gannet {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/prices.csv"]);
    gannet
}

/// A worker that panics when it is told to fetch, and in the dashboard's own thread when it is told to stop.
struct Panicking(watch::Sender<PassProgress>);

impl WorkerHandle for Panicking {
    fn progress(&self) -> Option<watch::Receiver<PassProgress>> {
        Some(self.0.subscribe())
    }
    fn fetch(&self, _: Vec<SourceId>) -> BoxFuture<'static, Result<String>> {
        async { panic!("the worker's bug") }.boxed()
    }
    fn wake(&self) {}

    fn stop(&self) {
        panic!("the dashboard's bug");
    }
    fn stopped(&self) -> BoxFuture<'static, ()> {
        std::future::pending().boxed()
    }
    fn next_error(&self) -> BoxFuture<'static, String> {
        std::future::pending().boxed()
    }
    fn next_signal(&self) -> BoxFuture<'static, ()> {
        std::future::pending().boxed()
    }
}

/// Opens the dashboard over that worker in this process.
fn open_with_a_worker_that_panics(folder: &std::path::Path) {
    let config = folder.join("none.toml");
    std::fs::write(&config, "").expect("a configuration");
    let app = TestApp::over(&config, folder, SystemClock);
    let worker = Arc::new(Panicking(watch::Sender::default()));
    tokio::runtime::Runtime::new()
        .expect("a runtime")
        .block_on(run(app, worker, Dashboard::default()))
        .expect("it ends by its panic");
}

/// Says to the test below that it is the program under test.
const CHILD: &str = "GANNET_TEST_DASHBOARD";

#[expect(clippy::disallowed_methods, reason = "the child is told apart by it")]
#[test]
fn a_panic_of_a_task_is_told_and_one_of_the_dashboard_restores_the_terminal() {
    if let Some(folder) = std::env::var_os(CHILD) {
        open_with_a_worker_that_panics(folder.as_ref());
        return;
    }
    let gannet = home();
    let this = std::env::current_exe().expect("this program");
    let mut start = Start::program(&gannet, &this.display().to_string());
    start.command.args([
        "--exact",
        "--nocapture",
        "dashboard_terminal::a_panic_of_a_task_is_told_and_one_of_the_dashboard_restores_the_terminal",
    ]);
    let data = gannet.data().display().to_string();
    let mut terminal = start.env(CHILD, &data).run();
    terminal.wait_for("prices.csv");
    terminal.press("f");
    terminal.wait_for("the worker's bug");
    assert!(terminal.screen().alternate_screen());
    // It lives on, and nothing is shown as under way for ever.
    terminal.wait("the job's end", |screen| {
        !screen.contents().contains("fetching 1 source")
    });
    terminal.press("?");
    terminal.close("(esc closes)");
    terminal.press("q");
    terminal.wait_for_the_shell();
    terminal.wait_for("the dashboard's bug");
    assert_ne!(terminal.ended().exit_code(), 0);
}

#[test]
fn a_closed_terminal_ends_it_with_its_claims_released() {
    for ignored in [false, true] {
        let gannet = Home::new("");
        let origin = &gannet.origin;
        let gate = Gate::new();
        origin.on("/slow", [Reply::ok("late").behind(&gate)]);
        gannet.ok(&["add", &origin.url("/slow"), "--allow-private"]);
        let trap = if ignored { "trap '' HUP; " } else { "" };
        let mut start = Start::program(&gannet, "/bin/sh");
        start.command.arg("-c");
        start
            .command
            .arg(format!("{trap}exec {}", env!("CARGO_BIN_EXE_gannet")));
        let mut terminal = start.run();
        terminal.wait_for("pass ");
        // The pass is shown before it has claimed anything.
        until("a claim", || claims(&gannet) > 0);
        let (time, status) = terminal.hang_up();
        // It is to be gone within two seconds; the rest is for slow machines.
        assert!(time < Duration::from_secs(5), "{time:?}, ignored {ignored}");
        assert_eq!(status.signal(), None, "ignored {ignored}");
        assert_eq!(claims(&gannet), 0, "ignored {ignored}");
    }
}

fn claims(gannet: &Gannet) -> i64 {
    let catalogue = sqlite::read(&gannet.data());
    let count = "SELECT count(*) FROM source_state WHERE lease_owner IS NOT NULL";
    catalogue
        .query_row(count, [], |row| row.get(0))
        .expect("a count")
}

#[test]
fn ctrl_z_gives_the_terminal_back_and_going_on_draws_everything() {
    let gannet = home();
    let mut terminal = Terminal::start(&gannet, &["--no-worker"]);
    terminal.wait_for("prices.csv");
    terminal.press("\u{1a}");
    terminal.wait_for_the_shell();
    let id = terminal.child.process_id().expect("it lives");
    until("it is stopped", || state(id) == 'T');
    let id = i32::try_from(id)
        .ok()
        .and_then(Pid::from_raw)
        .expect("an id");
    kill_process(id, Signal::CONT).expect("it goes on");
    terminal.wait("the whole screen", |screen| {
        let text = screen.contents();
        screen.alternate_screen() && text.contains("prices.csv") && text.contains("Log")
    });
    terminal.press("q");
    terminal.wait_for_the_shell();
    assert_eq!(terminal.ended().exit_code(), 0);
}

/// Returns the state letter of a process.
fn state(id: u32) -> char {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).expect("it lives");
    let (_, rest) = text.rsplit_once(") ").expect("a state behind the name");
    rest.chars().next().expect("a state")
}

#[test]
fn colours_are_the_terminals_sixteen_and_none_under_no_color() {
    // Which colours may be on the screen: how many of the terminal's, from the first.
    for (name, value, most) in [
        ("TERM", "xterm-256color", 16),
        ("TERM", "xterm", 8),
        ("NO_COLOR", "1", 0),
        ("TERM", "dumb", 0),
    ] {
        let gannet = home();
        let start = Start::gannet(&gannet, &["--no-worker"]).env(name, value);
        let mut terminal = start.run();
        terminal.wait_for("prices.csv");
        terminal.wait_for_a_whole_frame();
        let mut selected = false;
        for row in 0..40 {
            for column in 0..120 {
                let cell = terminal.screen().cell(row, column).expect("on the screen");
                let is_allowed = match cell.fgcolor() {
                    vt100::Color::Default => true,
                    vt100::Color::Idx(colour) => colour < most,
                    vt100::Color::Rgb(..) => false,
                };
                assert!(is_allowed, "{name}={value}: {:?}", cell.fgcolor());
                assert_eq!(cell.bgcolor(), vt100::Color::Default, "{name}={value}");
                selected |= cell.inverse();
            }
        }
        // A cell with a colour would lose its reverse where colours are left out.
        assert!(selected, "{name}={value}: the selection is not to be seen");
        terminal.press("q");
        assert_eq!(terminal.ended().exit_code(), 0);
    }
}

#[test]
fn output_is_seven_bits_when_asked_for_or_when_the_locale_is() {
    for (arguments, locale) in [
        (&["--no-worker", "--ascii"][..], "C.UTF-8"),
        (&["--no-worker"], "C"),
    ] {
        let gannet = Gannet::new();
        gannet.ok(&["add", "https://example.org/a", "--name", "東京 – prices"]);
        let start = Start::gannet(&gannet, arguments).env("LANG", locale);
        let mut terminal = start.run();
        terminal.wait_for("prices");
        terminal.press("?");
        terminal.wait_for("Keys");
        terminal.press("q");
        terminal.press("\u{3}");
        assert_eq!(terminal.ended().exit_code(), 0);
        let text = String::from_utf8_lossy(&terminal.raw);
        assert!(text.is_ascii(), "{locale}: {text}");
    }
}

#[test]
fn frames_are_whole_and_the_screen_is_never_cleared_between_them() {
    let gannet = home();
    let mut terminal = Terminal::start(&gannet, &["--no-worker"]);
    terminal.wait_for("prices.csv");
    for (key, shown) in [
        ("?", "(esc closes)"),
        ("a", "Add sources"),
        (":", "What to do"),
    ] {
        terminal.press(key);
        terminal.close(shown);
    }
    terminal.press("q");
    assert_eq!(terminal.ended().exit_code(), 0);
    let text = String::from_utf8_lossy(&terminal.raw).into_owned();
    let begins = text.matches("\x1b[?2026h").count();
    assert!(begins > 0);
    // Leaving ends one more, in case a frame was cut short.
    let ends = text.matches("\x1b[?2026l").count();
    assert!(ends == begins || ends == begins + 1, "{begins} {ends}");
    assert_eq!(text.matches("\x1b[2J").count(), 0, "{text}");
}
