//! What the live feed costs: from a commit to 2,000 clients at once, bar 100 ms for 99 of 100, and the memory they take.
//!
//! `cargo bench --bench live` measures that against the real program, `-- measure PROGRAM` against another one. `-- follow
//! ADDRESS COUNT` keeps so many clients until its input ends; `tests/bench/live.sh` measures a pass beside them.

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use gannet::clock::{Clock as _, SystemClock};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep};

const CLIENTS: usize = 2_000;
/// The edits that are made by the API, and their pace.
const EDITS: usize = 200;
const EDIT_EVERY: Duration = Duration::from_millis(50);
/// The edits that are made by another process each.
const FOREIGN_EDITS: usize = 20;
/// The time between two looks at clients that only follow, and that without any event after which no more is expected.
const LOOK_EVERY: Duration = Duration::from_millis(20);
const QUIET: Duration = Duration::from_millis(500);

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let open_files = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let raised = rustix::process::Rlimit {
        current: open_files.maximum,
        ..open_files
    };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, raised).expect("open files");
    let runtime = Runtime::new().expect("a runtime");
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["follow", address, count] => {
            runtime.block_on(follow(address, count.parse().expect("a number")));
        }
        ["measure", program] => runtime.block_on(measure(program)),
        _ => runtime.block_on(measure(env!("CARGO_BIN_EXE_gannet"))),
    }
}

/// Keeps clients until the input has ended and nothing more comes, and prints the events and the bytes that each received.
///
/// They are as cheap as can be: one thread looks at all of them now and then, and at their frames at the end. They offer
/// compression, as browsers do.
async fn follow(address: &str, count: usize) {
    let mut clients = Vec::new();
    for _ in 0..count {
        let offers = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
        let stream = connect(address, offers).await.into_std();
        clients.push((stream.expect("a socket"), Vec::new()));
    }
    println!("{count} clients follow");
    let input = std::thread::spawn(|| std::io::stdin().read_to_end(&mut Vec::new()));
    let (mut piece, mut quiet_since) = (vec![0; 1 << 20], Instant::now());
    while !input.is_finished() || quiet_since.elapsed() < QUIET {
        if read_all(&mut clients, &mut piece) || !input.is_finished() {
            quiet_since = Instant::now();
        }
        std::thread::sleep(LOOK_EVERY);
    }
    let received = clients
        .iter()
        .map(|(_, bytes)| frames(bytes))
        .collect::<Vec<_>>();
    let (least, most) = (received.iter().min(), received.iter().max());
    assert!(most == least, "events were lost: {least:?} to {most:?}");
    let bytes = clients.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() / count;
    println!(
        "{} events in {bytes} bytes received by each client",
        received[0]
    );
}

/// Reads what is there, at most a piece of each client. Returns whether anything was there.
fn read_all(clients: &mut [(std::net::TcpStream, Vec<u8>)], piece: &mut [u8]) -> bool {
    let mut is_any = false;
    for (stream, bytes) in clients {
        match stream.read(piece) {
            Ok(0) => panic!("a client was closed"),
            Ok(read) => {
                bytes.extend_from_slice(&piece[..read]);
                is_any = true;
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}"),
        }
    }
    is_any
}

/// Opens a WebSocket of the feed (RFC 6455 §4.1).
async fn connect(address: &str, offers: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let head = format!(
        "GET /live HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{offers}\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("a request");
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.expect("an answer"));
    }
    assert!(answer.starts_with(b"HTTP/1.1 101"), "no WebSocket");
    stream
}

/// Measures the time from commits to all clients.
async fn measure(program: &str) {
    let folder = TempDir::new().expect("a folder");
    let gannet = |arguments: &[&str]| command(program, folder.path(), arguments);
    said_by(gannet(&["add", "https://example.org/a", "--name", "a"]));
    let token = said_by(gannet(&["token", "create", "bench", "--role", "operator"]));
    let (mut service, address) =
        serve(gannet(&["serve", "--no-worker", "--listen", "127.0.0.1:0"]));
    let before = memory(&service);
    let delays = Arc::new(Mutex::new(Vec::new()));
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let stream = connect(&address, "").await;
        clients.spawn(record_delays(stream, Arc::clone(&delays)));
    }
    println!(
        "{CLIENTS} clients: {before} MiB before they came, {} MiB with them",
        memory(&service)
    );
    edit_by_api(&address, token.trim()).await;
    report("by the API", EDITS, &delays).await;
    for round in 0..FOREIGN_EDITS {
        let edited = gannet(&["edit", "a", "--interval", ["8h", "9h"][round % 2]]);
        tokio::task::spawn_blocking(|| said_by(edited))
            .await
            .expect("an edit");
    }
    report("by another process", FOREIGN_EDITS, &delays).await;
    println!("{} MiB at the end", memory(&service));
    service.kill().expect("the service");
    service.wait().expect("the service");
}

