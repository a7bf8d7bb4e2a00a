//! What is said when a name fits nothing, or too much; and which sources `list` shows.

use crate::rig::{Gannet, Home, Reply};

fn rig() -> Gannet {
    let gannet = Gannet::new();
    gannet.configure(
        "[[verifier]]\nname = \"legal\"\nsources = [\"*\"]\nexternal = true\n\
         [[verifier]]\nname = \"release\"\nsources = [\"tag:release\"]\nscope = \"set\"\nexternal = true\n\
         [[notify]]\nname = \"mail\"\ncommand = [\"true\"]\n",
    );
    for (name, tag) in [
        ("prices.csv", "eu"),
        ("rates.csv", "eu"),
        ("app.tar", "release"),
    ] {
        gannet.ok(&["add", &format!("https://example.org/{name}"), "--tag", tag]);
    }
    gannet
}

#[test]
fn where_one_source_is_needed_several_are_named() {
    let gannet = rig();
    for (arguments, parts) in [
        (
            ["show", "tag:eu"].as_slice(),
            ["`tag:eu` selects 2 sources", "prices.csv, rates.csv"],
        ),
        (
            &["history", "*.csv"],
            ["`*.csv` selects 2", "prices.csv, rates.csv"],
        ),
        (&["cat", "tag:eu"], ["selects 2 sources", "prices.csv"]),
        (&["log", "--source", "*"], ["selects 3 sources", "app.tar"]),
    ] {
        let said = gannet.run(arguments);
        assert_eq!(said.code, Some(2), "{said:?}");
        for part in parts {
            assert!(said.err.contains(part), "{part}: {said:?}");
        }
    }
    // A pattern that only one source fits names that one.
    assert!(gannet.ok(&["show", "tag:release"]).contains("app.tar"));
    assert!(gannet.ok(&["history", "p*"]).contains("none yet"));
}

#[test]
fn no_name_is_the_address_of_another_source() {
    let gannet = rig();
    let (taken, file) = ("https://example.org/rates.csv", gannet.path("sources.toml"));
    let entry =
        format!("[[source]]\naddress = \"https://example.org/prices.csv\"\nname = \"{taken}\"\n");
    std::fs::write(&file, entry).expect("written");
    let file = file.display().to_string();
    let later = "https://example.org/later";
    gannet.ok(&["add", "https://example.org/gone", "--name", later]);
    let said = gannet.run(&["add", later]);
    assert_ne!(said.code, Some(0), "{said:?}");
    gannet.ok(&["remove", later, "--yes"]);
    gannet.ok(&["add", later]);
    for arguments in [
        &["edit", "prices.csv", "--name", taken][..],
        &["apply", &file],
        &["add", "https://example.org/x", "--name", taken],
        &["restore", "4"],
    ] {
        let said = gannet.run(arguments);
        assert_ne!(said.code, Some(0), "{arguments:?}: {said:?}");
        let shown = gannet.ok(&["show", taken]);
        assert!(shown.contains("rates.csv"), "{arguments:?}: {shown}");
        gannet.source("prices.csv");
    }
    // Its own address may be its name.
    gannet.ok(&["edit", "rates.csv", "--name", taken]);
    gannet.ok(&["edit", taken, "--name", "rates.csv"]);
}

