//! Readers find nothing that must not be served, also while its successor cannot be put in its place: through the real program.

use std::fs;

use serde_json::Value;

use crate::rig::{Home, PASS_ALL, Reply, Said, fixture, in_mount_namespace};

fixture! {
    /// A source `a` and a member `m` of the set `eu`, each with two versions that passed, of which readers find the second.
    struct Scene;
}

/// Gives the folder `$1` in the data folder a disk of its own without any room.
const FULL: &str = r#"
    full() {
        mv "$data/$1" "$HOME/away"; mkdir "$data/$1"; mount -t tmpfs -o size=64k none "$data/$1"
        cp -a "$HOME/away/." "$data/$1/"; dd if=/dev/zero of="$data/$1/fill" bs=512 2>/dev/null || true
    }
    protect() { mount --bind "$data/$1" "$data/$1"; mount -o remount,ro,bind "$data/$1"; }
"#;

/// Tells what readers find, and what the catalogue says.
const END: &str = r#"
    cat "$data"/published/*/a >"$HOME/served" 2>/dev/null || echo none >"$HOME/served"
    cat "$data"/sets/eu/m >"$HOME/served_set" 2>/dev/null || echo none >"$HOME/served_set"
    "$gannet" list --json >"$HOME/list.json"; "$gannet" list --sets --json >"$HOME/sets.json"
    "$gannet" log --json --limit 1000 >"$HOME/log.json"
    exit $code"#;

impl Scene {
    fn new() -> Self {
        let contents = |name| ["one", "two"].map(|text| format!("{text} of {name}"));
        let home = Home::new(PASS_ALL)
            .with_source("a", contents("a"))
            .with_member("m", &["eu"], contents("m"));
        Self(home.fetched(&["a", "m"]).fetched(&["a", "m"]))
    }

    /// Runs a command, which ends with 1, after a shell has done something to the data folder.
    fn run_where(&self, harm: &str, command: &str) -> Option<Said> {
        let script = format!("{FULL}\n{harm}\ncode=0; \"$gannet\" {command} || code=$?\n{END}");
        in_mount_namespace(self, &script)
    }

    fn read(&self, name: &str) -> String {
        let text = fs::read_to_string(self.path(name)).expect("a file");
        text.trim().to_owned()
    }

    fn read_json(&self, name: &str) -> Value {
        serde_json::from_str(&self.read(name)).expect("JSON")
    }

    /// Returns the details of the events of one kind.
    fn events(&self, action: &str) -> Vec<String> {
        let log = self.read("log.json");
        let events = log
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let events = events.filter(|event| event["action"] == action);
        events.map(|event| event["detail"].to_string()).collect()
    }

    fn listed(&self) -> Value {
        let list = self.read_json("list.json");
        let mut sources = list.as_array().expect("a list").iter();
        sources.find(|one| one["name"] == "a").expect("a").clone()
    }
}

#[test]
fn a_file_that_failed_is_taken_away_while_nothing_can_take_its_place() {
    const ALTER: &str = "printf altered >\"$(ls \"$data\"/published/*/a)\"";
    let failed = "took /";
    let cases = [
        (
            "full",
            "full published".to_owned(),
            "verdict a~0 look failed --detail poison",
            "away, which was failed by hand (look): poison; its successor: ",
            "none",
        ),
        (
            "altered by somebody",
            format!("full published; {ALTER}"),
            "fetch a",
            "away, whose contents are not what was published; its successor: ",
            "none",
        ),
        (
            "read-only",
            "protect published".to_owned(),
            "verdict a~0 look failed --detail poison",
            "is still served, which was failed by hand (look): poison: ",
            "two of a",
        ),
        (
            "read-only, and no version is good",
            "\"$gannet\" verdict a~1 look failed; protect published".to_owned(),
            "verdict a~0 look failed",
            "/a is still served: cannot remove ",
            "two of a",
        ),
    ];
    let home = Scene::new();
    let saved = home.save();
    for (case, harm, command, words, served) in cases {
        home.put_back(&saved);
        let Some(said) = home.run_where(&harm, command) else {
            return;
        };
        assert_eq!(said.code, Some(1), "{case}: {said:#?}");
        assert!(said.err.contains(words), "{case}: {said:#?}");
        assert_eq!(
            said.err.contains(failed),
            served == "none",
            "{case}: {said:#?}"
        );
        assert_eq!(home.read("served"), served, "{case}: {said:#?}");
        let source = home.listed();
        let error = source["publish_error"].as_str().unwrap_or_default();
        assert!(error.contains(words), "{case}: {source}");
        let told = home.events("publish.failed");
        assert!(
            told.iter().any(|one| one.contains(words)),
            "{case}: {told:?}"
        );
        // Nothing is in the way any more.
        home.run(&["--worker-only"]);
        let expected = match case {
            "altered by somebody" => Some("two of a"),
            "read-only, and no version is good" => None,
            _ => Some("one of a"),
        };
        let now = home.content("a");
        assert_eq!(now.as_deref(), expected, "{case}");
        assert_eq!(home.source("a")["publish_error"], Value::Null, "{case}");
    }
}

