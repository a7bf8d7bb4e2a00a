//! Messages over HTTP: durable when they are accepted, persisted once and in order, and live to who follows. What holds of
//! queues holds of both kinds.

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use crate::rig::{Answer, Gannet, Redis, Service, soon, sqlite, until};

macro_rules! on_both_kinds_of_queue {
    ($($test:ident)*) => {
        mod embedded {
            $(#[test] fn $test() { super::$test(None) })*
        }
        mod redis {
            $(#[test] fn $test() {
                if let Some(redis) = crate::rig::Redis::start() {
                    super::$test(Some(&redis));
                }
            })*
        }
    };
}

on_both_kinds_of_queue! {
    what_was_accepted_is_persisted_as_it_came
    bad_input_is_refused_with_its_place_and_nothing_is_taken
    a_key_makes_a_repetition_harmless_even_after_a_restart
    messages_are_live_at_once_and_a_client_goes_on_where_it_was
    a_queue_takes_what_its_schema_accepts_and_keeps_it_for_its_time
    a_repetition_is_not_refused_by_a_schema_that_came_since
    several_consumers_share_the_queues_and_keep_their_order
}

/// Returns the section of the configuration that names the queues' server.
fn section(redis: Option<&Redis>) -> String {
    redis.map(Redis::section).unwrap_or_default()
}

/// A catalogue, and the token of a sender.
fn rig(redis: Option<&Redis>) -> (Gannet, String) {
    let gannet = Gannet::new();
    gannet.configure(&section(redis));
    gannet.ok(&["add", "https://example.org/a", "--name", "a"]);
    gannet.ok(&["disable", "a"]);
    let token = gannet.ok(&["token", "create", "sensor", "--role", "ingest"]);
    (gannet, format!("Bearer {}", token.trim()))
}

fn push(service: &Service, token: &str, path: &str, kind: &str, body: &str) -> Answer {
    let fields = [("Authorization", token), ("Content-Type", kind)];
    service.ask("POST", path, &fields, body)
}

/// Returns the bodies of the messages that are persisted.
fn bodies(service: &Service, query: &str) -> Vec<Value> {
    let page = service.get(&format!("/api/v1/messages?{query}")).json();
    let messages = page["messages"].as_array().expect("a list");
    messages.iter().map(|one| one["body"].clone()).collect()
}

fn persisted(service: &Service, count: usize) -> Vec<Value> {
    until("the messages are persisted", || {
        bodies(service, "").len() >= count
    });
    bodies(service, "")
}

fn what_was_accepted_is_persisted_as_it_came(redis: Option<&Redis>) {
    let (gannet, token) = rig(redis);
    let service = Service::start(&gannet, &[]);
    let sent = [
        "1.50",
        " {\"b\" : [1,\n 2], \"a\":null} ",
        "\"\\ud83d\\ude00\"",
        "[]",
        "false",
    ];
    let mut ids = Vec::new();
    for body in sent {
        let answer = push(
            &service,
            &token,
            "/api/v1/messages",
            "application/json",
            body,
        );
        assert_eq!(answer.status, 202, "{answer:?}");
        let accepted = answer.json();
        let id = accepted["id"].as_str().expect("an id").to_owned();
        let place = format!("/api/v1/messages/{id}");
        assert_eq!(answer.header("location"), Some(place.as_str()));
        assert_eq!(service.get(&place).json()["id"], id.as_str());
        ids.push(id);
    }
    let lines = "{\"n\":1}\r\n\n{\"n\":2}\n";
    let answer = push(
        &service,
        &token,
        "/endpoint?queue=orders",
        "application/x-ndjson",
        lines,
    );
    assert_eq!(answer.status, 202, "{answer:?}");
    assert_eq!(answer.json()["ids"].as_array().map(Vec::len), Some(2));
    persisted(&service, 7);
    let page = service.get("/api/v1/messages");
    for body in sent {
        // Byte for byte, on one line.
        let body = body.trim().replace('\n', " ");
        assert!(
            page.text().contains(&format!("\"body\":{body}}}")),
            "{body}"
        );
    }
    let first = &page.json()["messages"][0];
    assert_eq!(first["id"], ids[0].as_str());
    assert_eq!(
        (&first["queue"], &first["sender"]),
        (&json!("default"), &json!("sensor by http"))
    );
    assert!(
        first["persisted_at"].as_str() >= first["received_at"].as_str(),
        "{first}"
    );
    assert_eq!(
        bodies(&service, "queue=orders"),
        [json!({"n": 1}), json!({"n": 2})]
    );
    assert_eq!(
        bodies(&service, "queue=orders&order=newest&limit=1"),
        [json!({"n": 2})]
    );
    let after = format!("queue=default&after={}", ids[3]);
    assert_eq!(bodies(&service, &after), [json!(false)]);
    let stream = service.ask(
        "GET",
        "/endpoint/",
        &[("Accept", "application/x-ndjson")],
        "",
    );
    assert_eq!(stream.text().lines().count(), 7, "{stream:?}");
    let queues = service.get("/api/v1/queues").json();
    let orders = &queues["queues"][1];
    assert_eq!(orders["name"], "orders", "{queues}");
}