#[test]
fn a_slip_of_the_fingers_is_offered_what_was_meant() {
    let gannet = rig();
    for (arguments, meant) in [
        (["cat", "prices"].as_slice(), "did you mean prices.csv?"),
        (&["show", "Prices.csv"], "did you mean prices.csv?"),
        (&["fetch", "rates.cvs"], "did you mean rates.csv?"),
        (&["fetch", "set:release"], "its sources are tag:release"),
        (&["verdict", "prices.csv", "lgal", "passed"], "no version"),
        (&["notify", "test", "mial"], "did you mean mail?"),
        (&["show", "set:relase"], "did you mean release?"),
        (&["verify", "set:relase"], "did you mean release?"),
        (
            &["verdict", "set:relase", "release", "passed"],
            "did you mean release?",
        ),
        (&["verdicts", "set:relase"], "did you mean release?"),
        (&["verdicts", "--verifier", "lgal"], "did you mean legal?"),
        (
            &["verdicts", "--verifier", "Release", "--json"],
            "did you mean release?",
        ),
        (
            &["verdicts", "prices.csv", "--verifier", "nobody"],
            "config show --policy",
        ),
        (&["list", "tag:ue"], "no source has this tag"),
        (&["list", "tag:releas"], "did you mean tag:release?"),
        (&["fetch", "tag:EU"], "did you mean tag:eu?"),
        (&["verify", "tag:relaese"], "did you mean tag:release?"),
        (
            &["log", "--source", "tag:releas"],
            "did you mean tag:release?",
        ),
        (
            &["log", "--source", "prices.cvs"],
            "did you mean prices.csv?",
        ),
        (
            &["edit", "tag:releas", "--interval", "2h"],
            "did you mean tag:release?",
        ),
        (
            &["remove", "tag:releas", "--yes"],
            "did you mean tag:release?",
        ),
        (
            &["export", "/nowhere/x", "tag:releas"],
            "did you mean tag:release?",
        ),
    ] {
        let said = gannet.run(arguments);
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains(meant), "{arguments:?}: {said:?}");
    }
    // A verifier that is declared and gave no verdict yet, and a set without an edition, are no slips.
    for arguments in [
        ["verdicts", "--verifier", "legal"].as_slice(),
        &["verdicts", "set:release"],
    ] {
        let said = gannet.run(arguments);
        assert!(
            said.code == Some(0) && said.err.contains("no verdict matches"),
            "{said:?}"
        );
    }
}

#[test]
fn filters_that_do_not_combine_are_both_named() {
    let gannet = rig();
    for (arguments, names) in [
        (["list", "--removed", "--due"], ["--removed", "--due"]),
        (["list", "--sets", "--failing"], ["--sets", "--failing"]),
        (["list", "--sets", "--due"], ["--sets", "--due"]),
        (["list", "--sets", "--state=ok"], ["--sets", "--state"]),
        (["list", "--json", "--csv"], ["--json", "--csv"]),
    ] {
        let said = gannet.run(&arguments);
        assert_eq!(said.code, Some(2), "{said:?}");
        let message = said.err.lines().next().unwrap_or_default();
        assert!(message.contains("cannot be used with"), "{said:?}");
        assert!(names.iter().all(|name| message.contains(name)), "{said:?}");
    }
}

#[test]
fn list_shows_what_every_filter_lets_through() {
    let gannet =
        Home::new("[[verifier]]\nname = \"json\"\nsources = [\"*\"]\nbuiltin = \"json\"\n");
    let origin = &gannet.origin;
    origin.on("/good", [Reply::file("{}")]);
    origin.on("/bad", [Reply::file("no")]);
    origin.on("/down", [Reply::status(404)]);
    for name in ["good", "bad", "down", "never", "off", "gone"] {
        let address = origin.url(&format!("/{name}"));
        gannet.ok(&[
            "add",
            &address,
            "--allow-private",
            "--name",
            name,
            "--tag",
            "t",
        ]);
    }
    for name in ["good", "bad", "down"] {
        gannet.fetch(name);
    }
    gannet.ok(&["disable", "off"]);
    gannet.ok(&["remove", "gone"]);
    for (arguments, expected) in [
        (&["--failing"][..], &["bad", "down"][..]),
        (&["--state", "fail"], &["bad"]),
        (&["--state", "FAIL,never"], &["bad", "never"]),
        (&["--state", "Down"], &["down"]),
        (&["--state", "UNPUB,SETFAIL"], &[]),
        (&["--state", "unpub,set-fail,unpublished"], &[]),
        (&["--state", "off", "--state", "new"], &["good", "off"]),
        (&["--due"], &["never"]),
        (&["--failing", "--due"], &[]),
        (&["--failing", "d*"], &["down"]),
        (&["--removed"], &["gone"]),
        (&["--removed", "--failing"], &[]),
    ] {
        let list = gannet.json(&[&["list", "--json"], arguments].concat());
        let names: Vec<_> = list.as_array().expect("a list").iter().collect();
        let names: Vec<_> = names
            .iter()
            .filter_map(|one| one["name"].as_str())
            .collect();
        assert_eq!(names, expected, "{arguments:?}");
    }
    for (arguments, words) in [
        (
            &["--failing", "good"][..],
            "none of these sources is failing\n",
        ),
        (
            &["--state", "UNPUB", "--state", "pending"],
            "no source is UNPUB or pending\n",
        ),
        (&["--due", "--state", "FAIL"], "no source is FAIL and due\n"),
        (
            &["--removed", "--failing"],
            "no source is removed and failing\n",
        ),
    ] {
        let said = gannet.run(&[&["list"], arguments].concat());
        assert_eq!((said.code, said.err.as_str()), (Some(0), words), "{said:?}");
    }
    let wrong = gannet.run(&["list", "--state", "broken"]);
    assert!(
        wrong.code == Some(2) && wrong.err.contains("never"),
        "{wrong:?}"
    );
    assert!(
        gannet
            .ok(&["list", "--help"])
            .contains("the last fetches failed")
    );
    let help = gannet.ok(&["list", "--help"]);
    let words = ["FAIL", "UNPUB", "SETFAIL", "error"];
    let is_explained = |word: &&str| {
        help.lines()
            .any(|line| line.split_whitespace().next() == Some(*word))
    };
    assert!(words.iter().all(is_explained), "{help}");
    let removed = gannet.run(&["remove", "*", "--yes"]);
    assert!(removed.err.contains("gannet list --removed"), "{removed:?}");
    let none = gannet.run(&["list"]).err;
    assert_eq!(
        none,
        "no sources: gannet add URL; 6 sources removed: gannet list --removed\n"
    );
}

