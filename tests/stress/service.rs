//! The service under load that no friend makes: killed at any moment, thousands of connections that say nothing, clients
//! that send or read too slowly, bodies without end. It keeps what it acknowledged, and goes on answering others.

use std::collections::HashSet;
use std::io::{self, ErrorKind, Read, Write as _};
use std::net::TcpStream;
use std::process::Child;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use rustix::net::sockopt::set_socket_recv_buffer_size;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::rig::{Gannet, Home, Numbers, Service, noise, sqlite, until};

/// The most connections that the service holds at once.
const MAX_CONNECTIONS: usize = 10_000;
/// The files that the test itself opens besides.
const OTHER_FILES: usize = 200;

fn operator(gannet: &Gannet) -> String {
    let token = gannet.ok(&["token", "create", "stress", "--role", "operator"]);
    token.trim().to_owned()
}

/// Sends the rest of a request and returns the status of the answer; `None` when the connection ended before.
pub(crate) fn status(stream: &mut TcpStream, request: &[u8]) -> Option<u16> {
    let (head, _) = exchange(stream, request).ok()?;
    head.split(' ').nth(1)?.parse().ok()
}

/// Sends the rest of a request and returns the head and the body of the answer. The whole answer counts as one: half of it
/// acknowledges nothing.
pub(crate) fn exchange(stream: &mut TcpStream, request: &[u8]) -> io::Result<(String, Vec<u8>)> {
    stream.write_all(request)?;
    let mut answer = Vec::new();
    let mut piece = [0; 64 << 10];
    let mut end = None;
    loop {
        if end.is_none() {
            end = answer.windows(4).position(|four| four == b"\r\n\r\n");
        }
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&answer[..end]).into_owned();
            let length = head.lines().find_map(|line| {
                let line = line.to_ascii_lowercase();
                line.strip_prefix("content-length: ")?.parse::<usize>().ok()
            });
            if answer.len() - end - 4 >= length.unwrap_or_default() {
                return Ok((head, answer.split_off(end + 4)));
            }
        }
        match stream.read(&mut piece)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            read => answer.extend_from_slice(&piece[..read]),
        }
    }
}

/// The writes that are tried: each is sent with a name of its own, which the store has to know after the service said
/// that the write is done.
#[derive(Clone, Copy, Debug)]
enum Write {
    /// Adds a source of the name.
    Add,
    /// Records a verdict with the name as its detail.
    Judge,
    /// Gives a source of the writer's the name as a tag.
    Edit,
}

impl Write {
    const ALL: [Self; 3] = [Self::Add, Self::Judge, Self::Edit];

