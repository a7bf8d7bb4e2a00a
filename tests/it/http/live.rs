//! The live feed: every event once and in order, those of other processes too.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net;
use std::time::Duration;

use flate2::{Decompress, FlushDecompress};
use futures_util::StreamExt as _;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::rig::{Gannet, PASSWORD, Service, soon};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn follow(service: &Service, query: &str) -> Socket {
    let address = format!("ws://{}/live{query}", service.address);
    let (socket, _) = soon(connect_async(address)).await.expect("a WebSocket");
    socket
}

/// Returns the next event.
async fn next(socket: &mut Socket) -> Value {
    loop {
        match soon(socket.next()).await {
            Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).expect("JSON"),
            Some(Ok(Message::Ping(_))) => {}
            other => panic!("no event: {other:?}"),
        }
    }
}

fn add(gannet: &Gannet, name: &str) {
    gannet.ok(&[
        "add",
        &format!("https://example.org/{name}"),
        "--name",
        name,
    ]);
}

#[tokio::test]
async fn events_come_once_and_in_order_from_where_a_client_was() {
    let gannet = Gannet::new();
    for name in ["a", "b", "c"] {
        add(&gannet, name);
    }
    let service = Service::start(&gannet, &["--no-worker"]);
    let log: Vec<Value> = gannet
        .ok(&["log", "--json"])
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let (mut all, mut some, mut new) = (
        follow(&service, "?after=0").await,
        follow(&service, &format!("?after={}", log[1]["id"])).await,
        follow(&service, "").await,
    );
    let mut filtered = follow(&service, "?after=0&filter=source:c+action:source.*").await;
    for event in &log {
        assert_eq!(next(&mut all).await, *event);
    }
    for event in &log[2..] {
        assert_eq!(next(&mut some).await, *event);
    }
    assert_eq!(next(&mut filtered).await["source"], "c");
    // By another process.
    add(&gannet, "d");
    for socket in [&mut all, &mut some, &mut new] {
        let event = next(socket).await;
        assert_eq!(
            (&event["action"], &event["source"]),
            (&"source.added".into(), &"d".into())
        );
    }
    let (code, said) = service.end();
    assert_eq!(code, Some(0), "{said}");
    for mut socket in [all, new] {
        match soon(socket.next()).await {
            Some(Ok(Message::Close(Some(frame)))) => assert_eq!(u16::from(frame.code), 1001),
            other => panic!("no close: {other:?}"),
        }
    }
}

/// What a client missed is not what it is slow with: megabytes are sent at its own pace.
/// Follows with an offer to take compressed messages, and returns the connection, behind the agreement.
fn follow_compressed(service: &Service, query: &str) -> net::TcpStream {
    let mut stream = net::TcpStream::connect(&service.address).expect("a connection");
    stream
        .set_read_timeout(Some(Duration::from_mins(1)))
        .expect("a time-out");
    write!(
        stream,
        "GET /live{query} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n",
        service.address
    )
    .expect("a request");
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("an answer");
        answer.extend(byte);
    }
    let answer = String::from_utf8(answer).expect("a head").to_lowercase();
    let agreed = "sec-websocket-extensions: permessage-deflate; client_no_context_takeover\r\n";
    assert!(answer.contains(agreed), "{answer}");
    stream
}

/// Returns the next event of a client that takes compressed messages, and whether it was compressed.
fn next_inflated(stream: &mut net::TcpStream, inflate: &mut Decompress) -> (Value, bool) {
    let mut head = [0; 2];
    stream.read_exact(&mut head).expect("a frame");
    let mut length = usize::from(head[1]);
    if length == 126 {
        let mut bytes = [0; 2];
        stream.read_exact(&mut bytes).expect("a length");
        length = usize::from(u16::from_be_bytes(bytes));
    }
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload).expect("a payload");
    let is_compressed = head[0] == 0xc1;
    if is_compressed {
        payload.extend([0, 0, 0xff, 0xff]);
        let mut text = Vec::with_capacity(1 << 16);
        inflate
            .decompress_vec(&payload, &mut text, FlushDecompress::Sync)
            .expect("a deflated text");
        payload = text;
    }
    (
        serde_json::from_slice(&payload).expect("JSON"),
        is_compressed,
    )
}