#[test]
fn a_filter_of_words_shows_what_matches_all_of_them() {
    let gannet = rig();
    gannet.ok(&["interval", "prices.csv", "2h"]);
    gannet.ok(&["disable", "app.tar"]);
    gannet.ok(&["remove", "rates.csv", "--yes"]);
    gannet.ok(&[
        "add",
        "https://files.example.net/rates 2.csv",
        "--name",
        "rates 2",
    ]);
    let names = |arguments: &[&str]| -> Vec<String> {
        let listed = gannet.json(&[&["list", "--json"], arguments].concat());
        let listed = listed.as_array().expect("an array").iter();
        let name = |one: &serde_json::Value| one["name"].as_str().map(str::to_owned);
        listed.filter_map(name).collect()
    };
    for (filter, expected) in [
        ("", &["app.tar", "prices.csv", "rates 2"] as &[_]),
        ("tag:eu", &["prices.csv"]),
        ("!tag:e*", &["app.tar", "rates 2"]),
        ("host:*.net", &["rates 2"]),
        ("\"rates 2\"", &["rates 2"]),
        ("interval:<1d", &["prices.csv"]),
        ("state:off", &["app.tar"]),
        ("state:removed", &["rates.csv"]),
        ("verifier:legal", &["app.tar", "prices.csv", "rates 2"]),
        ("verifier:release", &["app.tar"]),
        ("due:now EXAMPLE", &["prices.csv", "rates 2"]),
        ("changed:>1m", &[]),
        ("!changed:>1m is:off", &["app.tar"]),
        ("is:failing", &[]),
        (
            "!is:failing !is:published ~^[pr]",
            &["prices.csv", "rates 2"],
        ),
    ] {
        assert_eq!(names(&["--filter", filter]), expected, "{filter}");
    }
    // With the other filters and with sources, all must hold.
    assert_eq!(names(&["--due", "--filter", "!tag:eu"]), ["rates 2"]);
    assert_eq!(
        names(&["tag:eu", "--filter", "interval:2h"]),
        ["prices.csv"]
    );
    assert_eq!(names(&["--removed", "--filter", "tag:eu"]), ["rates.csv"]);
    let none = gannet.run(&["list", "--due", "--filter", "is:off"]);
    assert!(
        none.err.contains("no source is due and matches `is:off`"),
        "{none:?}"
    );
    let wrong = gannet.run(&["list", "--filter", "stat:off"]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    assert!(wrong.err.contains("did you mean `state`?"), "{wrong:?}");
    assert_eq!(
        gannet.run(&["list", "--sets", "--filter", "a"]).code,
        Some(2)
    );
}
