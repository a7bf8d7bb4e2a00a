//! Queues on Redis when the server, the consumers or the entries fail: nothing that was acknowledged is lost, nothing is
//! persisted twice, and senders are asked to come again.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::rig::{Answer, Gannet, Redis, Service, sqlite, until};

const NDJSON: &str = "application/x-ndjson";

/// A catalogue whose messages wait on a server of its own.
pub(super) struct Rig {
    pub(super) redis: Redis,
    pub(super) gannet: Gannet,
    pub(super) token: String,
}

impl Rig {
    pub(super) fn new() -> Option<Self> {
        let (redis, gannet) = (Redis::start()?, Gannet::new());
        gannet.configure(&redis.section());
        gannet.ok(&["add", "https://example.org/a", "--name", "a"]);
        gannet.ok(&["disable", "a"]);
        let token = gannet.ok(&["token", "create", "sensor", "--role", "ingest"]);
        Some(Self {
            redis,
            gannet,
            token: format!("Bearer {}", token.trim()),
        })
    }

    pub(super) fn push(&self, service: &Service, body: &str) -> Answer {
        self.push_with(service, body, &[])
    }

    pub(super) fn push_with(&self, service: &Service, body: &str, more: &[(&str, &str)]) -> Answer {
        let fields = [
            ("Authorization", self.token.as_str()),
            ("Content-Type", NDJSON),
        ];
        let fields = [&fields[..], more].concat();
        service.ask("POST", "/api/v1/messages", &fields, body)
    }

    pub(super) fn persisted(&self) -> Vec<Value> {
        let listed = self
            .gannet
            .ok(&["messages", "list", "--limit", "0", "--json"]);
        let lines = listed.lines();
        lines
            .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["body"].clone())
            .collect()
    }

    /// Persists what waits, and returns what is persisted then.
    pub(super) fn persist(&self, count: usize) -> Vec<Value> {
        let mut consumer = self.gannet.start(&["consume"]);
        until("the messages are persisted", || {
            self.persisted().len() >= count
        });
        until("the queue is empty", || {
            self.redis.ask(&["XLEN", "gannet:queue:default"]) == ":0"
        });
        consumer.kill().expect("killed");
        consumer.wait().expect("ended");
        self.persisted()
    }
}

/// Checks that a sender is asked to send again later.
pub(super) fn assert_later(answer: &Answer, words: &str) {
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.header("retry-after").is_some(), "{answer:?}");
    let detail = answer.json()["detail"].clone();
    assert!(
        detail.as_str().is_some_and(|detail| detail.contains(words)),
        "{detail}"
    );
}

#[test]
fn a_server_that_is_killed_has_what_was_acknowledged_when_it_is_back() {
    let Some(mut rig) = Rig::new() else { return };
    let service = Service::start(&rig.gannet, &["--no-worker"]);
    for number in 0..3 {
        assert_eq!(rig.push(&service, &number.to_string()).status, 202);
        rig.redis.kill();
        assert_later(&rig.push(&service, "99"), "cannot be used");
        let queues = service.get("/api/v1/queues");
        let trouble = queues.json()["trouble"].clone();
        assert!(trouble.is_string(), "{queues:?}");
        let numbers = service.get("/metrics").text();
        assert!(numbers.contains("gannet_queue_server_up 0"), "{numbers}");
        assert!(!numbers.contains("gannet_queue_messages"), "{numbers}");
        for path in ["/", "/messages", "/queues"] {
            let page = service.get(path).text();
            assert!(page.contains(">The Redis server of the queues"), "{page}");
        }
        let listed = rig.gannet.run(&["messages", "queues"]);
        assert!(
            listed.code == Some(0) && listed.err.contains("warning: the Redis server"),
            "{listed:?}"
        );
        rig.redis.restart();
        until("messages are taken again", || {
            rig.push(&service, "100").status == 202
        });
        let numbers = service.get("/metrics").text();
        for series in [
            "gannet_queue_server_up 1",
            "gannet_queue_messages{queue=\"default\"} ",
        ] {
            assert!(numbers.contains(series), "{numbers}");
        }
    }
    let persisted = rig.persist(6);
    let numbers: Vec<_> = persisted.iter().filter(|body| **body != 100).collect();
    assert_eq!(numbers, [0, 1, 2]);
}

