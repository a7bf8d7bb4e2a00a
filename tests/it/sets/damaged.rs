//! Rows of sets that are damaged or gone: readers keep the edition that was good, and nothing takes its place that was not.

use serde_json::Value;

use crate::rig::sqlite::{damage, make_fetches_due};
use crate::rig::{Release, Reply};

/// The damage, and whether a pass can work on without it.
const LOSSES: [(&str, bool); 12] = [
    ("DELETE FROM edition", false),
    ("DELETE FROM edition WHERE id = 1", false),
    ("UPDATE edition SET state = 'qassed' WHERE id = 1", false),
    ("UPDATE edition SET state = 'failed' WHERE id = 1", false),
    ("UPDATE edition SET at = 'soon' WHERE id = 1", false),
    ("UPDATE edition SET set_name = 'other' WHERE id = 1", false),
    ("UPDATE edition_verdict SET outcome = 'failed'", false),
    ("DELETE FROM edition_verdict", false),
    ("DELETE FROM set_member", false),
    ("DELETE FROM file_set", false),
    ("UPDATE file_set SET configured = 0", false),
    ("UPDATE file_set SET published_at = 'soon'", false),
];

#[test]
fn readers_keep_a_good_edition_whose_rows_are_damaged_or_gone() {
    let release = Release::new();
    release.add("other", "else");
    release.origin.on("/other", [Reply::file("one\n")]);
    release.gannet.ok(&["fetch", "*"]);
    assert_eq!(release.data().as_deref(), Some("one"));
    let saved = release.save();
    for (statement, is_fine) in LOSSES {
        release.put_back(&saved);
        damage(&release.gannet.data(), statement);
        // Files that do not belong together.
        release.serve_data("two");
        release.origin.on("/other", [Reply::file("two\n")]);
        for round in 0..2 {
            make_fetches_due(&release.gannet.data());
            let said = release.gannet.run(&["--worker-only"]);
            let what = format!("{statement}: {round}: {said:#?}");
            assert_eq!(release.data().as_deref(), Some("one"), "{what}");
            assert_eq!(release.gannet.ok(&["cat", "other"]), "two\n", "{what}");
            assert_eq!(said.code == Some(0), is_fine, "{what}");
        }
        for arguments in [
            &["list"][..],
            &["list", "--sets"],
            &["dump"],
            &["report"],
            &["log"],
        ] {
            let said = release.gannet.run(arguments);
            assert!(
                said.out.contains("other") || arguments.contains(&"--sets"),
                "{said:#?}"
            );
        }
    }
}

/// The row that is gone or damaged of a member that no verifier misses, and how it is named.
const LOST_MEMBERS: [(&str, &str); 6] = [
    (
        "DELETE FROM source WHERE name = 'notes'",
        "row 3 of the table `source`",
    ),
    (
        "UPDATE source SET removed_at = 'x' WHERE name = 'notes'",
        "row 3 of the table `source` (source notes)",
    ),
    (
        "UPDATE source SET removed_at = 1.5 WHERE name = 'notes'",
        "row 3 of the table `source` (source notes)",
    ),
    (
        "DELETE FROM source_state WHERE source_id = 3",
        "row 3 of the table `source_state` (source notes)",
    ),
    (
        "DELETE FROM set_member WHERE source_id = 3",
        "row 3 of the table `set_member` (source notes)",
    ),
    (
        "UPDATE source SET settings = '{' WHERE name = 'notes'",
        "row 3 of the table `source` (source notes)",
    ),
];

/// A set is not published without a member whose row is lost: readers keep the edition that has it.
#[test]
fn no_edition_leaves_a_lost_member_out() {
    let release = Release::new();
    release.add("notes", "release");
    release.origin.on("/notes", [Reply::file("one\n")]);
    release.fetch();
    let files = release.files();
    assert!(files.contains(&"notes".to_owned()), "{files:?}");
    let saved = release.save();
    for (statement, row) in LOST_MEMBERS {
        release.put_back(&saved);
        damage(&release.gannet.data(), statement);
        release.serve("two");
        release.origin.on("/notes", [Reply::file("two\n")]);
        for round in 0..2 {
            make_fetches_due(&release.gannet.data());
            let said = release.gannet.run(&["--worker-only"]);
            let what = format!("{statement}: {round}: {said:#?}");
            assert_eq!(said.code, Some(3), "{what}");
            assert_eq!(release.files(), files, "{what}");
            // What its set is to judge is not published by itself either.
            assert!(!release.own_path("notes").exists(), "{what}");
            let is_named = |line: &str| line.contains(row) && line.contains("is damaged");
            assert!(said.err.lines().any(is_named), "{what}");
        }
        let log = release.gannet.run(&["log", "--limit", "0"]).out;
        assert!(log.contains("catalogue.damaged"), "{statement}: {log}");
    }
}

