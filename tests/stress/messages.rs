//! Messages under load, while the service and the consumers are killed again and again: each that was acknowledged is persisted
//! once and in order, and the service takes ten times what it can with 503 instead of memory.

use std::collections::HashMap;
use std::net::TcpStream;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::service::status;
use crate::rig::{Gannet, Numbers, Service, sqlite, until};

const SENDERS: usize = 4;

fn rig() -> (Gannet, String) {
    let gannet = Gannet::on_disk();
    gannet.ok(&["add", "https://example.org/a", "--name", "a"]);
    gannet.ok(&["disable", "a"]);
    let token = gannet.ok(&["token", "create", "stress", "--role", "ingest"]);
    (gannet, token.trim().to_owned())
}

fn request(address: &str, token: &str, sender: usize, body: &str, key: &str) -> String {
    format!(
        "POST /api/v1/messages?queue=q{sender} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/x-ndjson\r\nIdempotency-Key: {key}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// What one sender has sent and got acknowledged: it sends each request again until it is acknowledged.
#[derive(Default)]
struct Sender {
    acknowledged: u64,
}

impl Sender {
    /// Sends until the connection breaks: two numbers in each request.
    fn send(&mut self, number: usize, address: &str, token: &str) {
        let Ok(mut stream) = TcpStream::connect(address) else {
            return;
        };
        loop {
            let next = self.acknowledged;
            let body = format!("{next}\n{}", next + 1);
            let request = request(address, token, number, &body, &next.to_string());
            match status(&mut stream, request.as_bytes()) {
                Some(202) => self.acknowledged += 2,
                Some(503) => {}
                Some(other) => panic!("sender {number}, {next}: {other}"),
                None => return,
            }
        }
    }
}

/// Returns the numbers of each queue, in the order in which they were persisted.
fn persisted(gannet: &Gannet) -> HashMap<String, Vec<u64>> {
    let mut queues = HashMap::<_, Vec<_>>::new();
    for line in gannet
        .ok(&["messages", "list", "--limit", "0", "--json"])
        .lines()
    {
        let message: Value = serde_json::from_str(line).expect("JSON");
        let queue = message["queue"].as_str().expect("a queue").to_owned();
        let number = message["body"].as_u64().expect("a number");
        queues.entry(queue).or_default().push(number);
    }
    queues
}

#[test]
fn killed_two_hundred_times_every_acknowledged_message_is_persisted_once_and_in_order() {
    const ROUNDS: usize = 200;
    let (gannet, token) = rig();
    let senders: [_; SENDERS] = std::array::from_fn(|_| Mutex::new(Sender::default()));
    let mut numbers = Numbers(11);
    let begun = Instant::now();
    for round in 0..ROUNDS {
        // The service persists in half of the rounds, and in the others two consumers do.
        let flags: &[&str] = if round % 2 == 0 {
            &[]
        } else {
            &["--no-worker"]
        };
        let consumers = [(); 2].map(|()| (round % 2 == 1).then(|| gannet.start(&["consume"])));
        let service = Service::start(&gannet, flags);
        thread::scope(|scope| {
            for (number, sender) in senders.iter().enumerate() {
                let (address, token) = (service.address.clone(), &token);
                scope.spawn(move || {
                    let mut sender = sender.lock().expect("a sender");
                    sender.send(number, &address, token);
                });
            }
            // Not a wait for anything: the moment at which they are killed.
            thread::sleep(Duration::from_millis(20 + numbers.below(120) as u64));
            for mut consumer in consumers.into_iter().flatten() {
                consumer.kill().expect("killed");
                consumer.wait().expect("ended");
            }
            drop(service);
        });
    }
    let mut consumer = gannet.start(&["consume"]);
    until("all are persisted", || {
        let queues = gannet.json(&["messages", "queues", "--json"]);
        let queues = queues.as_array().expect("a list");
        queues.iter().all(|queue| queue["depth"] == 0)
    });
    consumer.kill().expect("killed");
    consumer.wait().expect("ended");
    let persisted = persisted(&gannet);
    let mut total = 0;
    for (number, sender) in senders.into_iter().enumerate() {
        let acknowledged = sender.into_inner().expect("a sender").acknowledged;
        let found = &persisted[&format!("q{number}")];
        // The last request may be there without its answer.
        let expected: Vec<_> = (0..found.len() as u64).collect();
        assert!(*found == expected, "q{number}: twice, lost or out of order");
        let more = found.len() as u64 - acknowledged;
        assert!(more == 0 || more == 2, "q{number}: {more}");
        total += acknowledged;
    }
    println!(
        "{ROUNDS} kills in {:.0} s, {total} messages acknowledged",
        begun.elapsed().as_secs_f64()
    );
    assert!(total > 1_000, "{total}");
    let check: String = sqlite::read(&gannet.data())
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .expect("a check");
    assert_eq!(check, "ok");
}
