//! Bytes of a single source that a person failed: they stay failed whatever becomes of the source, and when they come again.

use serde_json::Value;

use crate::rig::{Home, fixture, verifier};

const PROGRAM: &str = "command = [\"true\"]";
const RULE: &str = "builtin = \"utf8\"";
const PEOPLE: &str = "external = true";

fixture! {
    /// A source `prices`, judged by the verifier `eyes`.
    struct Prices;
}

type Way = fn(&Prices);

impl Prices {
    fn judged_by(what: &str) -> Self {
        let prices = Self(Home::new(&verifier("eyes", what)).with_source("prices", ["one"]));
        prices.fetch();
        prices
    }

    fn serve(&self, content: &str) {
        self.0.serve("prices", content);
    }

    fn fetch(&self) {
        self.run(&["fetch", "*"]);
    }

    fn judge(&self, version: &str, outcome: &str) {
        self.ok(&["verdict", version, "eyes", outcome, "--detail", "no price"]);
    }

    /// What consumers see; nothing when nothing is published.
    fn published(&self) -> Option<String> {
        let list = self.json(&["list", "--json"]);
        let path = list[0]["published_path"].as_str()?.to_owned();
        std::fs::read_to_string(path).ok()
    }

    fn state(&self) -> Value {
        self.json(&["list", "--json"])[0]["verified"].clone()
    }
}

#[test]
fn what_a_person_failed_stays_failed() {
    let ways: [(&str, Way); 7] = [
        ("passes", |prices| prices.fetch()),
        ("renamed", |prices| {
            prices.ok(&["edit", "prices", "--name", "renamed"]);
        }),
        ("removed and restored", |prices| {
            prices.ok(&["remove", "prices"]);
            prices.ok(&["restore", "prices"]);
        }),
        ("disabled and enabled", |prices| {
            prices.ok(&["disable", "prices"]);
            prices.ok(&["enable", "prices"]);
        }),
        ("fetched whole", |prices| {
            prices.run(&["fetch", "--whole", "prices"]);
        }),
        ("other bytes, and the same again", |prices| {
            prices.serve("two");
            prices.fetch();
            prices.judge("prices", "passed");
            prices.judge("prices", "failed");
            prices.serve("one");
        }),
        ("judged what is stale", |prices| {
            prices.run(&["verify", "--stale"]);
        }),
    ];
    for verifier in [PROGRAM, RULE, PEOPLE] {
        let prices = Prices::judged_by(verifier);
        prices.judge("prices", "passed");
        assert_eq!(prices.published().as_deref(), Some("one"));
        prices.judge("prices", "failed");
        assert_eq!(prices.published(), None, "{verifier}");
        let failed = prices.save();
        for (way, go) in ways {
            prices.put_back(&failed);
            go(&prices);
            prices.fetch();
            prices.run(&["--worker-only"]);
            assert_eq!(prices.state(), "failed", "{verifier}, {way}");
            assert_eq!(prices.published(), None, "{verifier}, {way}");
        }
    }
}

#[test]
fn bytes_that_come_again_are_failed_on_arrival_and_it_is_said() {
    let prices = Prices::judged_by(PROGRAM);
    prices.judge("prices", "failed");
    prices.serve("two");
    prices.fetch();
    assert_eq!(prices.published().as_deref(), Some("two"));
    prices.serve("one");
    let said = prices.run(&["fetch", "prices"]);
    assert_eq!(said.code, Some(1), "{said:#?}");
    let because = "prices: v3 failed verification by hand (eyes): no price";
    assert!(said.err.contains(because), "{said:#?}");
    assert_eq!(prices.published().as_deref(), Some("two"));
    let log = prices.ok(&["log"]);
    assert_eq!(log.matches("version.failed").count(), 2, "{log}");
    // A person passes them, and they come and go as any others.
    prices.judge("prices", "passed");
    assert_eq!(prices.published().as_deref(), Some("one"));
    prices.serve("three");
    prices.fetch();
    prices.serve("one");
    prices.fetch();
    assert_eq!(prices.published().as_deref(), Some("one"));
}

