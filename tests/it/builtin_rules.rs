//! Built-in rules that look beyond the file itself, in the real program: at the last good version, at a schema, at another
//! source's list of digests.

use std::fs;

use gannet::domain::Digest;
use serde_json::{Value, json};

use crate::rig::{Home, Reply, fixture, verifier};

const CONFIGURATION: &str = r#"
[[verifier]]
name = "rows"
sources = ["prices.csv"]
builtin = "csv"
header = ["id", "price"]
min_rows_of_last = "90%"

[[verifier]]
name = "length"
sources = ["list.txt"]
builtin = "size"
min_of_last = "50%"

[[verifier]]
name = "items"
sources = ["items.json"]
builtin = "json"
schema = "items.schema.json"

[[verifier]]
name = "pictures"
sources = ["picture"]
builtin = "image"

[[verifier]]
name = "documents"
sources = ["feed.xml"]
builtin = "xml"

[[verifier]]
name = "settings"
sources = ["settings.json"]
builtin = "json"
duplicates = "refuse"

[[verifier]]
name = "table"
sources = ["table.csv"]
builtin = "csv"

[[verifier]]
name = "script"
sources = ["app.sums"]
command = ["/bin/sh", "-c", "echo app.bin: OK; echo app.tar: FAILED; echo 1 checksum did NOT match >&2; exit 1"]

[[verifier]]
name = "listed"
sources = ["tool.bin"]
builtin = "sha256"
companion = "SHA256SUMS"
"#;

const SCHEMA: &str =
    r#"{"properties": {"items": {"items": {"properties": {"price": {"minimum": 0}}}}}}"#;

fixture! {
    /// Sources are added as the tests need them: each has its verifier.
    struct Scene;
}

impl Scene {
    fn new() -> Self {
        let home = Home::new(CONFIGURATION);
        fs::write(home.path("items.schema.json"), SCHEMA).expect("a schema");
        Self(home)
    }

    fn add(&self, name: &str) {
        self.0.add(name, &[]);
    }

    /// Fetches this content, and returns the state of the source's newest version and the last verdict's words.
    fn fetch(&self, name: &str, content: &str) -> (Value, String) {
        self.fetch_bytes(name, content.as_bytes())
    }

    fn fetch_bytes(&self, name: &str, content: &[u8]) -> (Value, String) {
        let reply = Reply::file(content.to_vec());
        self.origin.on(&format!("/{name}"), [reply]);
        self.0.fetch(name);
        self.state(name)
    }

    fn state(&self, name: &str) -> (Value, String) {
        let history = self.history(name);
        let verdicts = history["versions"][0]["verdicts"].as_array();
        let last = verdicts.and_then(|verdicts| verdicts.last());
        let detail = last.and_then(|verdict| verdict["detail"].as_str());
        (
            self.source(name)["verified"].clone(),
            detail.unwrap_or_default().to_owned(),
        )
    }

    fn published(&self, name: &str) -> String {
        let source = self.source(name);
        let path = source["published_path"].as_str().expect("a published file");
        fs::read_to_string(path).expect("the published file")
    }

    /// A pass in which nothing is due: what is undecided is judged again.
    fn judge_again(&self) {
        self.run(&["--worker-only", "--json"]);
    }
}

fn rows(count: usize, price: u32) -> String {
    (0..count).fold("id,price\n".to_owned(), |text, id| {
        text + &format!("{id},{price}\n")
    })
}

#[test]
fn a_table_that_lost_rows_is_not_published() {
    let rig = Scene::new();
    rig.add("prices.csv");
    let first = rig.fetch("prices.csv", &rows(10, 1));
    assert_eq!(
        first,
        (
            json!("passed"),
            "10 rows of 2 columns; no earlier version".to_owned()
        )
    );
    let short = rig.fetch("prices.csv", &rows(8, 2));
    assert_eq!(
        short,
        (
            json!("failed"),
            "8 rows are less than 90% of the last good version's 10".to_owned()
        )
    );
    assert_eq!(rig.published("prices.csv"), rows(10, 1));
    // Compared with the last good one, not with the short one in between.
    let again = rig.fetch("prices.csv", &rows(8, 3));
    assert_eq!(again.0, json!("failed"));
    let good = rig.fetch("prices.csv", &rows(9, 4));
    assert_eq!(good.0, json!("passed"), "{good:?}");
    assert_eq!(rig.published("prices.csv"), rows(9, 4));
    let broken = rig.fetch("prices.csv", "id,price\n1,2\n3\n");
    assert_eq!(
        broken,
        (
            json!("failed"),
            "row 3 (line 3): 1 columns, not 2".to_owned()
        )
    );
}

