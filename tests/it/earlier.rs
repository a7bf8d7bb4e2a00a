//! What an earlier judge said, a verdict that should have come by now, a configuration that breaks again: said to whoever looks.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::rig::{Gannet, Home, Origin, Reply, until};

const EARLIER: &str = "judged by an earlier program or definition of";

fn write_script(gannet: &Gannet, name: &str, text: &str) -> String {
    let path = gannet.path(name);
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("a script");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a mode");
    path.display().to_string()
}

/// Sources `a` and `b` of two versions each, judged by programs of their own, and `m`, with its set.
fn home() -> Home {
    let gannet = Home::new("");
    let origin = &gannet.origin;
    let [one, two, whole] =
        ["one", "two", "whole"].map(|name| write_script(&gannet, name, "exit 0"));
    let ca_file = origin.ca_file().display().to_string();
    gannet.configure(&format!(
        "[fetch]\nca_file = {ca_file:?}
         [[verifier]]\nname = \"one\"\nsources = [\"a\"]\ncommand = [{one:?}]
         [[verifier]]\nname = \"two\"\nsources = [\"b\"]\ncommand = [\"/bin/sh\", {two:?}]
         [[verifier]]\nname = \"whole\"\nscope = \"set\"\nsources = [\"tag:eu\"]\ncommand = [{whole:?}]\n"
    ));
    for name in ["a", "b", "m"] {
        origin.on(
            &format!("/{name}"),
            [Reply::file("first"), Reply::file("second")],
        );
        let url = origin.url(&format!("/{name}"));
        let mut add = vec!["add", &url, "1h", "--name", name, "--allow-private"];
        if name == "m" {
            add.extend(["--tag", "eu"]);
        }
        gannet.ok(&add);
    }
    gannet.ok(&["fetch", "*"]);
    gannet.ok(&["fetch", "*"]);
    gannet
}

#[test]
fn a_program_that_was_changed_is_noticed_by_whoever_looks() {
    let gannet = home();
    let saved = gannet.save();
    for (script, all, shown) in [
        (
            "one",
            "one: 2 versions; `gannet verify --stale` judges again",
            [true, false],
        ),
        (
            "two",
            "two: 2 versions; `gannet verify --stale` judges again",
            [false, true],
        ),
        (
            "whole",
            "whole: the set eu; `gannet verify --stale` judges again",
            [false, false],
        ),
    ] {
        gannet.put_back(&saved);
        let check = || gannet.run(&["config", "check"]);
        let is_said_of = |name: &str| gannet.run(&["show", name]).err.contains(EARLIER);
        assert!(!check().out.contains(EARLIER), "{script}: {:?}", check());
        write_script(&gannet, script, "exit 0 # another program");
        let said = check();
        let words = format!("{EARLIER} {all}");
        assert!(said.out.contains(&words), "{script}: {said:#?}");
        assert_eq!(said.code, Some(0), "{script}: {said:#?}");
        assert_eq!(["a", "b"].map(is_said_of), shown, "{script}");
        // Another configuration would not judge again.
        let other = gannet.path("other.toml");
        let toml = fs::read_to_string(gannet.path("config.toml")).expect("TOML");
        fs::write(&other, toml.replace("\"one\"", "\"first\"")).expect("a file");
        let other = other.display().to_string();
        let said = gannet.run(&["--config", &other, "config", "check"]);
        assert!(!said.out.contains(EARLIER), "{script}: {said:#?}");
        gannet.ok(&["verify", "--stale"]);
        assert!(!check().out.contains(EARLIER), "{script}: {:?}", check());
        assert_eq!(["a", "b"].map(is_said_of), [false, false], "{script}");
    }
}

#[test]
fn verdicts_by_hand_are_no_earlier_judges_and_two_programs_stand_in_one_line() {
    let gannet = home();
    gannet.ok(&["verdict", "a", "one", "passed"]);
    for script in ["one", "two", "whole"] {
        write_script(&gannet, script, "exit 0 # another program");
    }
    let said = gannet.run(&["config", "check"]);
    let words = format!("{EARLIER} one, two, whole: 3 versions, the set eu; ");
    assert!(said.out.contains(&words), "{said:#?}");
}

#[test]
fn a_verdict_that_should_have_come_is_failing_before_a_pass_says_so() {
    let origin = Origin::start(true);
    let verifiers =
        "[[verifier]]\nname = \"soon\"\nsources = [\"a\"]\nexternal = true\ndeadline = \"1s\"
        [[verifier]]\nname = \"later\"\nsources = [\"b\"]\nexternal = true\n";
    let gannet = Gannet::trusting(origin.ca_file(), verifiers);
    for name in ["a", "b"] {
        origin.on(&format!("/{name}"), [Reply::file(name)]);
        let url = origin.url(&format!("/{name}"));
        gannet.ok(&["add", &url, "1h", "--name", name, "--allow-private"]);
    }
    gannet.ok(&["fetch", "*"]);
    let failing = || gannet.json(&["list", "--failing", "--json"]);
    until("the deadline is over", || {
        failing().as_array().is_some_and(|list| list.len() == 1)
    });
    let list = failing();
    assert_eq!(list[0]["name"], "a", "{list}");
    assert_eq!(list[0]["verified"], "pending", "{list}");
}

#[test]
fn a_configuration_that_breaks_the_same_way_again_is_an_event_again() {
    let gannet = home();
    let good = fs::read_to_string(gannet.path("config.toml")).expect("TOML");
    let (empty, _) = good.split_once("[[verifier]]").expect("verifiers");
    let count = |action: &str| gannet.ok(&["log"]).matches(action).count();
    for times in 1..4 {
        for turn in ["once", "again"] {
            gannet.configure(empty);
            let said = gannet.run(&["--worker-only"]);
            assert_ne!(said.code, Some(0), "{said:#?}");
            assert_eq!(count("config.rejected"), times, "{turn}");
        }
        for turn in ["once", "again"] {
            gannet.configure(&good);
            gannet.ok(&["--worker-only"]);
            assert_eq!(count("config.reloaded"), times, "{turn}");
        }
    }
}
