//! What a request of the API does not take is refused by name: by every route, in the query and in the body.

use gannet::faces::http::route_table;

use super::visitor::Visitor;
use crate::rig::{Gannet, Service};

#[test]
fn an_unknown_parameter_or_field_is_refused_by_name() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/a", "--name", "a"]);
    let token = gannet.ok(&["token", "create", "ci", "--role", "operator"]);
    let service = Service::start(&gannet, &["--no-worker"]);
    let bearer = format!("Bearer {}", token.trim());
    let fields = [
        ("Authorization", bearer.as_str()),
        ("Content-Type", "application/json"),
    ];
    let table = route_table().into_iter();
    for (method, path, _) in table.filter(|(_, path, _)| path.starts_with("/api/v1/")) {
        let path = path.replace("{name}", "eu").replace("{source}", "a");
        let path = path.replace("{version}", "v9").replace("{other}", "v8");
        let path = path.replace("{id}", "0190163d-8694-739b-aea5-966c26f8ad91");
        let mut cases = vec![(format!("{path}?no_such=1"), "{}")];
        // A message may be any JSON.
        let is_pushed = path == "/api/v1/messages" && method == "POST";
        if method != "GET" && !is_pushed {
            cases.push((path, "{\"no_such\": 1}"));
        }
        for (path, body) in cases {
            let answer = service.ask(&method, &path, &fields, body);
            assert_eq!(answer.status, 400, "{method} {path} {body}: {answer:?}");
            let problem = answer.json();
            let detail = problem["detail"].as_str().expect("words");
            assert!(
                detail.contains("unknown field `no_such`"),
                "{method} {path}: {detail}"
            );
        }
    }
    for (name, coding, status) in [
        ("Content-Encoding", "gzip", 415),
        ("Transfer-Encoding", "gzip, chunked", 501),
        ("Content-Encoding", "identity", 202),
    ] {
        let fields = [("Authorization", bearer.as_str()), (name, coding)];
        let coded = service.ask("POST", "/api/v1/sources/a/fetch", &fields, "");
        assert_eq!(coded.status, status, "{name}: {coded:?}");
    }
    let no_json = service.ask("POST", "/api/v1/sources/a/fetch", &fields, "now");
    assert_eq!(no_json.status, 400, "{no_json:?}");
    for path in [
        "/api/v1/sources/a?",
        "/sources?no_such=1",
        "/metrics?no_such=1",
    ] {
        assert_eq!(service.get(path).status, 200, "{path}");
    }
}

#[test]
fn a_body_reads_the_same_for_everybody_or_is_refused_with_the_place() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/a", "--name", "a"]);
    let token = gannet.ok(&["token", "create", "ci", "--role", "operator"]);
    let service = Service::start(&gannet, &["--no-worker"]);
    let bearer = format!("Bearer {}", token.trim());
    let deep = "[".repeat(200);
    let fields = [
        ("Authorization", bearer.as_str()),
        ("Content-Type", "application/json"),
    ];
    let [sources, source] = ["/api/v1/sources", "/api/v1/sources/a"];
    let (verify, verdicts) = ("/api/v1/sources/a/restore", "/api/v1/versions/1/verdicts");
    for (method, path, body, expected) in [
        ("POST", sources, r#"{"name":"b","name":"c"}"#, "at /name: "),
        (
            "PATCH",
            source,
            r#"{"headers":{"A":"1","A":"2"}}"#,
            "at /headers/A: ",
        ),
        ("PATCH", source, r#"{"tags":["\ud800"]}"#, "at /tags/0: "),
        (
            "PATCH",
            source,
            &format!(r#"{{"tags":{deep}"#),
            "nested deeper than 128",
        ),
        ("POST", sources, "[]", "an object"),
        ("POST", verify, "[]", "an object"),
        ("POST", verify, "null", "an object"),
        ("POST", verdicts, r#"["passed"]"#, "an object"),
    ] {
        let answer = service.ask(method, path, &fields, body);
        assert_eq!(answer.status, 400, "{method} {path} {body}: {answer:?}");
        let detail = answer.json()["detail"].to_string();
        assert!(
            detail.contains(expected),
            "{method} {path} {body}: {detail}"
        );
    }
    assert_eq!(gannet.source("a")["name"], "a");
}

#[test]
fn a_field_of_which_one_is_meant_is_not_there_twice() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/a", "--name", "a"]);
    let tokens =
        ["one", "other"].map(|name| gannet.ok(&["token", "create", name, "--role", "operator"]));
    let [one, other] = tokens.map(|token| format!("Bearer {}", token.trim()));
    let service = Service::start(&gannet, &["--no-worker"]);
    let path = "/api/v1/sources/a/fetch";
    for (name, first, second) in [
        ("Idempotency-Key", "a", "b"),
        ("Idempotency-Key", "a", "a"),
        ("Content-Type", "application/json", "text/plain"),
        ("Origin", "https://a.example", "https://b.example"),
        ("Authorization", &one, &other),
    ] {
        let fields = [
            ("Authorization", one.as_str()),
            (name, first),
            (name, second),
        ];
        let answer = service.ask("POST", path, &fields, "");
        assert_eq!(answer.status, 400, "{name}: {answer:?}");
        let detail = answer.json()["detail"].to_string();
        assert!(detail.contains(&format!("{name} twice")), "{detail}");
    }
}

#[test]
fn a_form_with_a_field_twice_does_nothing() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/a", "--name", "a"]);
    let visitor = Visitor::of(&gannet, &["--no-worker"]);
    for (path, form) in [
        ("/sources/1/remove", "confirmed=on&purge=&purge=on"),
        (
            "/sources",
            "address=https://example.org/b&address=https://example.org/c",
        ),
        ("/sources/-", "source=1&do=disable&do=remove"),
    ] {
        let answer = visitor.post(path, form);
        assert_eq!(answer.status, 400, "{path}: {answer:?}");
    }
    let all = gannet.json(&["list", "--json"]);
    assert_eq!(all.as_array().map(Vec::len), Some(1), "{all}");
    assert_eq!(all[0]["enabled"], true);
}
