//! Sets through the real program: judged together, published together, all or nothing, whatever happens in between.

mod adopted;
mod damaged;
mod disabled;
mod entering;
mod faults;
mod killed;
mod purged;
mod put_back;
mod readers;
mod refused;
mod removed;
mod returning;
mod said;
mod set_aside;
mod several;
mod shown;
mod stale;
mod swept;
mod withdrawn;

use std::fs;
use std::path::PathBuf;

use chrono::TimeDelta;
use gannet::clock::{Clock as _, SystemClock};
use gannet::domain::Digest;
use serde_json::Value;

use crate::rig::{Home, Release, Reply, SUMS_VERIFIER, plain_files, sums_of};

#[test]
fn what_changes_together_is_published_together() {
    let release = Release::new();
    let summary = release.fetch();
    assert_eq!(
        (
            &summary["new"],
            &summary["sets_published"],
            &summary["sets_failed"]
        ),
        (&2.into(), &1.into(), &0.into()),
        "{summary}"
    );
    assert_eq!(release.files(), ["SHA256SUMS", "data.csv"]);
    assert_eq!(release.data().as_deref(), Some("one"));
    assert_eq!(
        plain_files(&release.gannet),
        Vec::<PathBuf>::new(),
        "no member is published by itself"
    );

    release.serve("two");
    assert_eq!(release.fetch()["sets_published"], 1);
    assert_eq!(release.data().as_deref(), Some("two"));
    let unchanged = release.fetch();
    assert_eq!(
        (&unchanged["sets_published"], &unchanged["sets_failed"]),
        (&0.into(), &0.into())
    );

    let shown = release.show();
    assert_eq!(
        shown["edition"]["verdicts"][0]["outcome"], "passed",
        "{shown}"
    );
    assert_eq!(shown["edition"]["id"], shown["published"]["id"]);
    assert_eq!(shown["edition"]["policy_revision"], 1);
    assert_eq!(
        shown["published_path"],
        release.link().display().to_string()
    );
    assert_eq!(shown["waits_for"], Value::Null);
    let members: Vec<_> = shown["published"]["members"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|m| m["source"].clone())
        .collect();
    assert_eq!(members, ["SHA256SUMS", "data.csv"]);
    assert_eq!(
        release.events(),
        [
            "set.passed release",
            "set.published release: edition 1",
            "set.passed release",
            "set.published release: edition 2"
        ]
    );
}

#[test]
fn checksums_that_come_a_pass_later_leave_the_old_set_meanwhile() {
    let release = Release::new();
    release.fetch();
    release.serve_data("two");
    let said = release.gannet.run(&["fetch", "tag:release"]);
    assert_eq!(said.code, Some(1), "{said:#?}");
    assert!(
        said.err
            .contains("gannet: set release: failed verification by sums: "),
        "{said:#?}"
    );
    assert!(said.out.contains("; 1 set failed"), "{said:#?}");
    assert_eq!(release.data().as_deref(), Some("one"));
    let shown = release.show();
    assert_eq!(
        (
            &shown["edition"]["verified"],
            &shown["published_edition_id"]
        ),
        (&"failed".into(), &1.into())
    );
    // The same combination is not judged once more.
    assert_eq!(release.fetch()["sets_failed"], 0);
    assert_eq!(release.show()["edition"]["id"], 2);

    release.serve_sums("two");
    assert_eq!(
        release.gannet.fetch("SHA256SUMS")["sets_published"],
        1,
        "one member alone is a pass too"
    );
    assert_eq!(release.data().as_deref(), Some("two"));
    assert!(
        release
            .events()
            .iter()
            .any(|event| event.starts_with("set.failed release: sums: ")),
        "{:?}",
        release.events()
    );
}

