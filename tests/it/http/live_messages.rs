//! Messages on the live feed, for clients that come back: none is missed, none comes twice, at whatever pace they read.

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::rig::{Gannet, Service, soon};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn follow(service: &Service, query: &str) -> Socket {
    let address = format!("ws://{}/live{query}", service.address);
    soon(connect_async(address)).await.expect("a WebSocket").0
}

/// Returns the next message.
async fn next(socket: &mut Socket) -> Value {
    loop {
        match soon(socket.next()).await {
            Some(Ok(Message::Text(text))) => {
                let mut sent: Value = serde_json::from_str(&text).expect("JSON");
                if sent["message"].is_object() {
                    return sent["message"].take();
                }
            }
            Some(Ok(Message::Ping(_))) => {}
            other => panic!("no message: {other:?}"),
        }
    }
}

/// A catalogue, and the token of a sender.
fn rig() -> (Gannet, String) {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/a", "--name", "a"]);
    gannet.ok(&["disable", "a"]);
    let token = gannet.ok(&["token", "create", "sensor", "--role", "ingest"]);
    (gannet, format!("Bearer {}", token.trim()))
}

/// Puts a message on a queue, and returns its id.
fn push(service: &Service, token: &str, queue: &str, body: &Value) -> String {
    let fields = [
        ("Authorization", token),
        ("Content-Type", "application/json"),
    ];
    let path = format!("/api/v1/messages?queue={queue}");
    let sent = service.ask("POST", &path, &fields, &body.to_string());
    assert_eq!(sent.status, 202, "{sent:?}");
    sent.json()["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn a_client_that_comes_back_gets_what_it_missed_at_its_own_pace() {
    let (gannet, token) = rig();
    let service = Service::start(&gannet, &[]);
    let anchor = push(&service, &token, "long", &json!("anchor"));
    let long = "x".repeat(100_000);
    let send = |numbers: std::ops::Range<u32>| {
        for number in numbers {
            push(&service, &token, "long", &json!([number, long]));
        }
    };
    // More than a client may lie behind, less than is kept in memory; then more than that.
    for (first, all) in [(0, 30), (30, 130)] {
        send(first..all);
        let mut socket = follow(&service, &format!("?queue=long&after_message={anchor}")).await;
        for number in 0..all {
            assert_eq!(next(&mut socket).await["body"][0], number);
        }
    }
}