#[test]
fn a_client_that_offers_compression_gets_many_events_compressed_and_may_send_so() {
    let gannet = Gannet::new();
    for number in 0..30 {
        add(&gannet, &format!("s{number}"));
    }
    let service = Service::start(&gannet, &["--no-worker"]);
    let (mut stream, mut inflate) = (
        follow_compressed(&service, "?after=0"),
        Decompress::new(false),
    );
    let log = gannet.ok(&["log", "--json"]);
    for line in log.lines() {
        let (event, is_compressed) = next_inflated(&mut stream, &mut inflate);
        let logged: Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(
            (event["id"].clone(), is_compressed),
            (logged["id"].clone(), true)
        );
    }
    // "hi", compressed, as a client without context has it, then a ping.
    stream
        .write_all(&[0xc1, 0x84, 0, 0, 0, 0, 0xca, 0xc8, 0x04, 0x00])
        .expect("a text");
    stream
        .write_all(&[0x89, 0x81, 0, 0, 0, 0, b'p'])
        .expect("a ping");
    let mut pong = [0; 3];
    stream.read_exact(&mut pong).expect("a pong");
    assert_eq!(pong, [0x8a, 1, b'p']);
    add(&gannet, "one");
    let (event, is_compressed) = next_inflated(&mut stream, &mut inflate);
    assert_eq!(
        (event["source"].as_str(), is_compressed),
        (Some("one"), false)
    );
}

#[tokio::test]
async fn a_client_catches_up_with_more_than_its_queue_holds() {
    let gannet = Gannet::new();
    add(&gannet, "a");
    let service = Service::start(&gannet, &["--no-worker"]);
    let mut before = follow(&service, "").await;
    let long = "x".repeat(180);
    let sources: Vec<_> = (0..4_000)
        .map(|number| {
            format!("[[source]]\naddress = \"https://example.org/{number}\"\nname = \"{number}-{long}\"\n")
        })
        .collect();
    let file = gannet.path("sources.toml");
    fs::write(&file, sources.concat()).expect("a file");
    gannet.ok(&["apply", &file.display().to_string()]);
    let missed = service.get("/api/v1/events?limit=500").json();
    let size = missed.to_string().len() / 500 * 4_000;
    assert!(size > 1 << 20, "{size} bytes are within the queue");
    // One that followed all the time, one that comes back, and one that begins with the history.
    let first = next(&mut before).await;
    let id = first["id"].as_i64().expect("an id");
    let mut resumed = follow(&service, &format!("?after={id}")).await;
    let mut whole = follow(&service, "?after=0").await;
    while next(&mut whole).await["id"] != id {}
    for number in 1..4_000 {
        for socket in [&mut before, &mut resumed, &mut whole] {
            assert_eq!(next(socket).await["id"], id + number);
        }
    }
}

