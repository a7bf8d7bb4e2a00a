//! Limits of this process, on its open files and on the size of a file: the program works, or says which one it met.

use std::process::Command;

use serde_json::Value;

use crate::rig::{Gannet, Home, Reply, Said, said};

/// Runs the program under a limit that `prlimit` sets.
fn limited(gannet: &Gannet, limit: &str, arguments: &[&str]) -> Said {
    let template = gannet.command(arguments);
    let mut command = Command::new("prlimit");
    command.arg(limit).arg(template.get_program());
    command.args(template.get_args()).env_clear();
    let variables = template.get_envs();
    command.envs(variables.filter_map(|(name, value)| Some((name, value?))));
    said(&command.output().expect("prlimit runs"))
}

/// Bytes that no compression makes smaller.
fn noise(length: u32) -> Vec<u8> {
    let bytes =
        (0..length / 4).flat_map(|n| n.wrapping_mul(n).wrapping_mul(2_654_435_761).to_le_bytes());
    bytes.collect()
}

#[test]
fn with_few_open_files_no_command_breaks_down() {
    let gannet = Home::new("").with_source("a", ["1"]).fetched(&["a"]);
    for most in 4..24 {
        for arguments in [
            &["list"][..],
            &["fetch", "a"],
            &["--worker-only"],
            &["cat", "a"],
        ] {
            let said = limited(&gannet, &format!("--nofile={most}"), arguments);
            let case = format!("{most} files, {arguments:?}: {said:#?}");
            assert!(!said.err.contains("panicked"), "{case}");
            let is_told = matches!(said.code, Some(1 | 3)) && !said.err.is_empty();
            assert!(said.code == Some(0) || is_told, "{case}");
            // What cannot be opened for now is not damaged.
            assert!(!said.err.contains("adopt-archive"), "{case}");
            // Too few to begin with.
            let begins = most > 10 || said.err.contains("as many files open as it may");
            assert!(
                begins || said.err.contains("error while loading shared libraries"),
                "{case}"
            );
        }
    }
}

#[test]
fn a_file_beyond_the_allowed_size_is_told_and_spoils_no_other() {
    let gannet = Home::new("")
        .with_source("large", [Reply::file(noise(3 << 20))])
        .with_source("small", ["1"]);
    for (most, code) in [(2_000_000, 1), (600_000, 1), (3 << 20, 0)] {
        let begun = gannet.save();
        let said = limited(
            &gannet,
            &format!("--fsize={most}"),
            &["--worker-only", "--json"],
        );
        let case = format!("{most}: {said:#?}");
        assert_eq!(said.code, Some(code), "{case}");
        let why =
            format!("this process may make no file larger than {most} bytes: raise its limit");
        assert_eq!(said.err.contains(&why), code == 1, "{case}");
        let pass: Value = serde_json::from_str(&said.out).expect(&case);
        assert_eq!(pass["failed"], 0, "{case}");
        assert_eq!(gannet.content("small").as_deref(), Some("1"), "{case}");
        assert_eq!(gannet.events("pass.finished").len(), 1, "{case}");
        assert_eq!(gannet.pass().code, Some(0), "{case}");
        assert!(gannet.file("large").exists(), "{case}");
        gannet.put_back(&begun);
    }
}

/// The catalogue itself may be the file that cannot grow.
#[test]
fn a_catalogue_beyond_the_allowed_size_names_the_limit() {
    let gannet = Home::new("").with_source("a", [Reply::file(noise(200_000))]);
    for arguments in [&["--worker-only", "--json"][..], &["fetch", "a", "--json"]] {
        let size = std::fs::metadata(gannet.data().join("gannet.db"))
            .expect("a catalogue")
            .len();
        let most = format!("--fsize={}", size.min(100_000));
        let said = limited(&gannet, &most, arguments);
        assert_eq!(said.code, Some(3), "{said:#?}");
        assert!(
            said.err.contains("gannet.db: ") && said.err.contains("`ulimit -f`"),
            "{said:#?}"
        );
        let pass: Value = serde_json::from_str(&said.out).expect("JSON");
        let error = pass["error"].as_str().unwrap_or_default();
        assert!(
            error.contains("this process may make no file larger"),
            "{pass}"
        );
    }
}

/// A program must not find its limit on files ignored, as it would if this process ignored the signal.
#[test]
fn programs_have_the_systems_actions_for_signals() {
    let show = "command = [\"sh\", \"-c\", \"grep ^SigIgn: /proc/self/status\"]\n";
    let gannet = Home::new(&format!(
        "[[verifier]]\nname = \"show\"\nsources = [\"*\"]\n{show}"
    ))
    .with_source("a", ["1"])
    .fetched(&["a"]);
    let shown = gannet.json(&["show", "a", "--json"]);
    let output = shown["versions"][0]["verdicts"][0]["output"].as_str();
    let mask = output.and_then(|line| line.split_whitespace().last());
    let mask = mask.expect("a mask");
    let mask = u64::from_str_radix(mask, 16).expect("a mask");
    assert_eq!(mask & (1 << 24), 0, "SIGXFSZ is ignored: {shown}");
}
