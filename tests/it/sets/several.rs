//! Sources that are in several sets at once, by a mistake: consumers find their files all the same, and where that is is said.

use std::fs;

use crate::rig::{Release, Said};

/// A way to give `data.csv` these tags.
type Tag = fn(&Release, &[&str]) -> Said;

/// A verifier of a set with this tag, which passes everything.
fn verifier(tag: &str) -> String {
    format!(
        "[[verifier]]\nname = \"{tag}\"\nscope = \"set\"\nsources = [\"tag:{tag}\"]\ncommand = [\"true\"]\n"
    )
}

fn edit(release: &Release, tags: &[&str]) -> Said {
    let mut arguments = vec!["edit", "data.csv"];
    if tags.is_empty() {
        arguments.push("--no-tags");
    }
    arguments.extend(tags.iter().flat_map(|tag| ["--tag", *tag]));
    release.gannet.run(&arguments)
}

fn apply(release: &Release, tags: &[&str]) -> Said {
    let dump = release.gannet.ok(&["dump", "--toml"]);
    let sources = dump
        .split("[[source]]")
        .filter(|one| one.contains("/data.csv"));
    let lines = sources
        .flat_map(str::lines)
        .filter(|line| !line.starts_with("tags"));
    let lines: Vec<_> = lines.collect();
    let toml = format!("[[source]]\n{}\ntags = {tags:?}\n", lines.join("\n"));
    let path = release.gannet.path("sources.toml");
    fs::write(&path, toml).expect("a file");
    release.gannet.run(&["apply", &path.display().to_string()])
}

/// Two sets with a member each, `SHA256SUMS` in `release` and `notes.txt` in `other`, and `data.csv` with these tags.
fn two_sets(tags: &[&str]) -> Release {
    let release = Release::with(&(verifier("release") + &verifier("other")));
    edit(&release, tags);
    release
        .origin
        .on("/notes.txt", [crate::rig::Reply::file("notes")]);
    release.add("notes.txt", "other");
    release.gannet.run(&["fetch", "*"]);
    release
}

impl Release {
    /// The places where consumers find `data.csv`: `own` and the names of sets.
    fn places(&self) -> Vec<&'static str> {
        let own = self.own("data.csv").map(|_| "own");
        let sets = ["other", "release"].into_iter();
        let sets = sets.filter(|set| self.in_set(set, "data.csv").is_some());
        own.into_iter().chain(sets).collect()
    }
}

#[test]
fn a_file_stays_where_it_is_until_a_set_that_publishes_has_it() {
    let ways: [(&str, Tag); 2] = [("edit", edit), ("apply", apply)];
    for (first, then, places, words) in [
        // Its set shows it; the other one does not.
        (
            &["release"][..],
            &["release", "other"][..],
            &["release"][..],
            None,
        ),
        (&["other"], &["release", "other"], &["other"], None),
        // Neither shows it yet.
        (
            &[],
            &["release", "other"],
            &["own"],
            Some("until one of the sets other, release is published with it"),
        ),
        // From both to one that does not show it.
        (
            &["release"],
            &["other"],
            &["own", "release"],
            Some("until the set other is published with it"),
        ),
    ] {
        let release = two_sets(first);
        let saved = release.save();
        for (way, tag) in ways {
            release.put_back(&saved);
            let case = format!("{way} {first:?} {then:?}");
            let said = tag(&release, then);
            assert_eq!(release.places(), places, "{case}: {said:#?}");
            match words {
                Some(words) => assert!(said.out.contains(words), "{case}: {said:#?}"),
                None => assert!(!said.out.contains("data.csv (1): v"), "{case}: {said:#?}"),
            }
            release.gannet.run(&["--worker-only"]);
            assert!(!release.places().is_empty(), "{case}");
        }
    }
}

#[test]
fn a_file_goes_with_the_set_that_has_it_and_with_no_other() {
    // The set shows it, ends, and comes back with it, while the other one waits.
    let release = two_sets(&["release"]);
    release.gannet.ok(&["edit", "SHA256SUMS", "--no-tags"]);
    edit(&release, &["other"]);
    release.serve_data("two");
    release
        .origin
        .on("/notes.txt", [crate::rig::Reply::status(404)]);
    release.gannet.run(&["fetch", "*"]);
    assert_eq!(release.places(), ["own"]);
    let saved = release.save();
    for (way, tag) in [("edit", edit as Tag), ("apply", apply)] {
        release.put_back(&saved);
        let said = tag(&release, &["release", "other"]);
        assert_eq!(release.places(), ["release"], "{way}: {said:#?}");
        let words = " is published with the set release now";
        assert!(said.out.contains(words), "{way}: {said:#?}");
        let shown = release.gannet.ok(&["show", "data.csv"]);
        assert!(shown.contains("with the set release (v"), "{way}: {shown}");
        // Back to the one that has never shown it.
        let said = tag(&release, &["other"]);
        assert!(release.places().contains(&"own"), "{way}: {said:#?}");
        let words = "until the set other is published with it";
        assert!(said.out.contains(words), "{way}: {said:#?}");
    }
}

#[test]
fn a_configuration_that_makes_a_second_set_takes_nothing_away() {
    for (first, second) in [("release", "other"), ("other", "release")] {
        let release = Release::with(&verifier(first));
        release
            .gannet
            .ok(&["edit", "*", "--tag", "release", "--tag", "other"]);
        release.gannet.run(&["fetch", "*"]);
        assert_eq!(release.places(), [first]);
        let said = release.judge_by(&(verifier(first) + &verifier(second)));
        assert_eq!(release.places(), [first], "{said}");
        release.gannet.run(&["--worker-only"]);
        assert_eq!(release.places(), [first]);
        // The set that shows it is none any more.
        let said = release.judge_by(&verifier(second));
        assert!(!release.places().is_empty(), "{said}");
        release.gannet.run(&["--worker-only"]);
        assert_eq!(release.places(), [second]);
    }
}
