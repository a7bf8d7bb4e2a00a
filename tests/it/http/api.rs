//! The API: the shapes of the command line, pages of lists, edits, content.

use serde_json::json;

use crate::rig::{Gannet, Home, Service};

fn token(gannet: &Gannet, role: &str) -> String {
    gannet
        .ok(&["token", "create", role, "--role", role])
        .trim()
        .to_owned()
}

#[test]
fn lists_come_by_page_in_each_order() {
    let gannet = Gannet::new();
    for name in ["c", "a", "e", "b", "d"] {
        gannet.ok(&[
            "add",
            &format!("https://example.org/{name}"),
            "--name",
            name,
        ]);
    }
    let service = Service::start(&gannet, &["--no-worker"]);
    for (sort, expected) in [
        ("", "abcde"),
        ("name", "abcde"),
        ("-name", "edcba"),
        ("id", "caebd"),
        ("-id", "dbeac"),
        ("state", "abcde"),
        ("last", "abcde"),
        ("-next", "edcba"),
    ] {
        let (mut found, mut pages) = (String::new(), 0);
        let mut next = format!(
            "/api/v1/sources?limit=2&sort={}",
            if sort.is_empty() { "name" } else { sort }
        );
        loop {
            let answer = service.get(&next);
            assert_eq!(answer.status, 200, "{answer:?}");
            let page = answer.json();
            for source in page["sources"].as_array().expect("a list") {
                found += source["name"].as_str().expect("a name");
            }
            pages += 1;
            let Some(link) = answer.header("link") else {
                assert!(page["next"].is_null());
                break;
            };
            let address = link
                .strip_prefix('<')
                .and_then(|link| link.strip_suffix(">; rel=\"next\""));
            next = address.expect(link).to_owned();
        }
        assert_eq!((found.as_str(), pages), (expected, 3), "{sort}");
    }
    let shown = service.get("/api/v1/sources?limit=500").json()["sources"].clone();
    assert_eq!(shown, gannet.json(&["list", "--json"]));
}

#[test]
fn a_post_under_a_key_is_done_once() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/first"]);
    let operator = token(&gannet, "operator");
    let service = Service::start(&gannet, &["--no-worker"]);
    let bearer = format!("Bearer {operator}");
    let post = |key: &str, name: &str| {
        let fields = [
            ("Authorization", bearer.as_str()),
            ("Content-Type", "application/json"),
            ("Idempotency-Key", key),
        ];
        let body = json!({"address": format!("https://example.org/{name}"), "name": name});
        service.ask("POST", "/api/v1/sources", &fields, &body.to_string())
    };
    let (first, again) = (post("k1", "a"), post("k1", "a"));
    assert_eq!((first.status, again.status), (201, 201), "{again:?}");
    assert_eq!(first.header("location"), again.header("location"));
    assert_eq!(first.body, again.body);
    assert_eq!(post("k1", "b").status, 422);
    assert_eq!(post("k2", "a").status, 409);
    assert_eq!(post("", "c").status, 400);
    let unauthorized = service.ask(
        "POST",
        "/api/v1/sources",
        &[("Idempotency-Key", "k1")],
        "{}",
    );
    assert_eq!(unauthorized.status, 401);
    let sources = gannet.json(&["list", "--json"]);
    assert_eq!(sources.as_array().map(Vec::len), Some(2));
}