#[test]
fn a_member_that_failed_leaves_the_set_as_it_was() {
    let release = Release::new();
    release.fetch();
    release.serve_data("two");
    release.origin.on("/SHA256SUMS", [Reply::status(404)]);
    let summary = release.fetch();
    assert_eq!(
        (
            &summary["failed"],
            &summary["sets_published"],
            &summary["sets_failed"]
        ),
        (&1.into(), &0.into(), &0.into())
    );
    assert_eq!(release.data().as_deref(), Some("one"));
    let shown = release.show();
    assert_eq!(shown["waits_for"], "the last attempt at SHA256SUMS failed");
    assert_eq!(shown["edition"]["id"], 1);
    release.serve_sums("two");
    release.fetch();
    assert_eq!(release.data().as_deref(), Some("two"));
}

#[test]
fn a_set_whose_first_edition_fails_shows_nothing() {
    let release = Release::new();
    release.serve_sums("something else");
    assert_eq!(release.fetch()["sets_failed"], 1);
    assert!(!release.link().exists());
    assert_eq!(plain_files(&release.gannet), Vec::<PathBuf>::new());
    let list = release.gannet.ok(&["list"]);
    let set = list
        .lines()
        .find(|line| line.starts_with("release"))
        .expect("the set");
    assert_eq!(
        set.split_whitespace().take(5).collect::<Vec<_>>(),
        ["release", "failed", "2", "-", "-"]
    );
    assert!(
        list.lines()
            .any(|line| line.contains("data.csv") && line.ends_with("not yet (set release)")),
        "{list}"
    );
    release.serve_sums("one");
    release.fetch();
    assert_eq!(release.data().as_deref(), Some("one"));
    let sets = release.gannet.json(&["list", "--sets", "--json"]);
    assert_eq!(
        sets[0]["published_path"],
        release.link().display().to_string(),
        "{sets}"
    );
    assert_eq!(release.gannet.source("data.csv")["set"], "release");
    assert_eq!(
        release.gannet.source("data.csv")["published_path"],
        Value::Null
    );
}

#[test]
fn members_come_and_go() {
    let release = Release::new();
    release.fetch();
    let said = release.add("notes.txt", "release");
    assert!(
        said.ends_with(", to be published with the set release\n"),
        "{said}"
    );
    release.origin.on("/notes.txt", [Reply::file("notes")]);
    // While it was never fetched the set stays.
    assert_eq!(release.gannet.fetch("data.csv")["sets_published"], 0);
    assert_eq!(release.show()["waits_for"], "notes.txt is due");
    assert_eq!(release.gannet.fetch("notes.txt")["sets_published"], 1);
    assert_eq!(release.files(), ["SHA256SUMS", "data.csv", "notes.txt"]);

    // A pass with nothing to fetch sees that one has left, and publishes that one by itself.
    release.gannet.ok(&["edit", "notes.txt", "--no-tags"]);
    let notes = release.gannet.source("notes.txt")["published_path"]
        .as_str()
        .map(PathBuf::from);
    assert_eq!(
        notes
            .and_then(|path| fs::read_to_string(path).ok())
            .as_deref(),
        Some("notes")
    );
    let pass = release.gannet.json(&["--worker-only", "--json"]);
    assert_eq!(
        (&pass["attempts"], &pass["sets_published"]),
        (&0.into(), &1.into())
    );
    assert_eq!(release.files(), ["SHA256SUMS", "data.csv"]);

    // One that is disabled stays with the version that it has, and is not published by itself either.
    release
        .gannet
        .ok(&["edit", "notes.txt", "--tag", "release"]);
    release.gannet.ok(&["--worker-only"]);
    release.gannet.ok(&["disable", "notes.txt"]);
    release.gannet.ok(&["--worker-only"]);
    assert_eq!(release.files(), ["SHA256SUMS", "data.csv", "notes.txt"]);
    assert_eq!(plain_files(&release.gannet), Vec::<PathBuf>::new());

    // A member under another name is another file.
    let sums = sums_of(&[("prices.csv", "one")]);
    release.origin.on("/SHA256SUMS", [Reply::file(sums)]);
    release
        .gannet
        .ok(&["edit", "data.csv", "--name", "prices.csv"]);
    assert_eq!(release.fetch()["sets_published"], 1);
    assert_eq!(release.files(), ["SHA256SUMS", "notes.txt", "prices.csv"]);
    release.gannet.ok(&["remove", "tag:release", "--yes"]);
    assert!(
        !release.link().exists(),
        "a set without members has nothing to show"
    );
}