#[test]
fn an_older_version_with_the_same_bytes_does_not_take_the_place() {
    for verifier in [PROGRAM, PEOPLE] {
        let prices = Prices::judged_by(verifier);
        prices.judge("prices", "passed");
        for content in ["two", "one"] {
            prices.serve(content);
            prices.fetch();
            prices.judge("prices", "passed");
        }
        assert_eq!(prices.published().as_deref(), Some("one"));
        prices.judge("v3", "failed");
        assert_eq!(prices.published().as_deref(), Some("two"), "{verifier}");
        prices.judge("v2", "failed");
        assert_eq!(prices.published(), None, "{verifier}");
        prices.judge("v1", "passed");
        assert_eq!(prices.published().as_deref(), Some("one"), "{verifier}");
        let list = prices.json(&["list", "--json"]);
        assert_eq!(list[0]["published_version_id"], 3, "{verifier}");
    }
}

#[test]
fn what_a_program_failed_is_judged_anew_when_it_comes_again() {
    let prices = Prices::judged_by("command = [\"sh\", \"-c\", \"test -e ../../allow\"]");
    assert_eq!(prices.state(), "failed");
    let verifier = "[[verifier]]\nname = \"eyes\"\nsources = [\"*\"]\ncommand = [\"true\"]\n";
    let toml = format!(
        "[fetch]\nca_file = {:?}\n{verifier}",
        prices.origin.ca_file()
    );
    prices.configure(&toml);
    for content in ["two", "one"] {
        prices.serve(content);
        prices.fetch();
    }
    assert_eq!(prices.published().as_deref(), Some("one"));
}

#[test]
fn a_verdict_says_for_which_others_it_counts_and_they_say_where_it_was_given() {
    for verifier in [PROGRAM, RULE, PEOPLE] {
        let prices = Prices::judged_by(verifier);
        for content in ["two", "one", "two", "one"] {
            prices.serve(content);
            prices.fetch();
        }
        for version in ["v1", "v3", "v5"] {
            prices.judge(version, "passed");
        }
        let failed = "v1 and v5 have the same contents: the verdict counts for them too";
        let passed = "v3 and v5 have the same contents and were failed by eyes: the verdict counts for them too";
        for (given, outcome, words, others) in [
            ("v3", "failed", failed, [1, 5]),
            ("v1", "passed", passed, [3, 5]),
        ] {
            let said = prices.ok(&["verdict", given, "eyes", outcome]);
            assert!(said.contains(words), "{verifier}: {said}");
            let verdicts = prices.json(&["verdicts", "--json"]);
            let verdicts = verdicts.as_array().cloned().unwrap_or_default();
            for (one, origin) in [
                (&verdicts[2], Value::Null),
                (&verdicts[0], given[1..].into()),
            ] {
                assert_eq!(one["outcome"], outcome, "{verifier}");
                let origin = origin.as_str().and_then(|id| id.parse::<i64>().ok());
                assert_eq!(one["given_on"].as_i64(), origin, "{verifier}: {one}");
            }
            let marked = format!("of the same contents as {given}");
            for other in others {
                let other = format!("v{other}");
                for shown in [&["verdicts", &other][..], &["verdicts", &other, "--full"]] {
                    let shown = prices.ok(shown);
                    assert!(shown.contains(&marked), "{verifier}: {shown}");
                }
            }
            let shown = prices.ok(&["show", "prices"]);
            assert_eq!(shown.matches(&marked).count(), 2, "{verifier}: {shown}");
            let shown = prices.ok(&["verdicts", given, "--limit", "1"]);
            assert!(!shown.contains("of the same"), "{verifier}: {shown}");
        }
        // One of which no other version has the bytes, or that changes nothing for them, says nothing.
        for given in ["v2", "v1"] {
            let said = prices.ok(&["verdict", given, "eyes", "passed"]);
            assert!(!said.contains("same contents"), "{verifier}: {said}");
        }
    }
}

#[test]
fn bytes_that_come_again_say_where_they_were_failed() {
    let prices = Prices::judged_by(PROGRAM);
    prices.judge("prices", "failed");
    for (content, version) in [("two", 2), ("one", 3), ("two", 4), ("one", 5)] {
        prices.serve(content);
        let said = prices.run(&["fetch", "prices"]);
        if content == "two" {
            continue;
        }
        let because = format!(
            "prices: v{version} failed verification by hand (eyes): no price; of the same contents as v1"
        );
        assert!(said.err.contains(&because), "{said:#?}");
        let verdicts = prices.json(&["verdicts", "prices~0", "--json"]);
        assert_eq!(verdicts[0]["given_on"], 1, "{verdicts}");
    }
}
