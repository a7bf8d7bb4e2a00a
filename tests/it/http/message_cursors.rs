//! Readers of messages whose last message is deleted, since its queue keeps it no longer: they go on with the next that is there.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::mpsc;
use std::thread;

use futures_util::StreamExt as _;
use rustix::net::sockopt::set_socket_recv_buffer_size;
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use crate::rig::{Gannet, Service, soon, sqlite, until};

/// A service, and the token of a sender.
fn rig() -> (Gannet, Service, String) {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/a", "--name", "a"]);
    gannet.ok(&["disable", "a"]);
    let token = gannet.ok(&["token", "create", "sensor", "--role", "ingest"]);
    let service = Service::start(&gannet, &[]);
    (gannet, service, token.trim().to_owned())
}

/// Puts a message on a queue, waits until it is persisted, and returns its id.
fn persist(service: &Service, token: &str, queue: &str, body: &Value) -> String {
    let path = format!("/api/v1/messages?queue={queue}");
    let sent = service.send("POST", &path, token, body);
    assert_eq!(sent.status, 202, "{sent:?}");
    let id = sent.json()["id"].as_str().expect("an id").to_owned();
    until("the message is persisted", || {
        let message = service.get(&format!("/api/v1/messages/{id}")).json();
        message["persisted_at"].is_string()
    });
    id
}

fn page(service: &Service, query: &str) -> (Vec<Value>, Value) {
    let page = service.get(&format!("/api/v1/messages?{query}"));
    assert_eq!(page.status, 200, "{query}: {page:?}");
    let mut page = page.json();
    let messages = page["messages"].as_array().expect("a list");
    let bodies = messages.iter().map(|one| one["body"].clone()).collect();
    (bodies, page["next"].take())
}

#[tokio::test]
async fn a_page_follows_one_whose_messages_are_deleted() {
    let (gannet, service, token) = rig();
    let mut ids = Vec::new();
    for number in 0..4 {
        ids.push(persist(&service, &token, "brief", &json!(number)));
        persist(&service, &token, "other", &json!(10 + number));
    }
    let (first, next) = page(&service, "limit=3");
    assert_eq!(first, [0, 10, 1]);
    let (newest, older) = page(&service, "limit=4&order=newest");
    assert_eq!(newest, [13, 3, 12, 2]);
    assert_eq!(sqlite::expire_messages(&gannet.data(), "brief"), 4);
    let after = |after: &Value| after.as_str().expect("a place").to_owned();
    let behind = format!("limit=3&after={}", after(&next));
    assert_eq!(
        page(&service, &behind),
        (vec![json!(11), json!(12), json!(13)], Value::Null)
    );
    let behind = format!("limit=4&order=newest&after={}", after(&older));
    assert_eq!(page(&service, &behind).0, [11, 10]);
    // The ids of deleted messages.
    let (of_brief, of_all) = (
        format!("queue=brief&after={}", ids[3]),
        format!("after={}", ids[2]),
    );
    assert_eq!(page(&service, &of_brief).0, [0; 0]);
    assert_eq!(page(&service, &of_all).0, [12, 13]);
    let listed = gannet.ok(&["messages", "list", "--after", &ids[2], "--json"]);
    assert_eq!(listed.lines().count(), 2, "{listed}");
    let never = "after=ffffffff-ffff-7fff-bfff-ffffffffffff";
    assert_eq!(
        service.get(&format!("/api/v1/messages?{never}")).status,
        404
    );

    let address = format!(
        "ws://{}/live?queue=brief&after_message={}",
        service.address, ids[3]
    );
    let mut socket = soon(connect_async(address)).await.expect("a WebSocket").0;
    persist(&service, &token, "brief", &json!(4));
    let Some(Ok(Message::Text(text))) = soon(socket.next()).await else {
        panic!("no message");
    };
    let sent: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(sent["message"]["body"], 4);
    assert_eq!(page(&service, &of_brief).0, [4]);
}

#[test]
fn tail_goes_on_when_its_last_message_is_deleted() {
    let (gannet, service, token) = rig();
    let mut tail = gannet.start(&["messages", "tail", "--queue", "brief", "--json"]);
    let (sender, lines) = mpsc::channel();
    let out = BufReader::new(tail.stdout.take().expect("a pipe"));
    let reader = thread::spawn(move || {
        for line in out.lines().map_while(Result::ok) {
            let message: Value = serde_json::from_str(&line).expect("JSON");
            let _ = sender.send(message["body"].clone());
        }
    });
    until("it follows", || {
        persist(&service, &token, "brief", &json!("first"));
        lines.try_recv().is_ok()
    });
    assert!(sqlite::expire_messages(&gannet.data(), "brief") > 0);
    persist(&service, &token, "brief", &json!("second"));
    until("it goes on", || {
        lines.try_iter().any(|body| body == "second")
    });
    assert!(tail.try_wait().expect("a look").is_none());
    tail.kill().expect("killed");
    tail.wait().expect("ended");
    reader.join().expect("read");
}

/// Asks for all messages over a connection that holds few bytes that are not read.
fn list_slowly(service: &Service) -> TcpStream {
    let mut stream = service.connect();
    set_socket_recv_buffer_size(&stream, 16 << 10).expect("a small buffer");
    let head = format!(
        "GET /api/v1/messages HTTP/1.1\r\nHost: {}\r\nAccept: application/x-ndjson\r\nConnection: close\r\n\r\n",
        service.address
    );
    stream.write_all(head.as_bytes()).expect("a request");
    stream
}

#[test]
fn a_stream_goes_on_when_what_it_has_not_sent_is_deleted() {
    let (gannet, service, token) = rig();
    let long = "x".repeat(500_000);
    for number in 0..40 {
        persist(&service, &token, "brief", &json!([number, long]));
    }
    persist(&service, &token, "other", &json!("kept"));
    let mut stream = list_slowly(&service);
    let mut begin = [0; 1 << 10];
    stream.read_exact(&mut begin).expect("a begin");
    assert_eq!(sqlite::expire_messages(&gannet.data(), "brief"), 40);
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).expect("an answer");
    let rest = String::from_utf8_lossy(&rest);
    assert!(rest.contains("\"body\":\"kept\"}"));
    assert!(rest.ends_with("\r\n0\r\n\r\n"));
    assert!(rest.len() < 40 * long.len(), "it was sent before");
}
