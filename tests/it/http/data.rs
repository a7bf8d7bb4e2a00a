//! The page of the catalogue's tables, for admins alone.

use crate::rig::{Gannet, PASSWORD, Service};

#[test]
fn an_admin_looks_into_the_store_and_changes_nothing() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/a", "--name", "a"]);
    let service = Service::start(&gannet, &["--no-worker"]);
    let sign_in = |name: &str, role: &str| {
        gannet.add_person(name, role);
        service.sign_in(name, PASSWORD).cookie()
    };
    let (admin, operator) = (sign_in("anna", "admin"), sign_in("ben", "operator"));
    let get = |path: &str, cookie: &str| {
        let fields = [("Cookie", cookie), ("Accept", "text/html")];
        service.ask("GET", path, &fields, "")
    };
    for (path, status, words) in [
        ("/data", 200, "source_state"),
        ("/data?table=source", 200, "https://example.org/a"),
        ("/data?table=nothing", 200, "source_state"),
        ("/data?table=source&offset=100", 200, "No rows"),
        (
            "/data?q=SELECT+count(*)+AS+people+FROM+person",
            200,
            "people",
        ),
        ("/data?q=DELETE+FROM+source", 400, "DELETE"),
        ("/data?q=SELECT+x", 400, "no such column"),
        ("/data?q=SELECT+1;+SELECT+2", 400, "SELECT"),
    ] {
        let answer = get(path, &admin);
        assert_eq!(answer.status, status, "{path}: {answer:?}");
        assert!(answer.text().contains(words), "{path}: {}", answer.text());
    }
    let people = get("/data?table=person", &admin).text();
    assert!(
        people.contains("anna") && !people.contains("argon2"),
        "{people}"
    );
    assert_eq!(get("/data", &operator).status, 403);
    assert!(!get("/", &operator).text().contains("\"/data\""));
    assert!(get("/", &admin).text().contains("\"/data\""));
    assert_eq!(
        gannet.json(&["list", "--json"]).as_array().map(Vec::len),
        Some(1)
    );
}