#[test]
fn the_api_describes_itself() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/a", "--name", "a"]);
    let service = Service::start(&gannet, &["--no-worker"]);
    let description = service.get("/api/openapi.json").json();
    assert_eq!(description["openapi"], "3.1.0");
    assert!(
        description["components"]["schemas"]["Source"]["properties"]["id"].is_object(),
        "{description}"
    );
    assert_eq!(
        service.get("/api").header("location"),
        Some("/api/docs/index.html")
    );
    let page = service.get("/api/docs/index.html");
    assert!(
        page.status == 200 && page.text().contains("swagger-ui"),
        "{page:?}"
    );
    for expected in ["width=device-width", "color-scheme", "href=\"/sources\""] {
        assert!(page.text().contains(expected), "{expected}: {page:?}");
    }
    // Whatever the page names is there, and nothing of it is inline or from elsewhere.
    let places = page.text();
    let places = places.split(['"', '\n']).filter(|part| {
        let ends = [".css", ".js", ".json"];
        !part.contains(' ') && ends.iter().any(|end| part.ends_with(end))
    });
    for place in places {
        let place = place.trim_start_matches("/api/docs/");
        let path = if place.starts_with('/') {
            place.to_owned()
        } else {
            format!("/api/docs/{place}")
        };
        assert_eq!(service.get(&path).status, 200, "{path}");
    }
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.contains("script-src 'self';"), "{policy}");
    let start = service.get("/api/docs/swagger-initializer.js");
    assert!(start.text().contains("/api/openapi.json"), "{start:?}");
    assert_eq!(service.get("/api/docs/nothing.js").status, 404);
}

#[test]
fn wrong_requests_are_problems_that_name_the_mistake() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/a", "--name", "a"]);
    let service = Service::start(&gannet, &["--no-worker"]);
    for (path, status, words) in [
        ("/api/v1/sources?limi=2", 400, "unknown field `limi`"),
        ("/api/v1/sources?limit=501", 400, "expected 1 to 500"),
        ("/api/v1/sources?limit=x", 400, "limit"),
        (
            "/api/v1/sources?sort=size",
            400,
            "expected name, id, state, last, next",
        ),
        (
            "/api/v1/sources?after=zzz",
            400,
            "no `next` of an earlier page",
        ),
        ("/api/v1/sources/b", 404, "no source"),
        ("/api/v1/sources/999", 404, "no source"),
        ("/api/v1/versions/v9", 404, "v9"),
        ("/api/v1/versions/a", 404, "no version"),
        ("/api/v1/events?action=fetch", 400, "is not an action"),
        ("/api/v1/sets/x", 404, "x"),
        ("/nowhere", 404, "nothing at /nowhere"),
        ("/api/v1/sources/%ff", 400, ""),
        ("/live", 400, "WebSocket"),
    ] {
        let answer = service.get(path);
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (status, Some("application/problem+json")),
            "{path}: {answer:?}"
        );
        let problem = answer.json();
        assert_eq!(problem["status"], status, "{path}");
        assert!(
            problem["detail"].as_str().expect("words").contains(words),
            "{path}: {problem}"
        );
    }
}

#[test]
fn wrong_sources_are_refused_with_the_reason() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/a", "--name", "a"]);
    let operator = token(&gannet, "operator");
    let service = Service::start(&gannet, &["--no-worker"]);
    for (body, status, words) in [
        (json!({}), 400, "the address of the source is missing"),
        (
            json!({"adress": "https://example.org/b"}),
            400,
            "unknown field `adress`",
        ),
        (json!({"address": "ftp://example.org/b"}), 400, "ftp"),
        (
            json!({"address": "https://example.org/b", "interval": "5m"}),
            400,
            "5m",
        ),
        (
            json!({"address": "https://example.org/a"}),
            409,
            "taken by source 1 (a)",
        ),
        (
            json!({"address": "https://example.org/b", "name": "a"}),
            409,
            "taken by source 1 (a)",
        ),
        (
            json!({"address": "https://10.0.0.1/b", "allow_private": true}),
            403,
            "private",
        ),
        (
            json!({"address": "https://example.org/b?k=${KEY}"}),
            403,
            "`KEY`",
        ),
        (
            json!({"address": "https://example.org/b", "headers": {"Authorization": "Bearer ${KEY}"}}),
            403,
            "`KEY`",
        ),
        (
            json!({"address": "https://example.org/b", "user": "joe:${KEY}"}),
            403,
            "`KEY`",
        ),
        (json!([1]), 400, "the body"),
    ] {
        let answer = service.send("POST", "/api/v1/sources", &operator, &body);
        assert_eq!(answer.status, status, "{body}: {answer:?}");
        assert!(
            answer.json()["detail"]
                .as_str()
                .expect("words")
                .contains(words),
            "{body}: {answer:?}"
        );
    }
    let bearer = format!("Bearer {operator}");
    let text = [
        ("Authorization", bearer.as_str()),
        ("Content-Type", "text/plain"),
    ];
    assert_eq!(
        service.ask("POST", "/api/v1/sources", &text, "{}").status,
        415
    );
    let long = format!("{{\"name\": \"{}\"}}", "x".repeat(70_000));
    let fields = [
        ("Authorization", bearer.as_str()),
        ("Content-Type", "application/json"),
    ];
    assert_eq!(
        service
            .ask("POST", "/api/v1/sources", &fields, &long)
            .status,
        413
    );
    assert_eq!(
        gannet.json(&["list", "--json"]).as_array().map(Vec::len),
        Some(1)
    );
}