#[test]
fn a_server_without_its_data_goes_on_with_new_messages() {
    let Some(mut rig) = Rig::new() else { return };
    let service = Service::start(&rig.gannet, &[]);
    let key = [("Idempotency-Key", "one")];
    let first = rig.push_with(&service, "1", &key);
    assert_eq!(first.status, 202);
    until("it is persisted", || rig.persisted().len() == 1);
    rig.redis.kill();
    rig.redis.lose_data();
    rig.redis.restart();
    until("messages are taken again", || {
        rig.push(&service, "2").status == 202
    });
    // The catalogue remembers its key.
    let again = rig.push_with(&service, "1", &key);
    assert_eq!((again.status, &again.body), (202, &first.body));
    assert_eq!(rig.push_with(&service, "9", &key).status, 422);
    // For a day.
    assert_eq!(sqlite::expire_keys(&rig.gannet.data()), 1);
    let later = rig.push_with(&service, "1", &key);
    assert_eq!(later.status, 202);
    assert_ne!(later.json()["id"], first.json()["id"]);
    until("it is persisted", || rig.persisted().len() == 3);
    until("they are persisted", || rig.persisted().contains(&json!(2)));
    // Somebody removed the group alone.
    drop(service);
    let service = Service::start(&rig.gannet, &["--no-worker"]);
    assert_eq!(rig.push(&service, "3").status, 202);
    rig.redis
        .ask(&["XGROUP", "DESTROY", "gannet:queue:default", "gannet"]);
    assert_eq!(rig.persist(4), [1, 2, 1, 3]);
}

#[test]
fn a_server_that_stood_still_takes_nothing_for_which_the_sender_does_not_wait_any_more() {
    let Some(rig) = Rig::new() else { return };
    let service = Service::start(&rig.gannet, &["--no-worker"]);
    assert_eq!(rig.push(&service, "1").status, 202);
    rig.redis.signal(Signal::STOP);
    let doubtful = rig.push(&service, "2");
    assert_later(&doubtful, "does not answer: it may have taken the messages");
    assert!(
        doubtful.text().contains("Idempotency-Key"),
        "{}",
        doubtful.text()
    );
    // One asker at a time finds out whether it still stands: the others know at once.
    let asked = Instant::now();
    for _ in 0..20 {
        for path in ["/api/v1/queues", "/queues", "/metrics"] {
            assert_eq!(service.get(path).status, 200);
        }
        let listed = service.get("/api/v1/queues").json()["trouble"].clone();
        assert!(
            listed
                .as_str()
                .is_some_and(|trouble| trouble.contains("does not answer")),
            "{listed}"
        );
    }
    assert!(asked.elapsed() < Duration::from_mins(1), "{asked:?}");
    rig.redis.signal(Signal::CONT);
    until("messages are taken again", || {
        rig.push(&service, "3").status == 202
    });
    assert_eq!(rig.persist(2), [1, 3]);
}

