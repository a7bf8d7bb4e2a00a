//! Removed sources that readers still find, whichever process removed them: everything says so until they are gone, the log keeps
//! it, and a source that comes back has its file still. Through the real program.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::rig::{Home, Reply, Said, Terminal, fixture, said, verifier};

/// Who removes or brings back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// The process whose configuration is in force.
    Own,
    /// One with another configuration.
    Other,
    /// One that finds no configuration: the file is missing.
    Missing,
}

const ALL: [By; 3] = [By::Own, By::Other, By::Missing];
const MAY_NOT_PUBLISH: [By; 2] = [By::Other, By::Missing];

fixture! {
    /// A source `feed` of its own, judged by a program and published; `one` and `two` of the set `rel`, which is published.
    struct Scene;
}

impl Scene {
    fn new() -> Self {
        let home = Home::new("");
        let told = home.path("told").display().to_string();
        home.write_config("config.toml", &format!(
            "[[verifier]]\nname = \"look\"\nsources = [\"feed\"]\ncommand = [\"true\"]
             [[verifier]]\nname = \"whole\"\nscope = \"set\"\nsources = [\"tag:rel\"]\ncommand = [\"true\"]
             [[notify]]\nname = \"ops\"\ncommand = [\"sh\", \"-c\", \"cat >> {told}\"]\non = [\"withdrawn\"]\n"
        ));
        home.write_config(
            "other.toml",
            &verifier("size", "builtin = \"size\"\nmin = \"1B\""),
        );
        let contents = |name| [format!("contents of {name}")];
        let home = home
            .with_source("feed", contents("feed"))
            .with_member("one", &["rel"], contents("one"))
            .with_member("two", &["rel"], contents("two"));
        Self(home.fetched(&["feed"]).fetched(&["one", "two"]))
    }

    fn run_by(&self, by: By, arguments: &[&str]) -> Said {
        let (own, other) = (self.path("config.toml"), self.path("other.toml"));
        match by {
            By::Own => self.run(arguments),
            By::Other => {
                let other = other.display().to_string();
                self.run(&[&["--config", &other], arguments].concat())
            }
            By::Missing => {
                let away = self.path("away.toml");
                fs::rename(&own, &away).expect("moved away");
                let mut command = self.command(arguments);
                let output = command.env_remove("GANNET_CONFIG").output();
                fs::rename(&away, &own).expect("put back");
                said(&output.expect("gannet runs"))
            }
        }
    }

    fn ok_by(&self, by: By, arguments: &[&str]) -> String {
        let said = self.run_by(by, arguments);
        assert_eq!(said.code, Some(0), "{by:?} {arguments:?}: {said:#?}");
        said.out
    }

    /// Adds a source `next` of the address that `feed` had.
    fn add_next(&self) {
        let url = self.origin.url("/feed");
        let add = ["add", &url, "1h", "--new", "--name", "next"];
        self.ok_by(By::Other, &[&add[..], &["--allow-private"]].concat());
    }

    fn removed(&self, id: i64) -> Value {
        let list = self.json(&["list", "--removed", "--json"]);
        let mut all = list.as_array().expect("sources").iter();
        all.find(|one| one["id"] == id).expect("a source").clone()
    }

    /// The events of a source with this action.
    fn events(&self, source: i64, action: &str) -> Vec<Value> {
        let log = self.ok(&["log", "--json"]);
        let events = log
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"));
        events
            .filter(|event: &Value| event["source_id"] == source && event["action"] == action)
            .collect()
    }

    fn told(&self) -> String {
        fs::read_to_string(self.path("told")).unwrap_or_default()
    }

    /// A reference to what readers saw at the moment of the last removal.
    fn as_removed(&self, id: i64) -> String {
        let events = self.events(id, "source.removed");
        let at = events.last().expect("an event")["at"].clone();
        format!("{id}:published@{}", at.as_str().expect("a time"))
    }

    fn withdrawn(&self, id: i64) -> Vec<(Value, String)> {
        let events = self.events(id, "file.withdrawn").into_iter();
        let truncate_line = events.map(|event| {
            let detail = event["detail"].as_str().unwrap_or_default().to_owned();
            (event["version_id"].clone(), detail)
        });
        truncate_line.collect()
    }
}

