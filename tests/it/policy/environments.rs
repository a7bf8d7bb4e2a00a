//! One configuration file is one policy, whatever environment, working folder and spelling of its path a process has.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use super::{Scene, verifier};
use crate::rig::Reply;

fn program(path: &Path, text: &str) {
    let folder = path.parent().expect("a folder");
    fs::create_dir_all(folder).expect("a folder");
    fs::write(path, format!("#!/bin/sh\n{text}\n")).expect("a program");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a mode");
}

/// Changes what a process is given.
type Change = Box<dyn Fn(&mut Command)>;

fn set(name: &'static str, value: String) -> Change {
    Box::new(move |command| {
        command.env(name, &value);
    })
}

fn unset(name: &'static str) -> Change {
    Box::new(move |command| {
        command.env_remove(name);
    })
}

/// The callers of one file: a shell, cron, a colleague with other programs, and so on.
fn callers(rig: &Scene) -> Vec<(&'static str, Change)> {
    let path = |relative: &str| rig.path(relative).display().to_string();
    let linked = path("linked/config.toml");
    let dotted = path("real/../config.toml");
    let home = rig.path("");
    vec![
        ("as before", Box::new(|_: &mut Command| {}) as Change),
        (
            "a crontab's PATH",
            set("PATH", "/sbin:/bin:/usr/sbin:/usr/bin".to_owned()),
        ),
        ("no PATH", unset("PATH")),
        ("an empty PATH", set("PATH", String::new())),
        (
            "good programs first",
            set("PATH", format!("{}:/bin", path("good"))),
        ),
        (
            "lax programs first",
            set("PATH", format!("{}:/usr/bin", path("lax"))),
        ),
        ("another home", set("HOME", path("lax"))),
        ("no home", unset("HOME")),
        ("another zone", set("TZ", "Asia/Tokyo".to_owned())),
        ("another language", set("LC_ALL", "tr_TR.UTF-8".to_owned())),
        ("another name", set("USER", "somebody".to_owned())),
        (
            "a secret",
            set("HOOK", "https://other.example.org/check".to_owned()),
        ),
        (
            "another working folder",
            Box::new(|command: &mut Command| {
                command.current_dir("/");
            }),
        ),
        (
            "a relative name of the file",
            Box::new(move |command: &mut Command| {
                command
                    .current_dir(&home)
                    .env("GANNET_CONFIG", "./config.toml");
            }),
        ),
        (
            "a name of the file through a link",
            set("GANNET_CONFIG", linked),
        ),
        (
            "a name of the file through a folder",
            set("GANNET_CONFIG", dotted),
        ),
    ]
}

#[test]
fn one_file_is_one_policy_for_every_caller() {
    for command in [
        r#"command = ["sh", "-c", "exit 0"]"#,
        r#"command = ["gannet-check-feed", "{path}"]"#,
        r#"command = ["./real/check", "{path}"]"#,
        r#"command = ["~/check", "{path}"]"#,
        r#"http = "${HOOK}""#,
        "builtin = \"json\"\nschema = \"real/schema.json\"",
        r#"builtin = "fresh"
max_age = "3d""#,
    ] {
        let rig = Scene::new([Reply::file("{}")]);
        for (folder, code) in [("good", 1), ("lax", 0)] {
            let check = rig.path(folder).join("gannet-check-feed");
            program(&check, &format!("exit {code}"));
            // A shell of theirs is none.
            program(&rig.path(folder).join("sh"), "exit 0");
        }
        program(&rig.path("real/check"), "exit 0");
        fs::write(rig.path("real/schema.json"), "{}").expect("a schema");
        symlink(".", rig.path("linked")).expect("a link");
        rig.write_config("config.toml", &verifier("v", command));
        rig.ok(&["config", "adopt"]);
        let adopted = |rig: &Scene| {
            let actions = rig.actions();
            actions
                .iter()
                .filter(|one| *one == "policy.adopted")
                .count()
        };
        let before = adopted(&rig);
        for (caller, change) in callers(&rig) {
            for arguments in [&["list"][..], &["config", "adopt"]] {
                let mut command_line = rig.command(arguments);
                change(&mut command_line);
                let said = crate::rig::said(&command_line.output().expect("gannet runs"));
                assert_eq!(said.code, Some(0), "{command}, {caller}: {said:#?}");
                assert!(said.err.is_empty(), "{command}, {caller}: {said:#?}");
                let is_adopting = arguments[0] == "config";
                let is_same = said.out.contains("in force already");
                assert_eq!(is_same, is_adopting, "{command}, {caller}: {said:#?}");
            }
        }
        assert_eq!(adopted(&rig), before, "{command}");
    }
}

#[test]
fn a_program_that_only_the_callers_path_has_judges_nothing_and_is_told_with_its_place() {
    let rig = Scene::new(["1", "2", "3"].map(Reply::file));
    rig.write_config(
        "config.toml",
        &verifier("feed", r#"command = ["gannet-check-feed", "{path}"]"#),
    );
    let lax = rig.path("lax/gannet-check-feed");
    program(&lax, "exit 0");
    let path = format!("{}:/usr/bin:/bin", rig.path("lax").display());
    let looked = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    let whole = format!("give the whole path, `{}`", lax.display());
    for arguments in [
        &["config", "check"][..],
        &["fetch", "x.json"],
        &["verify", "x.json"],
    ] {
        let said = rig.command(arguments).env("PATH", &path).output();
        let said = crate::rig::said(&said.expect("gannet runs"));
        let all = format!("{}{}", said.out, said.err);
        assert_eq!(said.code, Some(1), "{arguments:?}: {all}");
        assert!(all.contains(looked) && all.contains(&whole), "{all}");
    }
    assert_eq!((rig.state().as_str(), rig.published()), ("error", None));
    // By its whole path it judges, for every caller.
    let command = format!("command = [{:?}, \"{{path}}\"]", lax.display().to_string());
    rig.write_config("config.toml", &verifier("feed", &command));
    rig.ok(&["verify", "x.json"]);
    assert_eq!(rig.state(), "passed");
}
