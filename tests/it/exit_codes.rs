//! One rule for what ends with 1: what failed or could not be judged. A version that waits for a verdict is no failure.

use std::fs::File;

use crate::rig::{Gannet, Home, said};

const FAILS: &str = "command = [\"false\"]";
const PASSES: &str = "command = [\"true\"]";
const CANNOT: &str = "command = [\"sh\", \"-c\", \"exit 7\"]";
const WAITS: &str = "external = true";

fn verifiers(of: &[&str]) -> String {
    let of = of.iter().enumerate();
    let tables: Vec<String> = of
        .map(|(number, what)| {
            format!("[[verifier]]\nname = \"v{number}\"\nsources = [\"*\"]\n{what}\n")
        })
        .collect();
    tables.concat()
}

#[test]
fn a_version_that_waits_is_no_failure_whoever_judges_it() {
    let gannet = Home::new("").with_member("x", &["eu"], ["1"]);
    let added = gannet.save();
    gannet.ok(&["fetch", "x"]);
    let fetched = gannet.save();
    let advisory = format!("{CANNOT}\nadvisory = true");
    let set = "scope = \"set\"\nexternal = true".to_owned();
    for (of, state, code) in [
        (vec![PASSES], "passed", 0),
        (vec![WAITS], "pending", 0),
        (vec![PASSES, WAITS], "pending", 0),
        (vec![WAITS, &advisory], "pending", 0),
        (vec![PASSES, &set], "passed", 0),
        (vec![FAILS], "failed", 1),
        (vec![FAILS, WAITS], "failed", 1),
        (vec![CANNOT], "error", 1),
        // Nobody should have to wait for the one verdict to learn of the other.
        (vec![CANNOT, WAITS], "pending", 1),
    ] {
        let text = verifiers(&of).replace("[\"*\"]\nscope", "[\"tag:eu\"]\nscope");
        for (begun, arguments) in [
            (&added, &["fetch", "x"][..]),
            (&added, &["--worker-only"]),
            (&fetched, &["verify", "x"]),
            (&fetched, &["verify", "--stale"]),
            (&fetched, &["verify", "--stale", "x"]),
        ] {
            gannet.put_back(begun);
            gannet.write_config("config.toml", &text);
            let said = gannet.run(arguments);
            assert_eq!(gannet.source("x")["verified"], state, "{of:?}: {said:#?}");
            assert_eq!(said.code, Some(code), "{of:?} {arguments:?}: {said:#?}");
        }
    }
}

/// A text that was asked for and cannot be written is an error, of whatever command it is.
#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_written_is_no_good_end() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/a"]);
    for arguments in [
        &["--help"][..],
        &["--version"],
        &["list", "--help"],
        &["help"],
        &["help", "verifiers"],
        &["list"],
        &["config", "template"],
        &["completions", "bash"],
    ] {
        let full = File::options()
            .write(true)
            .open("/dev/full")
            .expect("a device");
        let mut command = gannet.command(arguments);
        let said = said(&command.stdout(full).output().expect("gannet runs"));
        assert_eq!(said.code, Some(3), "{arguments:?}: {said:#?}");
        assert!(
            said.err.contains("cannot write the output"),
            "{arguments:?}: {said:#?}"
        );
        assert!(!gannet.ok(arguments).is_empty(), "{arguments:?}");
    }
}
