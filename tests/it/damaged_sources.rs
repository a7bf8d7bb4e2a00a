//! A row of a source or of the policy in which one byte is another: what it says is no reason to publish, to withdraw, or to ask other
//! verifiers. Through the real program.

use std::fs;

use crate::rig::sqlite::damage;
use crate::rig::{Gannet, Home, Origin, Reply, Said, fixture};

const GOOD: &str = "good one";

fixture! {
    /// Sources `a` (by its tag) and `b` (by its name) that verifiers select, and `c` beside them; then all are due, and bad.
    struct Scene;
}

impl Scene {
    fn new() -> Self {
        let grep = "command = [\"/bin/grep\", \"-q\", \"good\", \"{path}\"]";
        let toml = format!(
            "[[verifier]]\nname = \"tagged\"\nsources = [\"tag:prices\"]\n{grep}
             [[verifier]]\nname = \"named\"\nsources = [\"b*\"]\n{grep}\n"
        );
        let contents = || [GOOD, "bad two"];
        Self(
            Home::new(&toml)
                .with_member("a", &["prices"], contents())
                .with_source("b", contents())
                .with_source("c", contents())
                .fetched(&["*"]),
        )
    }

    fn damage(&self, statement: &str) {
        damage(&self.data(), statement);
        damage(
            &self.data(),
            "UPDATE source_state SET next_slot = 0; DELETE FROM chore",
        );
    }
}

#[track_caller]
fn is_named(said: &Said, row: &str, statement: &str) {
    assert_eq!(said.code, Some(3), "{statement}: {said:#?}");
    let line = said.err.lines().find(|line| line.contains(row));
    let line = line.unwrap_or_else(|| panic!("{statement}: {said:#?}"));
    assert!(line.contains("is damaged"), "{statement}: {said:#?}");
}

/// Each takes a source from its verifiers, or from the sources.
const CHANGED: [(&str, &str); 8] = [
    ("a", "settings = replace(settings, 'prices', 'pricez')"),
    ("a", "settings = json_remove(settings, '$.tags')"),
    ("a", "settings = json_set(settings, '$.publish', 'newest')"),
    ("b", "name = 'j'"),
    ("b", "address = address || 'x'"),
    ("b", "removed_at = 8"),
    (
        "b",
        "settings = json_set(settings, '$.enabled', json('false'))",
    ),
    (
        "a",
        "published_path = replace(published_path, '/a', '/q'), path_key = replace(path_key, '/a', '/q')",
    ),
];

#[test]
fn a_source_whose_row_is_another_by_a_byte_is_left_as_it_is_and_named() {
    let home = Scene::new();
    let saved = home.save();
    for (name, change) in CHANGED {
        home.put_back(&saved);
        let id = if name == "a" { 1 } else { 2 };
        let statement = format!("UPDATE source SET {change} WHERE id = {id}");
        home.damage(&statement);
        let row = format!("row {id} of the table `source`");
        for _ in 0..2 {
            let said = home.run(&["--worker-only"]);
            is_named(&said, &row, &statement);
            assert_eq!(home.content(name).as_deref(), Some(GOOD), "{statement}");
        }
        let log = home.run(&["log", "--limit", "0"]).out;
        assert_eq!(log.matches("catalogue.damaged").count(), 1, "{log}");
        // The others are fetched, and judged.
        assert_eq!(home.content("c").as_deref(), Some("bad two"), "{statement}");
        let other = if name == "a" { "b" } else { "a" };
        assert_eq!(home.content(other).as_deref(), Some(GOOD), "{statement}");
        let list = home.run(&["list", "--json"]).out;
        assert!(
            list.contains("\"verified\": \"failed\""),
            "{statement}: {list}"
        );
        is_named(&home.run(&["list"]), &row, &statement);
        let said = home.run(&["edit", &id.to_string(), "--interval", "2h"]);
        assert_eq!(said.code, Some(3), "{statement}: {said:#?}");
        assert_eq!(home.content(name).as_deref(), Some(GOOD), "{statement}");
        // It can be given up, with its history.
        home.run(&["remove", &id.to_string(), "--purge", "--yes"]);
        home.ok(&["list"]);
    }
}

/// A set is not published without a member whose row says that it is none any more.
#[test]
fn a_set_waits_for_a_member_whose_row_is_damaged() {
    for change in [
        "removed_at = 8",
        "settings = replace(settings, 'both', 'boti')",
        "settings = json_remove(settings, '$.tags')",
    ] {
        let origin = Origin::start(true);
        let toml = "[[verifier]]\nname = \"s\"\nscope = \"set\"\nsources = [\"tag:both\"]\ncommand = [\"true\"]\n";
        let gannet = Gannet::trusting(origin.ca_file(), toml);
        for name in ["a", "b"] {
            origin.on(&format!("/{name}"), ["one", "two"].map(Reply::file));
            let url = origin.url(&format!("/{name}"));
            gannet.ok(&["add", &url, "1h", "--allow-private", "--tag", "both"]);
        }
        gannet.ok(&["fetch", "*"]);
        let members = || {
            let files = fs::read_dir(gannet.data().join("sets/both")).expect("a set");
            files.count()
        };
        assert_eq!(members(), 2);
        let statement = format!("UPDATE source SET {change} WHERE id = 1");
        damage(&gannet.data(), &statement);
        damage(&gannet.data(), "UPDATE source_state SET next_slot = 0");
        for _ in 0..2 {
            let said = gannet.run(&["--worker-only"]);
            is_named(&said, "row 1 of the table `source`", change);
            assert_eq!(members(), 2, "{change}");
        }
        let log = gannet.run(&["log", "--limit", "0"]).out;
        assert_eq!(log.matches("catalogue.damaged").count(), 1, "{log}");
    }
}

#[test]
fn no_other_file_becomes_the_configuration_by_a_damaged_policy() {
    let home = Scene::new();
    let other = home.path("other.toml");
    let text = fs::read_to_string(home.path("config.toml")).expect("a configuration");
    let text = text
        .replace("grep", "cat")
        .replace("\"-q\", \"good\", ", "");
    fs::write(&other, text).expect("written");
    let saved = home.save();
    for change in [
        "file = replace(file, 'config.toml', 'other.toml')",
        "verifiers = replace(verifiers, 'tag:prices', 'tag:pricez')",
        "adopted_at = adopted_at + 1",
    ] {
        home.put_back(&saved);
        home.damage(&format!("UPDATE policy SET {change}"));
        for named in [true, false] {
            let mut command = home.command(&["--worker-only"]);
            if !named {
                command.env_remove("GANNET_CONFIG");
            }
            let said = crate::rig::said(&command.output().expect("gannet runs"));
            assert_eq!(said.code, Some(3), "{change}: {said:#?}");
            for name in ["a", "b"] {
                assert_eq!(home.content(name).as_deref(), Some(GOOD), "{change}");
            }
        }
        // Only what an operator names takes its place.
        let mut command = home.command(&["config", "adopt"]);
        command.env_remove("GANNET_CONFIG");
        let said = crate::rig::said(&command.output().expect("gannet runs"));
        assert_ne!(said.code, Some(0), "{change}: {said:#?}");
        assert!(
            said.err.contains("gannet --config FILE config adopt"),
            "{said:#?}"
        );
        home.ok(&["config", "adopt"]);
        let said = home.run(&["--worker-only"]);
        assert_eq!(said.code, Some(1), "{change}: {said:#?}");
        for name in ["a", "b"] {
            assert_eq!(home.content(name).as_deref(), Some(GOOD), "{change}");
        }
    }
}
