//! The dashboard as it is used: the real program in a real pseudo-terminal, its screen read by a terminal emulator.

use std::io::{Read as _, Write as _};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::rig::Gannet;

/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// The program on a terminal of its own.
struct Terminal {
    /// Held open: the terminal is gone when it is.
    _master: Box<dyn MasterPty + Send>,
    writer: Box<dyn std::io::Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    output: Receiver<Vec<u8>>,
    parser: vt100::Parser,
}

impl Terminal {
    fn start(gannet: &Gannet, arguments: &[&str]) -> Self {
        let size = PtySize {
            rows: 40,
            cols: 120,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system()
            .openpty(size)
            .expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_gannet"));
        command.args(arguments);
        command.env_clear();
        for (name, value) in [
            ("TERM", "xterm-256color"),
            ("LANG", "C.UTF-8"),
            ("USER", "tester"),
        ] {
            command.env(name, value);
        }
        command.env("HOME", gannet.path(""));
        command.env("TMPDIR", gannet.path(""));
        command.env("GANNET_CONFIG", gannet.path("config.toml"));
        command.env("GANNET_DATA_DIR", gannet.data());
        let child = pair.slave.spawn_command(command).expect("gannet starts");
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 8192];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                if sender.send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self {
            writer: pair.master.take_writer().expect("a writer"),
            _master: pair.master,
            child,
            output,
            parser: vt100::Parser::new(lines(40), lines(120), 0),
        }
    }

    fn press(&mut self, keys: &str) {
        self.writer
            .write_all(keys.as_bytes())
            .expect("the program reads");
    }

    /// Reads until the screen is as wanted.
    fn wait(&mut self, what: &str, is_so: impl Fn(&vt100::Screen) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !is_so(self.parser.screen()) {
            let left = end.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.parser.process(&bytes),
                Err(error) => panic!("{what}: {error}\n{}", self.parser.screen().contents()),
            }
        }
    }

    fn wait_for(&mut self, text: &str) {
        self.wait(text, |screen| screen.contents().contains(text));
    }

    /// Waits for the program's end; returns its exit code.
    fn ended(&mut self) -> u32 {
        self.child.wait().expect("it ends").exit_code()
    }
}

fn lines(number: u16) -> std::num::NonZero<u16> {
    std::num::NonZero::new(number).expect("more than none")
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Ended already, as a rule.
        let _ = self.child.kill();
    }
}

#[test]
fn a_source_is_added_switched_off_and_the_terminal_given_back() {
    let gannet = Gannet::new();
    let mut terminal = Terminal::start(&gannet, &["--no-worker"]);
    terminal.wait_for("No sources yet");
    terminal.press("a");
    terminal.wait_for("Add sources");
    terminal.press("https://example.org/prices.csv\r");
    terminal.wait_for("added 1 source");
    terminal.wait_for("never");
    terminal.press(" ");
    terminal.wait_for("off");
    terminal.press("q");
    terminal.wait("the shell's screen", |screen| {
        !screen.alternate_screen() && !screen.hide_cursor()
    });
    assert_eq!(terminal.ended(), 0);
    let log = gannet.ok(&["log"]);
    assert!(
        log.contains("source.added") && log.contains("by tui"),
        "{log}"
    );
    assert!(log.contains("enabled true -> false"), "{log}");
}

#[test]
fn what_another_process_does_shows_up() {
    let gannet = Gannet::new();
    let mut terminal = Terminal::start(&gannet, &["--read-only"]);
    terminal.wait_for("No sources yet");
    gannet.ok(&["add", "https://example.org/a.txt", "--name", "from-outside"]);
    terminal.wait_for("from-outside");
    terminal.wait_for("source.added");
    terminal.press("a");
    terminal.wait_for("read-only (--read-only)");
    terminal.press("\u{3}");
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn the_demo_is_alive_and_leaves_nothing_behind() {
    let gannet = Gannet::new();
    let mut terminal = Terminal::start(&gannet, &["demo"]);
    terminal.wait_for("6 fetched: 6 new");
    terminal.wait_for("404 Not Found");
    terminal.wait_for("FAIL 3");
    terminal.press("q");
    assert_eq!(terminal.ended(), 0);
    let entries = std::fs::read_dir(gannet.path("")).expect("a folder");
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    assert!(
        !names
            .into_iter()
            .any(|name| name.starts_with("gannet-demo-"))
    );
}
