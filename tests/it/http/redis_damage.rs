//! Queues on Redis when their keys are another catalogue's, are gone or have other types: nothing is shown to strangers, nothing is
//! half taken, and what is counted is mended.

use serde_json::{Value, json};

use super::redis_faults::{Rig, assert_later};
use crate::rig::{Gannet, Service, until};

const STREAM: &str = "gannet:queue:default";

impl Rig {
    /// Checks that a message is not taken because of what was done to the server.
    fn assert_refused(&self, service: &Service, body: &str, why: &str) {
        let units = self.redis.ask(&["XLEN", STREAM]);
        let answer = self.push_with(service, body, &[("Idempotency-Key", "again")]);
        assert_later(&answer, why);
        assert_eq!(self.redis.ask(&["XLEN", STREAM]), units, "{answer:?}");
    }

    /// Returns what waits on the queue, and the trouble with the server.
    fn look(service: &Service) -> (Value, Value) {
        let queues = service.get("/api/v1/queues").json();
        (
            queues["queues"][0]["depth"].clone(),
            queues["trouble"].clone(),
        )
    }
}

#[test]
fn another_catalogue_sees_nothing_of_what_waits() {
    let Some(rig) = Rig::new() else { return };
    let service = Service::start(&rig.gannet, &["--no-worker"]);
    let pushed = rig.push(&service, r#"{"secret": "of one"}"#);
    let id = pushed.json()["id"]
        .as_str()
        .map_or_else(|| panic!("{pushed:?}"), str::to_owned);
    let message = format!("/api/v1/messages/{id}");
    assert_eq!(service.get(&message).status, 200);
    let other = Gannet::new();
    other.ok(&["add", "https://example.org/a", "--name", "a"]);
    other.configure(&rig.redis.section());
    let foreign = Service::start(&other, &[]);
    assert_later(&foreign.get(&message), "belongs to another catalogue");
    let (depth, trouble) = Rig::look(&foreign);
    let trouble = trouble.as_str().unwrap_or_default();
    assert!(
        trouble.contains("belongs to another catalogue"),
        "{trouble}"
    );
    assert_eq!(depth, Value::Null);
    for path in ["/metrics", "/queues", "/messages"] {
        let page = foreign.get(path);
        assert_eq!(page.status, 200);
        assert!(!page.text().contains("queue=\"default\""), "{path}");
    }
    assert!(!other.run(&["messages", "show", &id]).out.contains("secret"));
    let checked = other.ok(&["config", "check"]);
    assert!(
        checked.contains("belongs to another catalogue"),
        "{checked}"
    );
    drop(foreign);
    assert_eq!(rig.persist(1), [json!({"secret": "of one"})]);
}

#[test]
fn a_unit_is_taken_whole_or_not_at_all_whatever_the_server_refuses() {
    let Some(rig) = Rig::new() else { return };
    let service = Service::start(&rig.gannet, &["--no-worker"]);
    assert_eq!(rig.push(&service, "0").status, 202);
    for command in ["xadd", "zadd", "hset", "pexpireat"] {
        let ask = |sign| {
            let rule = format!("{sign}{command}");
            rig.redis.ask(&["ACL", "SETUSER", "default", &rule])
        };
        assert_eq!(ask('-'), "+OK");
        rig.assert_refused(&service, "9", "its account may not use");
        assert_eq!(ask('+'), "+OK");
    }
    let keys = [
        "gannet:units",
        "gannet:waiting",
        "gannet:waiting:messages",
        "gannet:waiting:bytes",
        "gannet:arrivals:default",
        "gannet:catalogue",
    ];
    for key in keys {
        let kept = format!("kept:{key}");
        rig.redis.ask(&["RENAME", key, &kept]);
        let other = if key == "gannet:catalogue" {
            "LPUSH"
        } else {
            "SET"
        };
        rig.redis.ask(&[other, key, "x"]);
        rig.assert_refused(&service, "9", "cannot be used");
        rig.redis.ask(&["RENAME", &kept, key]);
    }
    assert_eq!(rig.push(&service, "1").status, 202);
    // The last id that a stream can have.
    rig.redis.ask(&[
        "XSETID",
        STREAM,
        "18446744073709551615-18446744073709551615",
    ]);
    rig.assert_refused(&service, "9", "cannot be used");
    assert_eq!(Rig::look(&service), (json!(2), Value::Null));
    assert_eq!(rig.persist(2), [0, 1]);
}

#[test]
fn what_is_counted_of_the_queues_is_mended_and_what_waits_is_persisted() {
    let Some(rig) = Rig::new() else { return };
    let service = Service::start(&rig.gannet, &["--no-worker"]);
    let damages: [&[&str]; 9] = [
        &["DEL", "gannet:waiting"],
        &["DEL", "gannet:waiting:messages"],
        &["DEL", "gannet:waiting:bytes"],
        &["DEL", "gannet:units", "gannet:catalogue"],
        &["SET", "gannet:waiting", "x"],
        &["SET", "gannet:units", "x"],
        &["HSET", "gannet:waiting", "messages", "-3", "bytes", "many"],
        &["HSET", "gannet:waiting:messages", "default", "0"],
        &["SET", "gannet:lease:default", "nobody's"],
    ];
    let mut sent = 0;
    for damage in damages {
        for _ in 0..3 {
            assert_eq!(rig.push(&service, &sent.to_string()).status, 202);
            sent += 1;
        }
        rig.redis.ask(damage);
        // A minute later.
        rig.redis.ask(&["DEL", "gannet:mended"]);
        let expected: Vec<_> = (0..sent).map(Value::from).collect();
        assert_eq!(rig.persist(sent), expected, "{damage:?}");
        assert_eq!(Rig::look(&service), (json!(0), Value::Null), "{damage:?}");
    }
}

#[test]
fn what_is_found_odd_when_messages_are_persisted_is_mended_at_once() {
    let Some(rig) = Rig::new() else { return };
    let service = Service::start(&rig.gannet, &["--no-worker"]);
    rig.push(&service, "0");
    assert_eq!(rig.persist(1), [0]);
    assert_ne!(rig.redis.ask(&["PTTL", "gannet:mended"]), ":-2");
    // More is counted than waits, and then less.
    let counted = ["HSET", "gannet:waiting:messages", "default", "7"];
    rig.redis.ask(&counted);
    rig.redis.ask(&["HSET", "gannet:waiting", "messages", "7"]);
    rig.push(&service, "1");
    let mut consumer = rig.gannet.start(&["consume"]);
    let totals = ["HGET", "gannet:waiting", "messages"];
    until("it is mended", || rig.redis.ask(&totals) == "0");
    consumer.kill().expect("killed");
    consumer.wait().expect("ended");
    for number in [2, 3] {
        rig.push(&service, &number.to_string());
    }
    rig.redis.ask(&["DEL", "gannet:waiting"]);
    rig.push(&service, "4");
    assert_eq!(rig.persist(5), [0, 1, 2, 3, 4]);
    assert_eq!(Rig::look(&service), (json!(0), Value::Null));
}

#[test]
fn messages_on_a_server_that_is_configured_no_longer_are_not_forgotten() {
    let Some(rig) = Rig::new() else { return };
    let service = Service::start(&rig.gannet, &["--no-worker"]);
    assert_eq!(rig.push(&service, "1").status, 202);
    drop(service);
    rig.gannet.configure("");
    let words = "messages wait on redis://";
    for command in [&["config", "check"][..], &["messages", "queues"]] {
        let said = rig.gannet.run(command);
        assert_eq!(said.code, Some(0), "{said:?}");
        assert!((said.out.clone() + &said.err).contains(words), "{said:?}");
    }
    rig.gannet.configure(&rig.redis.section());
    assert_eq!(rig.persist(1), [1]);
    rig.gannet.configure("");
    let checked = rig.gannet.ok(&["config", "check"]);
    assert!(!checked.contains("wait on redis://"), "{checked}");
}

#[test]
fn a_server_that_cannot_be_asked_any_more_is_remembered_until_somebody_has_it_forgotten() {
    let Some(mut rig) = Rig::new() else { return };
    rig.gannet.ok(&["messages", "send", "1"]);
    rig.redis.kill();
    rig.gannet.configure("");
    let listed = rig.gannet.run(&["messages", "queues"]);
    assert!(listed.err.contains("messages may wait ("), "{listed:?}");
    let forgotten = rig.gannet.run(&["messages", "queues", "--forget-servers"]);
    assert!(
        forgotten.code == Some(0) && forgotten.err.contains("forgotten: redis://"),
        "{forgotten:?}"
    );
    let listed = rig.gannet.run(&["messages", "queues"]);
    assert!(!listed.err.contains("may wait"), "{listed:?}");
}

#[test]
fn entries_that_are_no_units_are_given_up_each_with_an_id_of_its_own() {
    let Some(rig) = Rig::new() else { return };
    let service = Service::start(&rig.gannet, &["--no-worker"]);
    for field in ["a", "b"] {
        rig.redis.ask(&["XADD", STREAM, "*", field, "17"]);
    }
    assert_eq!(rig.push(&service, "1").status, 202);
    assert_eq!(rig.persist(1), [1]);
    let dead = rig.gannet.json(&["messages", "dead", "--json"]);
    let ids = [&dead[0]["id"], &dead[1]["id"]];
    assert!(ids[0].is_string() && ids[1].is_string(), "{dead}");
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn a_consumer_has_the_name_of_the_worker_and_not_of_a_sender() {
    let Some(rig) = Rig::new() else { return };
    let service = Service::start(&rig.gannet, &[]);
    assert_eq!(rig.push(&service, "1").status, 202);
    until("it is persisted", || rig.persisted() == [1]);
    let queue = service.get("/api/v1/queues").json()["queues"][0].clone();
    let name = queue["consumers"][0]["name"].as_str().unwrap_or_default();
    let process = format!(" ({})", service.child.id());
    assert!(
        name.starts_with("worker@") && name.ends_with(&process),
        "{queue}"
    );
}
