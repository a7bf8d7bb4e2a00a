//! Messages that are judged once they are persisted: by programs and rules, after a kill, again after errors.

use std::fs;

use serde_json::{Value, json};

use crate::rig::{Gannet, Service, sqlite, until};

/// A program that fails an amount below zero, and cannot judge a message without one.
const AMOUNTS: &str = r#"#!/bin/sh
read -r body < "$1"
echo "of $GANNET_QUEUE" >&2
case $body in
    *'"amount": -'*) echo "the amount is negative"; exit 1;;
    *'"amount"'*) exit 0;;
esac
echo "no amount"; exit 3
"#;

/// A catalogue whose queue `orders` is judged by a required program and an advisory rule.
fn rig() -> Gannet {
    let gannet = Gannet::new();
    let program = gannet.path("amounts.sh");
    fs::write(&program, AMOUNTS).expect("a program");
    gannet.configure(&format!(
        r#"
[[verifier]]
name = "amounts"
scope = "message"
queues = ["orders"]
command = ["sh", "{}", "{{path}}"]

[[verifier]]
name = "short"
scope = "message"
queues = ["orders"]
builtin = "size"
max = "20B"
advisory = true
"#,
        program.display()
    ));
    gannet.ok(&["add", "https://example.org/a", "--name", "a"]);
    gannet.ok(&["disable", "a"]);
    gannet
}

fn send(gannet: &Gannet, queue: &str, body: &str) -> String {
    let id = gannet.ok(&["messages", "send", body, "--queue", queue]);
    id.trim().to_owned()
}

fn shown(gannet: &Gannet, id: &str) -> Value {
    gannet.json(&["messages", "show", id, "--json"])
}

fn outcomes(message: &Value) -> Vec<String> {
    let verdicts = message["verdicts"].as_array().expect("a list").iter();
    let words = verdicts.map(|one| format!("{} {}", one["verifier"], one["outcome"]));
    words.map(|one| one.replace('"', "")).collect()
}

