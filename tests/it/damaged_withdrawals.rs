//! The row of a withdrawal is lost or damaged: the file of the removed source goes all the same, and no other file does.

use crate::rig::Home;
use crate::rig::sqlite::{damage, make_looks_due};

/// A home with the published files `a` and `b`, of which `a` was removed by a process that may not withdraw it.
fn home() -> Home {
    let gannet = Home::new("")
        .with_source("a", ["1"])
        .with_source("b", ["2"]);
    gannet.write_config(
        "other.toml",
        "[[verifier]]\nname = \"text\"\nsources = [\"*\"]\nbuiltin = \"utf8\"\n",
    );
    let gannet = gannet.fetched(&["a", "b"]);
    gannet.judge_by(
        "[[verifier]]\nname = \"size\"\nsources = [\"*\"]\nbuiltin = \"size\"\nmin = \"1B\"\n",
    );
    let other = gannet.path("other.toml").display().to_string();
    let removed = gannet.run(&["--config", &other, "remove", "a"]);
    assert_eq!(removed.code, Some(0), "{removed:#?}");
    assert!(gannet.file("a").exists());
    gannet
}

#[test]
fn a_lost_withdrawal_is_made_anew() {
    let gannet = home();
    let saved = gannet.save();
    for (statement, is_there) in [
        ("DELETE FROM withdrawal", true),
        (
            "UPDATE withdrawal SET path = replace(path, '/a', '/aa')",
            true,
        ),
        (
            "UPDATE withdrawal SET path = replace(path, '/a', '/b')",
            true,
        ),
        (
            "UPDATE withdrawal SET path = replace(path, '/a', '/b'), path_key = replace(path, '/a', '/b')",
            true,
        ),
        ("DELETE FROM withdrawal", false),
        ("SELECT 1", true),
    ] {
        gannet.put_back(&saved);
        damage(&gannet.data(), statement);
        if !is_there {
            std::fs::remove_file(gannet.file("a")).expect("removed");
        }
        make_looks_due(&gannet.data());
        let pass = gannet.pass();
        let case = format!("{statement}, {is_there}: {pass:#?}");
        assert_eq!(pass.code, Some(0), "{case}");
        assert!(!gannet.file("a").exists(), "{case}");
        assert_eq!(gannet.content("b").as_deref(), Some("2"), "{case}");
        let removed = gannet.ok(&["list", "--removed"]);
        assert!(!removed.contains("until the next pass"), "{case} {removed}");
        assert_eq!(gannet.events("file.withdrawn").len(), 1, "{case}");
        make_looks_due(&gannet.data());
        assert_eq!(gannet.pass().code, Some(0), "{case}");
        assert_eq!(gannet.events("file.withdrawn").len(), 1, "{case}");
    }
}

/// What somebody else put at the path of a removed source is not gannet's to remove.
#[test]
fn without_its_withdrawal_a_file_of_others_stays() {
    let gannet = home();
    damage(&gannet.data(), "DELETE FROM withdrawal");
    std::fs::write(gannet.file("a"), "of somebody else").expect("a file");
    for _ in 0..2 {
        make_looks_due(&gannet.data());
        gannet.pass();
        assert_eq!(gannet.content("a").as_deref(), Some("of somebody else"));
    }
}
