//! Sources that were published at their own paths and enter a set: their files stay where they are until the set takes them over.

use std::fs;
use std::path::PathBuf;

use crate::rig::{Release, Reply, SUMS_VERIFIER, plain_files, sums_of};

pub(super) const FILES: [&str; 2] = ["SHA256SUMS", "data.csv"];

/// A way of two sources into a set, or out of it.
type Change = fn(&Release);
/// A way from one set into another, whose verifier is given.
type Move = fn(&Release, &str);

/// A verifier that cannot judge, by a mistake in its command.
fn mistaken() -> String {
    SUMS_VERIFIER.replace("sha256sum", "sha257sum")
}

impl Release {
    /// Two sources with these tags, published at their own paths.
    pub(super) fn published_singly(tags: &[&str], verifiers: &str) -> Self {
        let release = Self::with(verifiers);
        release.tag(&FILES, tags);
        release.fetch_both();
        assert_eq!(release.own("data.csv").as_deref(), Some("one"));
        assert!(release.own("SHA256SUMS").is_some());
        release
    }

    pub(super) fn tag(&self, names: &[&str], tags: &[&str]) -> String {
        let mut arguments = [&["edit"], names].concat();
        if tags.is_empty() {
            arguments.push("--no-tags");
        }
        arguments.extend(tags.iter().flat_map(|tag| ["--tag", *tag]));
        self.gannet.ok(&arguments)
    }

    /// Fetches both sources, and returns the exit code.
    pub(super) fn fetch_both(&self) -> Option<i32> {
        self.gannet.run(&[&["fetch"], &FILES[..]].concat()).code
    }

    pub(super) fn own_path(&self, name: &str) -> PathBuf {
        self.file(name)
    }

    /// What lies at a source's own path.
    pub(super) fn own(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.own_path(name)).ok()
    }

    /// What readers of the file see in the folder of a set.
    pub(super) fn in_set(&self, set: &str, name: &str) -> Option<String> {
        let path = self.gannet.data().join("sets").join(set).join(name);
        fs::read_to_string(path).ok()
    }

    /// Writes what `apply` makes of both sources.
    fn source_file(&self, tag: &str) -> PathBuf {
        let path = self.gannet.path("sources.toml");
        let sources = FILES.map(|name| {
            let url = self.origin.url(&format!("/{name}"));
            format!("[[source]]\naddress = {url:?}\nname = {name:?}\ninterval = \"1h\"\ntags = [{tag:?}]\nallow_private = true\n")
        });
        fs::write(&path, sources.concat()).expect("a file");
        path
    }
}

#[test]
fn no_way_into_a_set_takes_a_file_away_before_the_set_is_published() {
    let elsewhere = mistaken().replace("tag:release", "tag:elsewhere");
    let ways: [(&str, &[&str], &str, Change); 5] = [
        ("edit", &[], &mistaken(), |release| {
            let said = release.tag(&FILES, &["release"]);
            let path = release.own_path("data.csv");
            let path = path.strip_prefix(release.gannet.data().join("published"));
            let stays = format!(
                "\n  data.csv (1): its file stays as it is at its published path until the set release is published with it: {}\n",
                path.expect("a published path").display()
            );
            assert!(said.contains(&stays), "{said}");
        }),
        ("apply", &[], &mistaken(), |release| {
            let file = release.source_file("release");
            release.gannet.ok(&["apply", &file.display().to_string()]);
        }),
        ("a new set", &["release"], "", |release| {
            release.judge_by(&mistaken());
        }),
        ("another selector", &["release"], &elsewhere, |release| {
            release.judge_by(&mistaken());
        }),
        ("one after the other", &[], &mistaken(), |release| {
            release.tag(&["data.csv"], &["release"]);
            release.gannet.run(&["--worker-only"]);
            release.tag(&["SHA256SUMS"], &["release"]);
        }),
    ];
    for (way, tags, verifiers, enter) in ways {
        let release = Release::published_singly(tags, verifiers);
        enter(&release);
        let sums = sums_of(&[("data.csv", "one")]);
        for data in ["one", "two", "three"] {
            release.serve(data);
            assert_eq!(
                release.fetch_both(),
                Some(1),
                "{way}: the set has a mistake"
            );
            release.gannet.run(&["--worker-only"]);
            assert_eq!(release.own("data.csv").as_deref(), Some("one"), "{way}");
            assert_eq!(release.own("SHA256SUMS").as_ref(), Some(&sums), "{way}");
            assert!(!release.link().exists(), "{way}");
        }
        let shown = release.gannet.ok(&["show", "data.csv"]);
        let until = ", until the set release is published with it\n";
        assert!(shown.contains(until), "{way}: {shown}");
        let source = release.gannet.source("data.csv");
        let path = release.own_path("data.csv").display().to_string();
        assert_eq!(
            (&source["published_path"], &source["state"], &source["set"]),
            (&path.into(), &"set-fail".into(), &"release".into()),
            "{way}"
        );
        release.judge_by(SUMS_VERIFIER);
        let code = release.gannet.run(&["verify", "--stale"]).code;
        assert_eq!(code, Some(0), "{way}");
        assert_eq!(release.data().as_deref(), Some("three"), "{way}");
        assert_eq!(plain_files(&release.gannet), Vec::<PathBuf>::new(), "{way}");
    }
}

