//! A set that left the configuration and comes back: what was good of it once is published by no verifier that is gone.

use crate::rig::{Release, SUMS_VERIFIER};

/// A set that was published with `one`, left the configuration, and whose files say `two` at their own paths since.
fn left() -> Release {
    let release = Release::new();
    release.fetch();
    assert_eq!(release.data().as_deref(), Some("one"));
    release.judge_by("");
    release.serve("two");
    release.fetch_both();
    assert_eq!(release.own("data.csv").as_deref(), Some("two"));
    assert_eq!(release.data(), None);
    release
}

/// How a set comes back: what happens before, the verifiers that judge it then, and what readers see after a pass in its folder
/// and at the file's own path.
type Return = (
    &'static str,
    fn(&Release),
    &'static str,
    Option<&'static str>,
    Option<&'static str>,
);

const STRICT: &str = r#"
[[verifier]]
name = "strict"
scope = "set"
sources = ["tag:release"]
command = ["false"]
"#;
const PERSON: &str = r#"
[[verifier]]
name = "legal"
scope = "set"
sources = ["tag:release"]
external = true
"#;

#[test]
fn only_what_was_judged_since_is_published() {
    let returns: [Return; 6] = [
        (
            "with another verifier that fails it",
            |_| {},
            STRICT,
            None,
            Some("two"),
        ),
        (
            "with one that waits for a person",
            |_| {},
            PERSON,
            None,
            Some("two"),
        ),
        (
            "with the same, which passes it",
            |_| {},
            SUMS_VERIFIER,
            Some("two"),
            None,
        ),
        (
            "with the same, and files that fail",
            |release| {
                release.serve_data("three");
                release.fetch_both();
            },
            SUMS_VERIFIER,
            None,
            Some("three"),
        ),
        (
            "with the same, and the files of before",
            |release| {
                release.serve("one");
                release.fetch_both();
            },
            SUMS_VERIFIER,
            Some("one"),
            None,
        ),
        (
            "with other members",
            |release| {
                release.tag(&["SHA256SUMS"], &[]);
            },
            SUMS_VERIFIER,
            None,
            Some("two"),
        ),
    ];
    let release = left();
    let saved = release.save();
    for (name, before, verifiers, in_set, own) in returns {
        release.put_back(&saved);
        before(&release);
        release.judge_by(verifiers);
        for command in [&["--worker-only"][..], &["verify", "--stale"]] {
            release.gannet.run(command);
            assert_eq!(release.data().as_deref(), in_set, "{name}: {command:?}");
            let found = release.own("data.csv");
            assert_eq!(found.as_deref(), own, "{name}: {command:?}");
        }
    }
}

#[test]
fn a_set_that_is_judged_by_other_verifiers_meanwhile_stays_published() {
    let release = Release::new();
    release.fetch();
    release.judge_by(&format!("{SUMS_VERIFIER}{STRICT}"));
    release.gannet.run(&["--worker-only"]);
    assert_eq!(release.data().as_deref(), Some("one"));
}

#[test]
fn a_member_that_comes_back_brings_no_other_with_it() {
    let release = Release::new();
    release.fetch();
    for member in ["SHA256SUMS", "data.csv"] {
        release.gannet.ok(&["remove", member]);
    }
    assert!(!release.link().exists());
    release.gannet.run(&["restore", "data.csv"]);
    assert!(!release.link().exists(), "the other is removed still");
    release.gannet.run(&["--worker-only"]);
    assert!(!release.link().exists(), "nor does it pass alone");
    release.gannet.ok(&["restore", "SHA256SUMS"]);
    release.gannet.run(&["--worker-only"]);
    assert_eq!(release.data().as_deref(), Some("one"));
}
