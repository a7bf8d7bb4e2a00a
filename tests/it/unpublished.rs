//! Commands that record something whose published file cannot follow: they say both, end with 1, and the file follows later.
//! Through the real program.

use std::fs;

use serde_json::Value;

use crate::rig::{Home, PASS_ALL, Reply, Said, Start, fixture, in_mount_namespace};

const HINT: &str = "hint: all else is done and recorded";

fixture! {
    /// A source `a` with two versions that passed, and a member `m` of the set `eu`, which is published.
    struct Scene;
}

impl Scene {
    fn new() -> Self {
        let home = Home::new(PASS_ALL)
            .with_source("a", ["one", "two"])
            .with_member("m", &["eu"], ["of the set"]);
        Self(home.fetched(&["a", "m"]).fetched(&["a"]))
    }

    /// Puts a file where the folder of the published files is.
    fn block(&self) {
        // There is none when nothing is published.
        let _ = fs::rename(self.folder(), self.path("away"));
        fs::write(self.folder(), "mine").expect("a file");
    }

    fn unblock(&self) {
        fs::remove_file(self.folder()).expect("removed");
        let _ = fs::rename(self.path("away"), self.folder());
    }

    fn error(&self) -> Value {
        self.source("a")["publish_error"].clone()
    }

    /// Writes a file of sources for `apply`.
    fn sources(&self, more: &str) -> String {
        let path = self.path("sources.toml");
        let url = self.origin.url("/a");
        let text = format!(
            "[[source]]\naddress = \"{url}\"\nname = \"a\"\ninterval = \"1h\"\nallow_private = true\n{more}"
        );
        fs::write(&path, text).expect("a file");
        path.display().to_string()
    }
}

fn tells(said: &Said, recorded: &str) -> bool {
    said.code == Some(1)
        && said.out.contains(recorded)
        && said.err.contains("a: not published: ")
        && said.err.contains("a file is in the way")
        && said.err.contains(HINT)
}

#[test]
fn whatever_is_recorded_is_said_although_its_file_cannot_follow() {
    type Step = fn(&Scene);
    let nothing: Step = |_| {};
    let failed: Step = |home| {
        home.ok(&["verdict", "a~0", "look", "failed"]);
    };
    let removed: Step = |home| {
        home.ok(&["remove", "a"]);
    };
    // What was before, the command, what it says, and the content when the cause is gone.
    let home = Scene::new();
    let saved = home.save();
    for (before, command, recorded, content) in [
        (
            nothing,
            "verdict a~0 look failed",
            "recorded: look failed v3 of a, which is failed now; not brought up to date at ",
            "one",
        ),
        (failed, "verify a~0", "a: passed\n", "two"),
        (failed, "verify a", "a: not brought up to date at ", "two"),
        (
            failed,
            "edit a --publish newest",
            "edited a (1): publish passed -> newest\n  a (1): not brought up to date at ",
            "two",
        ),
        (removed, "restore a", "restored a (1); not brought", "two"),
        (
            failed,
            "apply sources.toml",
            "~ edit a: publish passed -> newest\n",
            "two",
        ),
        (removed, "apply sources.toml", "+ restore a ", "two"),
    ] {
        home.put_back(&saved);
        before(&home);
        home.block();
        let file = home.sources("publish = \"newest\"\n");
        let command: Vec<_> = command
            .split(' ')
            .map(|word| if word == "sources.toml" { &*file } else { word })
            .collect();
        let said = home.run(&command);
        assert!(tells(&said, recorded), "{command:?}: {said:#?}");
        assert!(home.error().is_string(), "{command:?}");
        // Whatever else is done to the source tries again, and says so as long as the cause is there.
        let again = ["interval", "a", "6h"];
        let said = home.run(&again);
        assert!(tells(&said, "a (1): every 6h"), "{command:?}: {said:#?}");
        home.unblock();
        home.ok(&again);
        assert_eq!(home.error(), Value::Null, "{command:?}");
        assert_eq!(home.content("a").as_deref(), Some(content), "{command:?}");
    }
}