/// An edition that failed does not pass by a flipped word.
#[test]
fn an_edition_that_failed_is_not_published_by_a_damaged_row() {
    let release = Release::new();
    release.fetch();
    release.serve_data("two");
    release.gannet.run(&["fetch", "tag:release"]);
    assert_eq!(release.data().as_deref(), Some("one"));
    let saved = release.save();
    for statement in [
        "UPDATE edition SET state = 'passed' WHERE id = 2",
        "UPDATE edition SET state = 'unverified' WHERE id = 2",
        "UPDATE edition SET state = 'passed', policy_revision = 1 WHERE id = 2",
        "UPDATE edition_verdict SET outcome = 'passed' WHERE edition_id = 2",
    ] {
        release.put_back(&saved);
        damage(&release.gannet.data(), statement);
        for _ in 0..2 {
            let said = release.gannet.run(&["--worker-only"]);
            assert_eq!(
                release.data().as_deref(),
                Some("one"),
                "{statement}: {said:#?}"
            );
            let named = said.err.lines().filter(|line| line.contains("is damaged"));
            assert_eq!(named.count(), 1, "{statement}: {said:#?}");
        }
        // The next edition that passes takes its place.
        release.serve("three");
        release.gannet.run(&["fetch", "tag:release"]);
        assert_eq!(release.data().as_deref(), Some("three"), "{statement}");
    }
}

/// The members of a published edition are other versions than those that were judged: nobody takes them for what readers see.
#[test]
fn an_edition_with_other_members_is_named_wherever_it_is_looked_at() {
    let release = Release::new();
    release.fetch();
    release.serve("two");
    release.fetch();
    let saved = release.save();
    for version in [
        "(SELECT min(id) FROM version WHERE source_id = 1)",
        "(SELECT max(id) FROM version WHERE source_id = 2)",
        "99",
    ] {
        release.put_back(&saved);
        damage(
            &release.gannet.data(),
            &format!(
                "UPDATE edition_member SET version_id = {version} WHERE edition_id = 2 AND source_id = 1"
            ),
        );
        for arguments in [
            &["list"][..],
            &["list", "--sets"],
            &["list", "--json"],
            &["show", "data.csv"],
            &["history", "data.csv"],
            &["report"],
            &["cat", "data.csv:published"],
            &["--worker-only"],
        ] {
            let said = release.gannet.run(arguments);
            let what = format!("{version}: {arguments:?}: {said:#?}");
            assert_eq!(said.code, Some(3), "{what}");
            let is_named = said.err.contains("of the table `edition")
                || said.err.contains("is another source's");
            assert!(is_named && said.err.contains("is damaged"), "{what}");
            assert!(!said.err.contains("no sets"), "{what}");
            assert_eq!(release.data().as_deref(), Some("two"), "{what}");
        }
        let log = release.gannet.run(&["log", "--limit", "0"]).out;
        assert!(log.contains("catalogue.damaged"), "{version}: {log}");
        release.serve("three");
        release.gannet.run(&["fetch", "tag:release"]);
        assert_eq!(release.data().as_deref(), Some("three"), "{version}");
        release.gannet.ok(&["--worker-only"]);
    }
}

/// A set of which a row is damaged is listed, with the row, and the row is named once.
#[test]
fn a_set_with_a_damaged_row_is_listed() {
    let release = Release::new();
    release.fetch();
    let saved = release.save();
    for statement in [
        "DELETE FROM edition WHERE id = 1",
        "UPDATE edition SET state = 'qassed' WHERE id = 1",
        "UPDATE edition SET at = 'soon' WHERE id = 1",
        "UPDATE edition SET key = zeroblob(32) WHERE id = 1",
        "DELETE FROM edition_member WHERE source_id = 1",
        "UPDATE edition_member SET version_id = 99 WHERE source_id = 1",
        "UPDATE edition_member SET version_id = 'x' WHERE source_id = 1",
        "UPDATE version SET state = 'failed' WHERE source_id = 1",
        "UPDATE source SET settings = '{' WHERE id = 1; UPDATE source_state SET failures = 'x' WHERE source_id = 1",
    ] {
        release.put_back(&saved);
        damage(&release.gannet.data(), statement);
        for arguments in [
            &["list", "--sets"][..],
            &["list", "--sets", "--json"],
            &["list", "--sets", "--csv"],
            &["show", "set:release"],
            &["show", "set:release", "--json"],
        ] {
            let said = release.gannet.run(arguments);
            let what = format!("{statement}: {arguments:?}: {said:#?}");
            assert_eq!(said.code, Some(3), "{what}");
            assert!(said.out.contains("release"), "{what}");
            assert!(said.out.contains("is damaged: "), "{what}");
            assert!(said.out.contains("sets/release"), "{what}");
            assert!(!said.out.contains("nothing yet"), "{what}");
            let lines = said.err.lines();
            let named: Vec<_> = lines.filter(|line| line.contains("is damaged: ")).collect();
            let mut once = named.clone();
            once.dedup();
            assert!(!named.is_empty() && named == once, "{what}");
        }
    }
}

