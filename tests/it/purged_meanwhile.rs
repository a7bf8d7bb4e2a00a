//! Commands that go through many sources while one of them is purged: it is left out, and the others are there.

use std::fs;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::Command;

use crate::rig::{Gannet, Gate, Home, Reply, folder, said, until};

/// So many quotes take twice as much in JSON: more than a pipe and the program's buffer hold.
const LONG: usize = 60 << 10;

/// Three sources with a version each; on that of the first, a verifier has said a lot.
fn store_of_three(more: &str) -> Home {
    let gannet = Home::new(&format!(
        "{more}\n[[verifier]]\nname = \"talks\"\nsources = [\"tag:long\"]\n\
         command = [\"/bin/sh\", \"-c\", \"head -c {LONG} /dev/zero | tr '\\\\0' '\\\"'\"]\n"
    ));
    for name in ["a", "b", "c"] {
        gannet.serve(name, name);
        let url = gannet.url(name);
        gannet.ok(&[
            "add",
            &url,
            "1h",
            "--allow-private",
            "--tag",
            if name == "a" { "long" } else { "short" },
        ]);
    }
    gannet.ok(&["--worker-only"]);
    gannet
}

fn purge(gannet: &Gannet, names: &[&str]) {
    let arguments = [&["remove"], names, &["--purge", "--yes"]].concat();
    gannet.ok(&arguments);
}

#[test]
fn a_dump_leaves_out_what_was_purged_since_it_began() {
    let gannet = store_of_three("");
    for name in ["b", "c"] {
        let mut dump = gannet.start(&["dump", "--json"]);
        let mut out = dump.stdout.take().expect("a pipe");
        let mut text = vec![0];
        // It has begun, and waits for somebody to read on before it comes to the second.
        out.read_exact(&mut text).expect("the beginning");
        purge(&gannet, &[name]);
        out.read_to_end(&mut text).expect("the rest");
        let ended = said(&dump.wait_with_output().expect("it ends"));
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{name}");
        let dump: serde_json::Value = serde_json::from_slice(&text).expect("whole JSON");
        let sources = dump["sources"].as_array().expect("a list");
        assert!(
            sources.iter().all(|source| source["name"] != name),
            "{name}"
        );
        let said = &sources[0]["versions"][0]["verdicts"][0]["output"];
        assert!(said.as_str().is_some_and(|output| output.len() >= LONG));
    }
    assert_eq!(
        gannet.json(&["dump", "--json"])["sources"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    assert!(gannet.ok(&["dump"]).contains("1 version"));
}

#[test]
fn an_export_leaves_out_what_was_purged_since_it_began() {
    let gannet = store_of_three("");
    let folder = gannet.path("out");
    let to = folder.display().to_string();
    gannet.ok(&["export", &to]);
    let file: PathBuf = fs::read_dir(folder.join("a"))
        .expect("a folder")
        .flatten()
        .map(|entry| entry.path())
        .next()
        .expect("a file");
    // The program waits at this file until somebody writes.
    fs::remove_file(&file).expect("removed");
    let made = Command::new("mkfifo")
        .arg(&file)
        .status()
        .expect("mkfifo runs");
    assert!(made.success());
    let export = gannet.start(&["export", &to]);
    let mut pipe = fs::OpenOptions::new()
        .write(true)
        .open(&file)
        .expect("a reader");
    purge(&gannet, &["b"]);
    std::io::Write::write_all(&mut pipe, b"a").expect("written");
    drop(pipe);
    let ended = said(&export.wait_with_output().expect("it ends"));
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert!(
        ended.err.contains("b was purged meanwhile: it is left out"),
        "{ended:#?}"
    );
    assert!(ended.out.contains("2 versions in"), "{ended:#?}");
}

#[test]
fn a_verification_leaves_out_what_was_purged_since_it_began() {
    let folder = folder();
    let gate = folder.path().join("gate");
    let waits = format!(
        "[[verifier]]\nname = \"waits\"\nsources = [\"*\"]\n\
         command = [\"/bin/sh\", \"-c\", \"[ ! -p {0} ] || cat {0}\"]\n",
        gate.display()
    );
    let gannet = store_of_three(&waits);
    let made = Command::new("mkfifo").arg(&gate).status();
    assert!(made.expect("mkfifo runs").success());
    let verify = gannet.start(&["verify", "*", "--json"]);
    // A verifier is at work, which waits for the pipe's end.
    let pipe = fs::OpenOptions::new().write(true).open(&gate);
    purge(&gannet, &["a", "c"]);
    fs::remove_file(&gate).expect("removed");
    drop(pipe.expect("a reader"));
    let ended = said(&verify.wait_with_output().expect("it ends"));
    assert!(matches!(ended.code, Some(0 | 1)), "{ended:#?}");
    for purged in ["a", "c"] {
        let words = format!("{purged} was purged meanwhile: it is left out");
        assert!(ended.err.contains(&words), "{ended:#?}");
    }
    assert!(ended.out.contains("\"b\""), "{ended:#?}");
}

#[test]
fn a_fetch_leaves_out_what_was_purged_since_it_began() {
    let gannet = store_of_three("per_host = 1");
    let origin = &gannet.origin;
    for (purged, left) in [(&["a"][..], &["b", "c"][..]), (&["b"], &["c"])] {
        let gate = Gate::new();
        for name in ["a", "b", "c"] {
            origin.on(
                &format!("/{name}"),
                [Reply::file(format!("{name} of {purged:?}")).behind(&gate)],
            );
        }
        let before = origin.requests().len();
        let arguments = [&["fetch", "--json"], purged, left].concat();
        let fetch = gannet.start(&arguments);
        until("a request", || origin.requests().len() > before);
        purge(&gannet, purged);
        gate.open();
        let ended = said(&fetch.wait_with_output().expect("it ends"));
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        let words = format!(
            "warning: {} was purged meanwhile: it is left out\n",
            purged[0]
        );
        assert_eq!(ended.err, words);
        let pass: serde_json::Value = serde_json::from_str(&ended.out).expect("JSON");
        let names: Vec<_> = pass["sources"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|source| source["name"].as_str())
            .collect();
        assert_eq!(names, left);
    }
}
