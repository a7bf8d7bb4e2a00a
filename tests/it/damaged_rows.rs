//! A version whose row in the catalogue is damaged: what else there is can be saved and read all the same, and the exit code says
//! that something is missing.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use serde_json::Value;

use crate::rig::{Gannet, Home, Origin, Reply, Said, Terminal, sqlite};

/// Two sources with two versions each: 1 and 3 of `a`, 2 and 4 of `b`.
fn two_histories() -> Home {
    Home::new("").with_a_and_b(2)
}

fn damage(gannet: &Gannet, statement: &str) {
    sqlite::damage(&gannet.data(), statement);
}

#[test]
fn what_is_sound_is_saved_and_read_beside_a_damaged_row() {
    let gannet = two_histories();
    let origin = &gannet.origin;
    let saved = gannet.save();
    for (statement, sound) in [
        (
            "UPDATE version SET fetched_at = fetched_at + 1 WHERE id = 3",
            "v1",
        ),
        (
            "UPDATE version SET blob_id = blob_id + 1 WHERE id = 3",
            "v1",
        ),
        ("UPDATE version SET checksum = NULL WHERE id = 1", "v3"),
        ("DELETE FROM version WHERE id = 1", "v3"),
        ("DELETE FROM version WHERE id = 3", "v1"),
    ] {
        gannet.put_back(&saved);
        damage(&gannet, statement);
        let is_told = |said: &Said| {
            assert_eq!(said.code, Some(3), "{statement}: {said:#?}");
            let is_named = |line: &str| line.contains("a: ") && line.contains("is damaged");
            assert!(said.err.lines().any(is_named), "{statement}: {said:#?}");
        };

        let folder = gannet.path("saved");
        is_told(&gannet.run(&["export", &folder.display().to_string()]));
        let manifest = fs::read_to_string(folder.join("manifest.json")).expect("a manifest");
        let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
        let files = manifest["files"].as_array().expect("files").iter();
        let mut saved: Vec<_> = files
            .map(|file| format!("v{}", file["version_id"]))
            .collect();
        saved.sort();
        let mut expected = vec![sound, "v2", "v4"];
        expected.sort_unstable();
        assert_eq!(saved, expected, "{statement}");

        let found = gannet.run(&["grep", "line", "*"]);
        is_told(&found);
        let has = |version: &str| found.out.split_whitespace().any(|word| word == version);
        assert!(
            expected.iter().all(|one| has(one)),
            "{statement}: {found:#?}"
        );

        let dumped = gannet.run(&["dump", "--json"]);
        is_told(&dumped);
        let dumped: Value = serde_json::from_str(&dumped.out).expect("JSON");
        let versions = |source: usize| {
            let versions = dumped["sources"][source]["versions"].as_array();
            let ids = versions.expect("versions").iter();
            ids.map(|one| format!("v{}", one["id"])).collect::<Vec<_>>()
        };
        assert_eq!(
            (versions(0), versions(1)),
            (
                vec![sound.to_owned()],
                vec!["v4".to_owned(), "v2".to_owned()]
            ),
            "{statement}"
        );
        for arguments in [
            &["dump"][..],
            &["report"],
            &["show", "a"],
            &["history", "a"],
            &["history", "a", "--json"],
            &["history", "a", "--csv", "--versions"],
        ] {
            let said = gannet.run(arguments);
            is_told(&said);
            let id = if arguments.len() > 2 {
                &sound[1..]
            } else {
                sound
            };
            assert!(
                said.out.contains(id),
                "{arguments:?}: {statement}: {said:#?}"
            );
        }
        // A row that is there and damaged stays so, whatever comes next.
        if !statement.starts_with("UPDATE") {
            continue;
        }
        origin.on("/a", [Reply::file("line 3 of a\n")]);
        gannet.fetch("a");
        let shown = gannet.run(&["show", "a"]);
        is_told(&shown);
        assert!(shown.out.contains("v5"), "{statement}: {shown:#?}");
    }
}

/// The dashboard shows the versions that are sound, in its pane and on the source's page, and says what is damaged.
#[test]
fn the_dashboard_shows_what_is_sound_beside_a_damaged_row() {
    let gannet = two_histories();
    let saved = gannet.save();
    for (statement, sound) in [
        (
            "UPDATE version SET fetched_at = fetched_at + 1 WHERE id = 3",
            "v1 ",
        ),
        ("UPDATE version SET checksum = NULL WHERE id = 1", "v3 "),
        ("DELETE FROM version WHERE id = 1", "v3 "),
    ] {
        gannet.put_back(&saved);
        damage(&gannet, statement);
        let mut terminal = Terminal::start(&gannet, &[]);
        terminal.wait_for("is damaged");
        terminal.press("\r");
        terminal.wait_for("attempts (tab: versions)");
        terminal.wait_for("is damaged");
        terminal.press("\t");
        terminal.wait_for("versions (tab: attempts)");
        terminal.wait_for(sound);
        terminal.wait_for("is damaged");
        // What the daily look met stands below until Esc dismisses it.
        terminal.close("error (esc)");
        terminal.close("versions (tab: attempts)");
        terminal.press("q");
        assert_eq!(terminal.ended().exit_code(), 0, "{statement}");
    }
}

/// What a pass has to do with the version whose row is damaged.
#[derive(Clone, Copy, Debug)]
enum Work {
    /// Puts back its published file, which was removed.
    PutBack,
    /// Looks closely at its published file, which was touched.
    LookClosely,
    /// Writes its published file, which a killed process may have written already.
    MakeSure,
    /// Gives up waiting for a verdict.
    GiveUp,
    /// Asks a verifier again that could not judge.
    JudgeAgain,
}