    fn request(self, address: &str, token: &str, name: &str) -> String {
        let (target, body) = match self {
            Self::Add => (
                "POST /api/v1/sources",
                format!("{{\"address\": \"https://example.org/{name}\", \"name\": \"{name}\"}}"),
            ),
            Self::Judge => (
                "POST /api/v1/versions/1/verdicts",
                format!(
                    "{{\"verifier\": \"legal\", \"outcome\": \"passed\", \"detail\": \"{name}\"}}"
                ),
            ),
            Self::Edit => (
                "PATCH /api/v1/sources/edited",
                format!("{{\"tags\": [\"{name}\"]}}"),
            ),
        };
        let length = body.len();
        format!(
            "{target} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )
    }
}

/// Writes over one connection until it breaks, and notes the names of the writes that were acknowledged.
fn write_until_killed(
    what: Write,
    address: &str,
    token: &str,
    begin: &str,
    acknowledged: &Mutex<Vec<String>>,
) {
    let Ok(mut stream) = TcpStream::connect(address) else {
        return;
    };
    for number in 0.. {
        let name = format!("{begin}-{number}");
        let request = what.request(address, token, &name);
        match status(&mut stream, request.as_bytes()) {
            Some(200 | 201) => acknowledged.lock().expect("names").push(name),
            Some(other) => panic!("{what:?} {name}: {other}"),
            None => return,
        }
    }
}

#[test]
fn killed_a_hundred_times_the_service_keeps_every_write_that_it_acknowledged() {
    const ROUNDS: u64 = 100;
    let gannet =
        Home::new("[[verifier]]\nname = \"legal\"\nsources = [\"judged\"]\nexternal = true\n")
            .with_source("judged", ["one"])
            .with_source("edited", ["one"])
            .fetched(&["judged"]);
    let token = operator(&gannet);
    let acknowledged = Write::ALL.map(|what| (what, Mutex::new(Vec::new())));
    let mut numbers = Numbers(7);
    let begun = Instant::now();
    for round in 0..ROUNDS {
        // Half of the rounds have a worker, whose passes are killed as well.
        let flags: &[&str] = if round % 2 == 0 {
            &["--no-worker"]
        } else {
            &[]
        };
        let service = Service::start(&gannet, flags);
        let address = service.address.clone();
        assert_eq!(service.get("/readyz").status, 200, "round {round}");
        thread::scope(|scope| {
            for (what, acknowledged) in &acknowledged {
                let (address, token) = (&address, &token);
                let begin = format!("r{round}");
                scope
                    .spawn(move || write_until_killed(*what, address, token, &begin, acknowledged));
            }
            // Not a wait for anything: the moment at which the service is killed.
            thread::sleep(Duration::from_millis(20 + numbers.below(150) as u64));
            drop(service);
        });
    }
    let acknowledged = acknowledged.map(|(_, names)| names.into_inner().expect("names"));
    let counts = acknowledged.each_ref().map(Vec::len);
    println!(
        "{ROUNDS} kills in {:.0} s, acknowledged {counts:?}",
        begun.elapsed().as_secs_f64(),
    );
    assert!(counts.iter().all(|count| *count > 100), "{counts:?}");
    let known = [
        gannet.ok(&["list", "--csv"]),
        gannet.ok(&["verdicts", "--limit", "0", "--csv"]),
        // Each edit is an event that says what changed.
        gannet.ok(&["log", "--source", "edited", "--limit", "0", "--csv"]),
    ];
    for (names, known) in acknowledged.iter().zip(&known) {
        let words: HashSet<_> = known
            .split(|letter: char| !letter.is_alphanumeric() && letter != '-')
            .collect();
        let lost: Vec<_> = names
            .iter()
            .filter(|name| !words.contains(name.as_str()))
            .collect();
        assert!(lost.is_empty(), "lost: {lost:?}");
    }
    let check: String = sqlite::read(&gannet.data())
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .expect("a check");
    assert_eq!(check, "ok");
}

/// Lets this process open as many files as the system allows it, and returns their number.
fn raise_open_files() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let current = limit.maximum;
    setrlimit(Resource::Nofile, Rlimit { current, ..limit }).expect("a limit");
    current.map_or(usize::MAX, |most| {
        usize::try_from(most).unwrap_or(usize::MAX)
    })
}

/// Reads until the other side ends the connection, and returns what came.
fn rest_of(stream: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
    rest
}

#[test]
fn thousands_of_idle_connections_leave_the_service_answering() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/a", "--name", "a"]);
    let allowed = raise_open_files().saturating_sub(OTHER_FILES);
    let service = Service::start(&gannet, &["--no-worker"]);
    let before = memory_bytes(&service);
    if allowed < MAX_CONNECTIONS {
        println!("left out: the system allows {allowed} of {MAX_CONNECTIONS} connections");
    }
    let some = allowed.min(MAX_CONNECTIONS) - 100;
    let mut idle: Vec<_> = (0..some).map(|_| service.connect()).collect();
    assert_eq!(service.get("/api/v1/sources").status, 200);
    let taken = memory_bytes(&service).saturating_sub(before);
    println!("{some} idle connections take {} MiB", taken >> 20);
    assert!(
        taken / (some as u64) < 64 << 10,
        "{taken} bytes for {some} connections"
    );
    if allowed >= MAX_CONNECTIONS + 100 {
        // One beyond the limit is closed at once.
        idle.extend((0..100).map(|_| service.connect()));
        let mut one_more = service.connect();
        assert_eq!(rest_of(&mut one_more), b"");
    }
    // Whoever sends no head in time is closed: the service answers again while they still hold their ends.
    for stream in &mut idle {
        rest_of(stream);
    }
    assert_eq!(service.get("/api/v1/sources").status, 200);
}