#[test]
fn a_set_that_leaves_the_configuration_leaves_its_members() {
    let release = Release::new();
    release.fetch();
    let configuration = fs::read_to_string(release.gannet.path("config.toml")).expect("TOML");
    release
        .gannet
        .configure(&configuration.replace(SUMS_VERIFIER, ""));
    // That was the last verifier, which is asked about.
    release.gannet.ok(&["config", "adopt"]);
    release.gannet.ok(&["--worker-only"]);
    assert!(!release.link().exists());
    let mut plain: Vec<_> = plain_files(&release.gannet)
        .iter()
        .map(|path| fs::read_to_string(path).expect("a file"))
        .collect();
    plain.sort();
    let mut expected = [sums_of(&[("data.csv", "one")]), "one".to_owned()];
    expected.sort();
    assert_eq!(plain, expected);
    assert_eq!(
        release.gannet.json(&["list", "--sets", "--json"]),
        Value::Array(Vec::new())
    );
    assert_eq!(release.gannet.source("data.csv")["set"], Value::Null);
    assert_eq!(
        release.events().last().map(String::as_str),
        Some("set.withdrawn release: no verifier judges it as a set any more")
    );

    // Back again: what passed before is published, and no member is any more.
    release.gannet.configure(&configuration);
    release.gannet.ok(&["--worker-only"]);
    assert_eq!(release.data().as_deref(), Some("one"));
    assert_eq!(plain_files(&release.gannet), Vec::<PathBuf>::new());
}

#[test]
fn a_source_in_two_sets_is_an_error_that_names_both() {
    let other = SUMS_VERIFIER
        .replace("\"sums\"", "\"others\"")
        .replace("tag:release", "tag:other");
    let release = Release::with(&format!("{SUMS_VERIFIER}{other}"));
    release.fetch();
    release
        .gannet
        .ok(&["edit", "data.csv", "--tag", "release", "--tag", "other"]);
    release.serve("two");
    for _ in 0..2 {
        let said = release.gannet.run(&["fetch", "tag:release"]);
        assert_eq!(said.code, Some(1), "{said:#?}");
        for set in ["other", "release"] {
            let trouble = format!("set {set}: data.csv is in the sets other and release at once");
            assert!(said.err.contains(&trouble), "{said:#?}");
        }
    }
    assert_eq!(release.data().as_deref(), Some("one"));
    assert_eq!(release.show()["edition"]["id"], 1, "neither is judged");
    let told = release
        .events()
        .iter()
        .filter(|event| event.starts_with("set.error"))
        .count();
    assert_eq!(told, 2, "once for each set, not once a pass");
    release.gannet.ok(&["edit", "data.csv", "--tag", "release"]);
    release.fetch();
    assert_eq!(release.data().as_deref(), Some("two"));
}