#[test]
fn a_source_that_enters_a_published_set_stays_until_an_edition_has_it() {
    let release = Release::new();
    release.fetch();
    release.add("notes.txt", "alone");
    release.origin.on("/notes.txt", [Reply::file("notes")]);
    release.gannet.fetch("notes.txt");
    release.tag(&["notes.txt"], &["release"]);
    assert_eq!(release.own("notes.txt").as_deref(), Some("notes"));
    // The edition that would have it fails.
    release.serve_sums("else");
    release.fetch();
    assert_eq!(release.files(), FILES);
    assert_eq!(release.own("notes.txt").as_deref(), Some("notes"));
    release.serve_sums("one");
    release.fetch();
    assert_eq!(release.files(), ["SHA256SUMS", "data.csv", "notes.txt"]);
    assert_eq!(plain_files(&release.gannet), Vec::<PathBuf>::new());
}

#[test]
fn a_file_that_stays_goes_by_its_own_verdicts() {
    let eyes = "[[verifier]]\nname = \"eyes\"\nsources = [\"data.csv\"]\nexternal = true\n";
    let release = Release::with(&format!("{}{eyes}", mistaken()));
    release.tag(&FILES, &[]);
    let judge = |version: &str, outcome| {
        release.gannet.ok(&["verdict", version, "eyes", outcome]);
    };
    for data in ["one", "two"] {
        release.serve(data);
        release.fetch_both();
        judge("data.csv", "passed");
    }
    release.tag(&FILES, &["release"]);
    release.serve("three");
    release.fetch_both();
    judge("data.csv", "passed");
    let own = || release.own("data.csv");
    assert_eq!(
        own().as_deref(),
        Some("two"),
        "the set has to pass what is newer"
    );
    judge("data.csv~1", "failed");
    assert_eq!(
        own().as_deref(),
        Some("one"),
        "the newest that is still good"
    );
    judge("data.csv~2", "failed");
    assert_eq!(own(), None);
    judge("data.csv~1", "passed");
    assert_eq!(own().as_deref(), Some("two"), "it was a mistake");
    fs::remove_file(release.own_path("data.csv")).expect("removed");
    release.fetch_both();
    assert_eq!(own().as_deref(), Some("two"), "put back");
}

