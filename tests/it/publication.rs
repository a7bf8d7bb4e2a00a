//! What must be published or withdrawn is a task until it is done, published files are looked after, and whatever could not
//! be done shows everywhere: through the real program.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use gannet::domain::{Actor, SourceId, Stamp};
use gannet::store::{SourceChange, Store};
use serde_json::Value;

use crate::rig::{Gannet, Home, Origin, Reply, fixture, sqlite};

fixture! {
    /// Sources `a`, `b` … of one origin, all fetched.
    struct Scene;
}

impl Scene {
    fn with(names: &[&str], toml: &str) -> Self {
        let names = names.iter();
        Self(names.fold(Home::new(toml), |home, name| {
            home.with_source(name, [format!("content of {name}")])
        }))
    }

    /// Moves the folder of the published files away and puts a link in its place, which stands in the way.
    fn block(&self) -> PathBuf {
        let away = self.path("away");
        fs::rename(self.folder(), &away).expect("moved");
        symlink(&away, self.folder()).expect("a link");
        away
    }

    fn unblock(&self, away: &Path) {
        fs::remove_file(self.folder()).expect("no link");
        fs::rename(away, self.folder()).expect("moved back");
    }

    /// The events of this action, each with its source's name and its detail.
    fn details(&self, action: &str) -> Vec<String> {
        let events = self.events(action).into_iter();
        events
            .map(|event| format!("{} {}", event["source"], event["detail"]))
            .collect()
    }

    /// Ends sources as a process does that is killed right after its commit.
    fn end_without_files(&self, id: i64, purge: bool) {
        let store = Store::open(&self.data().join("gannet.db")).expect("a catalogue");
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let change = SourceChange::Remove {
            id: SourceId(id),
            purge,
        };
        let stamp = Stamp {
            at: "2030-01-01T10:00:00Z".parse().expect("a time"),
            actor: Actor("tester".to_owned()),
        };
        runtime
            .block_on(store.change_sources(vec![change], stamp))
            .expect("removed");
    }
}

#[test]
fn what_a_killed_removal_left_goes_with_whatever_is_done_next() {
    let home = Scene::with(&["a", "b"], "");
    home.ok(&["fetch", "*"]);
    let saved = home.save();
    for (case, purge, next) in [
        ("removed, a pass", false, &["--worker-only"][..]),
        ("purged, a pass", true, &["--worker-only"]),
        ("removed, a change", false, &["interval", "b", "6h"]),
        ("purged, a change", true, &["interval", "b", "6h"]),
        (
            "removed, then purged",
            false,
            &["remove", "--purge", "1", "--yes"],
        ),
    ] {
        home.put_back(&saved);
        home.end_without_files(1, purge);
        assert!(home.content("a").is_some(), "{case}");
        home.ok(next);
        assert_eq!(home.content("a"), None, "{case}");
        assert_eq!(home.content("b").as_deref(), Some("content of b"), "{case}");
    }
}

#[test]
fn a_path_that_another_source_took_over_is_not_withdrawn() {
    let home = Scene::with(&["a", "b"], "");
    home.ok(&["fetch", "*"]);
    let saved = home.save();
    for purge in [false, true] {
        home.put_back(&saved);
        home.end_without_files(1, purge);
        let restore = !purge;
        if restore {
            home.ok(&["restore", "1"]);
            assert_eq!(home.content("a").as_deref(), Some("content of a"));
        } else {
            home.add("a", &[]);
            assert_eq!(
                home.content("a"),
                None,
                "nothing of the purged source is served"
            );
            home.serve("a", "anew");
            home.ok(&["fetch", "a"]);
            assert_eq!(home.content("a").as_deref(), Some("anew"));
        }
        let before = home.content("a");
        home.ok(&["--worker-only"]);
        assert_eq!(home.content("a"), before, "it is a live source's now");
    }
}

