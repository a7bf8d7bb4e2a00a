//! What commands say of the folders of sets: a folder that appears, changes or goes is said by the command that does it, in the
//! same words everywhere, and no other command says so.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::rig::{Release, Reply, SUMS_VERIFIER};

const GOOD: &str = "[[verifier]]\nname = \"good\"\nsources = [\"*\"]\ncommand = [\"true\"]\n";

/// What is done before, the command, and what it says of the folder, without the set and the path; nothing when the folder stays.
type Case = (
    &'static str,
    fn(&Release),
    &'static [&'static str],
    Option<&'static str>,
);

const BOTH_REMOVED: &[&str] = &["remove", "--yes", "data.csv", "SHA256SUMS"];
const BOTH_UNTAGGED: &[&str] = &["edit", "data.csv", "SHA256SUMS", "--no-tags"];

/// Arguments that stand for a file with both sources, tagged and not.
const WITH_TAGS: &str = "{tagged}";
const WITHOUT_TAGS: &str = "{untagged}";

impl Release {
    pub(super) fn configured(&self, verifiers: &str) {
        self.write_config("config.toml", verifiers);
    }

    /// The edition that readers see.
    fn linked(&self) -> Option<PathBuf> {
        fs::read_link(self.link()).ok()
    }

    fn sources_file(&self, tags: &str) -> String {
        let path = self.gannet.path("sources.toml");
        let dump = self.gannet.ok(&["dump", "--toml"]);
        let lines = dump.lines().filter(|line| !line.starts_with("tags"));
        let lines = lines.map(|line| match line.strip_prefix("name =") {
            Some(_) => format!("{line}\ntags = [{tags}]\n"),
            None => format!("{line}\n"),
        });
        fs::write(&path, lines.collect::<String>()).expect("a file");
        path.display().to_string()
    }

    fn argument(&self, text: &str) -> String {
        match text {
            WITH_TAGS => self.sources_file("\"release\""),
            WITHOUT_TAGS => self.sources_file(""),
            other => other.to_owned(),
        }
    }
}

#[test]
fn every_command_says_what_it_made_of_the_folder_of_a_set() {
    let nobody = "no longer published at {path}: no source has its tag any more";
    let failed = "no longer published at {path}: failed by sums: no";
    let none = |_: &Release| {};
    let cases: [Case; 17] = [
        ("nothing", none, &["interval", "data.csv", "2h"], None),
        ("disabled", none, &["disable", "data.csv"], None),
        ("one of two goes", none, &["remove", "data.csv"], None),
        ("all go", none, BOTH_REMOVED, Some(nobody)),
        (
            "the last goes",
            |release| drop(release.gannet.ok(&["remove", "data.csv"])),
            &["remove", "SHA256SUMS"],
            Some(nobody),
        ),
        ("all are untagged", none, BOTH_UNTAGGED, Some(nobody)),
        (
            "all are tagged again",
            |release| drop(release.gannet.ok(BOTH_UNTAGGED)),
            &["edit", "data.csv", "SHA256SUMS", "--tag", "release"],
            Some("published edition 1 at {path}"),
        ),
        (
            "all come back",
            |release| drop(release.gannet.ok(BOTH_REMOVED)),
            &["restore", "data.csv", "SHA256SUMS"],
            Some("published edition 1 at {path}"),
        ),
        (
            "a file of sources without tags",
            none,
            &["apply", WITHOUT_TAGS],
            Some(nobody),
        ),
        (
            "a file of sources with tags",
            |release| drop(release.gannet.ok(BOTH_UNTAGGED)),
            &["apply", WITH_TAGS],
            Some("published edition 1 at {path}"),
        ),
        (
            "a new edition",
            |release| release.serve("two"),
            &["fetch", "tag:release"],
            Some("published edition 2 at {path}"),
        ),
        ("the same again", none, &["fetch", "tag:release"], None),
        (
            "another verifier",
            |release| {
                release.configured(&SUMS_VERIFIER.replace("cd \\\"$1\\\" &&", "echo no; false &&"));
            },
            &["verify", "--stale"],
            Some(failed),
        ),
        (
            "a member fails",
            |release| {
                release.configured(&(SUMS_VERIFIER.to_owned() + &GOOD.replace("true", "false")));
            },
            &["verify", "data.csv"],
            Some("no longer published at {path}: failed by good: exit code 1 (data.csv)"),
        ),
        (
            "a verdict on a member",
            |release| {
                release.configured(&(SUMS_VERIFIER.to_owned() + GOOD));
                release.gannet.ok(&["verify", "--stale"]);
            },
            &["verdict", "data.csv~0", "good", "failed"],
            Some("no longer published at {path}: failed by hand (good) (data.csv)"),
        ),
        (
            "no verifier of the set",
            |release| release.configured(GOOD),
            &["config", "adopt"],
            Some("no longer published at {path}: no verifier judges it as a set any more"),
        ),
        (
            "no verifier of the set, adopted on the way",
            |release| release.configured(GOOD),
            &["disable", "data.csv"],
            Some("no longer published at {path}: no verifier judges it as a set any more"),
        ),
    ];
    let release = Release::new();
    release.fetch();
    let saved = release.save();
    for case in cases {
        release.put_back(&saved);
        check_folder(&release, case);
    }
}