#[test]
fn a_source_is_added_edited_removed_and_restored() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/first"]);
    let (operator, service) = (
        token(&gannet, "operator"),
        Service::start(&gannet, &["--no-worker"]),
    );
    let body =
        json!({"address": "https://example.org/prices.csv", "interval": "6h", "tags": ["eu"]});
    let added = service.send("POST", "/api/v1/sources", &operator, &body);
    assert_eq!(
        (added.status, added.header("location")),
        (201, Some("/api/v1/sources/2")),
        "{added:?}"
    );
    assert_eq!(added.json()["settings"]["interval"], "6h");
    let shown = service.get("/api/v1/sources/prices.csv");
    let tag = shown.header("etag").expect("a tag").to_owned();
    assert_eq!(shown.json()["interval"], "6h");

    let bearer = format!("Bearer {operator}");
    let patch = |tag: &str, body: serde_json::Value| {
        let fields = [
            ("Authorization", bearer.as_str()),
            ("Content-Type", "application/merge-patch+json"),
            ("If-Match", tag),
        ];
        service.ask("PATCH", "/api/v1/sources/2", &fields, &body.to_string())
    };
    let edited = patch(
        &tag,
        json!({"interval": "1d", "tags": null, "max_size": "1MiB"}),
    );
    assert_eq!(edited.status, 200, "{edited:?}");
    let settings = edited.json()["settings"].clone();
    assert_eq!(
        (
            &settings["interval"],
            &settings["tags"],
            &settings["max_size"]
        ),
        (&json!("1d"), &json!([]), &json!("1MiB"))
    );
    let late = patch(&tag, json!({"enabled": false}));
    assert_eq!(late.status, 412, "{late:?}");
    assert_eq!(patch("*", json!({"enabled": false})).json()["state"], "off");
    let unknown = patch("*", json!({"intervall": "1d"}));
    assert!(
        unknown.status == 400 && unknown.text().contains("intervall"),
        "{unknown:?}"
    );

    assert_eq!(
        service
            .send("DELETE", "/api/v1/sources/2", &operator, &json!({}))
            .status,
        204
    );
    for below in ["", "/attempts", "/versions"] {
        let address = format!("/api/v1/sources/2{below}");
        let gone = service.get(&address);
        assert!(
            gone.status == 404 && gone.text().contains("?removed=true"),
            "{gone:?}"
        );
        assert_eq!(service.get(&format!("{address}?removed=true")).status, 200);
    }
    let removed = service.get("/api/v1/sources/2?removed=true");
    assert_eq!(removed.json()["state"], "removed");
    let again = service.send("POST", "/api/v1/sources", &operator, &body);
    assert!(
        again.status == 409 && again.text().contains("/api/v1/sources/2/restore"),
        "{again:?}"
    );
    assert_eq!(
        service
            .send("POST", "/api/v1/sources/2/restore", &operator, &json!({}))
            .status,
        200
    );
    let log = gannet.ok(&["log", "--json"]);
    assert_eq!(log.matches("\"operator by http\"").count(), 5, "{log}");
    let purge = "/api/v1/sources/2?purge=true";
    let purged = service.send("DELETE", purge, &operator, &json!({}));
    assert_eq!(purged.status, 204, "{purged:?}");
    for path in ["/api/v1/sources/2", "/api/v1/sources/2/attempts"] {
        assert_eq!(service.get(path).status, 404, "{path}");
    }
}