#[test]
fn an_outside_verifier_is_waited_for() {
    let legal = "[[verifier]]\nname = \"legal\"\nscope = \"set\"\nsources = [\"tag:release\"]\nexternal = true\n";
    let release = Release::with(&format!("{SUMS_VERIFIER}{legal}"));
    let summary = release.fetch();
    assert_eq!(
        (&summary["sets_published"], &summary["sets_failed"]),
        (&0.into(), &0.into())
    );
    assert_eq!(release.show()["verified"], "pending");
    let said = release.gannet.ok(&[
        "verdict",
        "set:release",
        "legal",
        "passed",
        "--detail",
        "licence seen",
    ]);
    assert_eq!(
        said,
        format!(
            "recorded: legal passed edition 1 of the set release, which is passed now; published edition 1 at {}\n",
            release.link().display()
        )
    );
    let again = release.gannet.ok(&["verify", "set:release"]);
    assert!(
        again.contains("set release: edition 1 stays published at "),
        "{again}"
    );
    assert_eq!(release.data().as_deref(), Some("one"));
    // Taken back: no older edition is good.
    let said = release
        .gannet
        .ok(&["verdict", "set:release", "legal", "failed"]);
    assert!(said.contains("; no longer published at "), "{said}");
    assert!(!release.link().exists());
    assert_eq!(
        release
            .gannet
            .run(&["verdict", "set:release", "nobody", "passed"])
            .code,
        Some(2)
    );
    assert_eq!(
        release
            .gannet
            .run(&["verdict", "set:other", "legal", "passed"])
            .code,
        Some(2)
    );
    let again = release.gannet.run(&["verify", "set:release"]);
    assert_eq!(again.code, Some(1));
    assert!(
        again
            .out
            .starts_with("edition 1 of the set release: failed\n  sums passed"),
        "{again:#?}"
    );
}

#[test]
fn a_member_that_fails_later_takes_its_editions_along() {
    let data = "[[verifier]]\nname = \"eyes\"\nsources = [\"data.csv\"]\nexternal = true\n";
    let release = Release::with(&format!("{SUMS_VERIFIER}{data}"));
    let passes = |version: &str| release.gannet.ok(&["verdict", version, "eyes", "passed"]);
    release.fetch();
    assert_eq!(
        release.show()["waits_for"],
        "the newest version of data.csv is pending"
    );
    passes("data.csv");
    release.fetch();
    assert_eq!(release.data().as_deref(), Some("one"));
    release.serve("two");
    release.fetch();
    passes("data.csv");
    release.fetch();
    assert_eq!(release.data().as_deref(), Some("two"));
    release
        .gannet
        .ok(&["verdict", "data.csv", "eyes", "failed"]);
    assert_eq!(
        release.data().as_deref(),
        Some("one"),
        "the newest that is still good"
    );
    release
        .gannet
        .ok(&["verdict", "data.csv~1", "eyes", "failed"]);
    assert!(!release.link().exists());
    passes("data.csv");
    assert_eq!(release.data().as_deref(), Some("two"));
}

#[test]
fn a_program_gets_the_folder_and_a_manifest_that_it_cannot_write_to() {
    let script = r#"set -e
        test "$GANNET_SET" = release; test "$GANNET_PATH" = "$1"; test "$GANNET_MANIFEST" = "$2"
        test "$(ls "$1" | tr '\n' ' ')" = "SHA256SUMS a_b.csv data.csv "; test ! -w "$1/data.csv" -o "$(id -u)" = 0
        test "$(dirname "$2")" = "$(dirname "$1")"; test "$PWD" = "$(dirname "$1")"; test -z "$(cat)"
        grep -q '"source": "a/b.csv"' "$2"; grep -q '"name": "a_b.csv"' "$2"; cat "$2""#;
    let verifier = format!(
        "[[verifier]]\nname = \"look\"\nscope = \"set\"\nsources = [\"tag:release\"]\ncommand = [\"sh\", \"-c\", {script:?}, \"sh\", \"{{path}}\", \"{{manifest}}\"]\n"
    );
    let release = Release::within(Home::on_disk(&verifier));
    release.add("a/b.csv", "release");
    release.origin.on(
        "/a/b.csv",
        [Reply::file("a").header("content-type", "text/csv")],
    );
    assert_eq!(release.fetch()["sets_published"], 1, "{}", release.show());
    assert_eq!(release.files(), ["SHA256SUMS", "a_b.csv", "data.csv"]);
    let shown = release.show();
    let output = shown["edition"]["verdicts"][0]["output"]
        .as_str()
        .expect("output");
    let manifest: Value = serde_json::from_str(output).expect("the manifest");
    let file = &manifest[1];
    assert_eq!(file["source"], "a/b.csv");
    assert_eq!(file["address"], release.origin.url("/a/b.csv"));
    assert_eq!(
        (&file["size_bytes"], &file["media_type"]),
        (&1.into(), &"text/csv".into())
    );
    assert_eq!(file["digest"], Digest::of(b"a").to_string());
    assert!(
        file["version_id"].is_i64() && file["fetched_at"].is_string(),
        "{file}"
    );
}

