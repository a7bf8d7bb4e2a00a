//! Searching versions, the report, and taking over other programs' files, with the real program.

use std::fs;

use serde_json::Value;

use crate::rig::{Gannet, Home, Reply};

#[test]
fn grep_says_which_versions_contain_a_text() {
    let gannet = Home::new("");
    let origin = &gannet.origin;
    let large = format!("{}bolt,9\n", "filler line of no interest\n".repeat(200_000));
    origin.on(
        "/p.csv",
        ["bolt,3\n", "nut,1\n", "bolt,4\nBolt,5\n", "nut,2\n"].map(Reply::file),
    );
    origin.on("/large.txt", [Reply::file(large)]);
    for path in ["/p.csv", "/large.txt"] {
        gannet.ok(&["add", &origin.url(path), "1h", "--allow-private"]);
    }
    for _ in 0..4 {
        gannet.fetch("p.csv");
    }
    gannet.fetch("large.txt");
    let found = gannet.json(&["grep", "bolt", "p.csv", "large.txt", "--json"]);
    let versions = |name: &str| -> Vec<(i64, i64)> {
        let all = found.as_array().expect("sources").iter();
        let one = all
            .clone()
            .find(|one| one["name"] == name)
            .expect("the source");
        let versions = one["versions"].as_array().expect("versions").iter();
        versions
            .map(|one| {
                (
                    one["version_id"].as_i64().unwrap_or(0),
                    one["lines"].as_i64().unwrap_or(0),
                )
            })
            .collect()
    };
    assert_eq!(versions("p.csv"), [(1, 1), (3, 1)]);
    assert_eq!(versions("large.txt"), [(5, 1)]);
    let table = gannet.ok(&["grep", "-i", "BOLT", "p.csv"]);
    assert!(table.contains("2 of 4") && table.contains("no"), "{table}");
    let table = gannet.ok(&["grep", "^nut,", "p.csv"]);
    assert!(
        table.contains("v2") && table.contains("v4") && table.contains("yes"),
        "{table}"
    );
    for (arguments, code) in [
        (&["grep", "screw", "p.csv"][..], 1),
        (&["grep", "-F", "b.lt", "p.csv"], 1),
        (&["grep", "b.lt", "p.csv"], 0),
        (&["grep", "(", "p.csv"], 2),
        (&["grep", "-F", "(", "p.csv"], 1),
        (&["grep", "a", "no-such-source"], 2),
    ] {
        let said = gannet.run(arguments);
        assert_eq!(said.code, Some(code), "{arguments:?}: {said:#?}");
    }
}

#[test]
fn the_report_is_a_page_that_needs_nothing_else() {
    let gannet =
        Home::new("[[verifier]]\nname = \"json\"\nsources = [\"*\"]\nbuiltin = \"json\"\n");
    let origin = &gannet.origin;
    origin.on("/good.json", [Reply::file("{}")]);
    origin.on("/bad.json", [Reply::file("<script>alert(1)</script>")]);
    origin.on("/down.json", [Reply::status(404)]);
    for path in ["/good.json", "/bad.json", "/down.json"] {
        gannet.ok(&["add", &origin.url(path), "1h", "--allow-private"]);
    }
    gannet.run(&["--worker-only"]);
    let page = gannet.ok(&["report"]);
    assert!(page.starts_with("<!DOCTYPE html>"), "{page}");
    for text in [
        "good.json",
        "FAIL",
        "down(1)",
        "404 Not Found",
        "json: failed",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    for text in ["<script", "http-equiv", "src=", "url("] {
        assert!(!page.contains(text), "{text}: {page}");
    }
    let one = gannet.ok(&["report", "good.json"]);
    assert!(!one.contains("bad.json"), "{one}");
}

#[test]
fn an_entry_that_is_not_taken_has_its_address_but_for_secrets() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/c"]);
    for (name, text, expected) in [
        (
            "refused.txt",
            "https://example.org/c\nhttps://10.0.0.1/x\nhttps://joe:hunter2@example.org/p\nhttps://example.org/t?token=hunter2\n",
            &[
                Some("https://example.org/c"),
                Some("https://10.0.0.1/x"),
                Some("https://…@example.org/p"),
                Some("https://example.org/t?token=…"),
            ][..],
        ),
        (
            "refused.yaml",
            "navigate: https://example.org/app\n---\nurl: https://example.org/form\ndata: {a: 1}\n---\ncommand: df\n",
            &[
                Some("https://example.org/app"),
                Some("https://example.org/form"),
                None,
            ],
        ),
        (
            "refused.json",
            "{\"watching\": {\"1\": {\"url\": \"https://example.org/w\", \"method\": \"POST\"}, \"2\": {}}}",
            &[Some("https://example.org/w"), None],
        ),
    ] {
        let path = gannet.path(name);
        fs::write(&path, text).expect("a file");
        let said = gannet.run(&["import", &path.display().to_string(), "--json"]);
        let told: Value = serde_json::from_str(&said.out).expect("JSON");
        let told = told.as_array().expect("a list");
        assert!(
            told.iter().all(|one| one["refused"].is_string()),
            "{told:?}"
        );
        let addresses: Vec<_> = told.iter().map(|one| one["address"].as_str()).collect();
        assert_eq!(addresses, expected, "{name}");
    }
}