/// Two versions of a source, fetched through the service, of which neither is judged.
fn two_versions() -> (Home, String, Service) {
    let home = Home::new("[[verifier]]\nname = \"legal\"\nsources = [\"*\"]\nexternal = true\n");
    home.serve("prices.csv", "a,1\nb,2\n");
    home.add("prices.csv", &[]);
    let operator = token(&home.gannet, "operator");
    let service = Service::start(&home.gannet, &["--no-worker"]);
    let bearer = format!("Bearer {operator}");
    let wait = [("Authorization", bearer.as_str()), ("Prefer", "wait=30")];
    let fetched = service.ask("POST", "/api/v1/sources/prices.csv/fetch", &wait, "");
    assert_eq!(
        (fetched.status, fetched.json()["outcome"].clone()),
        (200, json!("new")),
        "{fetched:?}"
    );
    home.serve("prices.csv", "a,1\nb,3\n");
    let fetched = service.ask("POST", "/api/v1/sources/prices.csv/fetch", &wait, "");
    assert_eq!(fetched.json()["version_id"], 2, "{fetched:?}");
    (home, operator, service)
}

#[test]
fn content_is_sent_by_range_unless_unchanged_and_compared() {
    let (_home, _, service) = two_versions();
    let content = service.get("/api/v1/versions/2/content");
    assert_eq!(content.text(), "a,1\nb,3\n");
    let tag = content.header("etag").expect("a tag");
    for (fields, status, body) in [
        (vec![("Range", "bytes=4-6")], 206, "b,3"),
        (vec![("Range", "bytes=-2")], 206, "3\n"),
        (vec![("Range", "bytes=99-")], 416, ""),
        (
            vec![("Range", "bytes=0-1"), ("If-Range", "\"other\"")],
            200,
            "a,1\nb,3\n",
        ),
        (vec![("If-None-Match", tag)], 304, ""),
        (vec![("If-None-Match", "\"other\"")], 200, "a,1\nb,3\n"),
    ] {
        let answer = service.ask("GET", "/api/v1/versions/v2/content", &fields, "");
        assert_eq!(answer.status, status, "{fields:?}: {answer:?}");
        assert!(
            status == 416 || answer.text() == body,
            "{fields:?}: {answer:?}"
        );
    }
    let head = service.ask("HEAD", "/api/v1/versions/2/content", &[], "");
    assert_eq!(
        (head.status, head.header("content-length"), head.body.len()),
        (200, Some("8"), 0)
    );
    for (name, value) in [
        ("content-disposition", "attachment; filename=\"prices.csv\""),
        ("x-content-type-options", "nosniff"),
        (
            "content-security-policy",
            "sandbox; default-src 'none'; frame-ancestors 'none'",
        ),
    ] {
        assert_eq!(content.header(name), Some(value));
    }

    let difference = service.get("/api/v1/versions/1/diff/2").json();
    let lines: Vec<_> = difference["hunks"][0]["lines"]
        .as_array()
        .expect("lines")
        .iter()
        .map(|line| {
            format!(
                "{}{}",
                line["change"].as_str().unwrap_or("?"),
                line["text"].as_str().unwrap_or("?")
            )
        })
        .collect();
    assert_eq!(lines, [" a,1", "-b,2", "+b,3"]);
    let text = service.ask(
        "GET",
        "/api/v1/versions/1/diff/2",
        &[("Accept", "text/plain")],
        "",
    );
    assert!(text.text().contains("-b,2\n+b,3\n"), "{text:?}");
    for accept in [
        "application/json, text/plain, */*",
        "text/plain;q=0, application/json",
    ] {
        let fields = [("Accept", accept)];
        let json = service.ask("GET", "/api/v1/versions/1/diff/2", &fields, "");
        assert_eq!(json.json(), difference, "{accept}");
    }
}