/// A member's version whose row is lost or damaged is named, and readers keep the edition that has it until another one passes.
#[test]
fn a_lost_version_of_a_member_is_named_and_its_edition_stays() {
    let newest = "(SELECT version_id FROM source_state WHERE source_id = 1)";
    let release = Release::new();
    release.fetch();
    release.serve("two");
    release.fetch();
    let saved = release.save();
    for statement in [
        format!("DELETE FROM version WHERE id = {newest}"),
        "DELETE FROM version WHERE source_id = 1".to_owned(),
        format!("UPDATE version SET state = 'failed' WHERE id = {newest}"),
        format!("UPDATE version SET state = 'pending' WHERE id = {newest}"),
        format!("UPDATE version SET blob_id = 99 WHERE id = {newest}"),
    ] {
        release.put_back(&saved);
        damage(&release.gannet.data(), &statement);
        for _ in 0..2 {
            let said = release.gannet.run(&["--worker-only"]);
            let what = format!("{statement}: {said:#?}");
            assert_eq!(said.code, Some(3), "{what}");
            let is_named = ["the catalogue's row of v", "of the table `version`"]
                .iter()
                .any(|row| said.err.contains(row));
            assert!(is_named && said.err.contains("is damaged"), "{what}");
            assert_eq!(release.data().as_deref(), Some("two"), "{what}");
        }
        release.serve("three");
        release.gannet.run(&["fetch", "tag:release"]);
        assert_eq!(release.data().as_deref(), Some("three"), "{statement}");
    }
}

/// What becomes of the verdict by which a person failed the contents.
const LOST_REFUSALS: [(&str, &str); 18] = [
    (
        "DELETE FROM edition_verdict WHERE edition_id = 2 AND outcome = 'failed'",
        EDITION,
    ),
    ("DELETE FROM edition_verdict WHERE edition_id = 2", EDITION),
    (
        "UPDATE edition_verdict SET outcome = 'passed' WHERE edition_id = 2",
        VERDICT,
    ),
    (
        "UPDATE edition_verdict SET edition_id = 1 WHERE edition_id = 2 AND outcome = 'failed'",
        EDITION,
    ),
    (
        "UPDATE edition_verdict SET id = 0 WHERE edition_id = 2 AND outcome = 'failed'",
        VERDICT,
    ),
    (
        "UPDATE edition_verdict SET verifier_id = 1 WHERE edition_id = 2 AND outcome = 'failed'",
        VERDICT,
    ),
    (
        "UPDATE edition_verdict SET fingerprint_id = (SELECT fingerprint_id FROM edition_verdict WHERE outcome = 'passed' LIMIT 1)
         WHERE edition_id = 2 AND outcome = 'failed'",
        VERDICT,
    ),
    (
        "UPDATE edition_verdict SET given_on = 1 WHERE edition_id = 2 AND outcome = 'failed'",
        VERDICT,
    ),
    ("DELETE FROM edition WHERE id = 2", EDITION),
    (
        "UPDATE edition SET set_name = 'other' WHERE id = 2",
        EDITION,
    ),
    ("DELETE FROM edition_member WHERE edition_id = 2", EDITION),
    (
        "DELETE FROM edition_member WHERE edition_id = 2 AND source_id = 1",
        EDITION,
    ),
    (
        "UPDATE edition_member SET version_id = 1 WHERE edition_id = 2 AND source_id = 1",
        EDITION,
    ),
    (
        "UPDATE edition_member SET edition_id = 4000 WHERE edition_id = 2 AND source_id = 1",
        EDITION,
    ),
    (
        "DELETE FROM definition WHERE value LIKE '%outside%'",
        "of the table `definition`",
    ),
    (
        "UPDATE edition SET state = 'passed' WHERE id = 2",
        REFUSED_ALL_THE_SAME,
    ),
    (
        "UPDATE edition_refusal SET contents = '00'",
        REFUSED_ALL_THE_SAME,
    ),
    (
        "UPDATE text SET value = 'tums' WHERE value = 'sums'",
        "of the table `text`",
    ),
];

