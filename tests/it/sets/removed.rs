//! A member that was removed: whether readers still find its file in the folder of the set is said, and until when.

use std::fs;

use super::Release;
use crate::rig::Said;

/// How a member is removed, and with which configuration.
type Remove = fn(&Release) -> Said;

/// Removes with a configuration that the policy did not come from.
fn elsewhere(release: &Release, arguments: &[&str]) -> Said {
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
    for (way, remove, until) in ways {
        let release = Release::new();
        release.fetch();
        let config = fs::read_to_string(release.gannet.path("config.toml")).expect("TOML");
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