fn bad_input_is_refused_with_its_place_and_nothing_is_taken(redis: Option<&Redis>) {
    let (gannet, token) = rig(redis);
    let service = Service::start(&gannet, &[]);
    let path = "/api/v1/messages";
    let (one, many) = ("application/json", "application/x-ndjson");
    let long = format!("\"{}\"", "x".repeat(1 << 20));
    let deep = "[".repeat(129) + &"]".repeat(129);
    for (path, kind, body, status, words) in [
        (path, one, "{\"a\":{\"b\":1,\"b\":2}}", 400, "at /a/b: "),
        (
            path,
            one,
            "[\"\\ud800\"]",
            400,
            "at /0: half of a surrogate pair",
        ),
        (path, one, &deep, 400, "nested deeper than 128"),
        (path, one, "{\"a\":", 400, "at /a: EOF"),
        (path, one, "", 400, "EOF"),
        (path, one, &long, 413, "longer than 1048576 bytes"),
        (path, many, "1\n{\"a\":1,\"a\":2}\n", 400, "line 2: at /a: "),
        (path, many, "\n\n", 400, "not 0"),
        (path, "text/plain", "1", 415, "a message is JSON"),
        (
            "/api/v1/messages?queue=a/b",
            one,
            "1",
            400,
            "not the name of a queue",
        ),
        ("/api/v1/messages?que=a", one, "1", 400, "unknown field"),
    ] {
        let answer = push(&service, &token, path, kind, body);
        assert_eq!(
            answer.status, status,
            "{path} {kind} {body:.60}: {answer:?}"
        );
        let detail = answer.json()["detail"].to_string();
        assert!(detail.contains(words), "{body:.60}: {detail}");
    }
    push(&service, &token, path, one, "\"last\"");
    assert_eq!(persisted(&service, 1), [json!("last")]);
    let viewer = gannet.ok(&["token", "create", "eyes", "--role", "viewer"]);
    let viewer = format!("Bearer {}", viewer.trim());
    assert_eq!(push(&service, &viewer, path, one, "1").status, 403);
}

fn a_key_makes_a_repetition_harmless_even_after_a_restart(redis: Option<&Redis>) {
    let (gannet, token) = rig(redis);
    let mut service = Service::start(&gannet, &["--no-worker"]);
    let send = |service: &Service, key: &str, body: &str| {
        let fields = [
            ("Authorization", token.as_str()),
            ("Content-Type", "application/x-ndjson"),
            ("Idempotency-Key", key),
        ];
        service.ask("POST", "/api/v1/messages", &fields, body)
    };
    let first = send(&service, "k", "1\n2");
    for _ in 0..2 {
        let again = send(&service, "k", "1\n2");
        assert_eq!((again.status, again.body), (202, first.body.clone()));
        assert_eq!(send(&service, "k", "1\n3").status, 422);
        service.end();
        service = Service::start(&gannet, &["--no-worker"]);
    }
    assert_eq!(send(&service, "other", "1\n2").status, 202);
    service.end();
    let service = Service::start(&gannet, &[]);
    assert_eq!(persisted(&service, 4), [1, 2, 1, 2]);
}

