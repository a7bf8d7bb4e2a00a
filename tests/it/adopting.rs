//! `config adopt-archive` with a catalogue that is older than what is published: it says so first, asks, and keeps copies. Through
//! the real program.

use std::fs;

use crate::rig::{Home, PASS_ALL, fixture};

fixture! {
    /// A source `a` and a member `m` of the set `eu`, nothing of which is fetched yet.
    struct Scene;
}

impl Scene {
    fn new() -> Self {
        let contents = |name| ["one", "two", "three"].map(|text| format!("{text} of {name}"));
        let home = Home::new(PASS_ALL).with_source("a", contents("a"));
        Self(home.with_member("m", &["eu"], contents("m")))
    }

    fn fetch(&self) {
        // One after the other, so that their versions have the same numbers each time.
        self.ok(&["fetch", "a"]);
        self.ok(&["fetch", "m"]);
    }

    /// Makes a copy of the catalogue.
    fn copy(&self) {
        // Nobody has it open: all of it is in one file.
        let copied = fs::copy(self.data().join("gannet.db"), self.path("copy.db"));
        copied.expect("a copy");
    }

    fn put_copy_back(&self) {
        let data = self.data();
        for name in ["gannet.db-wal", "gannet.db-shm"] {
            let _ = fs::remove_file(data.join(name));
        }
        fs::copy(self.path("copy.db"), data.join("gannet.db")).expect("put back");
    }

    /// Returns what readers find of the source and of the set.
    fn served(&self) -> [Option<String>; 2] {
        let member = self.data().join("sets/eu/m");
        [self.file("a"), member].map(|path| fs::read_to_string(path).ok())
    }

    /// Returns the contents of all files in the trash that were published, sorted.
    fn trash(&self) -> Vec<String> {
        let (mut found, mut folders) = (Vec::new(), vec![self.data().join("trash")]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                match fs::read_to_string(entry.path()) {
                    Ok(text) => found.push(text),
                    Err(_) => folders.push(entry.path()),
                }
            }
        }
        found.sort();
        found
    }
}

type Step = fn(&Scene);

/// What happens before the copy and after it, what is said of that, and the published files that are kept.
type Case = (
    &'static str,
    Step,
    Step,
    &'static [&'static str],
    &'static str,
    &'static [&'static str],
);

#[test]
fn an_older_catalogue_says_what_it_would_replace_and_keeps_copies() {
    let cases: [Case; 3] = [
        (
            "newer contents",
            Scene::fetch,
            Scene::fetch,
            &[
                "/a: holds contents that this catalogue does not know, and v1 takes its place",
                "sets/eu: leads to another edition than this catalogue published",
            ],
            "1 published file and 1 published set",
            &["two of a", "two of m"],
        ),
        (
            "contents that were failed since",
            |home| {
                home.fetch();
                home.fetch();
            },
            |home| {
                home.run(&["verdict", "a", "look", "failed"]);
            },
            &["/a: holds v1, and v3 takes its place"],
            "1 published file",
            &[],
        ),
        (
            "a source that was not fetched yet",
            |_| {},
            |home| {
                home.ok(&["fetch", "a"]);
            },
            &["/a: holds contents that this catalogue does not know, until a version passes"],
            "1 published file",
            &["one of a"],
        ),
    ];
    for (case, before, after, lines, replaced, kept) in cases {
        let home = Scene::new();
        before(&home);
        home.copy();
        after(&home);
        home.put_copy_back();
        let served = home.served();
        let refused = home.run(&["config", "adopt-archive"]);
        assert_eq!(refused.code, Some(2), "{case}: {refused:#?}");
        let question = format!("this would let older contents take the place of {replaced}");
        for line in lines.iter().copied().chain([&*question, "--yes"]) {
            assert!(refused.err.contains(line), "{case}: {refused:#?}");
        }
        assert_eq!(home.run(&["fetch", "a"]).code, Some(3), "{case}: as before");
        assert!(home.trash().is_empty(), "{case}");
        let said = home.run(&["config", "adopt-archive", "--yes"]);
        assert_eq!(said.code, Some(0), "{case}: {said:#?}");
        assert!(said.err.contains(lines[0]), "{case}: {said:#?}");
        let tells = said
            .out
            .contains("does not know are copied to trash/ for 7 days");
        assert_eq!(tells, !kept.is_empty(), "{case}: {said:#?}");
        assert_eq!(home.trash(), kept, "{case}");
        assert_eq!(home.served(), served, "{case}: nothing is replaced yet");
    }
}

#[test]
fn a_catalogue_that_published_all_of_it_is_not_asked_about() {
    let cases: [(&str, Step); 3] = [
        ("the right one", |_| {}),
        ("without its mark", |home| {
            fs::remove_file(home.data().join("archive-id")).expect("a mark");
        }),
        ("without its files", |home| {
            fs::remove_file(home.file("a")).expect("a file");
        }),
    ];
    for (case, change) in cases {
        let home = Scene::new();
        home.fetch();
        change(&home);
        let said = home.run(&["config", "adopt-archive"]);
        assert_eq!(said.code, Some(0), "{case}: {said:#?}");
        assert!(said.err.is_empty(), "{case}: {said:#?}");
        assert!(home.trash().is_empty(), "{case}");
    }
}