impl Work {
    fn verifiers(self) -> &'static str {
        match self {
            Self::PutBack | Self::LookClosely | Self::MakeSure => "",
            Self::GiveUp => {
                "[[verifier]]\nname = \"legal\"\nsources = [\"a\"]\nexternal = true\ndeadline = \"1s\"\n"
            }
            Self::JudgeAgain => {
                "[[verifier]]\nname = \"broken\"\nsources = [\"a\"]\ncommand = [\"/no/such/program\"]\n"
            }
        }
    }

    fn prepare(self, gannet: &Gannet, published: &Path) {
        match self {
            Self::PutBack => fs::remove_file(published).expect("removed"),
            Self::LookClosely => {
                let file = fs::File::options().write(true).open(published);
                let touched = file.and_then(|file| file.set_modified(SystemTime::UNIX_EPOCH));
                touched.expect("touched");
            }
            Self::MakeSure => damage(
                gannet,
                "UPDATE source_state SET publish_due = 1, publish_unsure = 1 WHERE source_id = 1",
            ),
            Self::GiveUp | Self::JudgeAgain => {}
        }
    }
}

/// Whatever else a pass has to do with a version whose row is damaged, the other sources are fetched and published.
#[test]
fn a_damaged_row_keeps_no_other_source_waiting() {
    let gannet = two_histories();
    let origin = &gannet.origin;
    let ca_file = origin.ca_file().display().to_string();
    let saved = gannet.save();
    for work in [
        Work::PutBack,
        Work::LookClosely,
        Work::MakeSure,
        Work::GiveUp,
        Work::JudgeAgain,
    ] {
        gannet.put_back(&saved);
        let verifiers = work.verifiers();
        gannet.configure(&format!("[fetch]\nca_file = {ca_file:?}\n{verifiers}"));
        for name in ["a", "b"] {
            let replies = [3, 4].map(|number| Reply::file(format!("line {number}\n")));
            origin.on(&format!("/{name}"), replies);
            gannet.fetch(name);
        }
        let [a, b] = ["a", "b"].map(|name| gannet.file(name));
        work.prepare(&gannet, &a);
        damage(
            &gannet,
            "UPDATE version SET checksum = checksum + 1 WHERE id = (SELECT version_id FROM source_state WHERE source_id = 1)",
        );
        damage(
            &gannet,
            "UPDATE source_state SET next_slot = 0; DELETE FROM chore",
        );
        let said = gannet.run(&["--worker-only"]);
        assert_eq!(
            said.code,
            Some(3),
            "what could not be done is said: {work:?}: {said:#?}"
        );
        assert!(said.err.contains("is damaged"), "{work:?}: {said:#?}");
        let now = fs::read_to_string(&b).expect("a file");
        assert_eq!(now, "line 4\n", "{work:?}: {said:#?}");
        // What the source brings next is a sound version.
        assert_eq!(gannet.ok(&["cat", "a"]), "line 4\n", "{work:?}");
        if verifiers.is_empty() {
            gannet.ok(&["--worker-only"]);
            let now = fs::read_to_string(&a).expect("a file");
            assert_eq!(now, "line 4\n", "{work:?}");
        }
    }
}

/// Versions that wait for a verdict, or that a verifier could not judge, of both sources, whose rows are damaged: the pass says so of
/// each, and does all else that a pass does.
#[test]
fn damaged_rows_of_undecided_versions_keep_nothing_from_being_done() {
    let states = ["external = true\n", "command = [\"/no/such/program\"]\n"];
    let gannet = two_histories();
    let origin = &gannet.origin;
    let (ca_file, beat) = (origin.ca_file().display().to_string(), origin.url("/beat"));
    let saved = gannet.save();
    for (verifier, damage_done) in states.into_iter().zip([
        "checksum = checksum + 1",
        "blob_id = (SELECT min(blob_id) FROM version)",
    ]) {
        gannet.put_back(&saved);
        gannet.configure(&format!(
            "[worker]\nheartbeat = {beat:?}\n[fetch]\nca_file = {ca_file:?}\n
             [[verifier]]\nname = \"legal\"\nsources = [\"*\"]\n{verifier}"
        ));
        for name in ["a", "b"] {
            origin.on(
                &format!("/{name}"),
                [Reply::file(format!("line 3 of {name}\n"))],
            );
            gannet.fetch(name);
        }
        origin.on("/beat", [Reply::ok("")]);
        damage(
            &gannet,
            &format!(
                "UPDATE version SET {damage_done} WHERE id IN (SELECT version_id FROM source_state);
                 UPDATE archive_mark SET swept_at = NULL"
            ),
        );
        for _ in 0..2 {
            let before = beats(origin);
            let said = gannet.run(&["--worker-only"]);
            assert_eq!(said.code, Some(3), "{verifier}: {said:#?}");
            for name in ["a", "b"] {
                let is_named =
                    |line: &str| line.contains(&format!("{name}: ")) && line.contains("is damaged");
                let lines = said.err.lines().filter(|line| is_named(line));
                assert_eq!(lines.count(), 1, "{verifier}: {said:#?}");
            }
            assert_eq!(beats(origin), before + 1, "{verifier}: {said:#?}");
            let swept = sqlite::read(&gannet.data()).query_row(
                "SELECT swept_at IS NOT NULL FROM archive_mark",
                [],
                |row| row.get::<_, bool>(0),
            );
            assert_eq!(swept, Ok(true), "it has tidied: {verifier}: {said:#?}");
        }
    }
}

fn beats(origin: &Origin) -> usize {
    let requests = origin.requests();
    requests
        .iter()
        .filter(|request| request.path == "/beat")
        .count()
}