fn check_folder(release: &Release, (case, before, command, words): Case) {
    before(release);
    let seen = release.linked();
    let arguments: Vec<_> = command.iter().map(|text| release.argument(text)).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let said = release.gannet.run(&arguments);
    assert!(matches!(said.code, Some(0 | 1)), "{case}: {said:#?}");
    assert_eq!(
        seen != release.linked(),
        words.is_some(),
        "{case}: {said:#?}"
    );
    let path = release.link().display().to_string();
    let lines: Vec<_> = said.out.lines().chain(said.err.lines()).collect();
    let lines: Vec<_> = lines
        .iter()
        .filter_map(|line| line.strip_prefix("set release: "))
        .collect();
    let expected: Vec<_> = words
        .iter()
        .map(|words| words.replace("{path}", &path))
        .collect();
    assert_eq!(lines, expected, "{case}: {said:#?}");
}

#[test]
fn programs_are_given_the_folders_that_changed() {
    let release = Release::new();
    let path = release.link().display().to_string();
    let published = |id: u64| {
        let folder = json!({"change": "published", "edition_id": id, "path": path, "why": null});
        json!([{"set": "release", "published": folder}])
    };
    assert_eq!(release.fetch()["sets"], published(1));
    assert_eq!(release.fetch()["sets"], json!([]));
    release.serve("two");
    assert_eq!(release.fetch()["sets"], published(2));

    let withdrawn = |why: &str| {
        let folder = json!({"change": "withdrawn", "edition_id": null, "path": path, "why": why});
        json!({"set": "release", "published": folder})
    };
    let run = |arguments: &[&str]| -> Value {
        let said = release.gannet.run(arguments);
        serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:#?}"))
    };
    release.judge_by(&SUMS_VERIFIER.replace("cd \\\"$1\\\" &&", "echo no; false &&"));
    let stale = run(&["verify", "--stale", "--json"]);
    assert_eq!(
        stale["sets_changed"],
        json!([withdrawn("failed by sums: no")])
    );
    release.judge_by(SUMS_VERIFIER);
    run(&["verify", "--stale", "--json"]);
    release.judge_by(&(SUMS_VERIFIER.to_owned() + &GOOD.replace("true", "false")));
    let judged = run(&["verify", "data.csv", "--json"]);
    let last = judged.as_array().and_then(|all| all.last());
    let because = "failed by good: exit code 1 (data.csv)";
    assert_eq!(last, Some(&withdrawn(because)), "{judged:#}");
}

/// Where a file is read: at its own path, and in the folder of the set.
fn places(release: &Release, name: &str) -> [bool; 2] {
    [
        release.own(name).is_some(),
        release.in_set("release", name).is_some(),
    ]
}

impl Release {
    /// Three members, of which the checksums are of the data file alone.
    pub(super) fn of_three() -> Self {
        let release = Self::new();
        release.add("notes.txt", "release");
        release.origin.on("/notes.txt", [Reply::file("notes")]);
        release.fetch();
        release
    }
}

const OUT: &str = "still lies in the folder of its set, {path}: until an edition without it passes";
const OWN: &str = "is published at {own} now";
const IN_SET: &str = "is published with the set release now";
const WAITS: &str = "its file stays as it is at its published path until the set release is published with it: {own}";

/// What is done before, the command, which member is looked at, what is said of it, and where its file is read afterwards.
type Move = (
    &'static str,
    fn(&Release),
    &'static [&'static str],
    &'static str,
    &'static [&'static str],
    [bool; 2],
);