/// Writes a file in the home of a program, and returns its path.
fn written(gannet: &Gannet, name: &str, text: &str) -> String {
    let path = gannet.path(name);
    fs::write(&path, text).expect("a file");
    path.display().to_string()
}

#[test]
fn files_of_other_programs_become_sources() {
    let gannet = Gannet::new();
    let write = |name: &str, text: &str| written(&gannet, name, text);
    let yaml = write(
        "urls.yaml",
        "name: prices\nurl: https://example.org/prices.csv\n---\nname: 17\nurl: https://example.org/b\n---\ncommand: df\n---\nurl: http://example.org/plain\n---\nurl: https://example.org/b\n",
    );
    let planned = gannet.run(&["import", &yaml, "--dry-run"]);
    assert_eq!(planned.code, Some(1), "no store yet: {planned:#?}");
    assert!(
        planned.out.contains("would add 2 sources, not taken: 3"),
        "{planned:#?}"
    );
    assert!(!gannet.data().exists(), "nothing was asked for");
    let settings = write(
        "settings.json",
        "{\"watching\": {\"x\": {\"url\": \"https://example.org/w\", \"paused\": true, \"tag\": \"a, b\", \"time_between_check\": {\"hours\": 3}}}}",
    );
    let planned = gannet.ok(&["import", &settings, "--dry-run"]);
    assert!(
        planned.starts_with(
            "watch 1: would add https://example.org/w, every 3h, tag:a, tag:b, disabled\n"
        ),
        "{planned}"
    );
    gannet.ok(&["build_db"]);
    let planned = gannet.run(&["import", &yaml, "--dry-run"]);
    assert!(
        planned.out.contains("would add 2 sources, not taken: 3"),
        "{planned:#?}"
    );
    assert_eq!(gannet.json(&["list", "--json"]), Value::Array(Vec::new()));
    let said = gannet.run(&["import", &yaml, "--tag", "old", "--interval", "6h"]);
    assert_eq!(said.code, Some(1), "{said:#?}");
    assert!(
        said.out
            .starts_with("job 1: added prices as source 1, every 6h, tag:old\n"),
        "{said:#?}"
    );
    for reason in ["it runs a command", "http", "the same address as job 2"] {
        assert!(said.err.contains(reason), "{reason}: {said:#?}");
    }
    let prices = gannet.source("prices");
    assert_eq!(prices["tags"], serde_json::json!(["old"]), "{prices}");
    assert_eq!(prices["interval"], "6h", "{prices}");
    // Once more: all is there already.
    let again = gannet.run(&["import", &yaml]);
    assert!(again.out.contains("added 0 sources"), "{again:#?}");
    assert!(
        again
            .err
            .contains("its address is that of source 1 (prices)"),
        "{again:#?}"
    );
    let list = write(
        "list.txt",
        "\u{feff}https://example.org/c 2d\r\nnot an address\r\n",
    );
    let said = gannet.run(&["import", &list, "--json"]);
    let told: Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(told[0]["place"], "line 1");
    assert!(
        told[0]["id"].is_number() && told[1]["refused"].is_string(),
        "{told}"
    );
    let settings = |one: &Value| ["interval", "tags", "enabled"].map(|key| one[key].clone());
    let [interval, tags, enabled] = settings(&told[0]);
    assert_eq!(
        serde_json::json!([interval, tags, enabled]),
        serde_json::json!(["2d", [], true])
    );
    assert_eq!(settings(&told[1]), [Value::Null, Value::Null, Value::Null]);
    let watches = write(
        "url-watches.json",
        "{\"watching\": {\"x\": {\"url\": \"https://example.org/d\", \"title\": \"D\"}}}",
    );
    gannet.ok(&["import", &watches]);
    assert_eq!(gannet.source("D")["address"], "https://example.org/d");
}

#[test]
fn an_address_is_taken_once_however_it_is_spelled_and_a_file_without_any_is_refused() {
    let gannet = Gannet::new();
    let spellings = written(
        &gannet,
        "spellings.txt",
        "https://example.org/e\nHTTPS://EXAMPLE.ORG/e\nhttps://example.org:443/e\nhttps://example.org/e#x\nhttps://example.org/x/../e\n",
    );
    let said = gannet.run(&["import", &spellings]);
    assert!(
        said.code == Some(1) && said.out.contains("added 1 source, not taken: 4"),
        "{said:#?}"
    );
    assert!(
        said.err.contains("spellings.txt was read as a plain list"),
        "{said:#?}"
    );
    for (name, text, why) in [
        ("garbage.json", "{", "not a JSON file"),
        ("empty.json", "{}", "no jobs in it, read as changedetection"),
        ("empty.yaml", "---\n", "no jobs in it, read as urlwatch"),
    ] {
        let said = gannet.run(&["import", &written(&gannet, name, text)]);
        assert_eq!(said.code, Some(2), "{said:#?}");
        assert!(said.err.contains(why), "{said:#?}");
    }
}