const EDITION: &str = "row 2 of the table `edition`";
const VERDICT: &str = "of the table `edition_verdict`";
/// The verdict, which is there, is enough.
const REFUSED_ALL_THE_SAME: &str = "failed verification by hand (sums): no";

/// A set whose edition 2 a person failed.
fn failed_by_hand() -> Release {
    let release = Release::new();
    for data in ["one", "two"] {
        release.serve(data);
        release.fetch();
    }
    let verdict = ["verdict", "set:release", "sums", "failed", "--detail", "no"];
    release.gannet.ok(&verdict);
    release
}

#[test]
fn contents_that_a_person_failed_are_not_published_where_the_verdict_is_lost() {
    let release = failed_by_hand();
    release.serve("three");
    release.fetch();
    let saved = release.save();
    for (statement, named) in LOST_REFUSALS {
        release.put_back(&saved);
        damage(&release.gannet.data(), statement);
        release.serve("two");
        make_fetches_due(&release.gannet.data());
        let said = release.gannet.run(&["--worker-only"]);
        assert_eq!(release.data().as_deref(), Some("three"), "{statement}");
        let code = if named == REFUSED_ALL_THE_SAME { 1 } else { 3 };
        assert_eq!(said.code, Some(code), "{statement}: {said:#?}");
        assert!(said.err.contains(named), "{statement}: {said:#?}");
    }
}

/// The verifiers of the set are asked anew, and the log keeps what the row held.
#[test]
fn asking_the_verifiers_of_a_set_anew_sets_aside_what_cannot_be_read() {
    let release = failed_by_hand();
    assert_eq!(release.data().as_deref(), Some("one"));
    let saved = release.save();
    for statement in [
        "UPDATE edition_verdict SET outcome = 'passed' WHERE edition_id = 2",
        "UPDATE edition_verdict SET verifier_id = 1 WHERE edition_id = 2 AND outcome = 'failed'",
        "UPDATE edition_verdict SET checksum = NULL WHERE edition_id = 2",
        "DELETE FROM edition_verdict WHERE edition_id = 2 AND outcome = 'failed'",
    ] {
        release.put_back(&saved);
        damage(&release.gannet.data(), statement);
        let said = release.gannet.run(&["--worker-only"]);
        assert_eq!(
            release.data().as_deref(),
            Some("one"),
            "{statement}: {said:#?}"
        );
        release.gannet.ok(&["verify", "set:release"]);
        assert_eq!(release.data().as_deref(), Some("two"), "{statement}");
        let log = release.gannet.ok(&["log", "--limit", "0"]);
        assert!(log.contains("verdict.set-aside"), "{statement}: {log}");
        release.gannet.ok(&["--worker-only"]);
    }
}

#[test]
fn damage_keeps_no_pass_from_saying_what_it_did() {
    let release = Release::new();
    release.fetch();
    let saved = release.save();
    for damaged in [
        "UPDATE policy SET verifiers = 'x'",
        "UPDATE file_set SET published_at = 'soon'",
        "UPDATE file_set SET published_edition_id = 'one'",
    ] {
        release.put_back(&saved);
        damage(&release.gannet.data(), damaged);
        for arguments in [
            &["--worker-only", "--json"][..],
            &["fetch", "data.csv", "--json"],
        ] {
            let said = release.gannet.run(arguments);
            let done: Value = serde_json::from_str(&said.out)
                .unwrap_or_else(|error| panic!("{damaged}: {error}: {said:#?}"));
            assert!(done["sets"].is_array(), "{damaged}: {done:#}");
        }
    }
}

#[test]
fn damaged_rows_of_an_edition_publish_no_other_version() {
    for (what, version) in [
        ("an earlier version", "version_id - 2"),
        (
            "another member's",
            "(SELECT version_id FROM edition_member WHERE edition_id = 2 AND name = 'SHA256SUMS')",
        ),
    ] {
        let release = Release::new();
        release.fetch();
        release.serve("two");
        release.fetch();
        assert_eq!(release.data().as_deref(), Some("two"));
        let statement = format!(
            "UPDATE edition_member SET version_id = {version} WHERE edition_id = 2 AND name = 'data.csv'"
        );
        let damaged = damage(&release.gannet.data(), &statement);
        assert_eq!(damaged, 1, "{what}");
        let said = release.gannet.run(&["--worker-only"]);
        assert_ne!(said.code, Some(0), "{what}: {said:#?}");
        assert!(
            said.err
                .contains("the catalogue's row 2 of the table `edition` is damaged"),
            "{what}: {said:#?}"
        );
        assert_eq!(release.data().as_deref(), Some("two"), "{what}");
        release.serve("three");
        release.gannet.run(&["fetch", "tag:release"]);
        assert_eq!(release.data().as_deref(), Some("three"), "{what}");
    }
}