#[tokio::test]
async fn strangers_and_other_sites_are_refused() {
    let gannet = Gannet::new();
    add(&gannet, "a");
    let service = Service::start(&gannet, &["--no-worker"]);
    for (query, origin, status) in [
        ("", "https://evil.example", 403),
        ("", "null", 403),
        ("?filter=state:down", "", 400),
        ("?aftr=1", "", 400),
        ("?after=x", "", 400),
    ] {
        let mut request = format!("ws://{}/live{query}", service.address)
            .into_client_request()
            .expect("a request");
        if !origin.is_empty() {
            request
                .headers_mut()
                .insert("origin", origin.parse().expect("a value"));
        }
        match soon(connect_async(request)).await {
            Err(Error::Http(response)) => {
                assert_eq!(response.status().as_u16(), status, "{query} {origin}");
            }
            other => panic!("{query} {origin}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_feed_ends_with_the_right_to_read() {
    let gannet = Gannet::new();
    gannet.configure("[http]\nread = \"users\"\n");
    add(&gannet, "a");
    let token = gannet.ok(&["token", "create", "reader", "--role", "viewer"]);
    let service = Service::start(&gannet, &["--no-worker"]);
    let address = format!("ws://{}/live", service.address);
    let mut request = address.into_client_request().expect("a request");
    let authorization = format!("Bearer {}", token.trim());
    request
        .headers_mut()
        .insert("authorization", authorization.parse().expect("a value"));
    let (mut socket, _) = soon(connect_async(request)).await.expect("a WebSocket");
    add(&gannet, "b");
    assert_eq!(next(&mut socket).await["source"], "b");
    gannet.ok(&["token", "revoke", "reader"]);
    add(&gannet, "c");
    match soon(socket.next()).await {
        Some(Ok(Message::Close(Some(frame)))) => assert_eq!(u16::from(frame.code), 1008),
        other => panic!("no close: {other:?}"),
    }
}

#[tokio::test]
async fn a_feed_ends_with_the_session_in_which_it_was_opened() {
    let gannet = Gannet::new();
    gannet.configure("[http]\nread = \"users\"\n");
    add(&gannet, "first");
    gannet.add_person("anna", "viewer");
    let service = Service::start(&gannet, &["--no-worker"]);
    let cookies = [(); 2].map(|()| service.sign_in("anna", PASSWORD).cookie());
    let mut sockets = Vec::new();
    for cookie in &cookies {
        let address = format!("ws://{}/live", service.address);
        let mut request = address.into_client_request().expect("a request");
        let headers = request.headers_mut();
        headers.insert("cookie", cookie.parse().expect("a value"));
        let connected = soon(connect_async(request)).await;
        sockets.push(connected.expect("a WebSocket").0);
    }
    let fields = [
        ("Cookie", cookies[0].as_str()),
        ("Sec-Fetch-Site", "same-origin"),
    ];
    assert_eq!(service.ask("POST", "/sign-out", &fields, "").status, 303);
    match soon(sockets[0].next()).await {
        Some(Ok(Message::Close(Some(frame)))) => assert_eq!(u16::from(frame.code), 1008),
        other => panic!("no close: {other:?}"),
    }
    add(&gannet, "a");
    assert_eq!(next(&mut sockets[1]).await["source"], "a");
}

#[tokio::test]
async fn the_farewell_of_a_client_is_answered() {
    let gannet = Gannet::new();
    add(&gannet, "a");
    let service = Service::start(&gannet, &["--no-worker"]);
    let mut socket = follow(&service, "").await;
    let frame = CloseFrame {
        code: CloseCode::Normal,
        reason: "done".into(),
    };
    socket.close(Some(frame)).await.expect("sent");
    match soon(socket.next()).await {
        Some(Ok(Message::Close(Some(frame)))) => assert_eq!(frame.code, CloseCode::Normal),
        other => panic!("no answer: {other:?}"),
    }
    // The connection ends in order, not with an error.
    let end = soon(socket.next()).await;
    assert!(end.is_none(), "{end:?}");
}

#[tokio::test]
async fn a_number_that_no_event_has_is_said_to_be_none() {
    let gannet = Gannet::new();
    add(&gannet, "a");
    let service = Service::start(&gannet, &["--no-worker"]);
    let log = gannet.ok(&["log", "--json"]);
    let last: Value = serde_json::from_str(log.lines().last().expect("an event")).expect("JSON");
    let last = last["id"].as_i64().expect("an id");
    let mut beyond = follow(&service, &format!("?after={}", last + 1)).await;
    match soon(beyond.next()).await {
        Some(Ok(Message::Close(Some(frame)))) => assert_eq!(u16::from(frame.code), 4404),
        other => panic!("no close: {other:?}"),
    }
    let mut at_the_end = follow(&service, &format!("?after={last}")).await;
    add(&gannet, "b");
    assert_eq!(next(&mut at_the_end).await["source"], "b");
}

/// Follows by hand, sends these bytes, and returns what the service sends after its handshake until it ends the connection.
fn answer_to(service: &Service, key: &str, frame: &[u8]) -> Vec<u8> {
    let mut connection = service.open();
    let head = format!(
        "GET /live HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n",
        service.address
    );
    connection.write_all(head.as_bytes()).expect("a request");
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") {
        connection.read_exact(&mut byte).expect("a head");
        answer.push(byte[0]);
    }
    if !answer.starts_with(b"HTTP/1.1 101 ") {
        return answer;
    }
    connection.write_all(frame).expect("a frame");
    let mut rest = Vec::new();
    connection.read_to_end(&mut rest).expect("an end in order");
    rest
}

/// 16 bytes in base64.
const KEY: &str = "AAECAwQFBgcICQoLDA0ODw==";

#[test]
fn a_client_that_breaks_the_protocol_is_told_how() {
    let gannet = Gannet::new();
    add(&gannet, "a");
    let service = Service::start(&gannet, &["--no-worker"]);
    for (what, frame, code) in [
        ("no mask", &[0x81, 1, b'a'][..], 1002),
        ("a reserved bit", &[0xf1, 0x80, 0, 0, 0, 0], 1002),
        ("an unknown opcode", &[0x83, 0x80, 0, 0, 0, 0], 1002),
        ("a fragment of a ping", &[0x09, 0x80, 0, 0, 0, 0], 1002),
        ("a farewell of one byte", &[0x88, 0x81, 0, 0, 0, 0, 3], 1002),
        ("bytes", &[0x82, 0x81, 0, 0, 0, 0, 7], 1003),
        ("no UTF-8", &[0x81, 0x81, 0, 0, 0, 0, 0xff], 1007),
        (
            "a long message",
            &[0x81, 0xfe, 0x7f, 0xff, 0, 0, 0, 0],
            1009,
        ),
    ] {
        let answer = answer_to(&service, KEY, frame);
        let [0x88, _, high, low, ..] = answer[..] else {
            panic!("{what}: {answer:?}");
        };
        assert_eq!(u16::from_be_bytes([high, low]), code, "{what}");
    }
    for key in [
        "",
        "a",
        "AAECAw==",
        "AAECAwQFBgcICQoLDA0O",
        "not base64 at all!!!!!==",
    ] {
        let answer = answer_to(&service, key, &[]);
        assert!(answer.starts_with(b"HTTP/1.1 400 "), "{key}: {answer:?}");
    }
}
