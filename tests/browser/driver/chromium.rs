//! A process of Chromium, and its `DevTools` protocol over a pair of pipes: commands with their answers, and events.
//!
//! Pipes need no port, and Chromium ends when they are closed, even by a test that was killed.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::rig::PATIENCE;

/// Names the program in the place of those that are looked for.
const PROGRAM: &str = "GANNET_CHROMIUM";
const PROGRAMS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// No other host is ever asked, and nothing waits because the window cannot be seen.
const FLAGS: [&str; 17] = [
    "--headless=new",
    "--no-sandbox",
    "--no-first-run",
    "--remote-debugging-pipe",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--disable-background-networking",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-gpu",
    "--disable-renderer-backgrounding",
    "--disable-sync",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
];

/// A running Chromium; ended with all its processes when dropped.
pub(super) struct Chromium {
    child: Child,
    commands: ChildStdin,
    messages: Receiver<Value>,
    last_id: u64,
    /// What happened since it was last asked for.
    events: Vec<Value>,
    _profile: TempDir,
}

/// Returns the program, if there is one.
pub(super) fn program() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "a test's own setting")]
    let (named, path) = (std::env::var_os(PROGRAM), std::env::var_os("PATH"));
    if let Some(named) = named {
        return Some(named.into());
    }
    let folders: Vec<_> = std::env::split_paths(&path?).collect();
    let places = PROGRAMS
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    places.into_iter().find(|place| place.is_file())
}

impl Chromium {
    pub(super) fn start(program: &Path) -> Self {
        let profile = tempfile::tempdir().expect("a folder");
        // It reads commands from descriptor 3, and writes to 4.
        let script = "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>\"$HOME/stderr\"";
        let mut child = Command::new("sh")
            .args(["-c", script])
            .arg(program)
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .env("HOME", profile.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("a shell");
        let (sender, messages) = channel();
        let answers = child.stdout.take().expect("a pipe");
        // Ends with the pipe.
        std::thread::spawn(move || read(answers, &sender));
        Self {
            commands: child.stdin.take().expect("a pipe"),
            child,
            messages,
            last_id: 0,
            events: Vec::new(),
            _profile: profile,
        }
    }

    /// Carries out a command, of a page or of the browser itself; returns its answer, or the words of a refusal.
    pub(super) fn call(
        &mut self,
        session: Option<&str>,
        method: &str,
        parameters: &Value,
    ) -> Result<Value, String> {
        self.last_id += 1;
        let mut command = json!({"id": self.last_id, "method": method, "params": parameters});
        if let Some(session) = session {
            command["sessionId"] = session.into();
        }
        let sent = write!(self.commands, "{command}\0").and_then(|()| self.commands.flush());
        sent.map_err(|error| format!("{method}: {error}"))?;
        loop {
            let message = self.messages.recv_timeout(PATIENCE);
            let mut message = message.map_err(|error| format!("{method}: {error}"))?;
            if message["id"] == self.last_id {
                let error = &message["error"]["message"];
                return match error.as_str() {
                    Some(error) => Err(format!("{method}: {error}")),
                    None => Ok(message["result"].take()),
                };
            }
            self.events.push(message);
        }
    }

    /// Returns what an event of this kind is about, if one has come.
    pub(super) fn event(&mut self, method: &str) -> Option<Value> {
        self.events.extend(self.messages.try_iter());
        let found = self.events.iter().find(|event| event["method"] == method);
        found.map(|event| event["params"].clone())
    }

    /// Returns what happened since the last call.
    pub(super) fn take_events(&mut self) -> Vec<Value> {
        self.events.extend(self.messages.try_iter());
        std::mem::take(&mut self.events)
    }
}

/// Reads messages, each of which ends with a zero.
fn read(answers: ChildStdout, sender: &Sender<Value>) {
    let mut answers = BufReader::new(answers);
    let mut message = Vec::new();
    while answers
        .read_until(0, &mut message)
        .is_ok_and(|read| read > 0)
    {
        message.pop();
        let parsed = serde_json::from_slice(&message).expect("JSON");
        if sender.send(parsed).is_err() {
            return;
        }
        message.clear();
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let group = rustix::process::Pid::from_child(&self.child);
        // Nothing is left of it, or of some of its processes, as a rule.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        let _ = self.child.wait();
    }
}
