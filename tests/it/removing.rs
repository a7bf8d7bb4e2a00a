//! Removing much is asked about, and what was removed can be found, read and brought back.

use serde_json::json;

use crate::rig::{Gannet, Home, Origin, Reply, Said, Terminal};

/// A home with three sources that were never fetched.
fn three() -> Gannet {
    let gannet = Gannet::new();
    for name in ["a", "b", "c"] {
        let address = format!("https://example.org/{name}");
        gannet.ok(&["add", &address, "--tag", "t", "--name", name]);
    }
    gannet
}

fn names(gannet: &Gannet, arguments: &[&str]) -> Vec<String> {
    let list = gannet.json(&[&["list", "--json"], arguments].concat());
    let sources = list.as_array().expect("a list").iter();
    sources
        .filter_map(|source| source["name"].as_str().map(str::to_owned))
        .collect()
}

#[test]
fn what_loses_much_wants_consent() {
    for (arguments, refusal) in [
        (
            ["remove", "a", "--purge"].as_slice(),
            "this would purge a (1) with 0 versions",
        ),
        (
            &["remove", "tag:t"],
            "this would remove 3 sources (a, b, c)",
        ),
        (&["rm", "a", "b"], "this would remove 2 sources (a, b)"),
        (
            &["delete", "*", "--purge"],
            "this would purge 3 sources with 0 versions (a, b, c)",
        ),
    ] {
        let gannet = three();
        let refused = gannet.run(arguments);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(
            refused.err.contains(refusal) && refused.err.contains("--yes"),
            "{refused:?}"
        );
        assert_eq!(names(&gannet, &[]), ["a", "b", "c"], "{arguments:?}");
        gannet.ok(&[arguments, &["--yes"]].concat());
        assert_ne!(names(&gannet, &[]), ["a", "b", "c"], "{arguments:?}");
    }
    let gannet = three();
    let one = gannet.ok(&["remove", "a"]);
    assert!(one.starts_with("removed a (1); its history stays"), "{one}");
    // Only what is there is told of the trash.
    let purged = gannet.run(&["remove", "b", "--purge", "--yes"]);
    assert_eq!(
        (purged.out.as_str(), purged.err.as_str()),
        ("purged b (2)\n", "")
    );
}

#[test]
fn a_file_that_was_cut_short_does_not_prune_most_sources() {
    let file_of = |names: &[&str]| {
        let entry = |name: &&str| {
            format!(
                "[[source]]\nname = \"{name}\"\naddress = \"https://example.org/{name}\"\ntags = [\"t\"]\n"
            )
        };
        names.iter().map(entry).collect::<String>()
    };
    for (left, wants_consent) in [
        (&["a", "b"][..], false),
        (&["a"], true),
        (&[], true),
        (&["d", "e", "f"], true),
    ] {
        let gannet = three();
        let path = gannet.path("sources.toml");
        std::fs::write(&path, file_of(left)).expect("a file");
        let path = path.display().to_string();
        gannet.ok(&["apply", &path, "--prune", "--dry-run"]);
        let said = gannet.run(&["apply", &path, "--prune"]);
        if wants_consent {
            assert_eq!(said.code, Some(2), "{left:?}: {said:?}");
            assert!(said.err.contains("of 3 sources"), "{said:?}");
            assert_eq!(names(&gannet, &[]), ["a", "b", "c"]);
            gannet.ok(&["apply", &path, "--prune", "--yes"]);
        } else {
            assert_eq!(said.code, Some(0), "{left:?}: {said:?}");
        }
        assert_eq!(names(&gannet, &[]), left);
    }
}

#[test]
fn a_terminal_is_asked() {
    let gannet = three();
    for (answer, left) in [("n\r", &["a", "b", "c"][..]), ("y\r", &[])] {
        let mut terminal = Terminal::start(&gannet, &["remove", "*", "--purge"]);
        terminal.wait_for("Purge 3 sources with 0 versions (a, b, c)? [y/N]");
        terminal.press(answer);
        let ended = terminal.ended();
        assert_eq!(ended.success(), left.is_empty());
        assert_eq!(names(&gannet, &[]), left, "{answer:?}");
    }
}

