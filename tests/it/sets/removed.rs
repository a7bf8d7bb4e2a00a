//! A member that was removed: whether readers still find its file in the folder of the set is said, and until when.

use std::fs;

use crate::rig::{Release, Said};

/// How a member is removed, and with which configuration.
type Remove = fn(&Release) -> Said;

/// Removes with a configuration that the policy did not come from.
pub(super) fn elsewhere(release: &Release, arguments: &[&str]) -> Said {
    let other = release.gannet.path("other.toml");
    let toml = fs::read_to_string(release.gannet.path("config.toml")).expect("TOML");
    let another = toml.replace("\"sums\"", "\"others\"");
    fs::write(&other, another).expect("another configuration");
    let other = other.display().to_string();
    release
        .gannet
        .run(&[&["--config", &other], arguments].concat())
}

#[test]
fn what_stays_in_the_folder_of_a_set_is_said() {
    let edition = "until the next edition passes; `gannet remove --purge 1` takes it away at once, with its history";
    let pass = "this process may not publish, so until the next pass with {own}";
    let ways: [(&str, Remove, Option<&str>); 8] = [
        (
            "removed",
            |release| release.gannet.run(&["remove", "data.csv"]),
            Some(edition),
        ),
        (
            "left out of the file",
            |release| {
                let dump = release.gannet.ok(&["dump", "--toml"]);
                let mut sources: Vec<_> = dump.split("[[source]]").collect();
                sources.retain(|source| !source.contains("/data.csv"));
                let path = release.gannet.path("sources.toml");
                fs::write(&path, sources.join("[[source]]")).expect("a file");
                let path = path.display().to_string();
                release.gannet.run(&["apply", "--prune", "--yes", &path])
            },
            Some(edition),
        ),
        (
            "purged",
            |release| {
                release
                    .gannet
                    .run(&["remove", "--purge", "--yes", "data.csv"])
            },
            None,
        ),
        (
            "all removed",
            |release| {
                release
                    .gannet
                    .run(&["remove", "--yes", "data.csv", "SHA256SUMS"])
            },
            None,
        ),
        (
            "removed elsewhere",
            |release| elsewhere(release, &["remove", "data.csv"]),
            Some(pass),
        ),
        (
            "purged elsewhere",
            |release| elsewhere(release, &["remove", "--purge", "--yes", "data.csv"]),
            Some(pass),
        ),
        (
            "all removed elsewhere",
            |release| elsewhere(release, &["remove", "--yes", "data.csv", "SHA256SUMS"]),
            Some(pass),
        ),
        (
            "removed with a broken configuration",
            |release| {
                release.gannet.configure("verifier = 7");
                release.gannet.run(&["remove", "data.csv"])
            },
            Some(
                "this process may not publish, so until the next pass with a configuration that can be used",
            ),
        ),
    ];
    let release = Release::new();
    release.fetch();
    let config = fs::read_to_string(release.gannet.path("config.toml")).expect("TOML");
    let saved = release.save();
    for (way, remove, until) in ways {
        release.put_back(&saved);
        let said = remove(&release);
        assert_eq!(said.code, Some(0), "{way}: {said:#?}");
        let file = release.link().join("data.csv");
        let own = release.gannet.path("config.toml").display().to_string();
        let line = |until: &str| {
            let path = file.display();
            let until = until.replace("{own}", &own);
            format!("data.csv still lies in the folder of its set, {path}: {until}\n")
        };
        assert_eq!(file.exists(), until.is_some(), "{way}: {said:#?}");
        match until {
            Some(until) => assert!(said.err.contains(&line(until)), "{way}: {said:#?}"),
            None => assert!(!said.err.contains("still lies"), "{way}: {said:#?}"),
        }
        // The next pass that may publish does what was said.
        release.gannet.configure(&config);
        release.gannet.run(&["--worker-only"]);
        let stays = way.contains("left out") || way.starts_with("removed");
        assert_eq!(
            file.exists(),
            stays,
            "{way}: checksums alone are no edition that passes"
        );
    }
}

