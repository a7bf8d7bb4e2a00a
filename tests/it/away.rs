//! A published file whose place is away for a moment while it is to be withdrawn: never said to be gone, and never served for good once
//! the place is back. Through the real program.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use serde_json::Value;

use crate::rig::{Home, Said, fixture, sqlite};

fixture! {
    /// Sources `a` and `b` of one host, published.
    struct Scene;
}

impl Scene {
    fn new() -> Self {
        let toml = "[[verifier]]\nname = \"look\"\nsources = [\"a\"]\nexternal = true\n";
        let home = Home::new(toml)
            .with_source("a", ["content of a"])
            .with_source("b", ["content of b"]);
        home.run(&["fetch", "*"]);
        home.ok(&["verdict", "a", "look", "passed"]);
        assert_eq!(home.content("a").as_deref(), Some("content of a"));
        Self(home)
    }

    fn published(&self) -> PathBuf {
        self.data().join("published")
    }

    fn withdrawn(&self) -> usize {
        self.events("file.withdrawn").len()
    }

    /// Moves the place of the files away, as an unmounted file system is; what stands in its place is made, if anything.
    fn take_place_away(&self, place: &str) {
        let away = self.path("away");
        match place {
            "a link that leads nowhere" => {
                fs::rename(self.published(), &away).expect("moved");
                symlink(self.path("nowhere"), self.published()).expect("a link");
            }
            "all published files" => fs::rename(self.published(), &away).expect("moved"),
            _ => fs::rename(self.folder(), &away).expect("moved"),
        }
        if place == "the folder, with an empty one in its place" {
            fs::create_dir(self.folder()).expect("a folder");
        }
    }

    fn bring_place_back(&self, place: &str) {
        let whole = matches!(place, "a link that leads nowhere" | "all published files");
        let to = if whole {
            self.published()
        } else {
            self.folder()
        };
        match fs::symlink_metadata(&to) {
            Ok(found) if found.is_dir() => fs::remove_dir_all(&to).expect("removed"),
            Ok(_) => fs::remove_file(&to).expect("removed"),
            Err(_) => {}
        }
        fs::rename(self.path("away"), to).expect("moved back");
    }
}

const PLACES: [&str; 3] = [
    "a link that leads nowhere",
    "all published files",
    "the folder",
];
const ENDS: [&[&str]; 3] = [
    &["verdict", "a", "look", "failed"],
    &["remove", "a", "--yes"],
    &["remove", "a", "--purge", "--yes"],
];

fn is_told(said: &Said) -> bool {
    said.code == Some(1) && said.err.contains("is missing; mount it or move it back")
}

#[test]
fn a_place_that_is_away_is_an_obstacle_until_it_is_back() {
    let home = Scene::new();
    let saved = home.save();
    for place in PLACES {
        for end in ENDS {
            home.put_back(&saved);
            home.take_place_away(place);
            let said = home.run(end);
            assert!(is_told(&said), "{place} {end:?}: {said:#?}");
            assert_eq!(home.withdrawn(), 0, "{place} {end:?}");
            home.bring_place_back(place);
            home.ok(&["--worker-only"]);
            assert_eq!(home.content("a"), None, "{place} {end:?}");
            assert_eq!(home.content("b").as_deref(), Some("content of b"));
            assert_eq!(home.withdrawn(), 1, "{place} {end:?}");
        }
    }
}

#[test]
fn every_pass_says_so_while_the_place_is_away() {
    let home = Scene::new();
    home.ok(&["disable", "b"]);
    home.ok(&["remove", "b", "--yes"]);
    home.take_place_away("all published files");
    home.run(ENDS[0]);
    for _ in 0..2 {
        let said = home.run(&["--worker-only"]);
        assert_eq!(said.code, Some(1), "{said:#?}");
        assert!(said.err.contains("is missing"), "{said:#?}");
    }
    assert!(home.source_error().contains("is missing"));
    // It was removed for good: as the error says, making the folder ends it.
    fs::create_dir_all(home.folder()).expect("a folder");
    home.ok(&["--worker-only"]);
}

impl Scene {
    fn source_error(&self) -> String {
        self.source("a")["publish_error"].to_string()
    }
}

/// Where another folder stands in the place, nobody can tell that the file is away: the next look finds it when it is back.
#[test]
fn what_comes_back_after_it_was_withdrawn_goes_again() {
    let home = Scene::new();
    let saved = home.save();
    for end in ENDS {
        home.put_back(&saved);
        let place = "the folder, with an empty one in its place";
        home.take_place_away(place);
        home.ok(end);
        home.bring_place_back(place);
        assert_eq!(home.content("a").as_deref(), Some("content of a"));
        home.ok(&["--worker-only"]);
        assert_eq!(home.content("a"), None, "{end:?}");
        assert_eq!(home.content("b").as_deref(), Some("content of b"));
        assert!(home.withdrawn() >= 1, "{end:?}");
        home.ok(&["--worker-only"]);
    }
}

#[test]
fn a_file_of_gannets_own_that_is_put_where_nothing_is_to_be_goes_within_a_day() {
    let home = Scene::new();
    let saved = home.save();
    for end in &ENDS[..2] {
        for (content, stays) in [("content of a", false), ("somebody else's", true)] {
            home.put_back(&saved);
            home.ok(end);
            assert_eq!(home.content("a"), None);
            let before = home.withdrawn();
            fs::write(home.folder().join("a"), content).expect("written");
            sqlite::make_looks_due(&home.data());
            home.ok(&["--worker-only"]);
            assert_eq!(home.content("a").is_some(), stays, "{end:?} {content}");
            assert_eq!(home.withdrawn() - before, usize::from(!stays), "{end:?}");
        }
    }
}

/// Which version is published is lost, and how its file looked is not: it is looked at anew.
#[test]
fn a_file_of_which_it_was_lost_that_it_is_published_is_brought_in_line() {
    let home = Scene::new();
    let saved = home.save();
    for (then, content) in [
        (&["verdict", "a", "look", "failed"][..], None),
        (&["verdict", "a", "look", "passed"], Some("content of a")),
        (&["fetch", "a"], Some("content of a")),
        (&["--worker-only"], Some("content of a")),
    ] {
        home.put_back(&saved);
        sqlite::forget_what_is_published(&home.data(), false);
        sqlite::make_fetches_due(&home.data());
        home.run(then);
        assert_eq!(home.content("a").as_deref(), content, "{then:?}");
        home.run(&["--worker-only"]);
        assert_eq!(home.content("a").as_deref(), content, "{then:?}");
        let published = home.source("a")["published_version_id"].is_number();
        assert_eq!(published, content.is_some(), "{then:?}");
    }
}

#[test]
fn a_source_that_was_never_published_goes_without_its_folder() {
    let home = Scene::new();
    home.serve("c", "content of c");
    home.add("c", &[]);
    home.take_place_away("a link that leads nowhere");
    home.run(&["fetch", "c"]);
    assert_eq!(home.source("c")["published_version_id"], Value::Null);
    home.ok(&["remove", "c", "--yes"]);
}
