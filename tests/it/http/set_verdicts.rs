//! Verdicts from outside on sets: over the API and on the pages, who may give them, and for which edition they count.

use serde_json::{Value, json};

use super::visitor::Visitor;
use crate::rig::{Answer, Home, Service};

const POLICY: &str = r#"
[http]
read = "users"
[[verifier]]
name = "legal"
scope = "set"
sources = ["tag:eu"]
external = true
[[verifier]]
name = "whole"
scope = "set"
sources = ["tag:eu"]
command = ["sh", "-c", "echo looked at all; test ! -e \"$1/bad\"", "sh", "{path}"]
[[verifier]]
name = "customs"
scope = "set"
sources = ["tag:us"]
external = true
"#;
const VERDICTS: &str = "/api/v1/sets/eu/verdicts";

/// A home with the set `eu`, whose edition waits for `legal`, and the set `us`, which waits for `customs`.
fn home() -> Home {
    Home::new(POLICY)
        .with_member("a", &["eu"], ["a1", "a2"])
        .with_member("b", &["eu"], ["b1"])
        .with_member("c", &["us"], ["c1"])
        .fetched(&["a", "b", "c"])
}

fn token(home: &Home, name: &str, more: &[&str]) -> String {
    let created = home.ok(&[&["token", "create", name, "--role"], more].concat());
    created.trim().to_owned()
}

/// A set as the API shows it.
fn set(service: &Service, token: &str, name: &str) -> Value {
    let shown = service.send("GET", &format!("/api/v1/sets/{name}"), token, &json!(null));
    assert_eq!(shown.status, 200, "{shown:?}");
    shown.json()
}

fn said(edition: &Value, verifier: &str, outcome: &str) -> Value {
    json!({"edition_id": edition, "verifier": verifier, "outcome": outcome, "detail": "read it"})
}

/// The outcomes of the verdicts on the newest edition of `eu`, oldest first.
fn outcomes(service: &Service, token: &str) -> Vec<String> {
    let shown = service.send("GET", VERDICTS, token, &json!(null)).json();
    let verdicts = shown["verdicts"].as_array().expect("a list").iter();
    let words = |one: &Value| {
        let text = |key: &str| one[key].as_str().unwrap_or("-").to_owned();
        format!("{} {}", text("verifier"), text("outcome"))
    };
    verdicts.map(words).collect()
}

#[test]
fn a_verifier_gives_the_verdict_that_it_owes_for_a_set_and_no_other() {
    let home = home();
    let legal = token(&home, "counsel", &["verifier", "--verifier", "legal"]);
    let customs = token(&home, "border", &["verifier", "--verifier", "customs"]);
    let viewer = token(&home, "eyes", &["viewer"]);
    let service = Service::start(&home, &["--no-worker"]);
    let shown = set(&service, &legal, "eu");
    assert_eq!(
        (&shown["verified"], &shown["owed"], &shown["published"]),
        (&json!("pending"), &json!(["legal"]), &json!(null)),
        "{shown}"
    );
    let edition = &shown["edition"]["id"];
    for member in shown["edition"]["members"].as_array().expect("members") {
        let path = format!("/api/v1/versions/{}/content", member["version_id"]);
        let content = service.send("GET", &path, &legal, &json!(null));
        assert_eq!(content.status, 200, "{content:?}");
    }
    let good = said(edition, "legal", "passed");
    let other = json!({"edition_id": 99, "verifier": "legal", "outcome": "passed"});
    for (token, path, body, status) in [
        (&viewer, VERDICTS, &good, 403),
        (&customs, VERDICTS, &good, 403),
        (&customs, VERDICTS, &said(edition, "customs", "passed"), 409),
        (&legal, VERDICTS, &said(edition, "whole", "passed"), 403),
        (&legal, "/api/v1/sets/us/verdicts", &good, 409),
        (&legal, "/api/v1/sets/xx/verdicts", &good, 404),
        (&legal, "/api/v1/sets/eu/verify", &json!(null), 403),
        (&legal, VERDICTS, &said(edition, "legal", "maybe"), 400),
        (&legal, VERDICTS, &json!({"outcome": "passed"}), 400),
        (
            &legal,
            VERDICTS,
            &json!({"edition_id": 1, "outcome": "passed", "x": 1}),
            400,
        ),
        (&legal, VERDICTS, &said(&json!(1.5), "legal", "passed"), 400),
        (&legal, VERDICTS, &said(&json!("1"), "legal", "passed"), 400),
        (
            &legal,
            VERDICTS,
            &said(&json!(99.0), "legal", "passed"),
            412,
        ),
        (&legal, VERDICTS, &other, 412),
    ] {
        let answer = service.send("POST", path, token, body);
        assert_eq!(answer.status, status, "{path} {body}: {answer:?}");
    }
    let given = service.send(
        "POST",
        VERDICTS,
        &legal,
        &json!({"edition_id": edition, "outcome": "passed"}),
    );
    let now = given.json();
    assert_eq!(
        (
            given.status,
            &now["verified"],
            &now["owed"],
            &now["published"]["id"]
        ),
        (201, &json!("passed"), &json!([]), edition),
        "{now}"
    );
    let actor = &now["edition"]["verdicts"][2]["actor"];
    assert_eq!(actor, "counsel by http", "{now}");
    let expected = ["legal pending", "whole passed", "legal passed"];
    assert_eq!(outcomes(&service, &viewer), expected);
}

