//! Senders of messages, each with a queue of its own, to which it puts the numbers from 0 on.

use std::collections::HashMap;
use std::io;
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use super::service::exchange;
use crate::rig::{Gannet, until};

/// A catalogue, and the token of a sender.
pub(crate) fn rig() -> (Gannet, String) {
    rig_with("")
}

/// A catalogue with this configuration, and the token of a sender.
pub(crate) fn rig_with(toml: &str) -> (Gannet, String) {
    let gannet = Gannet::on_disk();
    gannet.configure(toml);
    gannet.ok(&["add", "https://example.org/a", "--name", "a"]);
    gannet.ok(&["disable", "a"]);
    let token = gannet.ok(&["token", "create", "stress", "--role", "ingest"]);
    (gannet, token.trim().to_owned())
}

/// Where a sender sends to, and with which token.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) address: &'a str,
    pub(crate) token: &'a str,
}

/// A sender: it sends each request again until it is acknowledged.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sender {
    /// The number of its queue.
    number: usize,
    /// The messages of a request.
    lines: u64,
    /// The bytes that each message has beside its number.
    padding: usize,
    /// Whether each request is sent once more when it was acknowledged, to get the same answer.
    repeats: bool,
    /// The messages of the requests that are done.
    done: u64,
    /// The answer to the request that is not, if it was acknowledged.
    first_answer: Option<(Option<String>, Vec<u8>)>,
    /// How often it was asked to send again later.
    pub(crate) refused: u64,
}

impl Sender {
    pub(crate) fn new(number: usize, lines: u64, padding: usize) -> Self {
        Self {
            number,
            lines,
            padding,
            ..Self::default()
        }
    }

    pub(crate) fn repeating(self) -> Self {
        Self {
            repeats: true,
            ..self
        }
    }

    /// Returns how many messages were acknowledged.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.done + self.first_answer.as_ref().map_or(0, |_| self.lines)
    }

    /// Sends until that is enough. Every answer is an acknowledgement, or a refusal that says when to send again.
    ///
    /// # Errors
    ///
    /// When the connection breaks, or nothing is answered for a minute.
    pub(crate) fn send(
        &mut self,
        target: Target<'_>,
        mut is_enough: impl FnMut(&Self) -> bool,
    ) -> io::Result<()> {
        let connect = || {
            let stream = TcpStream::connect(target.address)?;
            stream.set_read_timeout(Some(Duration::from_mins(1)))?;
            io::Result::Ok(stream)
        };
        let mut stream = connect()?;
        while !is_enough(self) {
            let request = self.request(target);
            let (head, body) = exchange(&mut stream, request.as_bytes())?;
            match head.split(' ').nth(1) {
                Some("202") => self.acknowledge((field(&head, "location"), body)),
                Some("503") => {
                    assert!(field(&head, "retry-after").is_some(), "{head}");
                    self.refused += 1;
                    std::thread::sleep(Duration::from_millis(50));
                }
                _ => panic!(
                    "sender {self:?}: {head}\n{}",
                    String::from_utf8_lossy(&body)
                ),
            }
            if field(&head, "connection").as_deref() == Some("close") {
                stream = connect()?;
            }
        }
        Ok(())
    }

    fn acknowledge(&mut self, answer: (Option<String>, Vec<u8>)) {
        if let Some(first) = self.first_answer.take() {
            assert_eq!(first, answer, "another answer to the same request");
        } else if self.repeats {
            self.first_answer = Some(answer);
            return;
        }
        self.done += self.lines;
    }

    /// Returns the next request.
    pub(crate) fn request(&self, Target { address, token }: Target<'_>) -> String {
        let (number, next) = (self.number, self.done);
        let padding = "x".repeat(self.padding);
        let lines = (next..next + self.lines).map(|one| match self.padding {
            0 => format!("{one}\n"),
            _ => format!("[{one},\"{padding}\"]\n"),
        });
        let body: String = lines.collect();
        format!(
            "POST /api/v1/messages?queue=q{number} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/x-ndjson\r\nIdempotency-Key: {next}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    /// Checks that what was acknowledged is there, once and in order. The last request may be there without its answer.
    pub(crate) fn check(&self, persisted: &HashMap<String, Vec<u64>>) {
        let queue = format!("q{}", self.number);
        let found = persisted.get(&queue).map_or(&[][..], Vec::as_slice);
        let expected: Vec<_> = (0..found.len() as u64).collect();
        assert!(*found == expected, "{queue}: twice, lost or out of order");
        let more = (found.len() as u64).checked_sub(self.acknowledged());
        let is_whole = more.is_some_and(|more| more == 0 || more == self.lines);
        assert!(is_whole, "{queue}: {} of {self:?}", found.len());
    }
}

/// Returns a field of the head of an answer.
fn field(head: &str, name: &str) -> Option<String> {
    let mut fields = head.lines().filter_map(|line| line.split_once(": "));
    let found = fields.find(|(of, _)| of.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.to_owned())
}

/// Returns the numbers of each queue, in the order in which they were persisted, from messages a line each.
pub(crate) fn numbers_in(lines: &str) -> HashMap<String, Vec<u64>> {
    let mut queues = HashMap::<_, Vec<_>>::new();
    for line in lines.lines() {
        let message: Value = serde_json::from_str(line).expect("JSON");
        let queue = message["queue"].as_str().expect("a queue").to_owned();
        let body = &message["body"];
        let number = body.as_u64().or_else(|| body[0].as_u64());
        queues
            .entry(queue)
            .or_default()
            .push(number.expect("a number"));
    }
    queues
}

/// Waits until all is persisted, and returns the numbers of each queue in the order of that.
pub(crate) fn persisted(gannet: &Gannet) -> HashMap<String, Vec<u64>> {
    until("all are persisted", || {
        let queues = gannet.json(&["messages", "queues", "--json"]);
        let queues = queues.as_array().expect("a list");
        queues.iter().all(|queue| queue["depth"] == 0)
    });
    numbers_in(&gannet.ok(&["messages", "list", "--limit", "0", "--json"]))
}