#[test]
fn slow_senders_slow_readers_and_endless_bodies_are_cut_off() {
    const HALF_SENT: usize = 50;
    let home = Home::new("");
    home.origin.on("/large.bin", [noise(1, 32 << 20)]);
    home.add("large.bin", &[]);
    home.run(&["fetch", "large.bin"]);
    let token = operator(&home.gannet);
    let service = Service::start(&home.gannet, &["--no-worker"]);
    let before = memory_bytes(&service);
    let address = &service.address;

    let mut half_sent: Vec<_> = (0..HALF_SENT).map(|_| service.connect()).collect();
    for stream in &mut half_sent {
        let half = format!("GET /api/v1/sources HTTP/1.1\r\nHost: {address}\r\nX-Hal");
        stream.write_all(half.as_bytes()).expect("half a head");
    }
    let mut slow_readers: Vec<_> = (0..8).map(|_| service.connect()).collect();
    for stream in &mut slow_readers {
        let whole = format!("GET /api/v1/versions/1/content HTTP/1.1\r\nHost: {address}\r\n\r\n");
        stream.write_all(whole.as_bytes()).expect("a request");
    }
    refuse_large_bodies(&service, &token);
    assert_eq!(service.get("/api/v1/sources").status, 200);

    for stream in &mut half_sent {
        let answer = rest_of(stream);
        assert!(
            !answer.starts_with(b"HTTP/1.1 200"),
            "half a head was answered"
        );
    }
    // The connection of a reader that takes nothing is cut off: what lies in its buffers is not the whole.
    until("slow readers are cut off", || {
        assert_eq!(service.get("/healthz").status, 200);
        open_connections(address) == 0
    });
    for stream in &mut slow_readers {
        assert!(
            rest_of(stream).len() < 32 << 20,
            "the whole was sent to nobody"
        );
    }
    let taken = memory_bytes(&service).saturating_sub(before);
    println!("{} MiB taken meanwhile", taken >> 20);
    assert!(taken < 256 << 20, "{taken} bytes");
}

/// Returns the bytes of memory that a service holds.
fn memory_bytes(service: &Service) -> u64 {
    memory_of(&service.child, "VmRSS:")
}

/// Returns a number of bytes that the system counts for a process.
pub(crate) fn memory_of(child: &Child, what: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
    let status = status.expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix(what));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kib.and_then(|kib| kib.parse::<u64>().ok()).expect("a size") << 10
}

/// Returns the number of connections that a service on this address has open at its end.
fn open_connections(address: &str) -> usize {
    let (_, port) = address.rsplit_once(':').expect("a port");
    let port = format!(":{:04X}", port.parse::<u16>().expect("a port"));
    let table = std::fs::read_to_string("/proc/net/tcp").expect("the connections");
    let is_open = |line: &&str| {
        let mut columns = line.split_whitespace().skip(1);
        let local = columns.next().unwrap_or_default();
        // 01: established.
        local.ends_with(&port) && columns.nth(1) == Some("01")
    };
    table.lines().filter(is_open).count()
}

