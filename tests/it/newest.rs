//! Versions that did not pass and are published all the same, by the rule `newest`: whoever sees that they are published sees why
//! that is no good word for them. Through the real program.

use crate::rig::{Home, fixture, verifier};

fixture! {
    /// A source `a` with a good version, published, and one that its verifier ended on with this exit code.
    struct Scene;
}

impl Scene {
    fn new(code: i32) -> Self {
        let home = Home::new("");
        let body = format!("grep -q good \"$1\" || {{ echo no good; exit {code}; }}");
        let judge = home.program("judge", &body);
        let command = format!("command = [{judge:?}, \"{{path}}\"]");
        home.write_config("config.toml", &verifier("prog", &command));
        let home = home.with_source("a", ["good"]).fetched(&["a"]);
        home.serve("a", "bad");
        home.run(&["fetch", "a"]);
        Self(home)
    }

    fn published_path(&self) -> String {
        format!("{}/a", self.origin.folder_name())
    }
}

#[test]
fn a_version_that_did_not_pass_is_not_published_without_a_word() {
    for (code, word, clause) in [
        (1, "failed", "which failed"),
        (7, "error", "which could not be judged"),
    ] {
        let home = Scene::new(code);
        let path = home.published_path();
        let list = home.ok(&["list"]);
        assert!(list.contains(&format!("{path}\n")), "{list}");

        let edited = home.ok(&["edit", "a", "--publish", "newest"]);
        let published = format!("published v2, {clause}, at {path} by the rule `newest`\n");
        assert!(edited.contains(&published), "{edited}");
        let list = home.ok(&["list"]);
        assert!(list.contains(&format!("{path} ({word})\n")), "{list}");
        let show = home.ok(&["show", "a"]);
        let place = format!("{path} (v2, {clause}, by the rule `newest`)\n");
        assert!(show.contains(&place), "{show}");

        home.serve("a", "worse");
        let fetched = home.run(&["fetch", "a"]).out;
        let published = format!("; published v3, {clause}, at {path} by the rule `newest`\n");
        assert!(fetched.contains(&published), "{fetched}");
        let again = home.run(&["fetch", "a"]).out;
        let stays = format!("; v3, {clause}, stays published at {path} by the rule `newest`\n");
        assert!(again.contains(&stays), "{again}");
        let verified = home.run(&["verify", "a~0"]).out;
        let stays = format!("a: v3, {clause}, stays published at {path} by the rule `newest`\n");
        assert!(verified.contains(&stays), "{verified}");

        // What could not be judged stays where it is.
        let back = home.ok(&["edit", "a", "--publish", "passed"]);
        assert!(!back.contains("newest`"), "{back}");
        home.serve("a", "good again");
        let fetched = home.ok(&["fetch", "a"]);
        assert!(!fetched.contains("rule"), "{fetched}");
    }
}

#[test]
fn a_good_version_by_the_same_rule_needs_no_word() {
    let home = Scene::new(1);
    home.ok(&["edit", "a", "--publish", "newest"]);
    home.serve("a", "good again");
    for command in ["fetch a", "list", "show a", "verify a~0"] {
        let said = home.ok(&command.split(' ').collect::<Vec<_>>());
        assert!(!said.contains("by the rule"), "{command}: {said}");
        assert!(!said.contains("(passed)"), "{command}: {said}");
    }
}