#[test]
fn a_verdict_on_one_combination_counts_for_no_other() {
    let home = home();
    let operator = token(&home, "anna", &["operator"]);
    let service = Service::start(&home, &["--no-worker"]);
    let first = set(&service, &operator, "eu")["edition"]["id"].clone();
    let bearer = format!("Bearer {operator}");
    let give = |key: &str, edition: &Value| -> Answer {
        let fields = [
            ("Authorization", bearer.as_str()),
            ("Content-Type", "application/json"),
            ("Idempotency-Key", key),
        ];
        let body = said(edition, "legal", "passed").to_string();
        service.ask("POST", VERDICTS, &fields, &body)
    };
    home.fetch("a");
    let unnamed = json!({"edition_id": first, "outcome": "passed"});
    let refused = service.send("POST", VERDICTS, &operator, &unnamed);
    assert_eq!(refused.status, 422, "{refused:?}");
    let refused = give("k1", &first);
    let problem = refused.json();
    assert_eq!((refused.status, &problem["kind"]), (412, &json!("changed")));
    let hint = problem["hint"].as_str().unwrap_or_default();
    assert!(hint.contains("GET /api/v1/sets/eu"), "{problem}");
    let second = set(&service, &operator, "eu")["edition"]["id"].clone();
    assert_ne!(first, second);
    assert_eq!(
        outcomes(&service, &operator),
        ["legal pending", "whole passed"]
    );
    let [given, again] = [give("k2", &second), give("k2", &second)];
    assert_eq!((given.status, given.text()), (201, again.text()));
    let expected = ["legal pending", "whole passed", "legal passed"];
    assert_eq!(outcomes(&service, &operator), expected);
    let read = std::fs::read_to_string(home.data().join("sets/eu/a"));
    assert_eq!(read.expect("published"), "a2");
}