#[test]
fn full_queues_take_nothing_and_say_when_to_send_again() {
    let (gannet, token) = rig(None);
    let service = Service::start(&gannet, &["--no-worker"]);
    let send = || {
        push(
            &service,
            &token,
            "/api/v1/messages",
            "application/json",
            "1",
        )
    };
    assert_eq!(send().status, 202);
    sqlite::add_waiting_bytes(&gannet.data(), 1 << 30);
    let refused = send();
    assert_eq!(refused.status, 503, "{refused:?}");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert!(refused.text().contains("the queues are full"));
    sqlite::add_waiting_bytes(&gannet.data(), -(1 << 30));
    assert_eq!(send().status, 202);
    drop(service);
    let service = Service::start(&gannet, &[]);
    assert_eq!(persisted(&service, 2), [1, 1]);
}

#[tokio::main]
async fn messages_are_live_at_once_and_a_client_goes_on_where_it_was(redis: Option<&Redis>) {
    let (gannet, token) = rig(redis);
    // Nothing persists them meanwhile.
    let service = Service::start(&gannet, &["--no-worker"]);
    let follow = async |query: &str| {
        let address = format!("ws://{}/live{query}", service.address);
        soon(connect_async(address)).await.expect("a WebSocket").0
    };
    let (mut all, mut orders) = (follow("").await, follow("?queue=orders").await);
    let mut none = follow("?messages=false").await;
    let send = |queue: &str, body: &str| {
        let path = format!("/api/v1/messages?queue={queue}");
        let sent = push(&service, &token, &path, "application/x-ndjson", body);
        assert_eq!(sent.status, 202, "{sent:?}");
        sent.json()["id"].as_str().expect("an id").to_owned()
    };
    let first = send("default", "1\n2");
    send("orders", "3");
    macro_rules! next {
        ($socket:expr) => {
            match soon($socket.next()).await {
                Some(Ok(Message::Text(text))) => {
                    serde_json::from_str::<Value>(&text).expect("JSON")
                }
                other => panic!("no message: {other:?}"),
            }
        };
    }
    for expected in 1..=3 {
        assert_eq!(next!(all)["message"]["body"], expected);
    }
    assert_eq!(next!(orders)["message"]["body"], 3);
    // The client has the first of two that came together.
    let mut resumed = follow(&format!("?after_message={first}")).await;
    for expected in 2..=3 {
        assert_eq!(next!(resumed)["message"]["body"], expected);
    }
    // What another process puts on a queue comes when it is persisted.
    gannet.ok(&["messages", "send", "4"]);
    let mut consumer = gannet.start(&["consume"]);
    assert_eq!(next!(all)["message"]["body"], 4);
    until("all are persisted", || bodies(&service, "").len() == 4);
    gannet.ok(&["enable", "a"]);
    assert!(next!(none)["action"].is_string());
    // By the store, then.
    service.end();
    let service = Service::start(&gannet, &["--no-worker"]);
    let address = format!(
        "ws://{}/live?after_message={first}&queue=default",
        service.address
    );
    let mut resumed = soon(connect_async(address)).await.expect("a WebSocket").0;
    push(
        &service,
        &token,
        "/api/v1/messages",
        "application/json",
        "5",
    );
    for expected in [2, 4, 5] {
        assert_eq!(next!(resumed)["message"]["body"], expected);
    }
    consumer.kill().expect("killed");
    consumer.wait().expect("ended");
}

