//! What a request of the API does not take is refused by name: by every route, in the query and in the body.

use gannet::faces::http::route_table;

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
        let mut cases = vec![(format!("{path}?no_such=1"), "{}")];
        if method != "GET" {
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
