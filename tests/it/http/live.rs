//! The live feed: every event once and in order, those of other processes too.

use std::fs;

use futures_util::StreamExt as _;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::rig::{Gannet, Service, soon};

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
