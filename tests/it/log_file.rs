//! The log's file when its disk is full or its folder cannot be used: told, recorded, and never half a line.

use std::fs;

use serde_json::Value;

use crate::rig::{Gannet, Home, Reply, in_mount_namespace};

#[test]
fn the_log_has_every_event_of_programs_that_end_at_once() {
    let gannet = Gannet::new();
    gannet.ok(&["build_db"]);
    for n in 0..8 {
        gannet.ok(&["token", "create", &format!("t{n}"), "--role", "viewer"]);
        gannet.ok(&["add", &format!("https://example.org/{n}")]);
    }
    let lines: String = fs::read_dir(gannet.data().join("log"))
        .expect("a folder")
        .map(|file| fs::read_to_string(file.expect("a file").path()).expect("lines"))
        .collect();
    for action in ["token.created", "source.added"] {
        assert_eq!(lines.matches(action).count(), 8, "{action}: {lines}");
    }
}

#[test]
fn a_full_log_disk_is_told_and_the_work_goes_on() {
    let gannet = Home::new("");
    let origin = &gannet.origin;

    gannet.ok(&["build_db"]);
    let mut sources = String::new();
    for n in 0..60 {
        origin.on(&format!("/{n}.txt"), [Reply::file(format!("content {n}"))]);
        let url = origin.url(&format!("/{n}.txt"));
        let entry = [
            "[[source]]\naddress = \"",
            &url,
            "\"\nallow_private = true\n",
        ];
        sources.extend(entry);
    }
    fs::write(gannet.path("sources.toml"), sources).expect("a file");
    // Full from the first line on; full after some lines; full and then with room again.
    let script = "mkdir \"$HOME/disk\"; export GANNET_LOG_DIR=\"$HOME/disk/log\"; mkdir -p \"$HOME/kept\"
        try() {
            mount -t tmpfs -o size=$1 none \"$HOME/disk\"
            head -c $2 /dev/zero >\"$HOME/disk/fill\" || true
            code=0; \"$gannet\" apply \"$HOME/sources.toml\" >/dev/null || code=$?; echo \"apply $code\"
            code=0; \"$gannet\" --worker-only --json >/dev/null || code=$?; echo \"pass $code\"
            rm \"$HOME/disk/fill\"; \"$gannet\" remove '*' --yes >/dev/null
            cat \"$HOME\"/disk/log/*.log >\"$HOME/kept/$1\" || true
            umount \"$HOME/disk\"
        }
        try 64k 64k; try 36k 24k";
    let Some(said) = in_mount_namespace(&gannet, script) else {
        return;
    };
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert_eq!(
        said.out.matches("apply 0\npass 0\n").count(),
        2,
        "{said:#?}"
    );
    assert!(said.err.contains("cannot write the log in"), "{said:#?}");
    assert!(said.err.contains("No space left on device"), "{said:#?}");
    let log = gannet.ok(&["log", "--limit", "1000"]);
    assert!(log.contains("log.failed"), "{log}");
    for name in ["64k", "36k"] {
        let kept = fs::read_to_string(gannet.path("kept").join(name)).expect("a log");
        assert!(
            kept.contains("source.removed"),
            "{name}: there was room again: {kept}"
        );
        for line in kept.lines() {
            let parsed: Result<Value, _> = serde_json::from_str(line);
            assert!(parsed.is_ok(), "{name}: {line}");
        }
    }
    assert_eq!(
        gannet.history("1")["versions"].as_array().map(Vec::len),
        Some(1)
    );
}

#[test]
fn a_log_folder_that_cannot_be_used_is_told_in_plain_words() {
    let mut gannet = Gannet::new();
    gannet.set("GANNET_LOG_DIR", "/proc/no/folder");
    let said = gannet.run(&["add", "https://example.org/a"]);
    assert_eq!(said.code, Some(3), "{said:#?}");
    let expected = "cannot write the log in /proc/no/folder: No such file or directory";
    assert!(said.err.contains(expected), "{said:#?}");
    fs::write(gannet.path("file"), "").expect("a file");
    let file = gannet.path("file").display().to_string();
    gannet.set("GANNET_LOG_DIR", &file);
    let said = gannet.run(&["add", "https://example.org/a"]);
    assert_eq!(said.code, Some(3), "{said:#?}");
    assert!(said.err.contains("cannot write the log in"), "{said:#?}");
}