#[test]
fn of_a_source_that_no_set_publishes_nothing_is_said() {
    let release = Release::with("");
    release.fetch();
    let said = release.gannet.run(&["remove", "data.csv"]);
    assert!(!said.err.contains("still lies"), "{said:#?}");
}

/// What is purged of a set of three, and what readers find of the set then, with what is said of it.
type Purge = (
    &'static str,
    &'static [&'static str],
    fn(&Release),
    &'static [&'static str],
    &'static str,
);

#[test]
fn a_set_goes_on_without_a_member_that_is_purged_when_it_passes() {
    let edition = "set release: published edition 2 at ";
    let none = |_: &Release| {};
    let cases: [Purge; 6] = [
        (
            "one that the others do not need",
            &["notes.txt"],
            none,
            &["SHA256SUMS", "data.csv"],
            edition,
        ),
        (
            "one that was removed before",
            &["notes.txt"],
            |release| {
                release.gannet.ok(&["remove", "notes.txt"]);
            },
            &["SHA256SUMS", "data.csv"],
            edition,
        ),
        (
            "one that the others need",
            &["data.csv"],
            none,
            &[],
            "failed by sums",
        ),
        (
            "another is due",
            &["notes.txt"],
            |release| {
                release.add("more.txt", "release");
            },
            &[],
            "more.txt is due",
        ),
        (
            "two",
            &["data.csv", "notes.txt"],
            none,
            &[],
            "failed by sums",
        ),
        (
            "all",
            &["data.csv", "notes.txt", "SHA256SUMS"],
            none,
            &[],
            "it has no members: no source with its tag is enabled or has a good version",
        ),
    ];
    let release = Release::new();
    release.add("notes.txt", "release");
    let notes = crate::rig::Reply::file("notes");
    release.origin.on("/notes.txt", [notes]);
    release.fetch();
    let saved = release.save();
    for case in cases {
        release.put_back(&saved);
        check_purge(&release, case);
    }
}

fn check_purge(release: &Release, (case, purged, before, files, says): Purge) {
    let nothing = "readers of the set release find nothing, until an edition without what was purged passes: ";
    before(release);
    let ids: Vec<_> = purged
        .iter()
        .map(|name| release.gannet.json(&["show", name, "--json"])["id"].to_string())
        .collect();
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    let asked = release
        .gannet
        .run(&[&["remove", "--purge"], &ids[..]].concat());
    let folder = ", and take the folder of the set release away until an edition without it passes";
    assert!(asked.err.contains(folder), "{case}: {asked:#?}");
    assert_eq!(release.files().len(), 3, "{case}: nothing was changed");
    let said = release
        .gannet
        .run(&[&["remove", "--purge", "--yes"], &ids[..]].concat());
    assert_eq!(said.code, Some(0), "{case}: {said:#?}");
    assert_eq!(release.files(), files, "{case}");
    let lines = format!("{}{}", said.out, said.err);
    assert!(lines.contains(says), "{case}: {said:#?}");
    assert_eq!(
        said.err.contains(nothing),
        files.is_empty(),
        "{case}: {said:#?}"
    );
    let withdrawn: Vec<_> = release.events();
    let withdrawn = withdrawn
        .iter()
        .find(|event| event.starts_with("set.withdrawn"));
    match (files.is_empty(), case) {
        (false, _) => assert_eq!(withdrawn, None, "{case}: never away"),
        (true, "all") => {
            let because = "set.withdrawn release: no source has its tag any more";
            assert_eq!(withdrawn.map(String::as_str), Some(because));
        }
        (true, _) => {
            let because = format!("set.withdrawn release: {} was purged", purged[0]);
            assert_eq!(withdrawn, Some(&because), "{case}");
            assert_eq!(
                release.show()["withdrawn_because"],
                format!("{} was purged", purged[0]),
                "{case}"
            );
        }
    }
}