#[test]
fn files_that_would_be_one_cannot_be_judged() {
    let release = Release::new();
    for name in ["x/y", "x_y"] {
        release.add(name, "release");
        release.origin.on(&format!("/{name}"), [Reply::file("x")]);
    }
    let said = release.gannet.run(&["fetch", "tag:release"]);
    assert_eq!(said.code, Some(1));
    assert!(
        said.err.contains(
            "set release: could not be verified by sums: the files of x/y and x_y would both be x_y"
        ),
        "{said:#?}"
    );
    assert!(!release.link().exists());
}

#[test]
fn advice_is_shown_and_blocks_nothing() {
    let advice = "[[verifier]]\nname = \"style\"\nscope = \"set\"\nsources = [\"tag:release\"]\nadvisory = true\ncommand = [\"false\"]\n";
    let release = Release::with(advice);
    let said = release.gannet.run(&["fetch", "tag:release"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert!(
        said.err
            .contains("set release: failed verification by style (advisory)"),
        "{said:#?}"
    );
    assert_eq!(release.data().as_deref(), Some("one"));
    assert_eq!(release.show()["verified"], "unverified");
}

#[test]
fn one_that_could_not_be_judged_is_judged_again_by_the_next_pass() {
    let release = Release::with("");
    let broken = release.gannet.path("broken");
    fs::write(&broken, "").expect("a file");
    let script = format!("test ! -e {} || exit 7", broken.display());
    let verifier = format!(
        "[[verifier]]\nname = \"sums\"\nscope = \"set\"\nsources = [\"tag:release\"]\ncommand = [\"sh\", \"-c\", {script:?}]\n"
    );
    let configuration = fs::read_to_string(release.gannet.path("config.toml")).expect("TOML");
    release
        .gannet
        .configure(&format!("{configuration}{verifier}"));
    assert_eq!(release.fetch()["sets_failed"], 1);
    assert_eq!(release.show()["verified"], "error");
    fs::remove_file(&broken).expect("mended");
    let pass = release.gannet.json(&["--worker-only", "--json"]);
    assert_eq!(
        (&pass["sets_published"], &pass["attempts"]),
        (&1.into(), &0.into()),
        "{pass}"
    );
    let shown = release.show();
    assert_eq!(
        (&shown["edition"]["id"], &shown["verified"]),
        (&1.into(), &"passed".into()),
        "the same edition"
    );
}

#[test]
fn a_member_that_is_purged_takes_its_editions_along() {
    let release = Release::new();
    release.fetch();
    release
        .gannet
        .ok(&["remove", "--purge", "--yes", "data.csv"]);
    assert!(!release.link().exists());
    let edition = &release.show()["edition"];
    let members = edition["members"].as_array().map(Vec::len);
    assert_eq!(
        (&edition["id"], members, &edition["verified"]),
        (&2.into(), Some(1), &"failed".into()),
        "checksums of a file that is not there: {edition}"
    );
    // It stands failed, and is not judged once more.
    assert_eq!(release.gannet.run(&["fetch", "tag:release"]).code, Some(1));
    assert_eq!(release.show()["edition"]["id"], 2);
}

#[test]
fn one_screen_shows_a_set() {
    let release = Release::new();
    release.fetch();
    let shown = release.gannet.ok(&["show", "set:release"]);
    for line in [
        "set           release",
        "state         passed",
        &format!("path          {}", release.link().display()),
        "verifiers     sums",
    ] {
        assert!(shown.lines().any(|one| one == line), "{line}: {shown}");
    }
    assert!(
        shown.contains("members:\n  SOURCE      NOW  VERIFIED    NEWEST  PUBLISHED\n"),
        "{shown}"
    );
    assert!(
        shown.contains("verdicts on the newest edition:\n"),
        "{shown}"
    );
    let table = release.gannet.ok(&["list", "--sets"]);
    assert!(
        table.starts_with("SET      STATE   MEMBERS  PUBLISHED"),
        "{table}"
    );
    let csv = release.gannet.ok(&["list", "--sets", "--csv"]);
    assert!(
        csv.starts_with("name,verified,members,waits_for,edition_id,"),
        "{csv}"
    );
    assert_eq!(release.gannet.run(&["show", "set:other"]).code, Some(2));
    let source = release.gannet.ok(&["show", "data.csv"]);
    assert!(
        source.contains("published     with the set release (v"),
        "{source}"
    );
}

#[test]
fn the_digests_that_a_member_lists_are_checked_by_rule() {
    let rule = "[[verifier]]\nname = \"sums\"\nscope = \"set\"\nsources = [\"tag:release\"]\nbuiltin = \"sha256\"\ncompanion = \"SHA256SUMS\"\n";
    let release = Release::with(rule);
    assert_eq!(release.fetch()["sets_published"], 1);
    let shown = release.show();
    let detail = &shown["edition"]["verdicts"][0]["detail"];
    assert_eq!(detail, "every other file is as SHA256SUMS says");
    release.serve_data("two");
    let said = release.gannet.run(&["fetch", "tag:release"]);
    let trouble = "set release: failed verification by sums: data.csv: is sha256:";
    assert!(said.err.contains(trouble), "{said:#?}");
    release.add("more.csv", "release");
    release.origin.on("/more.csv", [Reply::file("more")]);
    release.serve_sums("two");
    let said = release.gannet.run(&["fetch", "tag:release"]);
    assert!(
        said.err.contains("SHA256SUMS does not list `more.csv`"),
        "{said:#?}"
    );
    assert_eq!(release.data().as_deref(), Some("one"));
    release.gannet.ok(&["edit", "more.csv", "--no-tags"]);
    release.gannet.ok(&["--worker-only"]);
    assert_eq!(release.data().as_deref(), Some("two"));
}

#[test]
fn a_set_is_judged_again_when_its_verifier_changes() {
    let release = Release::new();
    release.fetch();
    assert_eq!(release.data().as_deref(), Some("one"));
    let stale = || release.gannet.run(&["verify", "--stale"]);
    assert!(stale().out.contains("every verdict is up to date"));
    let strict = SUMS_VERIFIER.replace("sha256sum", "false && sha256sum");
    let ca_file = release.origin.ca_file().display().to_string();
    release
        .gannet
        .configure(&format!("[fetch]\nca_file = {ca_file:?}\n{strict}"));
    let said = stale();
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(
        said.out.contains("1 set judged: 1 did not pass"),
        "{said:?}"
    );
    assert!(!release.link().exists(), "what failed is withdrawn");
    assert!(stale().out.contains("every verdict is up to date"));
}

#[test]
fn what_consumers_see_of_a_member_is_what_the_set_has() {
    let release = Release::of_time(SystemClock.now() - TimeDelta::days(2));
    let cat = |reference: &str| release.gannet.run(&["cat", reference]);
    // The checksums do not agree: the set stays as it was.
    release.serve_data("two");
    release.fetch();
    assert_eq!(cat("data.csv").out, "two");
    assert_eq!(cat("data.csv:published").out, "one");
    let published = release
        .gannet
        .ok(&["history", "data.csv", "--csv", "--versions"]);
    assert_eq!(published.matches(",true").count(), 1, "{published}");
    release.serve_sums("two");
    release.fetch();
    for (reference, content) in [
        ("data.csv:published", "two"),
        ("data.csv:published@1d", "one"),
        ("data.csv:published@3d", ""),
    ] {
        assert_eq!(cat(reference).out, content, "{reference}");
    }
}