#[test]
fn where_the_file_of_a_member_lies_is_said_as_it_is() {
    let none = |_: &Release| {};
    let untag = |release: &Release| drop(release.tag(&["notes.txt"], &[]));
    let cases: [Move; 7] = [
        (
            "one leaves",
            none,
            &["edit", "notes.txt", "--no-tags"],
            "notes.txt",
            &[OUT, OWN],
            [true, true],
        ),
        (
            "one that the others need leaves",
            none,
            &["edit", "data.csv", "--no-tags"],
            "data.csv",
            &[OUT, OWN],
            [true, true],
        ),
        (
            "all leave",
            none,
            &["edit", "tag:release", "--no-tags"],
            "notes.txt",
            &[OWN],
            [true, false],
        ),
        (
            "a file of sources without tags",
            none,
            &["apply", WITHOUT_TAGS],
            "notes.txt",
            &[OWN],
            [true, false],
        ),
        (
            "one comes back before a pass",
            untag,
            &["edit", "notes.txt", "--tag", "release"],
            "notes.txt",
            &[IN_SET],
            [false, true],
        ),
        (
            "all come back before a pass",
            |release| drop(release.gannet.ok(&["edit", "*", "--no-tags"])),
            &["edit", "*", "--tag", "release"],
            "notes.txt",
            &[IN_SET],
            [false, true],
        ),
        (
            "one comes back after a pass",
            |release| {
                release.tag(&["notes.txt"], &[]);
                release.gannet.run(&["--worker-only"]);
            },
            &["edit", "notes.txt", "--tag", "release"],
            "notes.txt",
            &[WAITS],
            [true, false],
        ),
    ];
    let release = Release::of_three();
    let saved = release.save();
    for (case, before, command, member, says, lies) in cases {
        release.put_back(&saved);
        before(&release);
        let arguments: Vec<_> = command.iter().map(|text| release.argument(text)).collect();
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let said = release.gannet.run(&arguments);
        assert_eq!(said.code, Some(0), "{case}: {said:#?}");
        assert_eq!(places(&release, member), lies, "{case}: {said:#?}");
        let all = format!("{}{}", said.out, said.err);
        let path = release.link().join(member).display().to_string();
        let host = release.origin.host().replace(':', "_");
        for words in [OUT, OWN, IN_SET, WAITS] {
            let expected = words
                .replace("{path}", &path)
                .replace("{own}", &format!("{host}/{member}"));
            let is_said = all
                .lines()
                .any(|line| line.contains(member) && line.ends_with(&expected));
            assert_eq!(is_said, says.contains(&words), "{case}: {words}: {said:#?}");
        }
    }
}

/// What happens, and what a set waits for before and after the next pass.
type Wait = (
    &'static str,
    fn(&Release),
    Option<&'static str>,
    Option<&'static str>,
);

#[test]
fn why_a_set_stands_where_it_does_is_true_until_the_next_pass() {
    let judges = Some("the next pass judges it");
    let cases: [Wait; 7] = [
        ("nothing happened", |_| {}, None, None),
        (
            "a new set",
            |release| {
                release.judge_by("");
                release.judge_by(SUMS_VERIFIER);
            },
            judges,
            None,
        ),
        (
            "a member left",
            |release| drop(release.tag(&["notes.txt"], &[])),
            judges,
            None,
        ),
        (
            "a member that others need left",
            |release| drop(release.tag(&["data.csv"], &[])),
            judges,
            None,
        ),
        (
            "a member came",
            |release| drop(release.add("more.txt", "release")),
            Some("more.txt is due"),
            Some("the last attempt at more.txt failed"),
        ),
        (
            "a member was renamed",
            |release| drop(release.gannet.ok(&["edit", "notes.txt", "--name", "notes"])),
            judges,
            None,
        ),
        (
            "all left",
            |release| drop(release.gannet.ok(&["edit", "tag:release", "--no-tags"])),
            Some("it has no members: no source with its tag is enabled or has a good version"),
            Some("it has no members: no source with its tag is enabled or has a good version"),
        ),
    ];
    let release = Release::of_three();
    let saved = release.save();
    for (case, happen, before, after) in cases {
        release.put_back(&saved);
        happen(&release);
        let waits = || {
            let sets = release.gannet.json(&["list", "--sets", "--json"]);
            sets[0]["waits_for"].as_str().map(str::to_owned)
        };
        assert_eq!(waits().as_deref(), before, "{case}");
        release.gannet.run(&["--worker-only"]);
        assert_eq!(waits().as_deref(), after, "{case}");
    }
}

#[test]
fn why_the_folder_of_a_set_that_ended_is_there_is_said() {
    let release = Release::of_three();
    // Something lies where a member's own file is to lie.
    let host = release.origin.host().replace(':', "_");
    let place = release
        .gannet
        .data()
        .join("published")
        .join(host)
        .join("notes.txt");
    fs::create_dir_all(place.join("in the way")).expect("a folder");
    release.judge_by("");
    assert!(release.link().exists(), "notes.txt is read nowhere else");
    let listed = release.gannet.ok(&["list", "--sets"]);
    let why = "no verifier judges it as a set any more; its folder is removed once its members are published at their own paths";
    assert!(listed.contains(why), "{listed}");
    fs::remove_dir_all(place).expect("removed");
    release.gannet.run(&["--worker-only"]);
    assert!(!release.link().exists());
    assert_eq!(places(&release, "notes.txt"), [true, false]);
    let unseen = Release::with("");
    unseen.fetch();
    unseen.configured(SUMS_VERIFIER);
    let sets = unseen.gannet.json(&["list", "--sets", "--json"]);
    assert_eq!(sets[0]["waits_for"], "no pass has looked at it yet");
}