fn a_queue_takes_what_its_schema_accepts_and_keeps_it_for_its_time(redis: Option<&Redis>) {
    let (gannet, token) = rig(redis);
    let schema =
        json!({"type": "object", "required": ["order"], "properties": {"order": {"minimum": 1}}});
    std::fs::write(gannet.path("order.json"), schema.to_string()).expect("a file");
    let queues = "[[queue]]\nname = \"orders\"\nschema = \"order.json\"\n[[queue]]\nname = \"brief\"\nkeep = \"1h\"\n";
    gannet.configure(&(section(redis) + queues));
    let service = Service::start(&gannet, &[]);
    let (one, many) = ("application/json", "application/x-ndjson");
    let path = "/api/v1/messages?queue=orders";
    for (kind, body, words) in [
        (
            one,
            "{\"order\": 0}",
            "at /order: 0 is less than the minimum of 1",
        ),
        (one, "[]", "at /: [] is not of type"),
        (
            many,
            "{\"order\": 1}\n{}\n",
            "message 2: at /: \"order\" is a required property",
        ),
    ] {
        let refused = push(&service, &token, path, kind, body);
        assert_eq!(refused.status, 422, "{body}: {refused:?}");
        let detail = refused.json()["detail"].as_str().expect("words").to_owned();
        assert!(
            detail.contains("the schema of orders refuses this") && detail.contains(words),
            "{detail}"
        );
    }
    let refused = gannet.run(&["messages", "send", "{}", "--queue", "orders"]);
    assert!(
        refused.code == Some(2) && refused.err.contains("is a required property"),
        "{refused:?}"
    );
    assert_eq!(
        push(&service, &token, path, one, "{\"order\": 1}").status,
        202
    );
    for queue in ["brief", "other"] {
        let path = format!("/api/v1/messages?queue={queue}");
        assert_eq!(push(&service, &token, &path, one, "1").status, 202);
    }
    persisted(&service, 3);
    let (code, said) = service.end();
    assert_eq!(code, Some(0), "{said}");
    // As if two hours had gone by.
    assert_eq!(sqlite::age_messages(&gannet.data(), "brief"), 1);
    gannet.run(&["--worker-only"]);
    let left = gannet.ok(&["messages", "list"]);
    assert!(
        !left.contains("brief") && left.lines().count() == 2,
        "{left}"
    );
}

fn a_repetition_is_not_refused_by_a_schema_that_came_since(redis: Option<&Redis>) {
    let (gannet, token) = rig(redis);
    let schema = gannet.path("order.json");
    let queue = "[[queue]]\nname = \"orders\"\nschema = \"order.json\"\n";
    std::fs::write(&schema, "{}").expect("a file");
    gannet.configure(&(section(redis) + queue));
    let push = |service: &Service, body: &str| {
        let fields = [
            ("Authorization", token.as_str()),
            ("Content-Type", "application/json"),
            ("Idempotency-Key", "k1"),
        ];
        service.ask("POST", "/api/v1/messages?queue=orders", &fields, body)
    };
    let service = Service::start(&gannet, &[]);
    let first = push(&service, "{\"order\": 5}");
    assert_eq!(first.status, 202, "{first:?}");
    persisted(&service, 1);
    service.end();
    std::fs::write(&schema, "{\"maxProperties\": 0}").expect("a file");
    let service = Service::start(&gannet, &[]);
    let again = push(&service, "{\"order\": 5}");
    assert_eq!((again.status, again.text()), (202, first.text()));
    let other = push(&service, "{\"order\": 6}");
    assert_eq!(other.status, 422, "{other:?}");
    persisted(&service, 1);
}

