//! Readers of messages that read slowly, or nothing for a while: the service keeps a piece for each, not the rest.

use std::io::{BufReader, Read, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use rustix::net::sockopt::set_socket_recv_buffer_size;

use super::senders::{Sender, Target, persisted, rig};
use super::service::{follow_slowly, frame, memory_of};
use crate::rig::Service;

const MESSAGES: u64 = 100_000;
const READERS: usize = 40;

/// Asks for all messages over a connection that holds few bytes that are not read.
fn list_slowly(service: &Service) -> TcpStream {
    let mut stream = service.connect();
    set_socket_recv_buffer_size(&stream, 64 << 10).expect("a small buffer");
    let head = format!(
        "GET /api/v1/messages HTTP/1.1\r\nHost: {}\r\nAccept: application/x-ndjson\r\nConnection: close\r\n\r\n",
        service.address
    );
    stream.write_all(head.as_bytes()).expect("a request");
    stream
}

#[test]
fn slow_readers_of_a_hundred_thousand_messages_take_little_memory() {
    let (gannet, token) = rig();
    let service = Service::start(&gannet, &[]);
    let idle = memory_of(&service.child, "VmHWM:");
    let target = Target {
        address: &service.address,
        token: &token,
    };
    let mut sender = Sender::new(0, 1_000, 200);
    let sent = sender.send(target, |one| one.acknowledged() >= MESSAGES);
    sent.expect("acknowledged");
    let persisted = persisted(&gannet);
    sender.check(&persisted);
    let first = service.get("/api/v1/messages?limit=1").json();
    let first = first["messages"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();

    let mut lists: Vec<_> = (0..READERS).map(|_| list_slowly(&service)).collect();
    let query = format!("?after_message={first}");
    let mut follows: Vec<_> = (0..READERS)
        .map(|_| follow_slowly(&service, &query))
        .collect();
    // Not a wait for anything: the time for which they read nothing.
    thread::sleep(Duration::from_secs(2));
    let mut list = lists.pop().expect("a reader");
    let mut whole = Vec::new();
    list.read_to_end(&mut whole).expect("an answer");
    let lines = whole.split(|byte| *byte == b'\n');
    let messages = lines.filter(|line| line.starts_with(b"{")).count();
    assert_eq!(messages as u64, MESSAGES);
    let mut reader = BufReader::new(follows.pop().expect("a reader"));
    for number in 1..MESSAGES {
        let (_, text) = frame(&mut reader);
        let message: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
        assert_eq!(message["message"]["body"][0], number);
    }
    let taken = memory_of(&service.child, "VmHWM:") - idle;
    println!("{} MiB more for {} readers", taken >> 20, 2 * READERS);
    assert!(taken <= 64 << 20, "{} MiB more", taken >> 20);
}
