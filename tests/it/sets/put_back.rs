//! Published editions that somebody changed or removed are put back by the next pass.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use serde_json::Value;

use crate::rig::{Release, SUMS_VERIFIER, read_through, sqlite};

/// What somebody does to what is published of a set.
#[derive(Clone, Copy, Debug)]
enum Harm {
    /// Writes as many other bytes into a file.
    Changed,
    Cut,
    Lengthened,
    /// Puts another file in the place of one.
    Replaced,
    LinkedElsewhere,
    Removed,
    AllRemoved,
    FolderRemoved,
    LinkRemoved,
    LinkReplaced,
    /// Keeps other accounts from a file.
    Closed,
    FolderClosed,
}

fn harm(link: &Path, kind: Harm) {
    let (file, folder) = (
        link.join("data.csv"),
        link.canonicalize().expect("a folder"),
    );
    let write = |bytes: &str| {
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("a mode");
        fs::write(&file, bytes).expect("written");
    };
    match kind {
        Harm::Changed => write("eno"),
        Harm::Cut => write(""),
        Harm::Lengthened => write("one and more"),
        Harm::Replaced => {
            fs::remove_file(&file).expect("removed");
            fs::write(&file, "eno").expect("written");
        }
        Harm::LinkedElsewhere => {
            fs::remove_file(&file).expect("removed");
            symlink("SHA256SUMS", &file).expect("a link");
        }
        Harm::Removed => fs::remove_file(&file).expect("removed"),
        Harm::AllRemoved => {
            for file in fs::read_dir(&folder).expect("a folder").flatten() {
                fs::remove_file(file.path()).expect("removed");
            }
        }
        Harm::FolderRemoved => fs::remove_dir_all(&folder).expect("removed"),
        Harm::LinkRemoved => fs::remove_file(link).expect("removed"),
        Harm::LinkReplaced => {
            fs::remove_file(link).expect("removed");
            symlink("/nowhere", link).expect("a link");
        }
        Harm::Closed => {
            fs::set_permissions(&file, fs::Permissions::from_mode(0o400)).expect("a mode");
        }
        Harm::FolderClosed => {
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).expect("a mode");
        }
    }
}

#[test]
fn what_was_changed_or_removed_is_put_back_by_the_next_pass() {
    let release = Release::new();
    release.fetch();
    let link = release.link();
    let published_at = release.show()["published_at"].clone();
    assert!(published_at.is_string());
    for kind in [
        Harm::Changed,
        Harm::Cut,
        Harm::Lengthened,
        Harm::Replaced,
        Harm::LinkedElsewhere,
        Harm::Removed,
        Harm::AllRemoved,
        Harm::FolderRemoved,
        Harm::LinkRemoved,
        Harm::LinkReplaced,
        Harm::Closed,
        Harm::FolderClosed,
    ] {
        let before = release.events().len();
        harm(&link, kind);
        // Nothing is due, and nothing is fetched.
        let pass = release.gannet.json(&["--worker-only", "--json"]);
        assert_eq!(pass["attempts"], 0, "{kind:?}: {pass}");
        let files = read_through(&link).expect("an edition");
        assert_eq!(files[0].1, b"one", "{kind:?}");
        assert_eq!(release.files(), ["SHA256SUMS", "data.csv"], "{kind:?}");
        assert_eq!(
            release.events()[before..],
            ["set.republished release: edition 1"],
            "{kind:?}"
        );
        // Once, and it is as before.
        release.gannet.ok(&["--worker-only"]);
        assert_eq!(release.events().len(), before + 1, "{kind:?}");
        let shown = release.show();
        assert_eq!(shown["published_edition_id"], 1, "{kind:?}: {shown}");
        assert_eq!(shown["published_at"], published_at, "{kind:?}: {shown}");
        for what in ["data.csv:published", "data.csv:published@0h"] {
            assert_eq!(release.gannet.ok(&["cat", what]), "one", "{kind:?}: {what}");
        }
        let mode = fs::metadata(link.join("data.csv")).expect("a file");
        assert_eq!(mode.permissions().mode() & 0o777, 0o444, "{kind:?}");
        let mode = fs::metadata(&link).expect("a folder");
        assert_eq!(mode.permissions().mode() & 0o777, 0o755, "{kind:?}");
    }
}

