//! Verdicts that are overtaken: what a person, or another configuration, decides while a verifier is at work stands when that
//! ends.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::rig::{Home, fixture};

fixture! {
    /// One source with a verifier that passes everything, and waits where there is a gate.
    struct Prices;
}

const STRICT: &str = "grep -q good \"$1\"";

fn eyes(command: &str) -> String {
    format!(
        "[[verifier]]\nname = \"eyes\"\nsources = [\"*\"]\ncommand = [\"/bin/sh\", \"-c\", {command:?}, \"sh\", \"{{path}}\"]\n"
    )
}

impl Prices {
    fn new() -> Self {
        let prices = Self(Home::new(""));
        let gate = prices.gate().display().to_string();
        prices.judged_by(&format!("[ ! -p {gate} ] || cat {gate}"));
        prices.add("prices", &[]);
        prices
    }

    fn gate(&self) -> PathBuf {
        self.path("gate")
    }

    fn judged_by(&self, command: &str) {
        self.write_config("config.toml", &eyes(command));
    }

    fn fetch(&self, content: &str) {
        self.serve("prices", content);
        self.run(&["fetch", "prices"]);
    }

    /// Runs a command, and does something else while the verifier that it asked is at work.
    fn while_judged_by(&self, judging: &[&str], meanwhile: impl FnOnce()) {
        let made = Command::new("mkfifo").arg(self.gate()).status();
        assert!(made.expect("mkfifo runs").success());
        let mut child = self.start(judging);
        let pipe = fs::OpenOptions::new().write(true).open(self.gate());
        fs::rename(self.gate(), self.path("old gate")).expect("renamed");
        meanwhile();
        drop(pipe.expect("a reader"));
        child.wait().expect("its end");
        fs::remove_file(self.path("old gate")).expect("removed");
    }

    fn published(&self) -> Option<String> {
        let path = self.source("prices")["published_path"].clone();
        fs::read_to_string(path.as_str().expect("a path")).ok()
    }

    fn state(&self) -> String {
        let state = &self.source("prices")["verified"];
        state.as_str().unwrap_or_default().to_owned()
    }
}

/// What happens meanwhile, and the state of the newest version when the verifier has ended.
type Meanwhile = (&'static str, fn(&Prices), &'static str);

const MEANWHILE: [Meanwhile; 4] = [
    (
        "a person fails it",
        |prices| drop(prices.ok(&["verdict", "v2", "eyes", "failed"])),
        "failed",
    ),
    (
        "its verifier is edited",
        |prices| {
            prices.judged_by(STRICT);
            prices.ok(&["config", "adopt"]);
        },
        "pending",
    ),
    (
        "its verifier is edited, and judges",
        |prices| {
            prices.judged_by(STRICT);
            prices.run(&["verify", "v2"]);
        },
        "failed",
    ),
    (
        "another configuration is adopted",
        |prices| {
            prices.write_config("other.toml", &eyes(STRICT));
            let other = prices.path("other.toml").display().to_string();
            prices.ok(&["--config", &other, "config", "adopt"]);
        },
        "pending",
    ),
];

#[test]
fn a_verdict_that_was_overtaken_does_not_count() {
    for judging in [&["fetch", "prices"][..], &["verify", "v2"]] {
        let prices = Prices::new();
        prices.fetch("good");
        // A verdict that was given before the verifier was edited stands until it judges again.
        let is_known = judging[0] == "verify";
        if is_known {
            prices.fetch("bad");
        } else {
            prices.serve("prices", "bad");
        }
        let saved = prices.save();
        for (what, meanwhile, state) in MEANWHILE {
            prices.put_back(&saved);
            let state = if is_known && state == "pending" {
                "passed"
            } else {
                state
            };
            prices.while_judged_by(judging, || meanwhile(&prices));
            let what = format!("{judging:?}: {what}");
            assert_eq!(prices.state(), state, "{what}");
            let published = if state == "passed" { "bad" } else { "good" };
            assert_eq!(prices.published().as_deref(), Some(published), "{what}");
            let log = prices.ok(&["log"]);
            assert!(log.contains("verdict.overtaken"), "{what}: {log}");
        }
    }
}

#[test]
fn what_was_left_open_is_judged_by_the_verifier_of_now() {
    let prices = Prices::new();
    prices.fetch("good");
    prices.serve("prices", "bad");
    let saved = prices.save();
    for (what, meanwhile, _) in MEANWHILE {
        prices.put_back(&saved);
        prices.while_judged_by(&["fetch", "prices"], || meanwhile(&prices));
        let other = prices.path("other.toml");
        let config = if other.exists() {
            other
        } else {
            prices.path("config.toml")
        };
        let config = config.display().to_string();
        prices.run(&["--config", &config, "--worker-only"]);
        assert_eq!(prices.state(), "failed", "{what}");
        assert_eq!(prices.published().as_deref(), Some("good"), "{what}");
    }
}

#[test]
fn bytes_that_a_person_fails_while_they_are_judged_again_stay_failed() {
    let prices = Prices::new();
    prices.fetch("one");
    prices.fetch("two");
    prices.serve("prices", "one");
    prices.while_judged_by(&["fetch", "prices"], || {
        prices.ok(&["verdict", "v1", "eyes", "failed"]);
    });
    assert_eq!(prices.state(), "failed");
    assert_eq!(prices.published().as_deref(), Some("two"));
}

/// A person's word on a version that waits for its turn stands, whichever version is judged before it.
#[test]
fn what_a_person_fails_while_others_are_verified_stays_failed() {
    let prices = Prices::new();
    prices.fetch("one");
    prices.fetch("two");
    let saved = prices.save();
    for (targets, failed) in [
        (&["verify", "prices"][..], "v2"),
        (&["verify", "v1", "v2"], "v2"),
        (&["verify", "v1", "v2", "--json"], "v2"),
        (&["verify", "prices"], "v1"),
    ] {
        prices.put_back(&saved);
        let what = format!("{targets:?}, {failed}");
        prices.while_judged_by(targets, || {
            prices.ok(&["verdict", failed, "eyes", "failed"]);
        });
        let verdicts = prices.json(&["verdicts", failed, "--json"]);
        let verdicts = verdicts.as_array().expect("verdicts");
        let last = verdicts.first().expect("a verdict");
        assert_eq!(last["outcome"], "failed", "{what}: {verdicts:?}");
        let published = if failed == "v2" { "one" } else { "two" };
        assert_eq!(prices.published().as_deref(), Some(published), "{what}");
        // Asked for after it, the verifier takes its place.
        prices.ok(&["verify", failed]);
        assert_eq!(prices.published().as_deref(), Some("two"), "{what}");
    }
}