#[test]
fn what_readers_find_of_a_removed_source_is_said_until_it_is_gone() {
    let home = Scene::new();
    let saved = home.save();
    for by in ALL {
        home.put_back(&saved);
        home.ok_by(by, &["remove", "feed"]);
        if by != By::Own {
            assert!(home.file("feed").exists(), "{by:?}");
            let listed = home.ok_by(by, &["list", "--removed"]);
            let left = "/feed (v1), until the next pass";
            assert!(listed.contains("still published at "), "{by:?}: {listed}");
            assert!(listed.contains(left), "{by:?}: {listed}");
            let shown = home.ok(&["show", "1"]);
            assert!(shown.contains("published     still at "), "{by:?}: {shown}");
            assert!(shown.contains(left), "{by:?}: {shown}");
            let json = home.removed(1);
            let path = json["published_path"].as_str().map(PathBuf::from);
            assert_eq!(path, Some(home.file("feed")), "{by:?}: {json}");
            assert_eq!(json["published_version_id"], 1, "{by:?}: {json}");
            assert_eq!(json["wanted_version_id"], Value::Null, "{by:?}: {json}");
            assert_eq!(json["withdrawn_at"], Value::Null, "{by:?}: {json}");
            assert_eq!(
                home.ok_by(by, &["cat", "feed:published"]),
                "contents of feed"
            );
            assert_eq!(home.withdrawn(1), []);
            home.ok(&["--worker-only"]);
        }
        assert!(!home.file("feed").exists(), "{by:?}");
        let expected = (Value::from(1), "the source was removed".to_owned());
        assert_eq!(home.withdrawn(1), [expected], "{by:?}");
        if by != By::Own {
            // The process that may publish takes the file away within the millisecond.
            let then = home.ok_by(by, &["cat", &home.as_removed(1)]);
            assert_eq!(then, "contents of feed", "{by:?}");
        }
        let listed = home.ok(&["list", "--removed"]);
        assert!(!listed.contains("still"), "{by:?}: {listed}");
        let shown = home.ok(&["show", "1"]);
        assert!(shown.contains("withdrawn 20"), "{by:?}: {shown}");
        let json = home.removed(1);
        assert_eq!(json["published_version_id"], Value::Null, "{by:?}: {json}");
        assert_eq!(json["published_path"], Value::Null, "{by:?}: {json}");
        assert_eq!(json["withdrawn_because"], "the source was removed");
        let refused = home.run(&["cat", "feed:published"]);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        for part in ["it was removed", "`gannet restore 1` brings it back"] {
            assert!(refused.err.contains(part), "{refused:?}");
        }
        assert!(!refused.err.contains("wait for"), "{refused:?}");
        // Whoever removed it knows.
        assert_eq!(home.told(), "", "{by:?}");
    }
}

#[test]
fn what_readers_find_of_a_removed_member_is_said_until_the_next_edition() {
    let home = Scene::new();
    let version = home.source("one")["published_version_id"].clone();
    let saved = home.save();
    for by in ALL {
        home.put_back(&saved);
        home.ok_by(by, &["remove", "one"]);
        let left = format!("with the set rel (v{version}), until its next edition");
        let listed = home.ok_by(by, &["list", "--removed"]);
        assert!(
            listed.contains(&format!("still published {left}")),
            "{by:?}: {listed}"
        );
        let shown = home.ok(&["show", "2"]);
        assert!(
            shown.contains(&format!("published     still {left}")),
            "{by:?}: {shown}"
        );
        let json = home.removed(2);
        assert_eq!(json["published_version_id"], version, "{by:?}: {json}");
        assert_eq!(json["set"], "rel", "{by:?}: {json}");
        assert_eq!(json["published_path"], Value::Null, "{by:?}: {json}");
        assert_eq!(home.ok_by(by, &["cat", "one:published"]), "contents of one");
        home.origin
            .on("/two", [Reply::file("two again".to_owned())]);
        home.ok(&["fetch", "two"]);
        let listed = home.ok(&["list", "--removed"]);
        assert!(!listed.contains("still"), "{by:?}: {listed}");
        assert_eq!(
            home.removed(2)["published_version_id"],
            Value::Null,
            "{by:?}"
        );
        assert_eq!(home.run(&["cat", "one:published"]).code, Some(2));
        let then = home.ok(&["cat", &home.as_removed(2)]);
        assert_eq!(then, "contents of one", "{by:?}");
    }
}

