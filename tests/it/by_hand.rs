//! `fetch` by hand: what is undecided of the sources is judged, the exit code says whether their newest versions are good, and the
//! lines say what consumers see. Through the real program.

use serde_json::Value;

use crate::rig::{Home, Said, fixture};

fixture! {
    /// Sources `single`, judged by a program; `outside`, by somebody outside; `member`, with its set, by a program.
    struct Scene;
}

impl Scene {
    fn new() -> Self {
        let home = Home::new("");
        let judge = home.program("judge", "exit 0");
        home.write_config("config.toml", &format!(
            "[[verifier]]\nname = \"program\"\nsources = [\"single\"]\ncommand = [{judge:?}]
             [[verifier]]\nname = \"person\"\nsources = [\"outside\"]\nexternal = true
             [[verifier]]\nname = \"whole\"\nscope = \"set\"\nsources = [\"tag:eu\"]\ncommand = [{judge:?}]\n"
        ));
        Self(
            home.with_source("single", ["one"])
                .with_source("outside", ["one"])
                .with_member("member", &["eu"], ["one"]),
        )
    }

    /// Has the program end with this code from now on.
    fn judge(&self, code: i32) {
        self.program("judge", &format!("exit {code}"));
    }

    fn fetch(&self, name: &str) -> Said {
        self.run(&["fetch", name])
    }

    /// What `fetch --json` says that consumers see of a source.
    fn published(&self, name: &str) -> Value {
        self.0.fetch(name)["sources"][0]["published_version_id"].clone()
    }
}

#[test]
fn what_could_not_be_judged_is_judged_again_although_nothing_changed() {
    for (name, before, after) in [
        (
            "single",
            "program: exit code 7; v1 stays published at ",
            "v2       passed",
        ),
        (
            "member",
            "could not be judged by whole: exit code 7; v1 stays published with the set eu",
            "1 set published",
        ),
    ] {
        let home = Scene::new();
        assert_eq!(home.fetch(name).code, Some(0), "{name}");
        home.serve(name, "two");
        home.judge(7);
        // The second finds it unchanged, and asks again.
        for outcome in ["new", "unchanged"] {
            let said = home.fetch(name);
            let is_told = said.out.contains(before) && said.out.contains(outcome);
            assert!(said.code == Some(1) && is_told, "{name}: {said:#?}");
        }
        assert_eq!(home.published(name), 1, "{name}");
        home.judge(0);
        let said = home.fetch(name);
        let is_told = said.out.contains(after) && !said.out.contains("stays");
        assert!(said.code == Some(0) && is_told, "{name}: {said:#?}");
        assert_eq!(home.published(name), 2, "{name}");
    }
}

#[test]
fn a_version_that_failed_before_is_still_no_good_one() {
    for (code, first, word) in [
        (1, true, "nothing of it is published"),
        (1, false, "v1 stays published at "),
        (7, true, "nothing of it is published"),
    ] {
        let home = Scene::new();
        if !first {
            assert_eq!(home.fetch("single").code, Some(0));
            home.serve("single", "two");
        }
        home.judge(code);
        for _ in 0..2 {
            let said = home.fetch("single");
            assert!(
                said.code == Some(1) && said.out.contains(word),
                "{code}, {first}: {said:#?}"
            );
        }
        let expected = if first { Value::Null } else { Value::from(1) };
        assert_eq!(home.published("single"), expected, "{code}, {first}");
        let json = home.run(&["fetch", "single", "--json"]);
        assert_eq!(json.code, Some(1), "{code}, {first}");
    }
}

#[test]
fn what_waits_is_no_failure_and_says_what_consumers_see() {
    let home = Scene::new();
    let said = home.fetch("outside");
    let is_told = said.out.contains("pending") && said.out.contains("nothing of it is published");
    assert!(said.code == Some(0) && is_told, "{said:#?}");
    home.ok(&["verdict", "outside~0", "person", "passed"]);
    home.serve("outside", "two");
    for outcome in ["new", "unchanged"] {
        let said = home.fetch("outside");
        let is_told = said.out.contains("v1 stays published at ") && said.out.contains(outcome);
        assert!(said.code == Some(0) && is_told, "{said:#?}");
    }
    assert_eq!(home.published("outside"), 1);
}

#[test]
fn a_version_that_a_newer_one_made_needless_is_not_judged() {
    let home = Scene::new();
    home.judge(7);
    assert_eq!(home.fetch("single").code, Some(1));
    home.serve("single", "two");
    home.judge(0);
    let said = home.fetch("single");
    assert!(
        said.code == Some(0) && said.out.contains("; 1 passed;"),
        "{said:#?}"
    );
    let history = home.history("single");
    let states: Vec<_> = history["versions"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|version| version["verified"].clone())
        .collect();
    assert_eq!(states, ["passed", "error"], "{history}");
}

#[test]
fn older_versions_that_are_undecided_are_left_to_the_passes() {
    let home = Scene::new();
    home.judge(7);
    for content in ["one", "two", "three"] {
        home.serve("single", content);
        assert_eq!(home.fetch("single").code, Some(1));
    }
    assert_eq!(home.fetch("single").code, Some(1));
    let asked = |version: &str| {
        let verdicts = home.json(&["verdicts", version, "--json"]);
        verdicts.as_array().map_or(0, Vec::len)
    };
    assert_eq!(["v1", "v2", "v3"].map(asked), [1, 1, 2]);
}