#[test]
fn from_one_set_to_another_a_file_is_at_its_own_path_meanwhile() {
    let other = mistaken()
        .replace("\"sums\"", "\"others\"")
        .replace("tag:release", "tag:other");
    let mended = other.replace("sha257sum", "sha256sum");
    let ways: [(&str, Move); 4] = [
        ("tags", |release, _| {
            release.tag(&FILES, &["other"]);
        }),
        ("one source", |release, _| {
            release.tag(&["data.csv"], &["other"]);
        }),
        ("both tags at first", |release, _| {
            release.tag(&FILES, &["release", "other"]);
            release.gannet.run(&["--worker-only"]);
            assert_eq!(release.data().as_deref(), Some("one"));
            release.tag(&FILES, &["other"]);
        }),
        ("a set with another name", |release, other| {
            release.judge_by(other);
            release.gannet.run(&["--worker-only"]);
            release.tag(&FILES, &["other"]);
        }),
    ];
    let release = Release::with(&format!("{SUMS_VERIFIER}{other}"));
    release.fetch();
    assert_eq!(release.data().as_deref(), Some("one"));
    let saved = release.save();
    for (way, go) in ways {
        release.put_back(&saved);
        go(&release, &other);
        release.serve("two");
        release.fetch_both();
        release.gannet.run(&["--worker-only"]);
        assert_eq!(release.own("data.csv").as_deref(), Some("one"), "{way}");
        assert_eq!(release.in_set("other", "data.csv"), None, "{way}");
        if way == "one source" {
            // The other file alone is no edition that could pass.
            assert_eq!(release.files(), FILES, "{way}");
            release.tag(&["SHA256SUMS"], &["other"]);
        }
        release.judge_by(&format!("{SUMS_VERIFIER}{mended}"));
        release.gannet.ok(&["verify", "--stale"]);
        assert_eq!(
            release.in_set("other", "data.csv").as_deref(),
            Some("two"),
            "{way}"
        );
        assert_eq!(plain_files(&release.gannet), Vec::<PathBuf>::new(), "{way}");
        assert!(!release.link().exists(), "{way}");
    }
}

#[test]
fn a_set_that_is_renamed_leaves_the_files_at_their_own_paths() {
    let renamed = mistaken().replace("tag:release", "tag:renamed");
    let release = Release::new();
    release.tag(&FILES, &["release", "renamed"]);
    release.fetch();
    assert_eq!(release.data().as_deref(), Some("one"));
    release.judge_by(&renamed);
    release.serve("two");
    release.fetch_both();
    assert_eq!(release.own("data.csv").as_deref(), Some("one"));
    assert!(!release.link().exists());
    release.judge_by(&renamed.replace("sha257sum", "sha256sum"));
    release.gannet.ok(&["verify", "--stale"]);
    assert_eq!(
        release.in_set("renamed", "data.csv").as_deref(),
        Some("two")
    );
    assert_eq!(plain_files(&release.gannet), Vec::<PathBuf>::new());
}

#[test]
fn the_folder_of_a_set_stays_until_every_file_lies_at_its_own_path() {
    let ways: [(&str, Change); 2] = [
        ("configuration", |release| drop(release.judge_by(""))),
        ("tags", |release| {
            let said = release
                .gannet
                .run(&[&["edit"], &FILES[..], &["--no-tags"]].concat());
            assert_eq!(said.code, Some(1), "{said:#?}");
        }),
    ];
    let release = Release::new();
    release.fetch();
    let saved = release.save();
    for (way, leave) in ways {
        release.put_back(&saved);
        let in_the_way = release.own_path("data.csv");
        fs::create_dir_all(in_the_way.join("folder")).expect("a folder");
        leave(&release);
        let said = release.gannet.run(&["--worker-only"]);
        assert_eq!(said.code, Some(1), "{way}: {said:#?}");
        assert_eq!(release.data().as_deref(), Some("one"), "{way}");
        assert_eq!(release.gannet.source("data.csv")["state"], "unpublished");
        fs::remove_dir_all(&in_the_way).expect("removed");
        release.gannet.ok(&["--worker-only"]);
        assert_eq!(release.own("data.csv").as_deref(), Some("one"), "{way}");
        assert!(!release.link().exists(), "{way}");
    }
}

/// What happens between the removal of a member and its restoration, and which file of it is at its own path then.
type Between = (&'static str, Change, Option<&'static str>);