#[test]
fn a_file_that_shrank_is_not_published() {
    let rig = Scene::new();
    rig.add("list.txt");
    rig.fetch("list.txt", &"x".repeat(100));
    let short = rig.fetch("list.txt", &"y".repeat(49));
    assert_eq!(
        short,
        (
            json!("failed"),
            "49 B is less than 50% of the last good version's 100 B".to_owned()
        )
    );
    assert_eq!(rig.fetch("list.txt", &"z".repeat(50)).0, json!("passed"));
    assert_eq!(rig.published("list.txt"), "z".repeat(50));
}

#[test]
fn a_schema_decides_what_is_published() {
    let rig = Scene::new();
    rig.add("items.json");
    let good = r#"{"items": [{"price": 1}]}"#;
    assert_eq!(rig.fetch("items.json", good).0, json!("passed"));
    let bad = rig.fetch("items.json", r#"{"items": [{"price": 1}, {"price": -1}]}"#);
    assert_eq!(
        bad,
        (
            json!("failed"),
            "/items/1/price: -1 is less than the minimum of 0".to_owned()
        )
    );
    assert_eq!(rig.published("items.json"), good);
    // Another content of the schema's file is another judge.
    let fingerprint = |rig: &Scene| {
        let history = rig.history("items.json");
        let verdicts = history["versions"][0]["verdicts"].clone();
        verdicts
            .as_array()
            .and_then(|verdicts| verdicts.last().cloned())
            .expect("a verdict")["fingerprint"]
            .clone()
    };
    let before = fingerprint(&rig);
    fs::write(rig.path("items.schema.json"), "{}").expect("a schema");
    rig.ok(&["verify", "items.json"]);
    assert_eq!(rig.state("items.json").0, json!("passed"));
    assert_ne!(fingerprint(&rig), before);
    fs::write(rig.path("items.schema.json"), "{\"type\": 1}").expect("a schema");
    let refused = rig.run(&["list"]);
    assert!(
        refused.err.contains("not a schema: at /type"),
        "{refused:?}"
    );
}

#[test]
fn a_list_of_digests_may_come_later_than_its_file() {
    let rig = Scene::new();
    let list = |content: &str| format!("{}  tool.bin\n", Digest::of(content.as_bytes()).to_hex());
    rig.add("tool.bin");
    let alone = rig.fetch("tool.bin", "one");
    assert_eq!(alone.0, json!("error"));
    assert!(
        alone.1.contains("there is no source `SHA256SUMS`"),
        "{alone:?}"
    );
    rig.add("SHA256SUMS");
    rig.fetch("SHA256SUMS", &list("one"));
    rig.judge_again();
    assert_eq!(rig.state("tool.bin").0, json!("passed"));
    assert_eq!(rig.published("tool.bin"), "one");

    // The file is new, the list not yet: nothing is said against the file until the list is.
    let early = rig.fetch("tool.bin", "two");
    assert_eq!(early.0, json!("error"));
    assert!(
        early
            .1
            .ends_with("judged again when SHA256SUMS has been fetched anew"),
        "{early:?}"
    );
    rig.judge_again();
    assert_eq!(rig.state("tool.bin").0, json!("error"));
    assert_eq!(rig.published("tool.bin"), "one");
    rig.fetch("SHA256SUMS", &list("two"));
    rig.judge_again();
    let late = rig.state("tool.bin");
    assert_eq!(late.0, json!("passed"), "{late:?}");
    assert!(late.1.ends_with("as SHA256SUMS says"), "{late:?}");
    assert_eq!(rig.published("tool.bin"), "two");

    // A list that was looked at after the file, and is unchanged, decides.
    assert_eq!(rig.fetch("tool.bin", "tampered").0, json!("error"));
    rig.fetch("SHA256SUMS", &list("two"));
    rig.judge_again();
    let bad = rig.state("tool.bin");
    assert_eq!(bad.0, json!("failed"), "{bad:?}");
    assert_eq!(rig.published("tool.bin"), "two");

    // The whole history once more: each by the list of its time, not by today's.
    rig.run(&["verify", "tool.bin"]);
    let history = rig.history("tool.bin");
    let states: Vec<_> = history["versions"]
        .as_array()
        .expect("versions")
        .iter()
        .map(|version| version["verified"].clone())
        .collect();
    assert_eq!(states, ["failed", "passed", "passed"]);
    assert_eq!(rig.published("tool.bin"), "two");
}

/// Each way, after the list came that names a file which failed by the list before.
#[test]
fn a_list_that_comes_after_its_file_failed_by_the_one_before_heals_it() {
    let ways: [(&str, &[&str]); 4] = [
        ("a pass", &["--worker-only", "--json"]),
        ("a fetch of the file", &["fetch", "tool.bin"]),
        ("all that is stale", &["verify", "--stale"]),
        ("what is stale of it", &["verify", "--stale", "tool.bin"]),
    ];
    let list = |content: &str| format!("{}  tool.bin\n", Digest::of(content.as_bytes()).to_hex());
    let rig = Scene::new();
    rig.add("tool.bin");
    rig.add("SHA256SUMS");
    rig.fetch("SHA256SUMS", &list("one"));
    rig.fetch("tool.bin", "one");
    assert_eq!(rig.published("tool.bin"), "one");
    rig.fetch("tool.bin", "two");
    rig.fetch("SHA256SUMS", &list("one"));
    rig.judge_again();
    assert_eq!(rig.state("tool.bin").0, json!("failed"));
    let verdicts = |rig: &Scene| {
        let history = rig.history("tool.bin");
        let verdicts = history["versions"][0]["verdicts"].as_array().cloned();
        verdicts.unwrap_or_default()
    };
    // By the same list it is not judged again.
    let before = verdicts(&rig);
    rig.judge_again();
    rig.ok(&["verify", "--stale"]);
    assert_eq!(verdicts(&rig), before);
    assert_eq!(
        before.last().expect("a verdict")["output"],
        "compared with v1 of SHA256SUMS"
    );
    let saved = rig.save();
    for (way, arguments) in ways {
        rig.put_back(&saved);

        rig.fetch("SHA256SUMS", &list("two"));
        let newest = rig.source("SHA256SUMS")["version_id"].clone();
        rig.run(arguments);
        assert_eq!(rig.state("tool.bin").0, json!("passed"), "{way}");
        assert_eq!(rig.published("tool.bin"), "two", "{way}");
        let after = verdicts(&rig);
        let note = format!("compared with v{newest} of SHA256SUMS");
        assert_eq!(after.last().expect("a verdict")["output"], note, "{way}");

        // A list that comes before its file says nothing against the one that passed by the list of its time.
        rig.fetch("SHA256SUMS", &list("three"));
        rig.run(arguments);
        assert_eq!(rig.state("tool.bin").0, json!("passed"), "{way}");
        assert_eq!(rig.published("tool.bin"), "two", "{way}");
        assert_eq!(verdicts(&rig), after, "{way}");
    }
}

/// What is not the newest any more, and what a person failed.
#[test]
fn a_newer_list_heals_only_what_it_is_about() {
    let list = |content: &str| format!("{}  tool.bin\n", Digest::of(content.as_bytes()).to_hex());
    let rig = Scene::new();
    rig.add("tool.bin");
    rig.add("SHA256SUMS");
    rig.fetch("SHA256SUMS", &list("one"));
    rig.fetch("tool.bin", "one");
    rig.fetch("tool.bin", "two");
    rig.fetch("SHA256SUMS", &list("one"));
    rig.judge_again();
    assert_eq!(rig.state("tool.bin").0, json!("failed"));
    // The list of `two` was in force when `three` came, which no list names.
    rig.fetch("SHA256SUMS", &list("two"));
    rig.fetch("tool.bin", "three");
    rig.fetch("SHA256SUMS", &list("two"));
    rig.judge_again();
    assert_eq!(rig.state("tool.bin").0, json!("failed"));
    assert_eq!(rig.published("tool.bin"), "two");

    // A person's word stands.
    let by_hand = [
        "verdict", "tool.bin", "listed", "failed", "--detail", "mine",
    ];
    rig.run(&by_hand);
    rig.fetch("SHA256SUMS", &list("three"));
    rig.judge_again();
    assert_eq!(rig.state("tool.bin"), (json!("failed"), "mine".to_owned()));
}

const JPEG: &[u8] = include_bytes!("../../src/verify/builtin/jpeg/samples/progressive.jpg");

/// Each step: the content, what becomes of it, and what the verdict says.
#[test]
fn what_a_reader_would_forgive_is_not_published_and_what_is_not_read_is_no_fault() {
    let rig = Scene::new();
    let hole = [&JPEG[..700], &JPEG[760..]].concat();
    let half = [&JPEG[..JPEG.len() / 2], b"\xFF\xD9"].concat();
    let cyrillic = b"<?xml version=\"1.0\" encoding=\"windows-1251\"?><a>\xCF\xF0\xE8</a>";
    let steps: [(&str, &[u8], &str, &str); 13] = [
        ("picture", JPEG, "passed", "jpeg, 72 × 56 pixels"),
        ("picture", &hole, "failed", "damaged jpeg"),
        ("picture", &half, "failed", "damaged jpeg"),
        (
            "picture",
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            "error",
            "svg, which this rule has no decoder for",
        ),
        ("feed.xml", cyrillic, "passed", "well-formed XML"),
        (
            "feed.xml",
            b"<!DOCTYPE a [<!ELEMENT a junk>]><a/>",
            "failed",
            "in the document type declaration",
        ),
        (
            "feed.xml",
            b"<?xml version='1.0' encoding='x-martian'?><a/>",
            "error",
            "x-martian",
        ),
        ("settings.json", b"{\"a\": 1, \"b\": 1e400}", "passed", ""),
        (
            "settings.json",
            b"{\"a\": 1, \"a\": 2}",
            "failed",
            "the key `a` stands twice",
        ),
        (
            "settings.json",
            b"\xEF\xBB\xBF{}",
            "failed",
            "byte order mark",
        ),
        (
            "table.csv",
            b"a,b\n\"1\",2\n",
            "passed",
            "2 rows of 2 columns",
        ),
        (
            "table.csv",
            b"a,b\n\"r1,1\nr2 \"x\" y,3\n",
            "failed",
            "behind a quote that closes a column",
        ),
        ("app.sums", b"x", "failed", "app.tar: FAILED (+2 lines)"),
    ];
    for name in [
        "picture",
        "feed.xml",
        "settings.json",
        "table.csv",
        "app.sums",
    ] {
        rig.add(name);
    }
    for (name, content, state, expected) in steps {
        let found = rig.fetch_bytes(name, content);
        assert_eq!(found.0, json!(state), "{name}: {found:?}");
        assert!(found.1.contains(expected), "{name}: {found:?}");
    }
    let path = rig.source("picture")["published_path"].clone();
    let published = fs::read(path.as_str().expect("a path")).expect("the published picture");
    assert_eq!(published, JPEG);
}

/// What a server sends as Last-Modified that is no time is kept with the version: a history that is judged again says the same.
#[test]
fn a_last_modified_that_is_no_time_is_quoted() {
    let gannet = Home::new(&verifier("today", "builtin = \"fresh\"\nmax_age = \"3d\""));
    let long = "x".repeat(100);
    let cases = [
        ("gestern".as_bytes(), "`gestern`"),
        (b"2026-13-45T00:00:00Z", "`2026-13-45T00:00:00Z`"),
        (b"f\xe9vrier", "`f\u{fffd}vrier`"),
        (long.as_bytes(), &format!("`{}…`", &long[..60])),
    ];
    let replies = cases.iter().enumerate().map(|(number, (field, _))| {
        Reply::ok(format!("content {number}")).header("last-modified", field)
    });
    let without = [
        Reply::ok("without one"),
        Reply::ok("with an empty one").header("last-modified", ""),
    ];
    let gannet = gannet.with_source("x", replies.chain(without));
    for _ in 0..cases.len() + 2 {
        gannet.run(&["fetch", "x"]);
    }
    for again in [false, true] {
        if again {
            gannet.run(&["verify", "x"]);
        }
        for (number, (_, quoted)) in cases.iter().enumerate() {
            let version = format!("v{}", number + 1);
            let verdicts = gannet.ok(&["verdicts", &version, "--json"]);
            let verdicts: serde_json::Value = serde_json::from_str(&verdicts).expect("JSON");
            let said = verdicts.as_array().expect("a list").iter();
            let said: Vec<_> = said.map(|one| one["detail"].as_str()).collect();
            let expected = format!(
                "could not judge: the server gave the Last-Modified {quoted}, which cannot be read as a time"
            );
            assert_eq!(said, vec![Some(expected.as_str()); said.len()], "{version}");
            // A fetch by hand asks again about the newest version alone.
            assert_eq!(said.len(), 1 + usize::from(again), "{version}");
        }
    }
    for version in ["v5", "v6"] {
        let without = gannet.ok(&["verdicts", version, "--json"]);
        assert!(
            without.contains("gave no Last-Modified that can be read"),
            "{without}"
        );
    }
}
