//! The real program on a pseudo-terminal, its screen read by a terminal emulator.

use std::io::{Read, Write as _};
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

use super::gannet::Gannet;
use super::waiting::PATIENCE;

/// A program on a terminal of its own.
pub(crate) struct Terminal {
    /// The terminal is gone when this, the writer and the reader are.
    master: Option<Box<dyn MasterPty + Send>>,
    writer: Option<Box<dyn std::io::Write + Send>>,
    /// Reads when asked, so that it never holds the terminal open while nobody waits.
    reader: Option<(Sender<()>, JoinHandle<()>)>,
    output: Receiver<Vec<u8>>,
    pub(crate) child: Box<dyn Child + Send + Sync>,
    parser: vt100::Parser,
    /// Everything that the program wrote.
    pub(crate) raw: Vec<u8>,
}

/// What a program on a terminal is started with.
pub(crate) struct Start {
    pub(crate) command: CommandBuilder,
    size: (u16, u16),
}

impl Start {
    /// gannet, in a home, on a terminal of 120 columns and 40 lines with 256 colours.
    pub(crate) fn gannet(gannet: &Gannet, arguments: &[&str]) -> Self {
        let mut start = Self::program(gannet, env!("CARGO_BIN_EXE_gannet"));
        start.command.args(arguments);
        start
    }

    /// Any program, likewise.
    pub(crate) fn program(gannet: &Gannet, program: &str) -> Self {
        let mut command = CommandBuilder::new(program);
        command.env_clear();
        for (name, value) in [
            ("TERM", "xterm-256color"),
            ("LANG", "C.UTF-8"),
            ("USER", "tester"),
            ("TZ", "UTC"),
            ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ] {
            command.env(name, value);
        }
        command.env("HOME", gannet.path(""));
        command.env("TMPDIR", gannet.path(""));
        command.env("GANNET_CONFIG", gannet.path("config.toml"));
        command.env("GANNET_DATA_DIR", gannet.data());
        Self {
            command,
            size: (120, 40),
        }
    }

    /// A command with what was set of its environment.
    pub(crate) fn of(gannet: &Gannet, command: &Command) -> Self {
        let mut start = Self::program(gannet, &command.get_program().to_string_lossy());
        start.command.args(command.get_args());
        for (name, value) in command.get_envs() {
            start.command.env(name, value.unwrap_or_default());
        }
        start
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn size(mut self, columns: u16, lines: u16) -> Self {
        self.size = (columns, lines);
        self
    }

    pub(crate) fn run(self) -> Terminal {
        let (columns, lines) = self.size;
        let pair = native_pty_system()
            .openpty(pty_size(columns, lines))
            .expect("a pseudo-terminal");
        let child = pair
            .slave
            .spawn_command(self.command)
            .expect("the program starts");
        drop(pair.slave);
        let reader = pair.master.try_clone_reader().expect("a reader");
        let (asks, asked) = channel();
        let (sender, output) = channel();
        let thread = std::thread::spawn(move || read_when_asked(reader, &asked, &sender));
        Terminal {
            writer: Some(pair.master.take_writer().expect("a writer")),
            master: Some(pair.master),
            reader: Some((asks, thread)),
            output,
            child,
            parser: vt100::Parser::new(some(lines), some(columns), 0),
            raw: Vec::new(),
        }
    }
}

fn read_when_asked(mut reader: Box<dyn Read>, asked: &Receiver<()>, sender: &Sender<Vec<u8>>) {
    let mut bytes = vec![0; 64 << 10];
    while asked.recv().is_ok() {
        // The end of a terminal is an error.
        let Ok(count @ 1..) = reader.read(&mut bytes) else {
            return;
        };
        if sender.send(bytes[..count].to_vec()).is_err() {
            return;
        }
    }
}

impl Terminal {
    /// Starts gannet.
    pub(crate) fn start(gannet: &Gannet, arguments: &[&str]) -> Self {
        Start::gannet(gannet, arguments).run()
    }

    pub(crate) fn press(&mut self, keys: &str) {
        let writer = self.writer.as_mut().expect("the terminal is open");
        writer
            .write_all(keys.as_bytes())
            .expect("the program reads");
    }

    pub(crate) fn screen(&self) -> &vt100::Screen {
        self.parser.screen()
    }

    /// Reads until the screen is as wanted.
    pub(crate) fn wait(&mut self, what: &str, is_so: impl Fn(&vt100::Screen) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !is_so(self.parser.screen()) {
            let left = end.saturating_duration_since(Instant::now());
            let came = self.read(left);
            assert!(came, "{what}: not in\n{}", self.screen().contents());
        }
    }

    /// Waits for more output; tells whether there was any.
    fn read(&mut self, patience: Duration) -> bool {
        if let Some((asks, _)) = &self.reader {
            // An error is told by the receiver below.
            let _ = asks.send(());
        }
        let Ok(bytes) = self.output.recv_timeout(patience) else {
            return false;
        };
        self.parser.process(&bytes);
        self.raw.extend(bytes);
        true
    }

    pub(crate) fn wait_for(&mut self, text: &str) {
        self.wait(text, |screen| screen.contents().contains(text));
    }

    /// Closes what shows this text: nothing more is pressed before it is gone, since Esc and a key in one are Alt and the key.
    pub(crate) fn close(&mut self, text: &str) {
        self.wait_for(text);
        self.press("\x1b");
        self.wait(&format!("{text} gone"), |screen| {
            !screen.contents().contains(text)
        });
    }

    /// Reads on to the end of a frame: until then a terminal shows nothing of it.
    pub(crate) fn wait_for_a_whole_frame(&mut self) {
        while !self.raw.ends_with(b"\x1b[?2026l") {
            assert!(self.read(PATIENCE), "a frame is cut short");
        }
    }

    /// Waits until the terminal is as a shell needs it.
    pub(crate) fn wait_for_the_shell(&mut self) {
        self.wait("the shell's screen", |screen| {
            !screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste()
        });
    }

    pub(crate) fn resize(&mut self, columns: u16, lines: u16) {
        self.parser
            .screen_mut()
            .set_size(some(lines), some(columns));
        let master = self.master.as_ref().expect("the terminal is open");
        master.resize(pty_size(columns, lines)).expect("a new size");
    }

    /// Waits for the program's end, reading what it still writes.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let end = Instant::now() + PATIENCE;
        while self.read(end.saturating_duration_since(Instant::now())) {}
        let went_on = Instant::now() >= end;
        assert!(!went_on, "it goes on:\n{}", self.screen().contents());
        self.child.wait().expect("it ends")
    }

    /// Closes the terminal; returns how long the program went on.
    pub(crate) fn hang_up(&mut self) -> (Duration, ExitStatus) {
        let (asks, thread) = self.reader.take().expect("the terminal is open");
        drop(asks);
        thread.join().expect("nothing is being read");
        self.writer = None;
        self.master = None;
        let start = Instant::now();
        let status = self.child.wait().expect("it ends");
        (start.elapsed(), status)
    }
}

fn pty_size(columns: u16, lines: u16) -> PtySize {
    PtySize {
        rows: lines,
        cols: columns,
        pixel_width: 0,
        pixel_height: 0,
    }
}

fn some(number: u16) -> std::num::NonZero<u16> {
    std::num::NonZero::new(number).expect("more than none")
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Ended already, as a rule.
        let _ = self.child.kill();
    }
}