#[test]
fn a_file_that_cannot_be_removed_is_told_and_keeps_no_other_from_going() {
    let home = Scene::with(&["a", "b"], "");
    home.ok(&["fetch", "*"]);
    fs::rename(home.file("a"), home.path("a")).expect("moved");
    fs::create_dir_all(home.file("a").join("in the way")).expect("a folder");
    let said = home.run(&["remove", "a", "b", "--yes"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("a folder is in the way"), "{said:?}");
    assert_eq!(home.content("b"), None);
    // No source of the same address gets in between.
    let said = home.run(&["--worker-only"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("not published: "), "{said:?}");
    assert_eq!(home.details("publish.failed").len(), 1, "told once");
    fs::remove_dir(home.file("a").join("in the way")).expect("removed");
    fs::remove_dir(home.file("a")).expect("removed");
    home.ok(&["--worker-only"]);
    // That of `b` went with its removal.
    assert_eq!(home.details("file.withdrawn").len(), 2);
    home.ok(&["--worker-only"]);
}

/// A file that cannot be put back shows and fails every pass, until it can be.
#[test]
fn a_published_file_that_cannot_be_put_back_is_tried_again_and_shown_meanwhile() {
    type Step = fn(&Scene);
    let cases: [(&str, &str, Step, Step); 3] = [
        (
            "a folder",
            "a folder is in the way",
            |home| {
                fs::remove_file(home.file("a")).expect("removed");
                fs::create_dir_all(home.file("a").join("mine")).expect("a folder");
            },
            |home| fs::remove_dir_all(home.file("a")).expect("removed"),
        ),
        (
            "a link above it",
            "a link is in the way",
            |home| {
                fs::write(home.file("a"), "else").expect("written");
                home.block();
            },
            |home| home.unblock(&home.path("away")),
        ),
        (
            "a file above it",
            "a file is in the way",
            |home| {
                fs::remove_dir_all(home.folder()).expect("removed");
                fs::write(home.folder(), "mine").expect("a file");
            },
            |home| fs::remove_file(home.folder()).expect("removed"),
        ),
    ];
    let home = Scene::with(&["a"], "");
    home.ok(&["fetch", "a"]);
    let saved = home.save();
    for (case, why, harm, mend) in cases {
        home.put_back(&saved);
        harm(&home);
        sqlite::make_looks_due(&home.data());
        // Nothing is due any more after the first.
        for again in [&["fetch", "a"][..], &["--worker-only"], &["--worker-only"]] {
            let said = home.run(again);
            assert!(
                said.code == Some(1) && said.err.contains(why),
                "{case}: {said:#?}"
            );
            let shown = home.source("a");
            assert_eq!(shown["state"], "unpublished", "{case}: {shown}");
            let error = shown["publish_error"].as_str();
            assert!(
                error.is_some_and(|error| error.ends_with(why)),
                "{case}: {shown}"
            );
        }
        assert_eq!(home.details("publish.failed").len(), 1, "{case}: once");
        mend(&home);
        home.ok(&["--worker-only"]);
        assert_eq!(home.content("a").as_deref(), Some("content of a"), "{case}");
        let shown = home.source("a");
        assert_eq!(shown["publish_error"], Value::Null, "{case}: {shown}");
    }
}

#[test]
fn a_published_file_that_was_changed_or_removed_is_put_back() {
    type Harm = fn(&Path);
    let harms: [(&str, Harm, usize); 5] = [
        ("removed", |file| fs::remove_file(file).expect("removed"), 1),
        (
            "same length",
            |file| {
                fs::remove_file(file).expect("removed");
                fs::write(file, "CONTENT of a").expect("written");
            },
            1,
        ),
        ("cut short", |file| fs::write(file, "").expect("written"), 1),
        (
            "a link",
            |file| {
                let other = file.with_file_name("other");
                fs::rename(file, &other).expect("moved");
                symlink(other, file).expect("a link");
            },
            1,
        ),
        (
            "copied",
            |file| {
                let content = fs::read(file).expect("read");
                fs::remove_file(file).expect("removed");
                fs::write(file, content).expect("written");
            },
            0,
        ),
    ];
    let home = Scene::with(&["a"], "");
    home.ok(&["fetch", "a"]);
    let saved = home.save();
    for (case, harm, events) in harms {
        for again in [&["fetch", "a"][..], &["--worker-only"]] {
            home.put_back(&saved);
            harm(&home.file("a"));
            sqlite::make_looks_due(&home.data());
            home.ok(again);
            assert_eq!(home.content("a").as_deref(), Some("content of a"), "{case}");
            assert!(
                home.file("a").symlink_metadata().expect("there").is_file(),
                "{case}"
            );
            assert_eq!(home.details("file.republished").len(), events, "{case}");
            home.ok(again);
            assert_eq!(
                home.details("file.republished").len(),
                events,
                "{case}: once"
            );
        }
    }
}

#[test]
fn that_a_published_file_was_put_back_is_said() {
    const JUDGE: &str = "[[verifier]]\nname = \"eyes\"\nsources = [\"*\"]\nexternal = true\n";
    let why = "its published file had been changed or removed, and was put back";
    let home = Scene::with(&["a"], JUDGE);
    home.run(&["fetch", "a"]);
    home.ok(&["verdict", "v1", "eyes", "passed"]);
    let saved = home.save();
    for (command, words) in [
        (
            &["fetch", "a"][..],
            vec![why, "; 1 published file put back; "],
        ),
        (&["fetch", "a", "--json"], vec![why, "\"put_back\": 1"]),
        (
            &["--worker-only"],
            vec!["1 published file put back", "removed the published file: a"],
        ),
        (&["--worker-only", "--json"], vec!["\"put_back\": 1"]),
        (&["verify", "a"], vec!["a: v1 was put back at "]),
        (&["verify", "a", "--json"], vec!["\"change\": \"put_back\""]),
        (
            &["verdict", "v1", "eyes", "passed"],
            vec!["; v1 was put back at "],
        ),
    ] {
        for removed in [true, false] {
            home.put_back(&saved);
            if removed {
                fs::remove_file(home.file("a")).expect("removed");
            } else {
                fs::write(home.file("a"), "").expect("cut short");
            }
            sqlite::make_looks_due(&home.data());
            let said = home.run(command);
            assert_eq!(said.code, Some(0), "{command:?}: {said:#?}");
            let said = said.out + &said.err;
            for words in &words {
                assert!(said.contains(words), "{command:?}: {said}");
            }
            assert_eq!(home.content("a").as_deref(), Some("content of a"));
            let said = home.ok(command);
            assert!(
                !said.contains("put back") && !said.contains("\"put_back\": 1"),
                "{said}"
            );
            assert!(!said.contains("\"change\": \"put_back\""), "{said}");
        }
    }
}

/// A verifier that could not judge is a problem of the pass, also while another one is waited for.
#[test]
fn what_is_waited_for_hides_no_verifier_that_cannot_judge() {
    for (command, code) in [("/does/not/exist", 1), ("true", 0)] {
        let toml = format!(
            "[[verifier]]\nname = \"eyes\"\nsources = [\"*\"]\nexternal = true\n
             [[verifier]]\nname = \"tool\"\nsources = [\"*\"]\ncommand = [{command:?}]\n"
        );
        for arguments in [&["fetch", "a"][..], &["--worker-only"]] {
            let home = Scene::with(&["a"], &toml);
            let said = home.run(arguments);
            assert_eq!(said.code, Some(code), "{arguments:?}: {said:#?}");
            assert_eq!(home.source("a")["verified"], "pending");
        }
    }
}

#[test]
fn files_of_a_catalogue_of_the_schema_before_are_looked_after() {
    for (harmed, events) in [(false, 0), (true, 1)] {
        let home = Scene::with(&["a"], "");
        home.ok(&["fetch", "a"]);
        sqlite::take_back_to_schema_5(&home.data());
        fs::remove_file(home.data().join("archive-id")).expect("the archive's mark");
        if harmed {
            fs::write(home.file("a"), "harmed").expect("written");
        }
        home.ok(&["--worker-only"]);
        assert_eq!(home.content("a").as_deref(), Some("content of a"));
        assert_eq!(home.details("file.republished").len(), events);
    }
}

#[test]
fn a_publication_that_fails_shows_everywhere_until_it_is_done() {
    let hook = Origin::start(false);
    hook.on("/beat", [Reply::ok("ok")]);
    let toml = format!("[worker]\nheartbeat = \"{}\"\n", hook.url("/beat"));
    let home = Scene::with(&["a", "b"], &toml);
    home.ok(&["fetch", "a"]);
    home.ok(&["fetch", "b"]);
    home.serve("a", "newer");
    let away = home.block();
    let said = home.run(&["fetch", "a", "--json"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    let summary: Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(summary["publish_failed"], 1, "{summary}");
    for _ in 0..2 {
        let said = home.run(&["--worker-only"]);
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(said.err.contains("a: not published: "), "{said:?}");
    }
    assert_eq!(hook.requests().len(), 0, "no heartbeat");
    let failures = home.details("publish.failed");
    assert!(
        failures.iter().any(|event| event.contains("\"a\"")),
        "{failures:?}"
    );
    let a = home.source("a");
    assert_eq!(
        (&a["published_version_id"], &a["wanted_version_id"]),
        (&1.into(), &3.into()),
        "{a}"
    );
    assert_eq!(a["state"], "unpublished");
    assert!(
        a["publish_error"]
            .as_str()
            .is_some_and(|why| why.contains("a link is in the way")),
        "{a}"
    );
    let list = home.ok(&["list"]);
    assert!(list.contains("not up to date"), "{list}");
    let show = home.ok(&["show", "a"]);
    assert!(show.contains("could not be brought up to date: "), "{show}");
    home.unblock(&away);
    home.ok(&["--worker-only"]);
    assert_eq!(home.content("a").as_deref(), Some("newer"));
    assert_eq!(hook.requests().len(), 1);
    let a = home.source("a");
    assert_eq!(
        (&a["published_version_id"], &a["publish_error"]),
        (&3.into(), &Value::Null),
        "{a}"
    );
    assert_eq!(home.details("publish.failed"), failures, "told once each");
}

const SUMS: &str = r#"
[[verifier]]
name = "never"
scope = "set"
sources = ["tag:t"]
command = ["false"]
failed = [1]
"#;

#[test]
fn a_set_that_stands_failed_is_told_by_every_pass_and_shows() {
    let hook = Origin::start(false);
    hook.on("/beat", [Reply::ok("ok")]);
    let toml = format!("{SUMS}[worker]\nheartbeat = \"{}\"\n", hook.url("/beat"));
    let home = Scene::with(&["a", "b"], &toml);
    home.ok(&["edit", "a", "b", "--tag", "t"]);
    for pass in 0..3 {
        let said = home.run(&["--worker-only"]);
        assert_eq!(said.code, Some(1), "{pass}: {said:?}");
        assert!(said.err.contains("set t: "), "{pass}: {said:?}");
        assert_eq!(said.err.matches("set t: ").count(), 1, "{pass}: {said:?}");
    }
    assert_eq!(hook.requests().len(), 0, "no heartbeat");
    assert_eq!(home.source("a")["state"], "set-fail");
    home.ok(&["remove", "a", "b", "--yes"]);
    let sets = home.ok(&["list", "--sets"]);
    assert!(
        sets.contains("empty"),
        "no state of files that are gone: {sets}"
    );
    home.ok(&["--worker-only"]);
}

#[test]
fn another_rule_of_publishing_holds_at_once() {
    let verifier = "[[verifier]]\nname = \"bad\"\nbuiltin = \"utf8\"\nsources = [\"*\"]\n";
    let home = Scene::with(&["a"], verifier);
    home.origin.on("/a", [Reply::file(vec![0xff, 0xfe, 0xfd])]);
    home.ok(&["edit", "a", "--publish", "newest"]);
    home.run(&["fetch", "a"]);
    assert!(home.file("a").is_file());
    home.ok(&["edit", "a", "--publish", "passed"]);
    assert!(!home.file("a").exists(), "what failed is not published");
    home.ok(&["edit", "a", "--publish", "newest"]);
    assert!(home.file("a").is_file());
}

#[test]
fn a_published_file_that_readers_were_kept_from_gets_its_mode_back() {
    let home = Scene::with(&["a", "b"], "");
    home.ok(&["--worker-only"]);
    let mode = |name: &str| {
        let found = fs::metadata(home.file(name)).expect("a file");
        found.permissions().mode() & 0o777
    };
    for (given, expected, events) in [
        (0o600, 0o644, 1),
        (0o000, 0o644, 1),
        (0o640, 0o644, 1),
        (0o400, 0o644, 1),
        // Whoever may read it may go on, whatever else is allowed.
        (0o755, 0o755, 0),
        (0o444, 0o444, 0),
    ] {
        let before = home.details("file.republished").len();
        fs::set_permissions(home.file("a"), fs::Permissions::from_mode(given)).expect("a mode");
        for _ in 0..2 {
            sqlite::make_looks_due(&home.data());
            home.ok(&["--worker-only"]);
        }
        assert_eq!(mode("a"), expected, "{given:o}");
        let told = home.details("file.republished");
        assert_eq!(told.len(), before + events, "{given:o}: {told:?}");
        assert_eq!(home.content("a").as_deref(), Some("content of a"));
    }
    let removed = home.file("b");
    fs::remove_file(&removed).expect("removed");
    fs::create_dir(&removed).expect("a folder in its place");
    fs::set_permissions(&removed, fs::Permissions::from_mode(0o700)).expect("a mode");
    home.run(&["--worker-only"]);
    assert_eq!(mode("b"), 0o700, "what is no file of ours stays as it is");
}

/// Each command that may change what consumers see says what they see after it, in one clause.
#[test]
fn commands_say_what_became_of_the_published_file() {
    let origin = Origin::start(true);
    origin.on("/terms.txt", [Reply::file("terms")]);
    let legal = "[[verifier]]\nname = \"legal\"\nsources = [\"terms.txt\"]\nexternal = true\n";
    let gannet = Gannet::trusting(origin.ca_file(), legal);
    gannet.ok(&["add", &origin.url("/terms.txt"), "--allow-private"]);
    gannet.fetch("terms.txt");
    let host = origin.url("").replace("https://", "").replace(':', "_");
    let at = format!("{}/terms.txt", host.trim_end_matches('/'));
    let by = |outcome| ["verdict", "terms.txt", "legal", outcome];
    let stays = format!("v1 stays published at {at}");
    let published = format!("published v1 at {at}");
    let gone = format!("no longer published at {at}");
    for (arguments, expected) in [
        (
            &["verify", "terms.txt"][..],
            "terms.txt: nothing of it is published\n".to_owned(),
        ),
        (&by("passed"), format!("which is passed now; {published}\n")),
        (&by("passed"), format!("which is passed now; {stays}\n")),
        (&["verify", "terms.txt"], format!("terms.txt: {stays}\n")),
        (
            &["edit", "terms.txt", "--publish", "passed"],
            format!("  terms.txt (1): {stays}\n"),
        ),
        (
            &["edit", "terms.txt", "--interval", "2h"],
            "edited terms.txt (1): interval 1d -> 2h\n".to_owned(),
        ),
        (&by("failed"), format!("which is failed now; {gone}: ")),
        (
            &["edit", "terms.txt", "--publish", "newest"],
            format!("  terms.txt (1): published v1, which failed, at {at} by the rule `newest`\n"),
        ),
        (
            &["edit", "terms.txt", "--publish", "passed"],
            format!("  terms.txt (1): {gone}: "),
        ),
        (
            &["remove", "terms.txt"],
            "removed terms.txt (1); its history stays".to_owned(),
        ),
        (
            &["restore", "terms.txt"],
            "restored terms.txt (1)\n".to_owned(),
        ),
        (&by("passed"), format!("which is passed now; {published}\n")),
        (
            &["remove", "terms.txt"],
            format!("removed terms.txt (1); {gone}; its history stays"),
        ),
        (
            &["restore", "terms.txt"],
            format!("restored terms.txt (1); {published}\n"),
        ),
        (
            &["remove", "terms.txt", "--purge", "--yes"],
            format!("purged terms.txt (1); {gone}\n"),
        ),
    ] {
        let said = gannet.run(arguments);
        assert!(
            said.out.contains(&expected),
            "{arguments:?}: {expected} {said:?}"
        );
    }
}

#[test]
fn programs_are_told_what_became_of_the_published_file() {
    let gannet = Home::new("");
    let origin = &gannet.origin;
    origin.on("/x.json", [Reply::file("{}"), Reply::file("<html>")]);
    gannet.ok(&["add", &origin.url("/x.json"), "--allow-private"]);
    gannet.fetch("x.json");
    gannet.fetch("x.json");
    let verifier = |builtin: &str| {
        format!("[[verifier]]\nname = \"v\"\nsources = [\"*\"]\nbuiltin = \"{builtin}\"\n")
    };
    // The page of an error was published while nothing judged it.
    gannet.configure(&verifier("json"));
    let json = |arguments: &[&str]| -> serde_json::Value {
        serde_json::from_str(&gannet.run(arguments).out).expect("JSON")
    };
    let said = json(&["verify", "--stale", "--json"]);
    let file = &said["changed"][0]["published"];
    assert_eq!(
        (&file["change"], &file["version_id"]),
        (&"published".into(), &1.into()),
        "{said}"
    );
    assert!(
        file["path"]
            .as_str()
            .is_some_and(|path| path.ends_with("/x.json")),
        "{said}"
    );
    let said = json(&["verify", "x.json", "--json"]);
    for one in said.as_array().expect("two versions") {
        assert_eq!(one["published"]["change"], "unchanged", "{said}");
    }
    gannet.configure(&verifier("image"));
    let said = gannet.run(&["verify", "--stale"]);
    assert!(
        said.out.contains("x.json: no longer published at "),
        "{said:?}"
    );
}