/// A look at a file that is as it was written reads nothing of it; one that was only touched is read once, and left.
/// Commands that put a set back say so, and say that it stays only when it did.
#[test]
fn that_a_set_was_put_back_is_said() {
    let release = Release::new();
    release.fetch();
    let saved = release.save();
    for kind in [Harm::Changed, Harm::Removed, Harm::LinkRemoved] {
        for (command, words) in [
            (&["verify", "set:release"][..], " was put back at "),
            (
                &["verify", "set:release", "--json"],
                "\"change\": \"put_back\"",
            ),
            (
                &["verdict", "set:release", "sums", "passed"],
                " was put back at ",
            ),
        ] {
            release.put_back(&saved);
            let link = release.gannet.data().join("sets/release");
            harm(&link, kind);
            let said = release.gannet.run(command);
            assert!(said.out.contains(words), "{kind:?} {command:?}: {said:#?}");
            assert!(link.join("data.csv").exists(), "{kind:?} {command:?}");
            let said = release.gannet.run(command);
            assert!(!said.out.contains(words), "{kind:?} {command:?}: {said:#?}");
        }
    }
}

#[test]
fn what_was_only_touched_stays() {
    let release = Release::new();
    release.fetch();
    let before = release.events().len();
    let file = release.link().join("data.csv");
    let touched = fs::File::open(&file).and_then(|file| file.set_modified(std::time::UNIX_EPOCH));
    touched.expect("touched");
    for _ in 0..2 {
        release.gannet.ok(&["--worker-only"]);
    }
    assert_eq!(release.events().len(), before);
    assert_eq!(release.data().as_deref(), Some("one"));
}

/// What cannot be put back is told by every pass and shows, until it can be.
#[test]
fn what_cannot_be_put_back_is_told_and_shows() {
    let release = Release::new();
    release.fetch();
    let file = release.link().join("data.csv");
    fs::remove_file(&file).expect("removed");
    fs::create_dir(&file).expect("a folder in its place");
    for _ in 0..2 {
        let said = release.gannet.run(&["--worker-only"]);
        assert_eq!(said.code, Some(1), "{said:#?}");
        let why = "data.csv: a folder is in the way";
        assert!(said.err.contains(why), "{said:#?}");
        let shown = release.show();
        assert!(
            shown["publish_error"]
                .as_str()
                .is_some_and(|shown| shown.ends_with(why)),
            "{shown}"
        );
    }
    assert!(file.is_dir(), "it is left alone");
    assert!(
        !release.gannet.data().join("trash").exists(),
        "no copy of each try"
    );
    fs::remove_dir(&file).expect("removed");
    release.gannet.ok(&["--worker-only"]);
    assert_eq!(release.data().as_deref(), Some("one"));
    assert_eq!(release.show()["publish_error"], Value::Null);
}

/// An edition that stays published while it cannot be judged again is put back too.
#[test]
fn an_edition_that_is_undecided_is_put_back_and_not_withdrawn() {
    let release = Release::new();
    release.fetch();
    let verifiers = SUMS_VERIFIER.replace("cd \\\"$1\\\"", "exit 7");
    assert_ne!(verifiers, SUMS_VERIFIER);
    release.gannet.configure(&format!(
        "[fetch]\nca_file = {:?}\n{verifiers}",
        release.origin.ca_file().display().to_string()
    ));
    release.gannet.run(&["verify", "set:release"]);
    assert_eq!(release.show()["edition"]["verified"], "error");
    for kind in [Harm::Removed, Harm::Changed, Harm::LinkRemoved] {
        harm(&release.link(), kind);
        release.gannet.run(&["--worker-only"]);
        assert_eq!(release.data().as_deref(), Some("one"), "{kind:?}");
    }
}

/// What lies damaged in the archive itself is not put back, nor is anything else touched.
#[test]
fn what_the_archive_has_not_any_more_is_told() {
    let release = Release::new();
    release.fetch();
    sqlite::ruin_blobs(&release.gannet.data());
    harm(&release.link(), Harm::Removed);
    for _ in 0..2 {
        let said = release.gannet.run(&["--worker-only"]);
        assert_ne!(said.code, Some(0), "{said:#?}");
        assert!(said.err.contains("is damaged"), "{said:#?}");
    }
    assert_ne!(release.show()["publish_error"], Value::Null);
    assert_eq!(release.files(), ["SHA256SUMS"]);
    assert!(!release.gannet.data().join("trash").exists());
    // The next fetch asks for the whole file, which heals it; then it is put back.
    release.fetch();
    release.gannet.ok(&["--worker-only"]);
    assert_eq!(release.data().as_deref(), Some("one"));
}
