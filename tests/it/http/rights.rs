//! Every route against every kind of caller.

use gannet::faces::http::route_table;
use serde_json::json;

use crate::rig::{Gannet, PASSWORD, Service};

/// The kinds of callers: how each is let in, and the rights that it has.
const CALLERS: [(&str, &[&str]); 9] = [
    ("nobody", &["anybody"]),
    ("token viewer", &["anybody", "read"]),
    ("token operator", &["anybody", "read", "operate", "judge"]),
    ("token verifier", &["anybody", "read", "judge"]),
    ("token ingest", &["anybody"]),
    ("cookie viewer", &["anybody", "read"]),
    ("cookie operator", &["anybody", "read", "operate", "judge"]),
    (
        "cookie admin",
        &["anybody", "read", "operate", "judge", "administer"],
    ),
    ("cookie disabled", &["anybody"]),
];

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
    for (caller, rights) in CALLERS {
        let credential = credential(&gannet, &service, caller);
        for (method, path, right) in &table {
            let path = path
                .replace("{link}", "x")
                .replace("{name}", "x")
                .replace("{source}", "999");
            let path = path.replace("{version}", "v999").replace("{other}", "v998");
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