#[test]
fn what_was_removed_is_listed_read_by_name_and_restored() {
    let gannet = Home::new("");
    let origin = &gannet.origin;
    origin.on("/terms.txt", [Reply::file("terms")]);
    let address = origin.url("/terms.txt");
    gannet.ok(&["add", &address, "--allow-private"]);
    gannet.fetch("terms.txt");
    let added = gannet.source("terms.txt")["published_path"].clone();
    let shown = added
        .as_str()
        .and_then(|path| path.split_once("/published/"));
    let shown = shown.expect("published").1;
    gannet.ok(&["remove", "terms.txt"]);
    assert_eq!(names(&gannet, &[]), [""; 0]);
    assert_eq!(names(&gannet, &["--removed"]), ["terms.txt"]);
    assert_eq!(names(&gannet, &["--removed", "terms*"]), ["terms.txt"]);
    let listed = gannet.json(&["list", "--removed", "--json"]);
    assert!(listed[0]["removed_at"].is_string() && listed[0]["state"] == "removed");
    for arguments in [
        ["show", "terms.txt"].as_slice(),
        &["history", "terms.txt"],
        &["log", "--source", "terms.txt"],
        &["history", &address],
    ] {
        assert!(gannet.ok(arguments).contains("v1"), "{arguments:?}");
    }
    assert_eq!(gannet.bytes(&["cat", "terms.txt"]), b"terms");
    let dump = gannet.json(&["dump", "--json"]);
    assert!(dump["sources"][0]["removed_at"].is_string(), "{dump}");
    assert_eq!(
        gannet.ok(&["dump", "--toml"]).matches("[[source]]").count(),
        0
    );
    let folder = gannet.path("export").display().to_string();
    assert!(gannet.ok(&["export", &folder]).starts_with("1 version in"));
    for arguments in [
        ["fetch", "terms.txt"].as_slice(),
        &["edit", "terms.txt", "--interval", "2h"],
        &["disable", "1"],
    ] {
        let refused = gannet.run(arguments);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.err.contains("gannet restore 1"), "{refused:?}");
    }
    assert_eq!(
        gannet.ok(&["restore", "terms.txt"]).split_once(';'),
        Some((
            "restored terms.txt (1)",
            &*format!(" published v1 at {shown}\n")
        ))
    );
    let back = gannet.source("terms.txt");
    assert_eq!(
        (&back["id"], &back["removed_at"]),
        (&json!(1), &json!(null))
    );
    let path = back["published_path"].as_str().expect("published again");
    assert_eq!(std::fs::read(path).expect("a file"), b"terms");
    let nothing = gannet.run(&["restore", "terms.txt"]);
    assert_eq!(nothing.code, Some(2), "{nothing:?}");
}

