//! A Redis server of its own for a test.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::{Pid, Signal, kill_process};

use super::left_out;
use super::waiting::until;

const PORT: u16 = 16379;

/// A server that writes each command to its disk before it answers, at a loopback address that no other test uses.
pub(crate) struct Redis {
    folder: tempfile::TempDir,
    host: String,
    child: Option<Child>,
}

impl Redis {
    /// Starts a server; `None` where none is installed, which is said.
    pub(crate) fn start() -> Option<Self> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let version = Command::new("redis-server").arg("--version").output();
        if version.is_err() {
            left_out("queues on Redis", "no redis-server is installed");
            return None;
        }
        let [.., process, low] = std::process::id().to_be_bytes();
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let mut redis = Self {
            folder: tempfile::tempdir().expect("a folder"),
            host: format!("127.{}.{low}.{}", 64 + process % 128, 1 + number % 254),
            child: None,
        };
        redis.restart();
        Some(redis)
    }

    /// Starts the server with the data that it has.
    pub(crate) fn restart(&mut self) {
        let log = File::create(self.folder.path().join("log")).expect("a file");
        let child = Command::new("redis-server")
            .args(["--bind", &self.host, "--port", &PORT.to_string()])
            .args(["--appendonly", "yes", "--appendfsync", "always"])
            .args(["--save", "", "--dir"])
            .arg(self.folder.path())
            .stdin(Stdio::null())
            .stdout(log)
            .spawn();
        self.child = Some(child.expect("a server"));
        until("the server answers", || {
            TcpStream::connect((self.host.as_str(), PORT)).is_ok() && self.ask(&["PING"]) == "+PONG"
        });
    }

    /// Kills the server.
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().expect("a server");
        child.kill().expect("killed");
        child.wait().expect("ended");
    }

    /// Deletes the data of a server that was killed.
    pub(crate) fn lose_data(&self) {
        assert!(self.child.is_none(), "it runs");
        std::fs::remove_dir_all(self.folder.path().join("appendonlydir")).expect("removed");
    }

    /// Stops the server, or lets it go on.
    pub(crate) fn signal(&self, signal: Signal) {
        let child = self.child.as_ref().expect("a server");
        kill_process(Pid::from_child(child), signal).expect("a signal");
    }

    /// Returns its section of the configuration.
    pub(crate) fn section(&self) -> String {
        format!("[queues]\nredis = \"redis://{}:{PORT}/0\"\n", self.host)
    }

    /// Sends a command, and returns its reply, flat, a part on a line.
    pub(crate) fn ask(&self, command: &[&str]) -> String {
        let mut stream = TcpStream::connect((self.host.as_str(), PORT)).expect("a connection");
        write!(stream, "*{}\r\n", command.len()).expect("a command");
        for word in command {
            write!(stream, "${}\r\n{word}\r\n", word.len()).expect("a word");
        }
        let mut reader = BufReader::new(stream);
        let mut reply = Vec::new();
        read_reply(&mut reader, &mut reply);
        reply.join("\n")
    }
}

fn read_reply(reader: &mut BufReader<TcpStream>, reply: &mut Vec<String>) {
    let mut line = String::new();
    reader.read_line(&mut line).expect("a reply");
    let line = line.trim_end();
    let length = line.get(1..).and_then(|length| length.parse::<i64>().ok());
    match (line.chars().next(), length) {
        (Some('*'), Some(parts)) => (0..parts).for_each(|_| read_reply(reader, reply)),
        (Some('$'), Some(length @ 0..)) => {
            let mut text = vec![0; usize::try_from(length).expect("a length") + 2];
            reader.read_exact(&mut text).expect("a text");
            text.truncate(text.len() - 2);
            reply.push(String::from_utf8_lossy(&text).into_owned());
        }
        _ => reply.push(line.to_owned()),
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It may be gone.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
