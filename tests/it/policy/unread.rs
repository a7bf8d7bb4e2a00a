//! A configuration that cannot be parsed keeps nobody from reading, wherever its data folder is said to be.

use std::fs;
use std::process::Command;

use crate::rig::{Gannet, Said, said};

const VERIFIER: &str = "[[verifier]]\nname = \"json\"\nsources = [\"*\"]\nbuiltin = \"json\"\n";
const MAY_NAME: &str = "this file may name another data folder: the default one is read, ";

/// Runs the program by the configuration and the data folder of its account, and by no variable.
fn plain(gannet: &Gannet, arguments: &[&str], more: impl Fn(&mut Command)) -> Said {
    let mut command = gannet.command(arguments);
    command
        .env_remove("GANNET_CONFIG")
        .env_remove("GANNET_DATA_DIR");
    more(&mut command);
    said(&command.output().expect("gannet runs"))
}

/// A home whose configuration and catalogue are at their default places.
fn home() -> Gannet {
    let gannet = Gannet::new();
    fs::create_dir_all(gannet.path(".config/gannet")).expect("a folder");
    fs::write(gannet.path(".config/gannet/config.toml"), VERIFIER).expect("a file");
    let added = plain(&gannet, &["add", "https://example.org/a"], |_| {});
    assert_eq!(added.code, Some(0), "{added:#?}");
    gannet
}

#[test]
fn what_cannot_be_parsed_keeps_nobody_from_reading() {
    let gannet = home();
    let file = gannet.path(".config/gannet/config.toml");
    let folder = gannet.path(".local/share/gannet");
    let folder = folder.display().to_string();
    let no_text = b"[fetch]\nuser_agent = \"\xff\"\n";
    for (broken, may_name) in [
        (format!("{VERIFIER}xx = [\n").as_bytes(), false),
        (format!("{VERIFIER}[[verifier\n").as_bytes(), false),
        (b"data_dir = \"/elsewhere\"\nxx = [\n", true),
        (b"data_dir = 5\n", true),
        (no_text, true),
    ] {
        fs::write(&file, broken).expect("a configuration");
        let case = String::from_utf8_lossy(broken);
        for reading in [
            &["list"][..],
            &["show", "a"],
            &["log"],
            &["history", "a"],
            &["dump"],
            &["verdicts"],
            &["config", "show"],
        ] {
            let by_default = plain(&gannet, reading, |_| {});
            let by_variable = plain(&gannet, reading, |command| {
                command.env("GANNET_DATA_DIR", &folder);
            });
            let by_option = plain(
                &gannet,
                &[reading, &["--data-dir", &folder]].concat(),
                |_| {},
            );
            for (said, is_known) in [
                (&by_default, false),
                (&by_variable, true),
                (&by_option, true),
            ] {
                assert_eq!(said.code, Some(0), "{case} {reading:?}: {said:#?}");
                let begin = "warning: the configuration cannot be used: reading goes on, ";
                assert!(said.err.starts_with(begin), "{case} {reading:?}: {said:#?}");
                assert!(
                    said.err.contains(&file.display().to_string()),
                    "{case}: {said:#?}"
                );
                let is_told = said.err.contains(&format!("{MAY_NAME}{folder}\n"));
                assert_eq!(
                    is_told,
                    may_name && !is_known,
                    "{case} {reading:?}: {said:#?}"
                );
            }
        }
        for changing in [
            &["--worker-only"][..],
            &["fetch", "a"],
            &["edit", "a", "--tag", "t"],
            &["config", "adopt"],
            &["config", "check"],
        ] {
            let said = plain(&gannet, changing, |_| {});
            assert_eq!(said.code, Some(2), "{case} {changing:?}: {said:#?}");
            assert!(said.err.contains("config.toml"), "{case}: {said:#?}");
        }
    }
    fs::write(&file, VERIFIER).expect("a configuration");
    let list = plain(&gannet, &["list", "--json"], |_| {});
    assert!(
        list.err.is_empty() && !list.out.contains("\"t\""),
        "{list:#?}"
    );
}

/// Where the default data folder holds no catalogue, the file named another: its mistake is what has to be mended.
#[test]
fn without_a_catalogue_in_the_default_folder_the_mistake_is_the_error() {
    for (broken, code, words) in [
        ("data_dir = \"/elsewhere\"\nxx = [\n", 2, "config.toml:2: "),
        ("data_dir = 5\n", 2, "config.toml:1: "),
        ("xx = [\n", 3, "no catalogue in "),
    ] {
        let gannet = Gannet::new();
        fs::create_dir_all(gannet.path(".config/gannet")).expect("a folder");
        fs::write(gannet.path(".config/gannet/config.toml"), broken).expect("a file");
        let list = plain(&gannet, &["list"], |_| {});
        assert_eq!(list.code, Some(code), "{broken}: {list:#?}");
        assert!(list.err.contains(words), "{broken}: {list:#?}");
    }
}