#[test]
fn a_member_that_waits_gets_its_file_back_with_itself() {
    let text = "[[verifier]]\nname = \"text\"\nsources = [\"*\"]\nbuiltin = \"utf8\"\n";
    let ways: [Between; 4] = [
        ("nothing", |_| {}, Some("one")),
        (
            "passes",
            |release| {
                release.gannet.run(&["--worker-only"]);
            },
            Some("one"),
        ),
        (
            "a verdict",
            |release| {
                release.gannet.ok(&["verdict", "v1", "text", "failed"]);
                release.gannet.ok(&["verdict", "v2", "text", "failed"]);
            },
            None,
        ),
        (
            "another removal",
            |release| {
                release.gannet.ok(&["restore", "data.csv"]);
                release.gannet.ok(&["remove", "data.csv"]);
            },
            Some("one"),
        ),
    ];
    let verifiers = mistaken() + text;
    let release = Release::published_singly(&[], &verifiers);
    release.tag(&FILES, &["release"]);
    release.serve("two");
    release.fetch_both();
    assert_eq!(release.own("data.csv").as_deref(), Some("one"));
    release.gannet.ok(&["remove", "data.csv"]);
    assert_eq!(release.own("data.csv"), None);
    let saved = release.save();
    for (way, between, expected) in ways {
        release.put_back(&saved);
        between(&release);
        release.gannet.ok(&["restore", "data.csv"]);
        assert_eq!(release.own("data.csv").as_deref(), expected, "{way}");
        release.gannet.run(&["--worker-only"]);
        assert_eq!(release.own("data.csv").as_deref(), expected, "{way}");
        // Then the set has it, once it can be judged.
        release.judge_by(&format!("{SUMS_VERIFIER}{text}"));
        release.serve("three");
        release.fetch_both();
        assert_eq!(release.data().as_deref(), Some("three"), "{way}");
        assert_eq!(plain_files(&release.gannet), Vec::<PathBuf>::new(), "{way}");
    }
}

#[test]
fn a_removed_member_lies_in_the_folder_until_the_next_edition() {
    let release = Release::new();
    release.fetch();
    let saved = release.save();
    for (options, last, stays) in [
        (&[][..], false, true),
        (&["--purge", "--yes"], false, false),
        (&[], true, false),
        (&["--purge", "--yes"], true, false),
    ] {
        release.put_back(&saved);
        if last {
            release.gannet.ok(&["remove", "SHA256SUMS"]);
        }
        release
            .gannet
            .ok(&[&["remove", "data.csv"], options].concat());
        let case = format!("{options:?}, the last: {last}");
        assert_eq!(release.data().is_some(), stays, "{case}");
        release.gannet.run(&["--worker-only"]);
        // What is left alone does not pass.
        assert_eq!(release.data().is_some(), stays, "{case}");
        if stays {
            release.origin.on("/SHA256SUMS", [Reply::file("none")]);
            release.judge_by(&SUMS_VERIFIER.replace("sha256sum --quiet -c", "test -f"));
            release.fetch();
            assert_eq!(release.files(), ["SHA256SUMS"], "{case}");
        }
    }
}

#[test]
fn a_kept_version_gives_way_to_none_that_a_set_refused() {
    let set = |name: &str, command: &str| {
        format!(
            "[[verifier]]\nname = \"{name}\"\nscope = \"set\"\nsources = [\"tag:{name}\"]\ncommand = {command}\n"
        )
    };
    let verifiers = [
        "[[verifier]]\nname = \"text\"\nbuiltin = \"utf8\"\nsources = [\"*\"]\n".to_owned(),
        set(
            "first",
            r#"["sh", "-c", "! grep -rq refused \"$1\"", "sh", "{path}"]"#,
        ),
        set("second", r#"["false"]"#),
    ];
    let release = Release::with(&verifiers.concat());
    release.tag(&["data.csv"], &["first"]);
    for data in ["good", "refused", "better", "refused again"] {
        release.serve_data(data);
        release.gannet.run(&["fetch", "data.csv"]);
    }
    let in_first = release.in_set("first", "data.csv");
    assert_eq!(in_first.as_deref(), Some("better"));
    release.tag(&["data.csv"], &["second"]);
    release.gannet.run(&["--worker-only"]);
    assert_eq!(release.own("data.csv").as_deref(), Some("better"));
    for (failed, left) in [("v3", Some("good")), ("v1", None)] {
        release.gannet.run(&["verdict", failed, "text", "failed"]);
        release.gannet.run(&["--worker-only"]);
        assert_eq!(release.own("data.csv").as_deref(), left, "{failed}");
    }
}