#[test]
fn programs_read_what_was_recorded_and_that_its_file_did_not_follow() {
    let home = Scene::new();
    home.ok(&["verdict", "a~0", "look", "failed"]);
    home.block();
    let said = home.run(&["verify", "a~0", "--json"]);
    let verified: Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(verified[0]["verified"], "passed", "{said:#?}");
    assert_eq!(verified[0]["published"]["change"], "failed", "{said:#?}");
    let why = verified[0]["published"]["why"].as_str();
    assert!(
        why.is_some_and(|why| why.ends_with("a file is in the way")),
        "{said:#?}"
    );
    assert!(said.code == Some(1) && said.err.contains(HINT), "{said:#?}");
}

#[test]
fn a_verdict_that_makes_the_file_right_again_ends_the_failure() {
    let home = Scene::new();
    home.block();
    let said = home.run(&["verdict", "a~0", "look", "failed"]);
    assert_eq!(said.code, Some(1), "{said:#?}");
    // Readers find nothing as long as the file is in the way.
    let said = home.run(&["verdict", "a~0", "look", "passed"]);
    assert_eq!(said.code, Some(1), "{said:#?}");
    home.unblock();
    // What lies there is what is to lie there again.
    home.ok(&["verdict", "a~0", "look", "passed"]);
    assert_eq!(home.error(), Value::Null);
    let listed = home.ok(&["list"]);
    assert!(!listed.contains("UNPUB"), "{listed}");
}

#[test]
fn the_folder_of_a_set_is_said_like_a_file() {
    let home = Scene::new();
    let saved = home.save();
    for command in [
        "verdict set:eu whole failed",
        "verdict m~0 look failed",
        "verify set:eu",
        "verify m",
    ] {
        home.put_back(&saved);
        let sets = home.data().join("sets");
        let folder = sets.join("eu");
        // A folder stands where the link has to be.
        let link = fs::read_link(&folder).expect("a link");
        fs::remove_file(&folder).expect("removed");
        fs::create_dir_all(folder.join("mine")).expect("a folder");
        let command: Vec<_> = command.split(' ').collect();
        let said = home.run(&command);
        let is_told = said.err.contains("set eu: not published: ") && said.err.contains(HINT);
        assert!(said.code == Some(1) && is_told, "{command:?}: {said:#?}");
        assert!(!said.out.is_empty(), "{command:?}: {said:#?}");
        fs::remove_dir_all(&folder).expect("removed");
        std::os::unix::fs::symlink(link, &folder).expect("a link");
        home.ok(&["verify", "m"]);
        let set = home.json(&["list", "--sets", "--json"])[0].clone();
        assert_eq!(set["publish_error"], Value::Null, "{command:?}: {set}");
    }
}

#[test]
fn a_read_only_or_full_disk_is_said_the_same_way() {
    let mounts = [
        (
            "mount --bind \"$data/published\" \"$data/published\"; mount -o remount,ro,bind \"$data/published\"",
            "/published is mounted read-only: mount it writable",
        ),
        (
            "mv \"$data/published\" \"$HOME/away\"; mkdir \"$data/published\"; mount -t tmpfs -o size=64k none \"$data/published\"
             cp -a \"$HOME/away/.\" \"$data/published/\"; dd if=/dev/zero of=\"$data/published/full\" 2>/dev/null || true",
            "no room left on the file system at ",
        ),
    ];
    for (mount, why) in mounts {
        for command in [
            "verdict a~0 look failed",
            "verdict a~0 look failed --detail again",
        ] {
            let home = Scene::new();
            let script = format!("{mount}\nexec \"$gannet\" {command}");
            let Some(said) = in_mount_namespace(&home, &script) else {
                return;
            };
            let is_told = said.err.contains("a: not published: ")
                && said.err.contains(why)
                && said.err.contains(HINT);
            assert!(said.code == Some(1) && is_told, "{command}: {said:#?}");
            assert!(
                said.out.starts_with("recorded: look failed v3 of a"),
                "{said:#?}"
            );
            home.ok(&["--worker-only"]);
        }
    }
}