#[test]
fn a_server_without_memory_is_emptied_and_then_takes_more() {
    let Some(rig) = Rig::new() else { return };
    let service = Service::start(&rig.gannet, &["--no-worker"]);
    assert_eq!(rig.push(&service, "1").status, 202);
    rig.redis.ask(&["CONFIG", "SET", "maxmemory", "100kb"]);
    assert_later(&rig.push(&service, "2"), "no memory left");
    assert_eq!(rig.persist(1), [1]);
    rig.redis.ask(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(rig.push(&service, "3").status, 202);
    assert_eq!(rig.persist(2), [1, 3]);
}

#[test]
fn what_a_dead_consumer_held_is_persisted_first_and_once() {
    let Some(rig) = Rig::new() else { return };
    let service = Service::start(&rig.gannet, &["--no-worker"]);
    for number in 0..4 {
        assert_eq!(rig.push(&service, &number.to_string()).status, 202);
    }
    // It took two of them and its lease has lapsed.
    let stream = "gannet:queue:default";
    rig.redis.ask(&["XGROUP", "CREATE", stream, "gannet", "0"]);
    let read = ["XREADGROUP", "GROUP", "gannet", "dead (1)", "COUNT", "2"];
    rig.redis
        .ask(&[&read[..], &["STREAMS", stream, ">"]].concat());
    let queue = service.get("/api/v1/queues").json()["queues"][0].clone();
    let consumer = &queue["consumers"][0];
    assert_eq!(
        (&consumer["name"], &consumer["holds"], &queue["depth"]),
        (&json!("dead (1)"), &json!(2), &json!(4)),
        "{queue}"
    );
    assert!(service.get("/queues").text().contains("dead (1)"));
    assert_eq!(rig.persist(4), [0, 1, 2, 3]);
    // It was persisted, and the server did not hear of it.
    assert_eq!(rig.push(&service, "4").status, 202);
    let entry = rig.redis.ask(&["XRANGE", stream, "-", "+"]);
    let entry: Vec<_> = entry.lines().collect();
    assert_eq!(rig.persist(5), [0, 1, 2, 3, 4]);
    rig.redis
        .ask(&[&["XADD", stream, "*"][..], &entry[1..]].concat());
    rig.redis.ask(&["DEL", "gannet:mended"]);
    assert_eq!(rig.persist(5), [0, 1, 2, 3, 4]);
}

#[test]
fn a_damaged_entry_is_given_up_after_five_tries_and_can_be_retried() {
    let Some(rig) = Rig::new() else { return };
    let service = Service::start(&rig.gannet, &["--no-worker"]);
    for number in [1, 2] {
        assert_eq!(rig.push(&service, &number.to_string()).status, 202);
    }
    let stream = "gannet:queue:default";
    let entries = rig.redis.ask(&["XRANGE", stream, "-", "+"]);
    let lines: Vec<_> = entries.lines().collect();
    let (first, second) = lines.split_at(lines.len() / 2);
    // The first again with another body, in front of the second.
    let mut damaged = first[1..].to_vec();
    let body = damaged
        .iter()
        .position(|word| *word == "bodies")
        .expect("a body")
        + 1;
    damaged[body] = "17";
    rig.redis.ask(&["XDEL", stream, first[0], second[0]]);
    for fields in [&damaged[..], &second[1..]] {
        rig.redis.ask(&[&["XADD", stream, "*"], fields].concat());
    }
    assert_eq!(rig.persist(1), [2]);
    let dead = rig.gannet.json(&["messages", "dead", "--json"]);
    assert_eq!(
        (&dead[0]["body"], &dead[0]["tries"], &dead[0]["reason"]),
        (
            &json!(17),
            &json!(5),
            &json!("its entry on the queue is damaged")
        ),
        "{dead}"
    );
    let id = dead[0]["id"].as_str().expect("an id");
    rig.gannet.ok(&["messages", "retry", id]);
    assert_eq!(rig.persist(2), [2, 17]);
}

#[test]
fn a_database_belongs_to_one_catalogue_and_what_waited_in_the_catalogue_is_persisted_too() {
    let Some(rig) = Rig::new() else { return };
    rig.gannet.ok(&["messages", "send", "1"]);
    let other = Gannet::new();
    other.ok(&["add", "https://example.org/a", "--name", "a"]);
    other.ok(&["messages", "send", "7"]);
    other.configure(&rig.redis.section());
    let refused = other.run(&["messages", "send", "2"]);
    assert!(
        refused.code == Some(3) && refused.err.contains("belongs to another catalogue"),
        "{refused:?}"
    );
    let mut consumer = other.start(&["consume"]);
    until("what waited in its catalogue is persisted", || {
        other.ok(&["messages", "list"]).ends_with("7\n")
    });
    consumer.kill().expect("killed");
    consumer.wait().expect("ended");
    assert_eq!(rig.persist(1), [1]);
}
