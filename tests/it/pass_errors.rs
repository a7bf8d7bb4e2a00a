//! `--json` of a pass: the object is printed whatever failed, and names the error.

use std::fs;

use serde_json::Value;

use crate::rig::{Gannet, Home, in_mount_namespace};

const PASSES: [&[&str]; 4] = [
    &["--worker-only", "--json"],
    &["fetch", "a", "--json"],
    &["fetch", "*", "--json"],
    &["fetch", "*", "--whole", "--json"],
];

fn home() -> Home {
    Home::new("").with_source("a", ["1"]).fetched(&["a"])
}

/// Checks that each pass prints its object, with the error that stands on stderr.
fn assert_object(gannet: &Gannet, code: i32, words: &str) {
    for arguments in PASSES {
        let said = gannet.run(arguments);
        let case = format!("{words} {arguments:?}: {said:#?}");
        assert_eq!(said.code, Some(code), "{case}");
        let pass: Value = serde_json::from_str(&said.out).expect(&case);
        let error = pass["error"].as_str().unwrap_or_default();
        assert!(error.contains(words), "{case}");
        assert!(
            said.err.contains(error.lines().next().expect("a line")),
            "{case}"
        );
        for key in ["sources", "sets", "failing_sets", "not_published"] {
            assert!(pass[key].is_array(), "{key}: {case}");
        }
        assert!(pass["attempts"].is_u64(), "{case}");
    }
}

#[test]
fn an_error_before_the_pass_has_an_object() {
    let gannet = home();
    let begun = gannet.save();
    let config = fs::read_to_string(gannet.path("config.toml")).expect("a file");
    for (spoil, code, words) in [
        ("archive", 3, "cannot read "),
        ("foreign", 3, "belongs to another archive"),
        ("catalogue", 3, "not an SQLite database"),
        ("gone", 3, "no catalogue in "),
        ("config", 2, "config.toml"),
    ] {
        gannet.put_back(&begun);
        match spoil {
            "archive" => fs::write(gannet.data().join("archive-id"), "no mark").expect("a file"),
            "foreign" => {
                let mark = format!("{} 1\n", "ab".repeat(16));
                fs::write(gannet.data().join("archive-id"), mark).expect("a file");
            }
            "catalogue" => {
                fs::write(
                    gannet.data().join("gannet.db"),
                    "no database, of any kind".repeat(40),
                )
                .expect("a file");
            }
            "gone" => fs::remove_dir_all(gannet.data()).expect("removed"),
            _ => gannet.configure(&format!("{config}\nxx = [\n")),
        }
        assert_object(&gannet, code, words);
        gannet.configure(&config);
    }
}

#[test]
fn a_source_that_is_not_there_and_a_runtime_that_cannot_start_have_an_object() {
    let gannet = home();
    for (limit, arguments, code) in [
        (1024, &["fetch", "b", "--json"][..], 2),
        (7, &["fetch", "a", "--json"], 3),
        (7, &["--worker-only", "--json"], 3),
    ] {
        let mut command = gannet.command(arguments);
        let program = command.get_program().to_owned();
        let mut limited = std::process::Command::new("prlimit");
        limited
            .arg(format!("--nofile={limit}"))
            .arg(program)
            .args(arguments)
            .env_clear();
        let variables = command.stdin(std::process::Stdio::null()).get_envs();
        limited.envs(variables.filter_map(|(name, value)| Some((name, value?))));
        let said = crate::rig::said(&limited.output().expect("prlimit runs"));
        assert_eq!(said.code, Some(code), "{limit} {arguments:?}: {said:#?}");
        let pass: Value = serde_json::from_str(&said.out).expect("JSON");
        assert!(pass["error"].is_string(), "{pass}");
    }
}

#[test]
fn a_disk_that_cannot_be_written_has_an_object() {
    let read_only = "mount --bind \"$data\" \"$data\"; mount -o remount,bind,ro \"$data\"";
    let full = "rm \"$data/reserve\"; cp -a \"$data\" \"$HOME/copy\"; mount -t tmpfs -o size=3m,mode=700 none \"$data\"
        cp -a \"$HOME/copy/.\" \"$data\"; cat /dev/zero >\"$data/fill\" 2>/dev/null || true";
    for mount in [read_only, full] {
        let gannet = home();
        let script =
            format!("{mount}\n\"$gannet\" fetch a --json >\"$HOME/pass.json\" || echo \"code $?\"");
        let Some(said) = in_mount_namespace(&gannet, &script) else {
            return;
        };
        assert_eq!(said.out, "code 3\n", "{mount}: {said:#?}");
        let pass = fs::read_to_string(gannet.path("pass.json")).expect("a file");
        let pass: Value = serde_json::from_str(&pass).expect("JSON");
        assert!(pass["error"].is_string(), "{mount}: {pass}");
    }
}
