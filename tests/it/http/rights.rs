//! Every route against every kind of caller.

use gannet::faces::http::route_table;
use serde_json::json;

use crate::rig::{Gannet, PASSWORD, Service};

/// The kinds of callers: how each is let in, and the rights that it has.
const CALLERS: [(&str, &[&str]); 9] = [
    ("nobody", &["anybody"]),
    ("token viewer", &["anybody", "read"]),
    (
        "token operator",
        &["anybody", "read", "operate", "judge", "push"],
    ),
    ("token verifier", &["anybody", "read", "judge"]),
    ("token ingest", &["anybody", "push"]),
    ("cookie viewer", &["anybody", "read"]),
    (
        "cookie operator",
        &["anybody", "read", "operate", "judge", "push"],
    ),
    (
        "cookie admin",
        &["anybody", "read", "operate", "judge", "push", "administer"],
    ),
    ("cookie disabled", &["anybody"]),
];

/// Returns the right that a route should need, by what it is for.
fn right_by_rule(method: &str, path: &str) -> &'static str {
    let open = [
        "/healthz",
        "/readyz",
        "/api",
        "/api/openapi.json",
        "/images",
        "/sign-out",
    ];
    let open_below = ["/assets/", "/api/docs/", "/sign-in", "/links/"];
    match (method, path) {
        (_, path) if open.contains(&path) => "anybody",
        (_, path) if open_below.iter().any(|part| path.starts_with(part)) => "anybody",
        (_, "/data") => "administer",
        ("GET", "/sources/{source}/remove" | "/queues/dead/{id}/drop") => "operate",
        ("GET", _) => "read",
        (_, path) if path.ends_with("verdicts") => "judge",
        (_, "/api/v1/messages" | "/endpoint/" | "/endpoint" | "/messages") => "push",
        _ => "operate",
    }
}

/// Returns a path of a route.
fn path_of(route: &str) -> String {
    let mut path = route.to_owned();
    for (part, given) in [
        ("{link}", "x"),
        ("{name}", "x"),
        ("{*path}", "x"),
        ("{source}", "999"),
        ("{version}", "v999"),
        ("{other}", "v998"),
        ("{id}", "0190163d-8694-739b-aea5-966c26f8ad91"),
    ] {
        path = path.replace(part, given);
    }
    path
}

/// Returns the field by which a caller is let in.
fn credential(gannet: &Gannet, service: &Service, caller: &str) -> Option<(&'static str, String)> {
    let (kind, role) = caller.split_once(' ')?;
    if kind == "token" {
        let mut create = vec!["token", "create", role, "--role", role];
        if role == "verifier" {
            create.extend(["--verifier", "legal"]);
        }
        let token = gannet.ok(&create);
        return Some(("Authorization", format!("Bearer {}", token.trim())));
    }
    let given = if role == "disabled" { "admin" } else { role };
    let name = format!("a-{role}");
    gannet.add_person(&name, given);
    let cookie = service.sign_in(&name, PASSWORD).cookie();
    if role == "disabled" {
        gannet.ok(&["user", "disable", &name]);
    }
    Some(("Cookie", cookie))
}

#[test]
fn each_route_is_open_to_those_with_its_right_alone() {
    let gannet = Gannet::new();
    gannet.configure("[http]\nread = \"users\"\n[[verifier]]\nname = \"legal\"\nsources = [\"*\"]\nexternal = true\n");
    gannet.ok(&["add", "https://example.org/a", "--name", "a"]);
    let service = Service::start(&gannet, &["--no-worker"]);
    let table = route_table();
    assert!(table.len() > 20, "{table:?}");
    for (method, route, right) in &table {
        assert_eq!(*right, right_by_rule(method, route), "{method} {route}");
    }
    for (caller, rights) in CALLERS {
        let credential = credential(&gannet, &service, caller);
        for (method, route, right) in &table {
            let path = path_of(route);
            let mut fields = vec![
                ("Content-Type", "application/json"),
                ("Sec-Fetch-Site", "same-origin"),
            ];
            fields.extend(
                credential
                    .iter()
                    .map(|(name, value)| (*name, value.as_str())),
            );
            let answer = service.ask(method, &path, &fields, &json!({"address": 1}).to_string());
            let is_refused = match answer.status {
                401 => !path.starts_with("/sign-in"),
                403 => !path.starts_with("/sign-in/"),
                _ => false,
            };
            assert_eq!(
                !is_refused,
                rights.contains(right),
                "{method} {path} as {caller}: {answer:?}"
            );
        }
    }
}

