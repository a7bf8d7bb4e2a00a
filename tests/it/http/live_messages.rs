//! Messages on the live feed, for clients that come back: none is missed, none comes twice, at whatever pace they read.

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::rig::{Gannet, Service, soon, until};

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

/// Puts messages with these numbers on a queue that is shared, one after the other.
fn push_numbers(service: &Service, token: &str, numbers: std::ops::Range<u32>) {
    for number in numbers {
        push(service, token, "shared", &json!(number));
    }
}

fn id_of(message: &Value) -> String {
    message["id"].as_str().expect("an id").to_owned()
}

/// Returns the ids of the messages that are persisted, once they are so many.
fn stored(service: &Service, count: usize) -> Vec<String> {
    let ids = || {
        let page = service
            .get("/api/v1/messages?queue=shared&limit=500")
            .json();
        let messages = page["messages"].as_array().expect("a list");
        messages.iter().map(id_of).collect::<Vec<_>>()
    };
    until("the messages are persisted", || ids().len() == count);
    ids()
}

#[test]
fn each_of_two_services_has_the_order_of_the_store_and_a_client_goes_on_at_the_other() {
    const EACH: u32 = 100;
    const ALL: usize = 2 * EACH as usize;
    let (gannet, token) = rig();
    let services = [Service::start(&gannet, &[]), Service::start(&gannet, &[])];
    let anchor = push(&services[0], &token, "shared", &json!("anchor"));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    // Clients that stay at each, and one that goes from one to the other and back.
    let query = format!("?queue=shared&after_message={anchor}");
    let mut staying: Vec<_> = services
        .iter()
        .map(|service| runtime.block_on(follow(service, &query)))
        .collect();
    let (services, token) = (&services, &token);
    let moving = std::thread::scope(|scope| {
        for (service, first) in services.iter().zip([0, EACH]) {
            scope.spawn(move || push_numbers(service, token, first..first + EACH));
        }
        runtime.block_on(async {
            let (mut ids, mut last) = (Vec::new(), anchor.clone());
            for turn in 0.. {
                if ids.len() >= ALL {
                    break;
                }
                let query = format!("?queue=shared&after_message={last}");
                let mut socket = follow(&services[turn % 2], &query).await;
                for _ in 0..(1 + turn % 5).min(ALL - ids.len()) {
                    last = id_of(&next(&mut socket).await);
                    ids.push(last.clone());
                }
            }
            ids
        })
    });
    let stored = stored(&services[0], ALL + 1).split_off(1);
    assert_eq!(moving, stored);
    for socket in &mut staying {
        for id in &stored {
            assert_eq!(id_of(&runtime.block_on(next(socket))), *id);
        }
    }
}

#[tokio::test]
async fn a_client_goes_on_at_another_service_behind_a_message_that_is_not_persisted() {
    let (gannet, token) = rig();
    let services = [(); 2].map(|()| Service::start(&gannet, &["--no-worker"]));
    let first = push(&services[0], &token, "shared", &json!(1));
    push(&services[0], &token, "shared", &json!(2));
    let mut socket = follow(&services[1], &format!("?after_message={first}")).await;
    assert_eq!(next(&mut socket).await["body"], 2);
    push(&services[0], &token, "shared", &json!(3));
    push(&services[1], &token, "shared", &json!(4));
    for number in 3..5 {
        assert_eq!(next(&mut socket).await["body"], number);
    }
    // One that begins later reads of the queue what waits there.
    let third = Service::start(&gannet, &["--no-worker"]);
    let mut socket = follow(&third, &format!("?after_message={first}")).await;
    for number in 2..5 {
        assert_eq!(next(&mut socket).await["body"], number);
    }
}
