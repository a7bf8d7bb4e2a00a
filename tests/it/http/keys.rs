//! `Idempotency-Key`: what is done once, for whom, and when the client leaves.

use serde_json::json;

use crate::rig::{Answer, Gannet, Gate, Home, PASSWORD, Reply, Service, seen};

#[test]
fn a_post_goes_on_when_its_client_leaves() {
    let gate = Gate::new();
    let home = Home::new("").with_source("slow.txt", [Reply::file("slow").behind(&gate)]);
    let token = home.ok(&["token", "create", "ci", "--role", "operator"]);
    let service = Service::start(&home.gannet, &["--no-worker"]);
    let path = "/api/v1/sources/slow.txt/fetch";
    let bearer = format!("Bearer {}", token.trim());
    let fields = [
        ("Authorization", bearer.as_str()),
        ("Prefer", "wait=50"),
        ("Idempotency-Key", "k"),
    ];
    let mut leaving = service.open();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: {bearer}\r\nPrefer: wait=50\r\nIdempotency-Key: k\r\n\r\n",
        service.address
    );
    leaving.write_all(head.as_bytes()).expect("a request");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(home.origin.arrived(1));
    drop(leaving);
    let again = || service.ask("POST", path, &fields, "");
    let under_way = again();
    assert_eq!(under_way.status, 409, "{under_way:?}");
    gate.open();
    let first = seen("the answer", || {
        Some(again()).filter(|answer| answer.status != 409)
    });
    assert_eq!(
        (first.status, &first.json()["outcome"]),
        (200, &json!("new"))
    );
    assert_eq!(again().body, first.body);
    assert_eq!(home.origin.requests().len(), 1);
}

/// Sends a source under a key, by this credential.
fn add(service: &Service, credential: (&str, &str), key: &str, name: &str) -> Answer {
    let fields = [
        credential,
        ("Sec-Fetch-Site", "same-origin"),
        ("Content-Type", "application/json"),
        ("Idempotency-Key", key),
    ];
    let body = json!({"address": format!("https://example.org/{name}"), "name": name});
    service.ask("POST", "/api/v1/sources", &fields, &body.to_string())
}

#[test]
fn a_key_is_of_one_caller_who_still_has_the_right() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/first"]);
    gannet.add_person("anna", "operator");
    let create = || {
        let token = gannet.ok(&["token", "create", "anna", "--role", "operator"]);
        format!("Bearer {}", token.trim())
    };
    let token = create();
    let service = Service::start(&gannet, &["--no-worker"]);
    let cookie = service.sign_in("anna", PASSWORD).cookie();
    let person = ("Cookie", cookie.as_str());
    let first = add(&service, person, "k", "a");
    let again = add(&service, person, "k", "a");
    assert_eq!((first.status, again.status), (201, 201), "{again:?}");
    assert_eq!(first.body, again.body);
    // The address is taken by then: another caller's request is done for itself.
    let bearer = |token: &str, name: &str| add(&service, ("Authorization", token), "k", name);
    assert_eq!(bearer(&token, "a").status, 409);
    gannet.ok(&["token", "revoke", "anna"]);
    assert_eq!(bearer(&token, "a").status, 401);
    let later = create();
    assert_eq!(bearer(&later, "b").status, 201);
    gannet.ok(&["user", "role", "anna", "viewer"]);
    assert_eq!(add(&service, person, "k", "a").status, 403);
}