/// Sends bodies of a gigabyte, with their length and without: refused without being read.
fn refuse_large_bodies(service: &Service, token: &str) {
    let address = &service.address;
    let fields = format!(
        "Host: {address}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    );
    for key in ["", "Idempotency-Key: one\r\n"] {
        let mut stream = service.connect();
        let head = format!(
            "POST /api/v1/sources HTTP/1.1\r\n{fields}{key}Content-Length: 1073741824\r\n\r\n"
        );
        assert_eq!(status(&mut stream, head.as_bytes()), Some(413), "{key}");
    }
    let mut stream = service.connect();
    let head =
        format!("POST /api/v1/sources HTTP/1.1\r\n{fields}Transfer-Encoding: chunked\r\n\r\n");
    stream.write_all(head.as_bytes()).expect("a head");
    let chunk = [&b"10000\r\n"[..], &[b' '; 1 << 16], b"\r\n"].concat();
    let sent = (0..16_384)
        .take_while(|_| stream.write_all(&chunk).is_ok())
        .count();
    assert!(sent < 16_000, "a body without end was read: {sent} chunks");
}

/// Follows the feed over a connection that holds few bytes that are not read.
pub(crate) fn follow_slowly(service: &Service, query: &str) -> TcpStream {
    let mut stream = service.connect();
    set_socket_recv_buffer_size(&stream, 128 << 10).expect("a small buffer");
    let head = format!(
        "GET /live{query} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        service.address
    );
    stream.write_all(head.as_bytes()).expect("a request");
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("an answer");
        answer.push(byte[0]);
    }
    assert!(
        answer.starts_with(b"HTTP/1.1 101 "),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    stream
}

/// Reads a frame of the server (RFC 6455 §5.2), and returns its kind and what it holds.
pub(crate) fn frame(stream: &mut impl Read) -> (u8, Vec<u8>) {
    let mut take = |count: usize| {
        let mut bytes = vec![0; count];
        stream.read_exact(&mut bytes).expect("a frame");
        bytes
    };
    let head = take(2);
    let length = match head[1] {
        126 => {
            let length = take(2);
            usize::from(u16::from_be_bytes([length[0], length[1]]))
        }
        short => usize::from(short),
    };
    (head[0] & 0x0f, take(length))
}

#[test]
fn a_client_of_the_feed_that_is_too_slow_is_closed_and_goes_on_where_it_was() {
    const TEXT: u8 = 1;
    const CLOSE: u8 = 8;
    let gannet = Gannet::new();
    let sources = (0..4_000).map(|number| {
        format!("[[source]]\naddress = \"https://example.org/{number}\"\nname = \"s{number}\"\n")
    });
    let file = gannet.path("sources.toml");
    std::fs::write(&file, sources.collect::<String>()).expect("a file");
    gannet.ok(&["apply", &file.display().to_string()]);
    let service = Service::start(&gannet, &["--no-worker"]);
    let mut slow = follow_slowly(&service, "");
    // Events of 2 KiB: more than the sockets hold, and less than the service keeps.
    let tags: Vec<_> = (0..24)
        .map(|number| format!("{number}-{}", "x".repeat(60)))
        .collect();
    let tags = tags.iter().flat_map(|tag| ["--tag", tag]);
    gannet.ok(&[&["edit", "*"][..], &tags.collect::<Vec<_>>()].concat());
    // Not a wait for anything: the time for which the client reads nothing.
    thread::sleep(Duration::from_secs(3));
    let mut reader = std::io::BufReader::new(&mut slow);
    let mut last = 0;
    let code = loop {
        match frame(&mut reader) {
            (TEXT, event) => {
                let event: serde_json::Value = serde_json::from_slice(&event).expect("JSON");
                last = event["id"].as_i64().expect("an id");
            }
            (CLOSE, reason) => break u16::from_be_bytes([reason[0], reason[1]]),
            _ => {}
        }
    };
    assert_eq!(code, 1013);
    let newest = service.get("/api/v1/events?limit=1").json()["events"][0]["id"].clone();
    let newest = newest.as_i64().expect("an id");
    assert!(last < newest, "{last} of {newest} came before the end");
    let mut again = follow_slowly(&service, &format!("?after={last}"));
    let mut reader = std::io::BufReader::new(&mut again);
    for id in last + 1..=newest {
        let (kind, event) = frame(&mut reader);
        let event: serde_json::Value = serde_json::from_slice(&event).expect("JSON");
        assert_eq!((kind, event["id"].as_i64()), (TEXT, Some(id)));
    }
}
