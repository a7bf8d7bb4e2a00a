//! What is said of an adoption, of a configuration that cannot be used, and of what counts otherwise since.

use std::fs;

use super::{Scene, json_verifier, verifier};
use crate::rig::Reply;

const AGAIN: &str = "until they are judged again: `gannet verify --stale`";

#[test]
fn an_adoption_asks_for_judging_again_only_where_something_is_stale() {
    let text = verifier("text", "builtin = \"utf8\"");
    let both = json_verifier() + &text;
    let other_order = text.clone() + &json_verifier();
    for (edited, arguments, changes, asks) in [
        (
            &other_order,
            &["config", "adopt"][..],
            "the same verifiers",
            false,
        ),
        (
            &other_order,
            &["edit", "x.json", "--tag", "a"],
            "the same verifiers",
            false,
        ),
        (
            &other_order,
            &["verify", "--stale"],
            "the same verifiers",
            false,
        ),
        (&text, &["config", "adopt"], "removed json", true),
        (
            &text,
            &["edit", "x.json", "--tag", "a"],
            "removed json",
            true,
        ),
        // It does what it would ask for.
        (&text, &["verify", "--stale"], "removed json", false),
    ] {
        let rig = Scene::new([Reply::file("{}")]);
        rig.write_config("config.toml", &both);
        rig.fetch("x.json");
        rig.write_config("config.toml", edited);
        let said = rig.run(arguments);
        let said = said.out + &said.err;
        let adopted = said.lines().find(|line| line.contains("adopted from"));
        let adopted = adopted.unwrap_or_else(|| panic!("{arguments:?}: {said}"));
        assert!(adopted.contains(changes), "{arguments:?}: {adopted}");
        let last = said.lines().rfind(|line| line.contains(AGAIN));
        assert_eq!(last.is_some(), asks, "{arguments:?}: {said}");
        let longest = said.lines().map(str::len).max().unwrap_or_default();
        assert!(longest < 200, "{said}");
    }
}

#[test]
fn what_follows_from_mistakes_stands_before_them() {
    for (mistakes, lines) in [
        ("nmae = 1\n", 1),
        ("nmae = 1\ncolour = 2\n[fetch]\nx = 3\n", 3),
    ] {
        let rig = Scene::new([Reply::file("{}")]);
        rig.ok(&["config", "adopt"]);
        fs::write(rig.path("config.toml"), mistakes).expect("a configuration");
        let list = rig.run(&["list"]);
        let said: Vec<_> = list.err.lines().collect();
        assert_eq!(
            said[0],
            "warning: the configuration cannot be used: reading goes on, with it nothing is fetched, judged or published",
            "{list:#?}"
        );
        assert_eq!(said.len(), 1 + lines, "{list:#?}");
        assert!(said[1].contains("config.toml:1: "), "{list:#?}");
    }
}

#[test]
fn every_verifier_that_failed_a_version_is_named() {
    let size = verifier("size", "builtin = \"size\"\nmin = \"1KiB\"");
    let hint = verifier("hint", "builtin = \"xml\"");
    for (verifiers, named) in [
        (json_verifier(), &["json: "][..]),
        (json_verifier() + &size, &["json: ", "size: "]),
        (
            size.clone() + &json_verifier() + &hint,
            &["size: ", "json: ", "hint: "],
        ),
    ] {
        let rig = Scene::new([Reply::file("no JSON")]);
        rig.write_config("config.toml", &verifiers);
        let fetched = rig.run(&["fetch", "x.json"]);
        let line = fetched.out.split("WHY").nth(1).unwrap_or_default();
        let at: Vec<_> = named.iter().map(|name| line.find(name)).collect();
        assert!(at.iter().all(Option::is_some), "{named:?}: {fetched:#?}");
        assert!(at.is_sorted(), "{named:?}: {fetched:#?}");
    }
}

#[test]
fn what_fails_as_before_is_named() {
    let rig = Scene::new([Reply::file("no JSON")]);
    rig.write_config("config.toml", &json_verifier());
    rig.run(&["fetch", "x.json"]);
    let failing = rig.ok(&["list", "--failing"]);
    assert!(
        failing.contains("  WHY\n") && failing.contains("  json: not JSON"),
        "{failing}"
    );
    let stricter = verifier("json", "builtin = \"json\"\nduplicates = \"refuse\"");
    rig.write_config("config.toml", &stricter);
    let said = rig.run(&["verify", "--stale"]);
    assert_eq!(said.code, Some(1), "{said:#?}");
    assert!(
        said.out
            .ends_with("\nnot good, as before: v1 of x.json (failed)\n"),
        "{said:#?}"
    );
}

/// What only advised is required now: nobody is asked again, and why it fails is said all the same.
#[test]
fn why_something_fails_that_nobody_judged_again_is_said() {
    let set = "[[verifier]]\nname = \"json\"\nscope = \"set\"\nsources = [\"tag:eu\"]\ncommand = [\"sh\", \"-c\", \"echo no good; exit 1\"]\n";
    let one = verifier(
        "json",
        "command = [\"sh\", \"-c\", \"echo no good; exit 1\"]",
    );
    for (verifier, what) in [
        (one.as_str(), "v1 of x.json"),
        (set, "edition 1 of the set eu"),
    ] {
        let rig = Scene::new([Reply::file("{}")]);
        rig.write_config("config.toml", &format!("{verifier}advisory = true\n"));
        rig.ok(&["edit", "x.json", "--tag", "eu"]);
        rig.ok(&["fetch", "x.json"]);
        rig.write_config("config.toml", verifier);
        let said = rig.run(&["verify", "--stale"]);
        assert_eq!(said.code, Some(1), "{said:#?}");
        let expected = format!("{what}: failed\n  json failed: no good\n");
        assert!(said.out.contains(&expected), "{said:#?}");
    }
}