#[test]
fn events_are_filtered_in_the_language_of_the_live_feed() {
    let gannet = Gannet::new();
    for name in ["a", "b", "c"] {
        gannet.ok(&[
            "add",
            &format!("https://example.org/{name}"),
            "--name",
            name,
        ]);
        gannet.ok(&["edit", name, "--interval", "6h"]);
    }
    let service = Service::start(&gannet, &["--no-worker"]);
    let found = |query: &str| {
        let page = service.get(&format!("/api/v1/events?{query}")).json();
        let events = page["events"].as_array().expect("a list").iter();
        let shown = |event: &serde_json::Value| {
            let text = |key: &str| event[key].as_str().unwrap_or("-").to_owned();
            format!("{} {}", text("action"), text("source"))
        };
        (events.map(shown).collect::<Vec<_>>(), page["next"].clone())
    };
    let added = ["source.added a", "source.added b", "source.added c"];
    for (query, expected) in [
        ("filter=action:source.added", &added[..]),
        ("after=0&filter=action:source.added", &added[..]),
        ("limit=2&filter=action:source.added", &added[1..]),
        ("limit=2&after=0&filter=action:source.added", &added[..2]),
        ("source=b&filter=!action:source.edited", &added[1..2]),
        ("filter=source:nothing", &[]),
    ] {
        assert_eq!(found(query).0, expected, "{query}");
    }
    let (_, next) = found("limit=2&after=0&filter=action:source.added");
    let next = next.as_str().expect("a place");
    let rest = found(&format!("limit=2&after={next}&filter=action:source.added"));
    assert_eq!(rest, (vec!["source.added c".to_owned()], json!(null)));
    assert_eq!(service.get("/api/v1/events?filter=state:down").status, 400);
    let long = format!("/api/v1/events?filter={}", "a".repeat(4_097));
    assert_eq!(service.get(&long).status, 400);
}

#[test]
fn a_version_is_judged_and_found_in_the_history() {
    let (home, operator, service) = two_versions();
    let verdict = json!({"verifier": "legal", "outcome": "passed", "detail": "read it"});
    let judged = service.send("POST", "/api/v1/versions/2/verdicts", &operator, &verdict);
    assert_eq!(
        (judged.status, judged.json()["verified"].clone()),
        (201, json!("passed")),
        "{judged:?}"
    );
    assert_eq!(home.content("prices.csv").as_deref(), Some("a,1\nb,3\n"));
    let verdicts = service.get("/api/v1/versions/2/verdicts").json();
    assert_eq!(
        verdicts["verdicts"][1]["actor"], "operator by http",
        "{verdicts}"
    );
    assert_eq!(
        service.get("/api/v1/sources/1/versions?limit=1").json()["next"],
        "2"
    );
    assert_eq!(
        service
            .get("/api/v1/sources/1/versions?limit=1&after=2")
            .json()["versions"][0]["id"],
        1
    );
    assert_eq!(
        service.get("/api/v1/sources/1/attempts").json()["attempts"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
    assert_eq!(service.get("/api/v1/summary").json()["sources"]["new"], 1);
    let events = service
        .get("/api/v1/events?action=fetch.new&limit=1")
        .json();
    assert_eq!(events["events"][0]["version_id"], 2, "{events}");
}