/// Waits until every client has so many events, and prints how long they took from the commit.
async fn report(how: &str, events: usize, delays: &Mutex<Vec<f64>>) {
    let all = events * CLIENTS;
    let mut waits = 0;
    while delays.lock().expect("delays").len() < all && waits < 600 {
        waits += 1;
        sleep(Duration::from_millis(100)).await;
    }
    let mut delays = std::mem::take(&mut *delays.lock().expect("delays"));
    assert_eq!(delays.len(), all, "events were lost");
    delays.sort_by(f64::total_cmp);
    let share = |percent: usize| delays[(delays.len() - 1) * percent / 100];
    println!(
        "{events} commits {how}, from commit to client: p50 {:.0} ms, p99 {:.0} ms, max {:.0} ms",
        share(50),
        share(99),
        share(100)
    );
}

/// Edits a source again and again over one connection.
async fn edit_by_api(address: &str, token: &str) {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let mut pace = interval(EDIT_EVERY);
    for round in 0..EDITS {
        pace.tick().await;
        let body = format!("{{\"interval\": \"{}h\"}}", 6 + round % 2);
        let request = format!(
            "PATCH /api/v1/sources/1 HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream
            .write_all(request.as_bytes())
            .await
            .expect("a request");
        let mut answer = vec![0; 64 << 10];
        let read = stream.read(&mut answer).await.expect("an answer");
        assert!(
            answer[..read].starts_with(b"HTTP/1.1 200"),
            "an edit failed"
        );
    }
}

/// Records for each event of a client the milliseconds since it was committed.
async fn record_delays(mut stream: TcpStream, delays: Arc<Mutex<Vec<f64>>>) {
    let (mut kept, mut piece) = (Vec::new(), vec![0; 16 << 10]);
    while let Ok(read @ 1..) = stream.read(&mut piece).await {
        let now = SystemClock.now();
        kept.extend_from_slice(&piece[..read]);
        let mut came = Vec::new();
        while let Some(text) = next_text(&mut kept) {
            came.extend(committed_at(&text).map(|at| milliseconds(now, at)));
        }
        delays.lock().expect("delays").extend(came);
    }
}

fn milliseconds(now: DateTime<Utc>, at: DateTime<Utc>) -> f64 {
    (now - at).to_std().unwrap_or_default().as_secs_f64() * 1000.0
}

/// Takes the next frame of a server off the bytes, and returns its payload; `None` while it is not whole.
fn next_text(bytes: &mut Vec<u8>) -> Option<Vec<u8>> {
    let payload = next_frame(bytes)?.to_vec();
    let head = if payload.len() < 126 { 2 } else { 4 };
    bytes.drain(..head + payload.len());
    Some(payload)
}

/// Returns the number of whole frames.
fn frames(mut bytes: &[u8]) -> usize {
    let mut count = 0;
    while let Some(payload) = next_frame(bytes) {
        bytes = &bytes[payload.len() + if payload.len() < 126 { 2 } else { 4 }..];
        count += 1;
    }
    assert!(bytes.is_empty(), "half a frame");
    count
}

/// Returns the payload of the first frame of a server (RFC 6455 §5.2); `None` while it is not whole.
fn next_frame(bytes: &[u8]) -> Option<&[u8]> {
    let (head, length) = match *bytes.get(1)? {
        126 => (
            4,
            usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?])),
        ),
        length => (2, usize::from(length)),
    };
    assert!(length < 1 << 16, "a long frame");
    bytes.get(head..head + length)
}

/// Returns the time of an event.
fn committed_at(event: &[u8]) -> Option<DateTime<Utc>> {
    let text = std::str::from_utf8(event).ok()?;
    let (_, rest) = text.split_once("\"at\":\"")?;
    rest.split('"').next()?.parse().ok()
}

fn command(program: &str, folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command
        .arg("--data-dir")
        .arg(folder.join("data"))
        .args(arguments);
    for name in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"] {
        command.env(name, folder.join("home"));
    }
    command.stderr(Stdio::null());
    command
}

fn said_by(mut command: Command) -> String {
    let output = command.output().expect("gannet");
    assert!(output.status.success(), "{command:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// Starts the service, and returns it with its address.
fn serve(mut command: Command) -> (Child, String) {
    let mut child = command.stderr(Stdio::piped()).spawn().expect("gannet");
    let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
    let address = lines.find_map(|line| {
        let line = line.expect("a line");
        let (_, address) = line.split_once(" at http://")?;
        Some(address.trim_end_matches('/').to_owned())
    });
    // What else it says is read, so that it never waits.
    std::thread::spawn(move || lines.for_each(drop));
    (child, address.expect("an address"))
}

/// Returns the resident memory of a process in MiB.
fn memory(process: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id()));
    let status = status.expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kib.and_then(|kib| kib.parse::<u64>().ok()).expect("a size") / 1024
}