#[test]
fn what_apply_removes_and_what_cannot_go_is_said() {
    let home = Scene::new();
    home.origin.on("/b", [Reply::file("b".to_owned())]);
    home.add("b", &[]);
    home.ok(&["fetch", "b"]);
    home.block();
    let file = home.sources("");
    let said = home.run(&["apply", &file, "--prune", "--yes"]);
    let is_told = said
        .err
        .contains("/b is still there, and every pass tries again");
    assert!(said.code == Some(1) && is_told, "{said:#?}");
    assert!(said.out.contains("- remove b"), "{said:#?}");
    home.unblock();
    home.ok(&["--worker-only"]);
    assert!(!home.folder().join("b").exists());
}

#[test]
fn the_dashboard_says_so_of_its_changes_too() {
    let home = Scene::new();
    let arguments = &["--no-worker"];
    let mut terminal = Start::gannet(&home, arguments).size(200, 40).run();
    terminal.wait_for("published");
    home.block();
    terminal.press("D");
    terminal.wait_for("Remove a?");
    terminal.press("y");
    terminal.wait_for("z brings back; not published: ");
    home.unblock();
    home.ok(&["--worker-only"]);
    home.block();
    terminal.press("z");
    terminal.wait_for("taken back: 1 source; not published: a: cannot publish ");
    home.unblock();
    terminal.press("q");
    terminal.wait_for_the_shell();
    assert_eq!(terminal.ended().exit_code(), 0);
    assert!(home.error().is_string());
    home.ok(&["interval", "a", "6h"]);
    assert_eq!(home.error(), Value::Null);
}

#[test]
fn a_file_in_the_place_of_all_published_files_keeps_nothing_from_being_fetched() {
    let home = Scene::new();
    let published = home.data().join("published");
    fs::rename(&published, home.path("away")).expect("moved");
    fs::write(&published, "mine").expect("a file");
    home.origin.on("/a", [Reply::file("three".to_owned())]);
    let said = home.run(&["fetch", "a"]);
    assert_eq!(said.code, Some(1), "{said:#?}");
    assert!(said.out.contains("1 new"), "{said:#?}");
    assert!(said.err.contains("published"), "{said:#?}");
    let said = home.run(&["verdict", "a", "look", "failed"]);
    let recorded = "recorded: look failed v4 of a, which is failed now";
    assert!(
        said.out.contains(recorded) && said.err.contains(HINT),
        "{said:#?}"
    );
    fs::remove_file(&published).expect("removed");
    fs::rename(home.path("away"), &published).expect("put back");
    home.ok(&["--worker-only"]);
    assert_eq!(home.content("a").as_deref(), Some("two"));
}

#[test]
fn what_is_still_there_of_a_removed_source_is_shown() {
    let home = Scene::new();
    home.ok(&["remove", "m", "--yes"]);
    home.block();
    home.run(&["remove", "a", "--yes"]);
    for _ in 0..2 {
        let list = home.ok(&["list", "--removed"]);
        assert_eq!(list.matches("still published at ").count(), 1, "{list}");
        let id = home.json(&["list", "--removed", "--json"]);
        let all = id.as_array().expect("sources").clone();
        let of = |name: &str| {
            all.iter()
                .find(|one| one["name"] == name)
                .expect("a source")
                .clone()
        };
        assert!(of("a")["publish_error"].is_string(), "{id}");
        assert!(of("a")["published_path"].is_string(), "{id}");
        assert!(of("m")["publish_error"].is_null(), "{id}");
        let show = home.ok(&["show", &of("a")["id"].to_string()]);
        assert!(show.contains("still at "), "{show}");
        assert!(
            show.contains("every pass tries again to remove it: "),
            "{show}"
        );
        home.run(&["--worker-only"]);
    }
    home.unblock();
    home.run(&["--worker-only"]);
    let list = home.ok(&["list", "--removed"]);
    assert!(!list.contains("still published"), "{list}");
    assert_eq!(home.content("a"), None);
}
