//! Rows of queues that are damaged: their messages are given up, each with what is left of it, and nothing else is held up.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::rig::{Gannet, Service, sqlite, until};

fn send(gannet: &Gannet, queue: &str, body: &str) {
    gannet.ok(&["messages", "send", body, "--queue", queue]);
}

fn bodies(gannet: &Gannet) -> Vec<Value> {
    let list = gannet.ok(&["messages", "list", "--json"]);
    let lines = list.lines();
    lines
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["body"].clone())
        .collect()
}

#[test]
fn a_damaged_row_is_given_up_whichever_column_it_is_and_holds_nothing_up() {
    for set in [
        "sender_id = 99999",
        "queue_id = 88888",
        "sender_id = 'x'",
        "queue_id = NULL",
        "count = 5",
        "count = -3",
        "count = 'many'",
        "received_at = 'x'",
        "bodies = '7'",
        "bodies = x'ff'",
        "first_uuid = x'00'",
        "first_uuid = NULL",
        "checksum = 1",
        "checksum = NULL",
    ] {
        let gannet = Gannet::new();
        gannet.ok(&["build_db"]);
        send(&gannet, "a", "1");
        send(&gannet, "a", "2");
        send(&gannet, "b", "3");
        sqlite::damage_oldest_queued(&gannet.data(), 1, set);
        let service = Service::start(&gannet, &[]);
        until(&format!("the others are persisted: {set}"), || {
            bodies(&gannet).len() == 2
        });
        until(&format!("one is given up: {set}"), || {
            let dead = gannet.json(&["messages", "dead", "--json"]);
            dead.as_array().is_some_and(|dead| dead.len() == 1)
                || sqlite::count(&gannet.data(), "dead_message") == 1
        });
        let mut found = bodies(&gannet);
        found.sort_by_key(ToString::to_string);
        assert_eq!(found, [json!(2), json!(3)], "{set}");
        // What waits is counted anew.
        let queues = service.get("/api/v1/queues");
        assert_eq!(queues.status, 200, "{set}: {}", queues.text());
        for queue in queues.json()["queues"].as_array().expect("a list") {
            let waits = (&queue["depth"], &queue["depth_bytes"]);
            assert_eq!(waits, (&json!(0), &json!(0)), "{set}: {queue}");
        }
        assert_eq!(service.get("/metrics").status, 200, "{set}");
    }
}

#[test]
fn messages_whose_ids_are_lost_are_kept_apart() {
    let gannet = Gannet::new();
    gannet.ok(&["build_db"]);
    gannet.ok(&["messages", "send", "--lines", "1\n2"]);
    send(&gannet, "default", "3");
    send(&gannet, "default", "3");
    sqlite::damage_oldest_queued(&gannet.data(), 3, "first_uuid = NULL");
    until("all are given up", || {
        gannet.run(&["--worker-only"]);
        sqlite::count(&gannet.data(), "dead_message") == 4
    });
    let dead = gannet.json(&["messages", "dead", "--json"]);
    let dead = dead.as_array().expect("a list");
    let ids: HashSet<_> = dead.iter().map(|one| one["id"].to_string()).collect();
    assert_eq!(ids.len(), 4, "{dead:?}");
}

#[test]
fn what_is_left_of_a_body_is_not_put_on_a_queue_again() {
    let gannet = Gannet::new();
    gannet.ok(&["build_db"]);
    for (body, left) in [("{\"n\": 1}", "'{\"n\":'"), ("17", "'1\n7'"), ("18", "''")] {
        send(&gannet, "default", body);
        sqlite::damage_oldest_queued(&gannet.data(), 1, &format!("bodies = {left}"));
        until("it is given up", || {
            gannet.run(&["--worker-only"]);
            sqlite::count(&gannet.data(), "dead_message") == 1
        });
        let dead = gannet.json(&["messages", "dead", "--json"]);
        let id = dead[0]["id"].as_str().expect("an id").to_owned();
        let said = gannet.run(&["messages", "retry", &id]);
        assert!(
            said.err.contains("is damaged: it is not what was sent"),
            "{said:?}"
        );
        gannet.ok(&["messages", "drop", &id]);
    }
    assert!(bodies(&gannet).is_empty());
}
