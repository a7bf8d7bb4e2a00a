//! Bytes of a single source that a person failed: they stay failed whatever becomes of the source, and when they come again.

use serde_json::Value;

use crate::origin::{Origin, Reply};
use crate::rig::Gannet;

const PROGRAM: &str = "command = [\"true\"]";
const RULE: &str = "builtin = \"utf8\"";
const PEOPLE: &str = "external = true";

struct Prices {
    origin: Origin,
    gannet: Gannet,
}

type Way = fn(&Prices);

impl Prices {
    fn judged_by(what: &str) -> Self {
        let origin = Origin::start(true);
        let verifier = format!("[[verifier]]\nname = \"eyes\"\nsources = [\"*\"]\n{what}\n");
        let gannet = Gannet::trusting(origin.ca_file(), &verifier);
        let url = origin.url("/prices");
        let prices = Self { origin, gannet };
        prices.serve("one");
        let arguments = ["add", &url, "1h", "--allow-private", "--name", "prices"];
        prices.gannet.ok(&arguments);
        prices.fetch();
        prices
    }

    fn serve(&self, content: &str) {
        self.origin.on("/prices", [Reply::file(content.to_owned())]);
    }

    fn fetch(&self) {
        self.gannet.run(&["fetch", "*"]);
    }

    fn judge(&self, version: &str, outcome: &str) {
        self.gannet
            .ok(&["verdict", version, "eyes", outcome, "--detail", "no price"]);
    }

    /// What consumers see; nothing when nothing is published.
    fn published(&self) -> Option<String> {
        let list = self.gannet.json(&["list", "--json"]);
        let path = list[0]["published_path"].as_str()?.to_owned();
        std::fs::read_to_string(path).ok()
    }

    fn state(&self) -> Value {
        self.gannet.json(&["list", "--json"])[0]["verified"].clone()
    }
}

#[test]
fn what_a_person_failed_stays_failed() {
    let ways: [(&str, Way); 7] = [
        ("passes", |prices| prices.fetch()),
        ("renamed", |prices| {
            prices.gannet.ok(&["edit", "prices", "--name", "renamed"]);
        }),
        ("removed and restored", |prices| {
            prices.gannet.ok(&["remove", "prices"]);
            prices.gannet.ok(&["restore", "prices"]);
        }),
        ("disabled and enabled", |prices| {
            prices.gannet.ok(&["disable", "prices"]);
            prices.gannet.ok(&["enable", "prices"]);
        }),
        ("fetched whole", |prices| {
            prices.gannet.run(&["fetch", "--whole", "prices"]);
        }),
        ("other bytes, and the same again", |prices| {
            prices.serve("two");
            prices.fetch();
            prices.judge("prices", "passed");
            prices.judge("prices", "failed");
            prices.serve("one");
        }),
        ("judged what is stale", |prices| {
            prices.gannet.run(&["verify", "--stale"]);
        }),
    ];
    for verifier in [PROGRAM, RULE, PEOPLE] {
        for (way, go) in ways {
            let prices = Prices::judged_by(verifier);
            prices.judge("prices", "passed");
            assert_eq!(prices.published().as_deref(), Some("one"));
            prices.judge("prices", "failed");
            assert_eq!(prices.published(), None, "{way}");
            go(&prices);
            prices.fetch();
            prices.gannet.run(&["--worker-only"]);
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
    let said = prices.gannet.run(&["fetch", "prices"]);
    assert_eq!(said.code, Some(1), "{said:#?}");
    let because = "prices: v3 failed verification by eyes: no price";
    assert!(said.err.contains(because), "{said:#?}");
    assert_eq!(prices.published().as_deref(), Some("two"));
    let log = prices.gannet.ok(&["log"]);
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
        let list = prices.gannet.json(&["list", "--json"]);
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
    prices.gannet.configure(&toml);
    for content in ["two", "one"] {
        prices.serve(content);
        prices.fetch();
    }
    assert_eq!(prices.published().as_deref(), Some("one"));
}
