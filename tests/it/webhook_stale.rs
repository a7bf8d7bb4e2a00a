//! Webhooks over a connection that was kept and that its server closes: sent once more where nothing of an answer came, and
//! never otherwise.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gannet::config::{FetchConfig, Secrets};
use gannet::domain::Content;
use gannet::net::Webhooks;

use crate::webhook::{SECRET, memory, request};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// What a connection answers, request by request; it is closed behind the last one.
type Script = &'static [&'static [u8]];

/// Answers by scripts, the n-th connection by the n-th, and writes down the id of each message.
fn serve(scripts: &'static [Script]) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/hook", listener.local_addr().expect("a socket"));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let ids = Arc::clone(&seen);
    std::thread::spawn(move || {
        for script in scripts {
            let (stream, _) = listener.accept().expect("a connection");
            // Ends with the connection.
            let _ = answer(stream, script, &ids);
        }
    });
    (url, seen)
}

fn answer(mut stream: TcpStream, script: Script, ids: &Mutex<Vec<String>>) -> std::io::Result<()> {
    for answer in script {
        let id = read_request(&mut stream)?;
        ids.lock().expect("unpoisoned").push(id);
        stream.write_all(answer)?;
    }
    stream.shutdown(Shutdown::Both)
}

/// Reads a request with its body, and returns the id of its message, or its method.
fn read_request(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.extend(byte);
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let field = |name: &str| {
        let line = head.lines().find_map(|line| line.strip_prefix(name));
        line.map(|value| value.trim().to_owned())
    };
    let length = field("content-length:").map_or(0, |length| length.parse().expect("a length"));
    stream.read_exact(&mut vec![0; length])?;
    Ok(field("webhook-id:").unwrap_or_else(|| "get".to_owned()))
}

/// What it is about, the scripts, what becomes of the second message, and how many requests were seen by then.
type Case = (
    &'static str,
    &'static [Script],
    Result<u16, &'static str>,
    usize,
);

#[derive(Clone, Copy, Debug)]
enum How {
    Verdict,
    Delivery,
    Heartbeat,
}

async fn send(webhooks: &Webhooks, url: &str, how: How, body: &Content) -> Result<u16, String> {
    let mut message = request(url, body);
    message.secret = Some(SECRET);
    let answer = match how {
        How::Verdict => webhooks.post(message).await,
        How::Delivery => webhooks.deliver(message).await,
        How::Heartbeat => webhooks.get(url, Duration::from_secs(30)).await,
    };
    let answer = answer.map_err(|error| error.to_string())?;
    Ok(answer.status)
}

#[tokio::test]
async fn what_crosses_with_a_farewell_is_sent_once_more() {
    let closed = "closed the connection before it answered";
    let cases: [Case; 6] = [
        ("closed while it was kept", &[&[OK, b""], &[OK]], Ok(200), 3),
        (
            "the next one closes, too",
            &[&[OK, b""], &[b""]],
            Err(closed),
            3,
        ),
        (
            "the next one is kept, and refuses",
            &[
                &[OK, b""],
                &[b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"],
            ],
            Ok(503),
            3,
        ),
        (
            "half an answer is one",
            &[&[OK, b"HTTP/1.1 20"], &[OK]],
            Err(closed),
            2,
        ),
        (
            "an unreadable answer is one",
            &[&[OK, b"HTTZ/1.1 200 OK\r\n\r\n"], &[OK]],
            Err("is malformed"),
            2,
        ),
        (
            "a new one that closes is asked once",
            &[&[b""], &[b""]],
            Err(closed),
            2,
        ),
    ];
    for how in [How::Verdict, How::Delivery, How::Heartbeat] {
        for (what, scripts, expected, requests) in &cases {
            let (url, seen) = serve(scripts);
            let webhooks = Webhooks::new(&FetchConfig::default(), Secrets::default());
            let webhooks = webhooks.expect("a client");
            let body = memory("a message");
            let first = send(&webhooks, &url, how, &body).await;
            // Kept from here on, unless the first one was to fail.
            let is_kept = scripts[0].len() > 1;
            assert_eq!(first.is_ok(), is_kept, "{how:?} {what}: {first:?}");
            let second = send(&webhooks, &url, how, &body).await;
            match expected {
                Ok(status) => assert_eq!(second, Ok(*status), "{how:?} {what}"),
                Err(words) => {
                    let error = second.expect_err(what);
                    assert!(error.contains(words), "{how:?} {what}: {error}");
                }
            }
            let seen = seen.lock().expect("unpoisoned").clone();
            assert_eq!(seen.len(), *requests, "{how:?} {what}");
            assert!(seen.iter().all(|id| *id == seen[0]), "{seen:?}");
        }
    }
}