#[test]
fn a_file_that_may_be_served_stays_while_its_successor_cannot_take_its_place() {
    let home = Scene::new();
    home.origin.on("/a", [Reply::file("three of a")]);
    let Some(said) = home.run_where("full published", "fetch a") else {
        return;
    };
    assert_eq!(said.code, Some(1), "{said:#?}");
    assert_eq!(home.read("served"), "two of a", "{said:#?}");
    assert!(!said.err.contains("took /"), "{said:#?}");
}

#[test]
fn the_folder_of_a_set_that_failed_is_taken_away_while_nothing_can_take_its_place() {
    const GONE: &str = "rm -rf \"$data\"/sets/.editions/eu-1-*";
    let cases = [
        (
            "an edition that failed",
            format!("{GONE}; full sets"),
            "verdict set:eu whole failed --detail poison",
            "away, of which edition 2 was failed by hand (whole): poison; its successor: ",
            "none",
        ),
        (
            "a member that failed",
            format!("{GONE}; full sets"),
            "verdict m~0 look failed --detail poison",
            "away, of which edition 2 was failed by hand (look): poison (m); its successor: ",
            "none",
        ),
        (
            "a file that somebody altered",
            "chmod u+w \"$data\"/sets/eu/m; printf altered >\"$(readlink -f \"$data\"/sets/eu)/m\"; full sets"
                .to_owned(),
            "--worker-only",
            "away, since its m is not what was published; its successor: ",
            "none",
        ),
        (
            "read-only",
            format!("{GONE}; protect sets"),
            "verdict set:eu whole failed --detail poison",
            "is still served, of which edition 2 was failed by hand (whole): poison: ",
            "two of m",
        ),
    ];
    let home = Scene::new();
    let saved = home.save();
    for (case, harm, command, words, served) in cases {
        home.put_back(&saved);
        let Some(said) = home.run_where(&harm, command) else {
            return;
        };
        assert_eq!(said.code, Some(1), "{case}: {said:#?}");
        assert!(said.err.contains(words), "{case}: {said:#?}");
        assert_eq!(home.read("served_set"), served, "{case}: {said:#?}");
        let set = home.read_json("sets.json")[0].clone();
        let error = set["publish_error"].as_str().unwrap_or_default();
        assert!(error.contains(words), "{case}: {set}");
        home.run(&["--worker-only"]);
        let altered = case.contains("altered");
        let expected = if altered { "two of m" } else { "one of m" };
        let file = home.data().join("sets/eu/m");
        let now = fs::read_to_string(file).ok();
        assert_eq!(now.as_deref(), Some(expected), "{case}");
    }
}