#[test]
fn a_removed_address_is_not_added_as_if_it_were_new() {
    let gannet = three();
    gannet.ok(&["remove", "a"]);
    let refused = gannet.run(&["add", "https://EXAMPLE.org/a"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    for part in ["was source 1 (a)", "gannet restore 1", "--new"] {
        assert!(refused.err.contains(part), "{part}: {refused:?}");
    }
    let refused = gannet.run(&["add_url", "https://example.org/a", "2h"]);
    assert!(
        refused.code == Some(2) && refused.err.contains("gannet restore 1"),
        "{refused:?}"
    );
    gannet.ok(&["add", "https://example.org/a", "--new"]);
    assert_eq!(gannet.source("a")["id"], 4);
    gannet.ok(&["remove", "a"]);
    // Two were called so: neither is guessed.
    let which = gannet.run(&["history", "a"]);
    assert!(
        which.code == Some(2) && which.err.contains("name one by its id: 1, 4"),
        "{which:?}"
    );
    for (which, said) in [
        ("a", "name one by its id: 1, 4"),
        ("https://example.org/a", "1, 4"),
        ("a*", "sources 1 and 4 both had the address"),
        ("*", "sources 1 and 4 both had the address"),
    ] {
        let which = gannet.run(&["restore", which]);
        assert!(
            which.code == Some(2) && which.err.contains(said),
            "{which:?}"
        );
    }
    // No other way in begins a second history unsaid.
    let list = gannet.path("list.txt");
    std::fs::write(&list, "https://EXAMPLE.org/a#x\n").expect("a file");
    let imported = gannet.run(&["import", &list.display().to_string()]);
    assert!(
        imported.code == Some(1) && imported.err.contains("gannet restore 4"),
        "{imported:?}"
    );
    gannet.ok(&["restore", "1"]);
    let taken = gannet.run(&["restore", "4"]);
    for part in [
        "source 4 cannot come back: its address is taken by source 1",
        "`gannet remove 1` frees the address; then `gannet restore 4`",
    ] {
        assert!(
            taken.code == Some(2) && taken.err.contains(part),
            "{taken:?}"
        );
    }
}

/// A file of sources by the text of their tables.
fn apply(gannet: &Gannet, tables: &[&str], arguments: &[&str]) -> Said {
    let path = gannet.path("sources.toml");
    let text = tables
        .iter()
        .flat_map(|table| ["[[source]]\n", table, "\n"]);
    let text: String = text.collect();
    std::fs::write(&path, text).expect("a file");
    let path = path.display().to_string();
    gannet.run(&[&["apply", path.as_str()], arguments].concat())
}

#[test]
fn a_file_of_sources_brings_back_what_was_removed_with_its_history() {
    const A: &str = "address = \"https://example.org/a\"";
    for (what, before, tables, step, name, tags) in [
        (
            "as it was",
            &[][..],
            &["address = \"https://EXAMPLE.org/a#x\"\ntags = [\"t\"]"][..],
            "+ restore a https://example.org/a with the history of source 1\n",
            "a",
            "t",
        ),
        (
            "with other settings",
            &[],
            &["address = \"https://example.org/a\"\nname = \"z\"\ninterval = \"2h\""],
            "with the history of source 1: name a -> z, interval 1d -> 2h, tags t -> none\n",
            "z",
            "",
        ),
        (
            "its name is another's by now, and the file names none",
            &["edit", "b", "--name", "a"],
            &[A],
            "+ restore example.org/a https://example.org/a with the history of source 1: name a -> ",
            "example.org/a",
            "",
        ),
        (
            "it swaps names with one that stays",
            &["edit", "b", "--name", "a"],
            &[
                "address = \"https://example.org/a\"\nname = \"a\"",
                "address = \"https://example.org/b\"\nname = \"b\"",
            ],
            "+ restore a https://example.org/a with the history of source 1",
            "a",
            "",
        ),
    ] {
        let gannet = three();
        gannet.ok(&["remove", "a"]);
        if !before.is_empty() {
            gannet.ok(before);
        }
        let planned = apply(&gannet, tables, &["--dry-run"]);
        assert!(
            planned.code == Some(0) && planned.out.contains(step) && planned.err.is_empty(),
            "{what}: {planned:?}"
        );
        assert_eq!(names(&gannet, &["--removed"]), ["a"], "{what}");
        let done = apply(&gannet, tables, &[]);
        assert_eq!(
            (done.code, done.out),
            (Some(0), planned.out),
            "{what}: {}",
            done.err
        );
        let back = gannet.source(name);
        assert_eq!(
            (&back["id"], &back["name"], &back["removed_at"]),
            (&json!(1), &json!(name), &json!(null)),
            "{what}"
        );
        let kept: Vec<_> = tags.split_terminator(',').collect();
        assert_eq!(back["tags"], json!(kept), "{what}");
        assert_eq!(apply(&gannet, tables, &[]).out, "nothing to do\n", "{what}");
    }
}

#[test]
fn a_file_that_cannot_bring_a_source_back_changes_nothing() {
    let gannet = three();
    gannet.ok(&["remove", "a"]);
    gannet.ok(&["edit", "b", "--name", "a"]);
    let tables = [
        "address = \"https://example.org/a\"\nname = \"a\"",
        "address = \"https://example.org/b\"\ntags = [\"t\"]",
        "address = \"https://example.org/d\"",
    ];
    for arguments in [&["--dry-run"][..], &[]] {
        let refused = apply(&gannet, &tables, arguments);
        assert!(
            refused.code == Some(2) && refused.err.contains("name `a` is taken by source 2"),
            "{refused:?}"
        );
        assert_eq!(names(&gannet, &["--removed"]), ["a"]);
        assert_eq!(names(&gannet, &[]), ["a", "c"]);
    }
}

#[test]
fn a_published_file_comes_back_with_its_source_by_a_file_of_sources() {
    let gannet = Home::new("");
    let origin = &gannet.origin;
    origin.on("/terms.txt", [Reply::file("terms")]);
    let address = origin.url("/terms.txt");
    gannet.ok(&["add", &address, "--allow-private"]);
    gannet.fetch("terms.txt");
    let path = gannet.source("terms.txt")["published_path"].clone();
    let path = path.as_str().expect("published");
    let table = format!("address = \"{address}\"\nallow_private = true");
    let pruned = apply(&gannet, &[], &["--prune", "--yes"]);
    assert!(
        pruned.code == Some(0) && !std::path::Path::new(path).exists(),
        "{pruned:?}"
    );
    let back = apply(&gannet, &[&table], &[]);
    assert_eq!(back.code, Some(0), "{back:?}");
    assert_eq!(std::fs::read(path).expect("published again"), b"terms");
    assert!(gannet.ok(&["history", "terms.txt"]).contains("v1"));
    // Another source has the path by now: the file says so as `restore` does.
    gannet.ok(&["remove", "terms.txt"]);
    gannet.ok(&["add", &address, "--allow-private", "--new"]);
    let other = origin.url("/other.txt");
    gannet.ok(&["edit", "2", "--address", &other, "--name", "other"]);
    let moved = apply(&gannet, &[&table], &[]);
    assert!(
        moved.code == Some(0) && moved.err.contains("is another source's published path"),
        "{moved:?}"
    );
}

#[test]
fn a_source_comes_back_to_its_own_path_whatever_its_address_asks_for() {
    let gannet = Home::new("");
    let origin = &gannet.origin;
    origin.on("/terms.txt", [Reply::file("terms")]);
    origin.on("/new.txt", [Reply::file("terms")]);
    let moved = origin.url("/new.txt");
    gannet.ok(&["add", &origin.url("/terms.txt"), "--allow-private"]);
    gannet.fetch("terms.txt");
    gannet.ok(&["edit", "terms.txt", "--address", &moved]);
    let path = gannet.source("terms.txt")["published_path"].clone();
    let file = path.as_str().expect("published");
    assert!(file.ends_with("/terms.txt"), "{file}");
    let table = format!("name = \"terms.txt\"\naddress = \"{moved}\"\nallow_private = true");
    for back in ["restore", "apply"] {
        gannet.ok(&["remove", "terms.txt"]);
        assert!(!std::path::Path::new(file).exists(), "{back}");
        let said = match back {
            "apply" => apply(&gannet, &[&table], &[]),
            _ => gannet.run(&["restore", "terms.txt"]),
        };
        assert!(said.code == Some(0) && said.err.is_empty(), "{said:?}");
        assert_eq!(gannet.source("terms.txt")["published_path"], path, "{back}");
        assert_eq!(std::fs::read(file).expect("there again"), b"terms");
    }
}

#[test]
fn a_name_that_another_source_has_by_now_keeps_a_removed_one_out() {
    let gannet = three();
    gannet.ok(&["remove", "a"]);
    gannet.ok(&["add", "https://example.org/d", "--name", "a"]);
    for which in ["1", "a", "https://example.org/a"] {
        let taken = gannet.run(&["restore", which]);
        for part in [
            "source 1 cannot come back: its name is taken by source 4",
            "`gannet edit 4 --name OTHER` frees the name; then `gannet restore 1`",
        ] {
            assert!(
                taken.code == Some(2) && taken.err.contains(part),
                "{taken:?}"
            );
        }
    }
    gannet.ok(&["edit", "4", "--name", "d"]);
    assert_eq!(gannet.ok(&["restore", "1"]), "restored a (1)\n");
    // Two that had one name: only one of them can come back.
    gannet.ok(&["remove", "a"]);
    gannet.ok(&["edit", "d", "--name", "a"]);
    gannet.ok(&["remove", "a"]);
    let both = gannet.run(&["restore", "1", "4"]);
    assert!(
        both.code == Some(2) && both.err.contains("sources 1 and 4 both had the name a"),
        "{both:?}"
    );
}

#[test]
fn a_source_that_comes_back_elsewhere_says_so() {
    let gannet = three();
    gannet.ok(&["remove", "a"]);
    gannet.ok(&["add", "https://example.org/a", "--new"]);
    // It keeps its published path.
    let other = "https://example.org/other";
    gannet.ok(&["edit", "a", "--address", other, "--name", "other"]);
    let back = gannet.run(&["restore", "1"]);
    assert_eq!(back.code, Some(0), "{back:?}");
    assert!(
        back.err
            .contains("example.org/a is another source's published path"),
        "{back:?}"
    );
}

#[test]
fn what_cannot_go_to_the_trash_is_not_said_to_be_there() {
    let origin = Origin::start(true);
    // Zeros would be stored within the catalogue.
    let bytes: Vec<u8> = (0..700_000_u64)
        .flat_map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 7).to_le_bytes())
        .collect();
    origin.on("/large.bin", [Reply::file(bytes)]);
    for in_the_way in ["file", "link"] {
        let gannet = Gannet::trusting(origin.ca_file(), "");
        let address = origin.url("/large.bin");
        gannet.ok(&["add", &address, "--allow-private"]);
        gannet.fetch("large.bin");
        let trash = gannet.data().join("trash");
        match in_the_way {
            "file" => std::fs::write(&trash, "").expect("a file"),
            _ => std::os::unix::fs::symlink("/nowhere/trash", &trash).expect("a link"),
        }
        let purged = gannet.run(&["remove", "large.bin", "--purge", "--yes"]);
        assert_eq!(purged.code, Some(1), "{in_the_way}: {purged:?}");
        assert!(
            purged
                .err
                .contains("1 stored file of more than 1 MiB could not be moved to trash/")
                && !purged.err.contains("trash/ holds"),
            "{in_the_way}: {purged:?}"
        );
        let pass = gannet.run(&["--worker-only"]);
        assert!(
            pass.code == Some(1) && pass.err.contains("trash"),
            "{in_the_way}: {pass:?}"
        );
        let logged = |gannet: &Gannet| -> String {
            let logs = std::fs::read_dir(gannet.data().join("log")).expect("logs");
            logs.flatten()
                .filter_map(|log| std::fs::read_to_string(log.path()).ok())
                .collect()
        };
        assert!(
            !logged(&gannet).contains("moved to the trash"),
            "{in_the_way}"
        );
        std::fs::remove_file(&trash).expect("out of the way");
        gannet.ok(&["--worker-only"]);
        assert!(trash.is_dir(), "{in_the_way}");
        assert!(
            logged(&gannet).contains("moved to the trash"),
            "{in_the_way}"
        );
    }
    // Nothing in the way.
    let gannet = Gannet::trusting(origin.ca_file(), "");
    gannet.ok(&["add", &origin.url("/large.bin"), "--allow-private"]);
    gannet.fetch("large.bin");
    let purged = gannet.run(&["remove", "large.bin", "--purge", "--yes"]);
    assert!(
        purged.code == Some(0) && purged.err.contains("trash/ holds 1 stored file"),
        "{purged:?}"
    );
}
