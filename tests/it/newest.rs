//! Versions that did not pass and are published all the same, by the rule `newest`: whoever sees that they are published sees why
//! that is no good word for them. Through the real program.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::origin::{Origin, Reply};
use crate::rig::Gannet;

/// A source `a` with a good version, published, and one that its verifier ended on with this exit code.
struct Home {
    origin: Origin,
    gannet: Gannet,
}

impl Home {
    fn new(code: i32) -> Self {
        let origin = Origin::start(true);
        let gannet = Gannet::trusting(origin.ca_file(), "");
        let home = Self { origin, gannet };
        let judge = home.gannet.path("judge");
        let text = format!("#!/bin/sh\ngrep -q good \"$1\" || {{ echo no good; exit {code}; }}\n");
        fs::write(&judge, text).expect("a program");
        fs::set_permissions(&judge, fs::Permissions::from_mode(0o755)).expect("a mode");
        home.gannet.configure(&format!(
            "[fetch]\nca_file = {:?}\nmax_tries = 1
             [[verifier]]\nname = \"prog\"\nsources = [\"*\"]\ncommand = [{:?}, \"{{path}}\"]\n",
            home.origin.ca_file().display().to_string(),
            judge.display().to_string()
        ));
        home.serve("good");
        let url = home.origin.url("/a");
        home.gannet
            .ok(&["add", &url, "1h", "--name", "a", "--allow-private"]);
        home.gannet.ok(&["fetch", "a"]);
        home.serve("bad");
        home.gannet.run(&["fetch", "a"]);
        home
    }

    fn serve(&self, content: &str) {
        self.origin.on("/a", [Reply::file(content.to_owned())]);
    }

    fn path(&self) -> String {
        format!("{}/a", self.origin.host().replace(':', "_"))
    }
}

#[test]
fn a_version_that_did_not_pass_is_not_published_without_a_word() {
    for (code, word, clause) in [
        (1, "failed", "which failed"),
        (7, "error", "which could not be judged"),
    ] {
        let home = Home::new(code);
        let path = home.path();
        let list = home.gannet.ok(&["list"]);
        assert!(list.contains(&format!("{path}\n")), "{list}");

        let edited = home.gannet.ok(&["edit", "a", "--publish", "newest"]);
        let published = format!("published v2, {clause}, at {path} by the rule `newest`\n");
        assert!(edited.contains(&published), "{edited}");
        let list = home.gannet.ok(&["list"]);
        assert!(list.contains(&format!("{path} ({word})\n")), "{list}");
        let show = home.gannet.ok(&["show", "a"]);
        let place = format!("{path} (v2, {clause}, by the rule `newest`)\n");
        assert!(show.contains(&place), "{show}");

        home.serve("worse");
        let fetched = home.gannet.run(&["fetch", "a"]).out;
        let published = format!("; published v3, {clause}, at {path} by the rule `newest`\n");
        assert!(fetched.contains(&published), "{fetched}");
        let again = home.gannet.run(&["fetch", "a"]).out;
        let stays = format!("; v3, {clause}, stays published at {path} by the rule `newest`\n");
        assert!(again.contains(&stays), "{again}");
        let verified = home.gannet.run(&["verify", "a~0"]).out;
        let stays = format!("a: v3, {clause}, stays published at {path} by the rule `newest`\n");
        assert!(verified.contains(&stays), "{verified}");

        // What could not be judged stays where it is.
        let back = home.gannet.ok(&["edit", "a", "--publish", "passed"]);
        assert!(!back.contains("newest`"), "{back}");
        home.serve("good again");
        let fetched = home.gannet.ok(&["fetch", "a"]);
        assert!(!fetched.contains("rule"), "{fetched}");
    }
}

#[test]
fn a_good_version_by_the_same_rule_needs_no_word() {
    let home = Home::new(1);
    home.gannet.ok(&["edit", "a", "--publish", "newest"]);
    home.serve("good again");
    for command in ["fetch a", "list", "show a", "verify a~0"] {
        let said = home.gannet.ok(&command.split(' ').collect::<Vec<_>>());
        assert!(!said.contains("by the rule"), "{command}: {said}");
        assert!(!said.contains("(passed)"), "{command}: {said}");
    }
}
