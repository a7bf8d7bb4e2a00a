//! Addresses that can never be fetched are refused when they are given, and `fetch --whole`.

use crate::rig::{Gannet, Home, Reply};

#[test]
fn a_host_that_every_fetch_would_refuse_is_refused_at_once() {
    let gannet = Gannet::new();
    for address in [
        "https://127.0.0.1/x",
        "https://127.1:8443/x",
        "https://10.0.0.1/x",
        "https://192.168.1.1/x",
        "https://[::1]/x",
        "https://[fd00::1]/x",
        "https://localhost/x",
        "https://files.localhost/x",
    ] {
        let said = gannet.run(&["add", address]);
        assert_eq!(said.code, Some(2), "{address}: {}", said.err);
        assert!(said.err.contains("--allow-private"), "{}", said.err);
        gannet.ok(&["add", address, "--allow-private"]);
    }
    for address in [
        "https://169.254.169.254/x",
        "https://0.0.0.0/x",
        "https://224.0.0.1/x",
    ] {
        let said = gannet.run(&["add", address, "--allow-private"]);
        assert_eq!(said.code, Some(2), "{address}: {}", said.err);
        assert!(said.err.contains("never connected to"), "{}", said.err);
    }
    for address in [
        "http://../gannet.db",
        "https://./y",
        "https://a..example.org/y",
        "https://.example.org/",
    ] {
        let said = gannet.run(&["add", address, "--allow-http"]);
        assert_eq!(said.code, Some(2), "{address}: {}", said.err);
        assert!(said.err.contains("is no name of a host"), "{}", said.err);
    }
}

#[test]
fn a_name_of_dots_is_none() {
    let gannet = Gannet::new();
    for name in [".", "..", "..."] {
        let said = gannet.run(&["add", "https://example.org/x", "--name", name]);
        assert_eq!(said.code, Some(2), "{name}: {}", said.err);
        assert!(said.err.contains("cannot be a name"), "{}", said.err);
    }
}

#[test]
fn edits_and_files_of_sources_are_held_to_the_same() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/x"]);
    let said = gannet.run(&["edit", "x", "--address", "https://10.0.0.1/x"]);
    assert_eq!(said.code, Some(2), "{}", said.err);
    gannet.ok(&[
        "edit",
        "x",
        "--address",
        "https://10.0.0.1/x",
        "--allow-private=true",
    ]);
    let said = gannet.run(&["edit", "x", "--allow-private=false"]);
    assert_eq!(said.code, Some(2), "{}", said.err);
    let file = gannet.path("sources.toml");
    std::fs::write(&file, "[[source]]\naddress = \"https://127.0.0.1/y\"\n").expect("a file");
    let said = gannet.run(&["apply", &file.display().to_string()]);
    assert_eq!(said.code, Some(2), "{}", said.err);
    assert!(said.err.contains("allow_private = true"), "{}", said.err);
}

#[test]
fn a_character_that_cannot_be_seen_is_told() {
    let gannet = Gannet::new();
    for (address, code) in [
        ("\u{feff}https://example.org/x", "U+FEFF"),
        ("\u{200b}https://example.org/x", "U+200B"),
        ("https://example.org/x\u{200b}", "U+200B"),
        ("https://example\u{2060}.org/x", "U+2060"),
    ] {
        let said = gannet.run(&["add", address]);
        assert_eq!(said.code, Some(2), "{}", said.err);
        assert!(said.err.contains(code), "{}", said.err);
    }
}

#[test]
fn fetch_whole_asks_for_the_file_however_little_changed() {
    let gannet = Home::new("");
    let origin = &gannet.origin;
    origin.on(
        "/x",
        [Reply::file("old"), Reply::status(304), Reply::file("new")],
    );
    gannet.ok(&["add", &origin.url("/x"), "--allow-private", "--name", "x"]);
    gannet.ok(&["fetch", "x"]);
    gannet.ok(&["fetch", "x"]);
    gannet.ok(&["fetch", "x", "--whole"]);
    let requests = origin.requests();
    let asked: Vec<_> = requests
        .iter()
        .map(|request| request.header("if-none-match").is_some())
        .collect();
    assert_eq!(asked, [false, true, false]);
    assert_eq!(gannet.bytes(&["cat", "x"]), b"new");
}