#[test]
fn a_source_that_comes_back_has_its_file_still_and_loses_it_as_any_other() {
    let home = Scene::new();
    let saved = home.save();
    for removes in MAY_NOT_PUBLISH {
        for restores in ALL {
            let case = format!("{removes:?}, {restores:?}");
            home.put_back(&saved);
            home.ok_by(removes, &["remove", "feed"]);
            home.ok_by(restores, &["restore", "feed"]);
            let source = home.source("feed");
            assert_eq!(source["published_version_id"], 1, "{case}");
            home.ok(&["--worker-only"]);
            assert!(home.file("feed").exists(), "{case}");
            assert_eq!(home.ok(&["cat", "feed:published"]), "contents of feed");
            // Nobody took it away, and nobody put it back; but whoever may publish ends a removal before anything else.
            let mut expected = Vec::new();
            if restores == By::Own {
                expected.push((Value::from(1), "the source was removed".to_owned()));
            }
            assert_eq!(home.withdrawn(1), expected, "{case}");
            assert_eq!(home.events(1, "file.republished").len(), 0, "{case}");
            let recorded = home.ok(&["verdict", "feed", "look", "failed", "--detail", "wrong"]);
            assert!(
                recorded.contains("no longer published"),
                "{case}: {recorded}"
            );
            expected.push((Value::from(1), "failed by hand (look): wrong".to_owned()));
            assert_eq!(home.withdrawn(1), expected, "{case}");
            let listed = home.ok(&["list"]);
            assert!(listed.contains("withdrawn"), "{case}: {listed}");
            home.ok(&["--worker-only"]);
            let told = home.told();
            assert!(told.contains("feed v1 withdrawn"), "{case}: {told}");
            assert!(
                told.contains("failed by hand (look): wrong"),
                "{case}: {told}"
            );
            let then = home.ok(&["cat", &home.as_removed(1)]);
            assert_eq!(then, "contents of feed", "{case}");
        }
    }
}

#[test]
fn a_source_that_takes_over_the_path_ends_what_readers_found_there() {
    let home = Scene::new();
    let saved = home.save();
    for fetches in [true, false] {
        home.put_back(&saved);
        home.ok_by(By::Other, &["remove", "feed"]);
        home.origin
            .on("/feed", [Reply::file("of another".to_owned())]);
        home.add_next();
        assert_eq!(home.ok(&["cat", "1:published"]), "contents of feed");
        let listed = home.ok(&["list", "--removed"]);
        assert!(
            listed.contains("/feed (v1), until the next pass"),
            "{listed}"
        );
        let because = if fetches {
            home.ok(&["--worker-only"]);
            assert_eq!(home.ok(&["cat", "next:published"]), "of another");
            "its path is that of source 4 by now"
        } else {
            home.ok_by(By::Other, &["remove", "next"]);
            home.ok(&["--worker-only"]);
            assert!(!home.file("feed").exists());
            "the source was removed"
        };
        let expected = (Value::from(1), because.to_owned());
        assert_eq!(home.withdrawn(1), [expected]);
        assert_eq!(home.removed(1)["published_version_id"], Value::Null);
        assert_eq!(home.ok(&["cat", &home.as_removed(1)]), "contents of feed");
    }
}

#[test]
fn a_source_that_comes_back_at_another_path_has_nothing_at_its_former_one() {
    let home = Scene::new();
    home.ok_by(By::Other, &["remove", "feed"]);
    home.add_next();
    let other = home.origin.url("/elsewhere");
    home.ok_by(By::Other, &["edit", "next", "--address", &other]);
    home.ok_by(By::Other, &["restore", "1"]);
    let expected = (
        Value::from(1),
        "another source has its path by now".to_owned(),
    );
    assert_eq!(home.withdrawn(1), [expected]);
    home.origin
        .on("/elsewhere", [Reply::file("elsewhere".to_owned())]);
    home.ok(&["--worker-only"]);
    assert_eq!(home.ok(&["cat", "feed:published"]), "contents of feed");
    assert_eq!(
        fs::read_to_string(home.file("feed")).ok().as_deref(),
        Some("elsewhere")
    );
}

#[test]
fn the_dashboard_of_a_process_that_may_not_publish_says_what_stays() {
    let home = Scene::new();
    let other = home.path("other.toml").display().to_string();
    let mut terminal = Terminal::start(&home, &["--config", &other, "--no-worker"]);
    terminal.wait_for("feed");
    terminal.press("D");
    terminal.wait_for("Remove feed?");
    terminal.wait_for("goes now or by the next pass");
    terminal.press("y");
    terminal.wait_for("removed 1 source; its file is still published until a pass with");
    assert!(home.file("feed").exists());
    terminal.press("q");
    terminal.wait_for_the_shell();
    assert_eq!(terminal.ended().exit_code(), 0);
}