#[test]
fn what_was_persisted_is_judged_and_shown_with_its_verdicts() {
    let gannet = rig();
    let service = Service::start(&gannet, &[]);
    let good = send(&gannet, "orders", r#"{"amount": 5}"#);
    let bad = send(&gannet, "orders", r#"{"amount": -5, "of": "somebody"}"#);
    let odd = send(&gannet, "orders", "[]");
    let other = send(&gannet, "default", r#"{"amount": -5}"#);
    for (id, state, expected) in [
        (&good, "passed", &["amounts passed", "short passed"][..]),
        (&bad, "failed", &["amounts failed", "short failed"]),
        (&odd, "error", &["amounts error", "short passed"]),
        (&other, "unverified", &[]),
    ] {
        let path = format!("/api/v1/messages/{id}");
        until("it is judged", || {
            service.get(&path).json()["state"] == state
        });
        let message = service.get(&path).json();
        assert_eq!(outcomes(&message), expected, "{message}");
        assert_eq!(message, shown(&gannet, id));
    }
    let failed = &shown(&gannet, &bad)["verdicts"][0];
    assert_eq!(failed["detail"], "the amount is negative (+1 line)");
    assert_eq!(failed["exit_code"], 1);
    assert!(failed["output"].to_string().contains("of orders"));
    assert!(failed["actor"].to_string().contains("worker"), "{failed}");

    let listed = service.get("/api/v1/messages?state=failed").json();
    assert_eq!(listed["messages"][0]["id"], bad.as_str());
    assert_eq!(listed["messages"].as_array().map(Vec::len), Some(1));
    let refused = service.get("/api/v1/messages?state=bad");
    assert_eq!(refused.status, 400, "{refused:?}");
    let unverified = gannet.ok(&["messages", "list", "--state", "unverified", "--json"]);
    assert!(unverified.contains(&other) && !unverified.contains(&good));
    let listed = gannet.ok(&["messages", "list", "--queue", "orders"]);
    let states = ["passed", "failed", "error"];
    for (line, state) in listed.lines().zip(states) {
        assert!(line.contains(state), "{listed}");
    }

    let events = gannet.ok(&["log", "--json"]);
    assert!(!events.contains(&good), "{events}");
    let failed = format!("{bad} of orders: amounts: the amount is negative");
    let error = format!("{odd} of orders: amounts: could not judge: exit code 3: no amount");
    for (action, words) in [("message.failed", failed), ("message.error", error)] {
        let is_it = |line: &&str| line.contains(action) && line.contains(&words);
        assert_eq!(events.lines().filter(is_it).count(), 1, "{events}");
    }

    let page = service.get(&format!("/messages/{bad}")).text();
    for words in ["✗", "failed", "the amount is negative", "of orders"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let page = service.get("/messages?state=failed").text();
    assert!(page.contains(&bad) && !page.contains(&good), "{page}");
    let overview = service.get("/").text();
    for words in [
        "2 messages need attention",
        "href=\"/messages?state=failed\">1 message</a> in the last 24 hours",
        "href=\"/messages?state=error\">1 message</a> could not be judged",
    ] {
        assert!(overview.contains(words), "{words}: {overview}");
    }
}

#[test]
fn a_message_is_judged_although_its_consumer_was_killed_and_again_on_request() {
    let gannet = rig();
    // The program waits until it may go on.
    let (wait, go) = (gannet.path("begun"), gannet.path("go"));
    let program = format!(
        "touch {}; while [ ! -e {} ]; do sleep 0.05; done; {}",
        wait.display(),
        go.display(),
        AMOUNTS.trim_start_matches("#!/bin/sh\n")
    );
    fs::write(gannet.path("amounts.sh"), program).expect("a program");
    gannet.configure(
        &fs::read_to_string(gannet.path("config.toml"))
            .expect("the configuration")
            .replace("advisory", "timeout = \"1s\"\nadvisory")
            .replace(
                "[\"orders\"]\ncommand",
                "[\"orders\"]\ntimeout = \"2s\"\ncommand",
            ),
    );
    let mut consumer = gannet.start(&["consume"]);
    let id = send(&gannet, "orders", r#"{"amount": -1}"#);
    until("it is being judged", || wait.exists());
    let persisted = shown(&gannet, &id);
    assert_eq!(persisted["state"], "pending", "{persisted}");
    assert!(persisted["persisted_at"].is_string());
    consumer.kill().expect("killed");
    consumer.wait().expect("ended");

    // Somebody asks for it before its time comes again.
    fs::write(&go, "").expect("a file");
    let verified = gannet.run(&["messages", "verify", &id]);
    assert_eq!(verified.code, Some(1), "{verified:?}");
    let expected = format!("{id} of orders: failed\n  amounts failed: the amount is negative");
    assert!(verified.out.starts_with(&expected), "{verified:?}");
    assert_eq!(shown(&gannet, &id)["state"], "failed");

    // Nobody knows its verifiers any more; the verdicts stay.
    let other = send(&gannet, "default", "1");
    let refused = gannet.run(&["messages", "verify", &other]);
    assert!(refused.err.contains("is not persisted yet"), "{refused:?}");
    gannet.run(&["--worker-only"]);
    let refused = gannet.run(&["messages", "verify", &other]);
    assert!(
        refused
            .err
            .contains("no verifier judges messages of default"),
        "{refused:?}"
    );
    assert_eq!(outcomes(&shown(&gannet, &id)).len(), 2);
}

#[test]
fn a_pass_judges_and_what_a_queue_keeps_no_longer_takes_its_verdicts_along() {
    let gannet = rig();
    let id = send(&gannet, "orders", r#"{"amount": 1}"#);
    gannet.run(&["--worker-only"]);
    assert_eq!(shown(&gannet, &id)["state"], "passed");
    let policy = gannet.json(&["config", "show", "--policy", "--json"]);
    assert_eq!(policy["verifiers"][0]["queues"], json!(["orders"]));
    let text = gannet.ok(&["config", "show", "--policy"]);
    assert!(text.contains("messages of orders"), "{text}");
    assert_eq!(sqlite::count(&gannet.data(), "message_verdict"), 2);
    let with_keep = fs::read_to_string(gannet.path("config.toml")).expect("the configuration");
    gannet.configure(&format!(
        "{with_keep}\n[[queue]]\nname = \"orders\"\nkeep = \"1h\"\n"
    ));
    // As if two hours had gone by.
    assert_eq!(sqlite::age_messages(&gannet.data(), "orders"), 1);
    gannet.run(&["--worker-only"]);
    for table in ["message", "message_state", "message_verdict"] {
        assert_eq!(sqlite::count(&gannet.data(), table), 0, "{table}");
    }
}