#[test]
fn what_was_pushed_is_printed_as_it_was_whatever_its_shape() {
    let gannet = Gannet::new();
    let deep = "[".repeat(128) + &"]".repeat(128);
    let bodies = [
        deep.as_str(),
        r#"{"big":123456789012345678901234567890,"d":1.10}"#,
        r#""12""#,
        "12",
        "\"a \u{202e}b\"",
    ];
    gannet.ok(&["messages", "send", "--lines", &bodies.join("\n")]);
    gannet.ok(&["--worker-only"]);
    let csv = gannet.ok(&["messages", "list", "--csv"]);
    let mut rows = csv::Reader::from_reader(csv.as_bytes());
    let rows: Vec<_> = rows.records().map(|row| row.expect("a row")).collect();
    let found: Vec<_> = rows.iter().map(|row| row.get(6).expect("a body")).collect();
    assert_eq!(found[..4], bodies[..4]);
    assert!(!found[4].contains('\u{202e}'), "{found:?}");
    for (row, body) in rows.iter().zip(&bodies[..4]) {
        let shown = gannet.ok(&["messages", "show", &row[0]]);
        let (_, text) = shown.split_once("\n\n").expect("a body");
        let without_white_space: String = text.split_whitespace().collect();
        assert_eq!(without_white_space, *body);
    }
    let shown = gannet.ok(&["messages", "show", &rows[4][0]]);
    assert!(!shown.contains('\u{202e}'), "{shown:?}");
}

#[test]
fn a_list_says_when_it_is_cut_or_empty() {
    let gannet = Gannet::new();
    gannet.ok(&["build_db"]);
    assert!(gannet.run(&["messages", "list"]).err.contains("no message"));
    let lines: Vec<_> = (0..101).map(|n| n.to_string()).collect();
    gannet.ok(&["messages", "send", "--lines", &lines.join("\n")]);
    gannet.ok(&["--worker-only"]);
    for (more, is_told) in [
        (&[][..], true),
        (&["-n", "0"], false),
        (&["-n", "5"], false),
        (&["--json"], false),
    ] {
        let arguments = [&["messages", "list"], more].concat();
        let said = gannet.run(&arguments);
        assert_eq!(
            said.err.contains("more than these 100"),
            is_told,
            "{said:?}"
        );
    }
}

fn several_consumers_share_the_queues_and_keep_their_order(redis: Option<&Redis>) {
    const QUEUES: usize = 3;
    const REQUESTS: usize = 40;
    let (gannet, token) = rig(redis);
    let service = Service::start(&gannet, &["--no-worker"]);
    let mut consumers = [(); 3].map(|()| gannet.start(&["consume"]));
    std::thread::scope(|scope| {
        for queue in 0..QUEUES {
            let (service, token) = (&service, &token);
            scope.spawn(move || {
                let path = format!("/api/v1/messages?queue=q{queue}");
                for request in 0..REQUESTS {
                    let body = format!("{}\n{}", 2 * request, 2 * request + 1);
                    let sent = push(service, token, &path, "application/x-ndjson", &body);
                    assert_eq!(sent.status, 202, "{sent:?}");
                }
            });
        }
    });
    for queue in 0..QUEUES {
        let query = format!("queue=q{queue}&limit=500");
        until("the messages are persisted", || {
            bodies(&service, &query).len() >= 2 * REQUESTS
        });
        let numbers: Vec<_> = (0..2 * REQUESTS).collect();
        assert_eq!(bodies(&service, &query), numbers);
    }
    let queues = || service.get("/api/v1/queues").json();
    until("nothing waits", || {
        let queues = queues();
        let queues = queues["queues"].as_array().expect("a list");
        queues.iter().all(|queue| queue["depth"] == 0)
    });
    for consumer in &mut consumers {
        consumer.kill().expect("killed");
        consumer.wait().expect("ended");
    }
    let queues = queues();
    assert_eq!(queues["trouble"], Value::Null);
    for queue in queues["queues"].as_array().expect("a list") {
        assert_eq!(queue["dead"], 0);
        let rates = queue["rates"].as_array().expect("rates");
        let sum = |name: &str| {
            rates
                .iter()
                .filter_map(|rate| rate[name].as_u64())
                .sum::<u64>()
        };
        assert_eq!((sum("queued"), sum("persisted")), (80, 80), "{queue}");
    }
}