#[test]
fn no_write_is_done_for_a_page_of_another_site() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/a", "--name", "a"]);
    gannet.add_person("anna", "admin");
    let service = Service::start(&gannet, &["--no-worker"]);
    let cookie = service.sign_in("anna", PASSWORD).cookie();
    let ways: [&[(&str, &str)]; 4] = [
        &[("Sec-Fetch-Site", "cross-site")],
        &[("Sec-Fetch-Site", "same-site")],
        &[("Origin", "https://other.example")],
        &[("Origin", "null")],
    ];
    let mut tried = 0;
    for (method, route, _) in route_table() {
        if method == "GET" {
            continue;
        }
        for way in ways {
            let fields = [&[("Cookie", cookie.as_str())][..], way].concat();
            let answer = service.ask(&method, &path_of(route), &fields, "");
            assert_eq!(answer.status, 403, "{method} {route} {way:?}: {answer:?}");
            tried += 1;
        }
    }
    assert!(tried > 60, "{tried}");
}

#[test]
fn credentials_of_another_scheme_are_nobodys() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/a", "--name", "a"]);
    let service = Service::start(&gannet, &["--no-worker"]);
    for (field, status) in [
        ("Basic am9lOnBhc3M=", 200),
        ("Negotiate abc", 200),
        ("Bearer wrong", 401),
        ("bearer", 401),
        ("Bearer ", 401),
    ] {
        let answer = service.ask("GET", "/api/v1/sources", &[("Authorization", field)], "");
        assert_eq!(answer.status, status, "{field}: {answer:?}");
    }
}

#[test]
fn a_token_of_a_verifier_gives_no_verdict_of_another() {
    let gannet = Gannet::new();
    gannet.configure(
        "[[verifier]]\nname = \"legal\"\nsources = [\"*\"]\nexternal = true\n[[verifier]]\nname = \"other\"\nsources = [\"*\"]\nexternal = true\n",
    );
    gannet.ok(&["add", "https://example.org/a", "--name", "a"]);
    let service = Service::start(&gannet, &["--no-worker"]);
    let token = gannet.ok(&[
        "token",
        "create",
        "ci",
        "--role",
        "verifier",
        "--verifier",
        "legal",
    ]);
    for (verifier, status) in [("other", 403), ("legal", 404)] {
        let body = json!({"verifier": verifier, "outcome": "passed"});
        let answer = service.send("POST", "/api/v1/versions/v9/verdicts", token.trim(), &body);
        assert_eq!(answer.status, status, "{verifier}: {answer:?}");
    }
}

#[test]
fn a_stranger_is_told_which_token_to_make() {
    let gannet = Gannet::new();
    gannet.configure("[http]\nread = \"users\"\n");
    gannet.ok(&["add", "https://example.org/a", "--name", "a"]);
    let service = Service::start(&gannet, &["--no-worker"]);
    for (method, path, role) in [
        ("POST", "/api/v1/messages", "ingest"),
        ("POST", "/endpoint", "ingest"),
        ("GET", "/api/v1/sources", "viewer"),
        ("POST", "/api/v1/sources", "operator"),
    ] {
        let refused = service.ask(method, path, &[("Content-Type", "application/json")], "1");
        assert_eq!(refused.status, 401, "{refused:?}");
        let words = format!("`gannet token create NAME --role {role}`");
        assert!(refused.text().contains(&words), "{path}: {refused:?}");
    }
}