#[test]
fn a_hint_for_a_version_leads_to_the_set() {
    let home = home();
    let operator = token(&home, "anna", &["operator"]);
    let service = Service::start(&home, &["--no-worker"]);
    let body = json!({"verifier": "legal", "outcome": "passed"});
    let refused = service.send("POST", "/api/v1/versions/a/verdicts", &operator, &body);
    let hint = refused.json()["hint"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert_eq!(refused.status, 409, "{refused:?}");
    assert!(hint.contains("POST /api/v1/sets/eu/verdicts"), "{hint}");
}

#[test]
fn what_sets_owe_is_counted_and_needs_attention() {
    let home = home();
    let visitor = Visitor::of(&home, &["--no-worker"]);
    let numbers = |waiting: &str, pending: u32| {
        let summary = visitor.shown("/api/v1/summary");
        assert!(
            summary.contains(&format!("\"waiting_sets\":{waiting}")),
            "{summary}"
        );
        let metrics = visitor.shown("/metrics");
        for line in [
            format!("gannet_sets_pending {pending}"),
            "gannet_sets_failing 0".to_owned(),
        ] {
            assert!(metrics.lines().any(|one| one == line), "{line}: {metrics}");
        }
    };
    numbers(r#"{"eu":["legal"],"us":["customs"]}"#, 2);
    let page = visitor.shown("/");
    let eu = "<a href=\"/sets/eu#verdicts\">eu</a>: legal owes a verdict on edition 1";
    assert!(
        page.contains("2 sets need attention") && page.contains(eu),
        "{page}"
    );
    assert!(
        visitor.shown("/sets").contains("legal owes a verdict"),
        "{page}"
    );
    for (set, verifier, edition) in [("eu", "legal", 1), ("us", "customs", 2)] {
        visitor.followed(
            &format!("/sets/{set}/-verdicts"),
            &format!("verifier={verifier}&outcome=passed&edition={edition}"),
        );
    }
    numbers("{}", 0);
    assert!(visitor.shown("/").contains("all 3 good"));
}

#[test]
fn the_page_of_a_set_has_its_verdicts_and_the_form_that_gives_one() {
    let home = home();
    let visitor = Visitor::of(&home, &["--no-worker"]);
    let page = visitor.shown("/sets/eu");
    for words in [
        "legal owes a verdict: <a href=\"#judge\">give it</a>",
        "legal (owes one)",
        "on edition 1",
        "looked at all",
        "fingerprint",
        "action=\"/sets/eu/-verify\"",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let version = home.source("a")["version_id"].as_i64().expect("an id");
    let member = visitor.shown(&format!("/versions/{version}"));
    assert!(
        member.contains("<a href=\"/sets/eu#verdicts\">eu</a>"),
        "{member}"
    );
    home.fetch("a");
    let form = "verifier=legal&outcome=passed&detail=read+it&edition=1";
    let refused = visitor.post("/sets/eu/-verdicts", form);
    let page = refused.text();
    assert_eq!(refused.status, 412, "{page}");
    for words in [
        "the newest edition of the set eu is 3, not 1",
        "the page of the set eu",
        "value=\"read it\"",
        "name=\"edition\" value=\"3\"",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let form = form.replace("edition=1", "edition=3");
    let page = visitor.followed("/sets/eu/-verdicts", &form);
    for words in [
        "The verdict was recorded.",
        "given by anna by http",
        "read it",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("owes a verdict"), "{page}");
    let back = visitor.get("/sets/eu/-verify");
    assert_eq!(back.header("location"), Some("/sets/eu"), "{back:?}");
}

#[test]
fn verifying_again_says_that_it_ends_what_was_given_by_hand() {
    let policy = "[[verifier]]\nname = \"text\"\nsources = [\"a\"]\nbuiltin = \"utf8\"\n[[verifier]]\nname = \"whole\"\nscope = \"set\"\nsources = [\"tag:eu\"]\ncommand = [\"true\"]\n";
    let home = Home::new(policy)
        .with_source("a", ["a1"])
        .with_member("b", &["eu"], ["b1"])
        .fetched(&["a", "b"]);
    let visitor = Visitor::of(&home, &["--no-worker"]);
    let version = home.source("a")["version_id"].as_i64().expect("an id");
    let page = format!("/versions/{version}");
    for (page, forms, verifier) in [
        (page.as_str(), format!("{page}/"), "text"),
        ("/sets/eu", "/sets/eu/-".to_owned(), "whole"),
    ] {
        let ends = format!("by hand in the name of {verifier}");
        assert!(!visitor.shown(page).contains(&ends), "{page}");
        let verify = format!("{forms}verify");
        let done = visitor.followed(&verify, "");
        assert!(done.contains("The verifiers were run again.</p>"), "{done}");
        let form = format!("verifier={verifier}&outcome=failed&edition=1");
        visitor.followed(&format!("{forms}verdicts"), &form);
        let shown = visitor.shown(page);
        assert!(shown.contains(&ends) && shown.contains("failed"), "{shown}");
        let done = visitor.followed(&verify, "");
        assert!(
            done.contains("given by hand in their names counts no more"),
            "{done}"
        );
        assert!(!done.contains(&ends), "{done}");
    }
}

#[test]
fn the_log_has_each_verdict_on_a_set_and_that_it_waits() {
    let home = home();
    let token = token(&home, "ops", &["operator"]);
    let service = Service::start(&home.gannet, &["--no-worker"]);
    let events = |query: &str| -> Vec<String> {
        let path = format!("/api/v1/events?limit=500{query}");
        let answer = service.send("GET", &path, &token, &json!(null));
        assert_eq!(answer.status, 200, "{answer:?}");
        let events = answer.json();
        let words = |event: &Value| {
            let text = |key: &str| event[key].as_str().unwrap_or("-").to_owned();
            format!("{} {} {}", text("action"), text("set"), text("detail"))
        };
        let events = events["events"].as_array().expect("a list");
        events.iter().map(words).collect()
    };
    let begun = [
        "verdict.pending eu eu: legal: waits for a verdict from outside",
        "verdict.passed eu eu: whole",
        "set.pending eu eu: legal: waits for a verdict from outside",
    ];
    assert_eq!(events("&set=eu"), begun);
    assert_eq!(events("&filter=set:eu"), begun);
    assert_eq!(
        events("&filter=action:set.*+set:us"),
        ["set.pending us us: customs: waits for a verdict from outside"]
    );
    let edition = &set(&service, &token, "eu")["edition_id"];
    // Without any effect on the state, and then with one.
    for outcome in ["passed", "failed", "failed"] {
        let given = service.send("POST", VERDICTS, &token, &said(edition, "legal", outcome));
        assert_eq!(given.status, 201, "{given:?}");
    }
    let of_verdicts = events("&set=eu&filter=legal")
        .into_iter()
        .skip(2)
        .collect::<Vec<_>>();
    assert_eq!(
        of_verdicts,
        [
            "verdict.passed eu eu: legal",
            "verdict.failed eu eu: legal: read it",
            "set.failed eu eu: legal: read it",
            "set.withdrawn eu eu: failed by legal: read it",
            "verdict.failed eu eu: legal: read it",
        ]
    );
    let log = home.ok(&["log", "--source", "set:eu"]);
    assert!(
        log.contains("set.pending       edition 1 of eu: legal"),
        "{log}"
    );
    let numbers = service.send("GET", "/metrics", &token, &json!(null)).text();
    for line in ["outcome=\"passed\"} 1", "outcome=\"failed\"} 2"] {
        let line = format!("gannet_verdicts_total{{{line}");
        assert!(numbers.contains(&line), "{line}: {numbers}");
    }
    let unknown = service.send("GET", "/api/v1/events?set=uk", &token, &json!(null));
    assert_eq!(unknown.status, 404, "{unknown:?}");
}

#[test]
fn a_published_set_leads_to_what_changed_and_says_what_a_purge_takes() {
    let home = home();
    let visitor = Visitor::of(&home, &["--no-worker"]);
    visitor.followed(
        "/sets/eu/-verdicts",
        "verifier=legal&outcome=passed&edition=1",
    );
    let seen = home.source("a")["version_id"].clone();
    home.fetch("a");
    let newest = &home.source("a")["version_id"];
    let page = visitor.shown("/sets/eu");
    let compare = format!(
        "<a href=\"/versions/{seen}/diff/{newest}\">compare with the published v{seen}</a>"
    );
    for words in [compare.as_str(), "href=\"/log?set=eu\""] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let log = visitor.shown("/log?set=eu&filter=action:set.pending");
    for words in [
        "<td>edition 3</td>",
        ">legal: waits for a verdict from outside<",
    ] {
        assert!(log.contains(words), "{words}: {log}");
    }
    let id = home.source("a")["id"].clone();
    let remove = visitor.shown(&format!("/sources/{id}/remove"));
    for words in [
        "In the folder of the set eu it stays until an edition without it passes.",
        "the folder of the set eu is taken away at once",
    ] {
        assert!(remove.contains(words), "{words}: {remove}");
    }
    let other = home.source("c")["id"].clone();
    let remove = visitor.shown(&format!("/sources/{other}/remove"));
    assert!(!remove.contains("folder of"), "{remove}");
    home.ok(&["remove", "--purge", "--yes", "a"]);
    let overview = visitor.shown("/");
    assert_eq!(overview.matches("href=\"/sets/eu").count(), 1, "{overview}");
    assert!(overview.contains("owes a verdict"), "{overview}");
    let shown = home.json(&["list", "--sets", "--json"]);
    let state = |name: &str| {
        let mut sets = shown.as_array().expect("a list").iter();
        let set = sets.find(|set| set["name"] == name).expect("a set");
        (set["state"].clone(), set["verified"].clone())
    };
    assert_eq!(state("eu"), (json!("withdrawn"), json!("pending")));
    assert_eq!(state("us"), (json!("pending"), json!("pending")));
}

#[test]
fn an_edition_that_is_the_newest_again_waits_by_an_event_of_its_own() {
    let home = home().with_member("d", &["us"], ["d1"]).fetched(&["d"]);
    home.ok(&["remove", "--purge", "--yes", "d"]);
    let log = home.ok(&["log", "--source", "set:us"]);
    let waits = log.lines().filter(|line| line.contains("set.pending"));
    let editions: Vec<_> = waits
        .filter_map(|line| line.split("edition ").nth(1)?.split(' ').next())
        .collect();
    assert_eq!(editions, ["2", "3", "2"], "{log}");
}

#[test]
fn only_what_gannet_runs_itself_is_verified_again() {
    let home = home();
    let visitor = Visitor::of(&home, &["--no-worker"]);
    for (page, is_run) in [("/sets/eu", true), ("/sets/us", false)] {
        let shown = visitor.shown(page);
        assert_eq!(shown.contains("Verify again"), is_run, "{page}: {shown}");
    }
}

#[test]
fn an_edition_with_a_source_that_left_the_set_takes_no_verdict() {
    let home = home();
    let operator = token(&home, "anna", &["operator"]);
    let service = Service::start(&home, &["--no-worker"]);
    let edition = set(&service, &operator, "eu")["edition_id"].clone();
    let source = "/api/v1/sources/b";
    let patched = service.send("PATCH", source, &operator, &json!({"tags": []}));
    assert_eq!(patched.status, 200, "{patched:?}");
    let given = service.send(
        "POST",
        VERDICTS,
        &operator,
        &said(&edition, "legal", "passed"),
    );
    let problem = given.json();
    assert_eq!((given.status, &problem["kind"]), (409, &json!("conflict")));
    let detail = problem["detail"].as_str().expect("words");
    assert!(detail.contains("has b, which left the set"), "{detail}");
    assert!(!home.data().join("sets/eu").exists());
}
