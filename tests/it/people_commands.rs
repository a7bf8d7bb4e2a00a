//! `gannet user` and `gannet token`: the real program, its exit codes, and a terminal that asks for a password.

use std::fs;

use serde_json::Value;

use crate::rig::sqlite::take_back_to_schema_15;
use crate::rig::{Gannet, Home, Said, Terminal};

const PASSWORD: &str = "correct horse";
const EYES: &str = "[[verifier]]\nname = \"eyes\"\nsources = [\"*\"]\nexternal = true\n";

/// A home with a catalogue.
fn home() -> Home {
    let home = Home::new(EYES);
    home.ok(&["build_db"]);
    home
}

fn add(gannet: &Gannet, name: &str, role: &str, stdin: &str) -> Said {
    gannet.run_with(&["user", "add", name, "--role", role], stdin)
}

fn with_anna() -> Home {
    let home = home();
    let said = add(&home, "anna", "operator", PASSWORD);
    assert_eq!(
        (said.code, said.out.as_str()),
        (Some(0), "added anna: operator\n"),
        "{said:?}"
    );
    home
}

fn fields(list: &Value, fields: &[&str]) -> Vec<Vec<Value>> {
    let all = list.as_array().expect("a list").iter();
    all.map(|one| fields.iter().map(|field| one[*field].clone()).collect())
        .collect()
}

#[test]
fn people_are_added_changed_and_listed() {
    let home = with_anna();
    let said = add(&home, "ben", "viewer", "another password\r\nmore\n");
    assert_eq!(said.code, Some(0), "{said:?}");
    for (words, line) in [
        (
            &["user", "role", "ben", "admin"][..],
            "ben: admin, before viewer\n",
        ),
        (
            &["user", "role", "ben", "admin"],
            "unchanged ben: admin already\n",
        ),
        (&["user", "disable", "ben"], "disabled ben\n"),
        (
            &["user", "disable", "ben"],
            "unchanged ben: disabled already\n",
        ),
        (&["user", "enable", "ben"], "enabled ben\n"),
        (&["user", "disable", "ben"], "disabled ben\n"),
    ] {
        assert_eq!(home.ok(words), line, "{words:?}");
    }
    let said = home.run_with(&["user", "passwd", "anna"], "yet another one\n");
    assert_eq!(said.code, Some(0), "{said:?}");
    let listed = fields(
        &home.json(&["user", "list", "--json"]),
        &["name", "role", "disabled"],
    );
    let expected = serde_json::json!([["anna", "operator", false], ["ben", "admin", true]]);
    assert_eq!(Value::from(listed), expected);
    let table = home.ok(&["user", "list"]);
    let lines: Vec<_> = table.lines().collect();
    assert!(
        lines[0].starts_with("PERSON  ROLE      MAY SIGN IN"),
        "{table}"
    );
    assert!(lines[2].starts_with("ben     admin     no "), "{table}");
    let csv = home.ok(&["user", "list", "--csv"]);
    assert!(
        csv.starts_with(
            "name,role,disabled,created_at,password_changed_at\r\nanna,operator,false,"
        ),
        "{csv}"
    );
    let log = home.ok(&["log"]);
    for line in [
        "person.added",
        "anna: operator",
        "ben: viewer -> admin",
        "person.disabled",
        "person.enabled",
        "person.password-changed",
    ] {
        assert!(log.contains(line), "{line}: {log}");
    }
}

/// Words, stdin, and what the message and its hint say.
const REFUSED: [(&[&str], &str, &str, &str); 14] = [
    (
        &["user", "add", "anna", "--role", "viewer"],
        PASSWORD,
        "a person called anna already",
        "gannet user passwd anna",
    ),
    (
        &["user", "add", "Ben", "--role", "viewer"],
        PASSWORD,
        "`Ben` cannot be the name of a person",
        "",
    ),
    (
        &["user", "add", "ben", "--role", "boss"],
        PASSWORD,
        "`boss` is not a role: expected viewer, operator or admin",
        "",
    ),
    (
        &["user", "add", "ben"],
        PASSWORD,
        "--role <viewer|operator|admin>",
        "",
    ),
    (
        &["user", "add", "ben", "--role", "viewer"],
        "",
        "no password on stdin",
        "as one line on stdin",
    ),
    (
        &["user", "add", "ben", "--role", "viewer"],
        "short\n",
        "at least 10 characters",
        "nothing was changed",
    ),
    (
        &["user", "passwd", "ana"],
        PASSWORD,
        "no person is called `ana`",
        "did you mean anna?",
    ),
    (
        &["user", "disable", "zoe"],
        "",
        "no person is called `zoe`",
        "gannet user list",
    ),
    (
        &["token", "create", "ci", "--role", "verifier"],
        "",
        "in the name of one verifier",
        "--verifier NAME",
    ),
    (
        &[
            "token",
            "create",
            "ci",
            "--role",
            "verifier",
            "--verifier",
            "eye",
        ],
        "",
        "no verifier is called `eye`",
        "did you mean eyes?",
    ),
    (
        &[
            "token",
            "create",
            "ci",
            "--role",
            "verifier",
            "--verifier",
            "x",
        ],
        "",
        "no verifier is called `x`",
        "has eyes",
    ),
    (
        &[
            "token",
            "create",
            "ci",
            "--role",
            "viewer",
            "--verifier",
            "eyes",
        ],
        "",
        "gives no verdicts",
        "--role verifier",
    ),
    (
        &[
            "token",
            "create",
            "ci",
            "--role",
            "viewer",
            "--expires",
            "soon",
        ],
        "",
        "`soon` is not an interval",
        "",
    ),
    (
        &["token", "revoke", "ci"],
        "",
        "no token is called `ci`",
        "gannet token list",
    ),
];

#[test]
fn what_is_wrong_is_said_with_the_next_step() {
    let home = with_anna();
    for (words, stdin, message, hint) in REFUSED {
        let said = home.run_with(words, stdin);
        let (code, out) = (said.code, said.out.as_str());
        assert_eq!((code, out), (Some(2), ""), "{words:?}: {said:?}");
        let is_told = said.err.contains(message) && said.err.contains(hint);
        assert!(is_told, "{words:?}: {said:?}");
    }
    let said = add(&home, "ben", "viewer", &"x".repeat(1025));
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("at most 1024 bytes"), "{said:?}");
    let nobody = Gannet::new();
    let said = add(&nobody, "ben", "viewer", PASSWORD);
    assert_eq!(said.code, Some(3), "no catalogue is begun: {said:?}");
    assert!(!nobody.data().join("gannet.db").exists());
}

#[test]
fn a_token_is_alone_on_stdout_and_shown_once() {
    let home = home();
    let said = home.run(&[
        "token",
        "create",
        "ci",
        "--role",
        "ingest",
        "--expires",
        "90d",
    ]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let secret = said.out.trim_end().to_owned();
    assert_eq!(said.out, format!("{secret}\n"));
    assert!(
        secret.len() == 50 && secret.starts_with("gannet_"),
        "{secret}"
    );
    assert!(said.err.contains("is shown this once"), "{said:?}");
    let said = home.run(&[
        "--quiet",
        "token",
        "create",
        "eyes",
        "--role",
        "verifier",
        "--verifier",
        "eyes",
    ]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    let again = home.run(&["token", "create", "ci", "--role", "viewer"]);
    assert_eq!(again.code, Some(2), "{again:?}");
    assert_eq!(home.ok(&["token", "revoke", "ci"]), "revoked ci\n");
    home.ok(&["token", "create", "ci", "--role", "viewer"]);
    let all = ["name", "role", "verifier", "state", "created_by"];
    let mut listed = fields(&home.json(&["token", "list", "--json"]), &all);
    let by = listed[0].pop().expect("an actor");
    assert!(
        by.as_str().is_some_and(|by| by.ends_with(" by cli")),
        "{by}"
    );
    let listed: Vec<_> = listed.iter().map(|one| one[..4].to_vec()).collect();
    let expected = serde_json::json!([
        ["ci", "ingest", null, "revoked"],
        ["ci", "viewer", null, "live"],
        ["eyes", "verifier", "eyes", "live"]
    ]);
    assert_eq!(Value::from(listed), expected);
    let table = home.ok(&["token", "list"]);
    assert!(table.contains("verifier of eyes  live "), "{table}");
    let csv = home.ok(&["token", "list", "--csv"]);
    assert!(csv.starts_with("name,role,verifier,state,"), "{csv}");
    let lists = [table, csv, home.ok(&["log", "--json"]), home.ok(&["dump"])];
    assert!(lists.iter().all(|text| !text.contains(&secret[7..])));
}

#[test]
fn a_terminal_asks_twice_and_shows_nothing() {
    let home = home();
    let ask = |answers: [&str; 2]| {
        let words = ["user", "add", "anna", "--role", "admin"];
        let mut terminal = Terminal::start(&home, &words);
        terminal.wait_for("password for anna: ");
        terminal.press(answers[0]);
        if !answers[1].is_empty() {
            terminal.wait_for("once more: ");
            terminal.press(answers[1]);
        }
        let ended = terminal.ended();
        let shown = String::from_utf8_lossy(&terminal.raw).into_owned();
        assert!(!shown.contains("horse"), "{shown}");
        (ended.exit_code(), shown)
    };
    for (answers, message) in [
        (
            ["correct horse\r", "correct horsf\r"],
            "the two passwords differ",
        ),
        (["horse\r", ""], "at least 10 characters"),
        (["correct horse\u{3}", ""], "nothing was changed"),
        (["\u{4}", ""], "nothing was changed"),
    ] {
        let (code, shown) = ask(answers);
        assert_eq!(code, 2, "{shown}");
        assert!(shown.contains(message), "{shown}");
    }
    assert_eq!(
        home.json(&["user", "list", "--json"]),
        serde_json::json!([])
    );
    let (code, shown) = ask(["wrong\u{15}correct horst\u{7f}e\r", "correct horse\r"]);
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("added anna: admin"), "{shown}");
}

#[test]
fn the_terminal_echoes_again_after_a_password() {
    let home = home();
    let script = home.program(
        "ask",
        &format!(
            "{} user add anna --role admin; read line; echo \"read $line\"",
            env!("CARGO_BIN_EXE_gannet")
        ),
    );
    let mut terminal = crate::rig::Start::program(&home, &script).run();
    terminal.wait_for("password for anna: ");
    terminal.press("\u{3}");
    terminal.wait_for("nothing was changed");
    terminal.press("aloud\r");
    terminal.wait_for("read aloud");
    assert!(terminal.ended().success());
    let shown = String::from_utf8_lossy(&terminal.raw).into_owned();
    assert_eq!(shown.matches("aloud").count(), 2, "{shown}");
}

#[test]
fn a_password_is_in_no_file_and_no_process() {
    let home = home();
    let mut terminal = Terminal::start(&home, &["user", "add", "anna", "--role", "admin"]);
    terminal.wait_for("password for anna: ");
    terminal.press(&format!("{PASSWORD}\r"));
    terminal.wait_for("once more: ");
    let id = terminal.child.process_id().expect("a process");
    for place in ["cmdline", "environ"] {
        let text = fs::read(format!("/proc/{id}/{place}")).expect("a process");
        assert!(!holds(&text, PASSWORD), "{place}");
    }
    terminal.press(&format!("{PASSWORD}\r"));
    assert!(terminal.ended().success());
    let token = home.ok(&["token", "create", "ci", "--role", "viewer"]);
    let mut files = Vec::new();
    collect(&home.path(""), &mut files);
    assert!(files.iter().any(|path| path.ends_with("gannet.db")));
    for file in files {
        let bytes = fs::read(&file).unwrap_or_default();
        for secret in [PASSWORD, token.trim_end()] {
            assert!(!holds(&bytes, secret), "{}: {secret}", file.display());
        }
    }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|one| one == text.as_bytes())
}

fn collect(folder: &std::path::Path, into: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, into);
        } else {
            into.push(path);
        }
    }
}

#[test]
fn people_are_completed_and_come_back_with_a_backup() {
    let home = with_anna();
    home.ok(&["token", "create", "ci", "--role", "viewer"]);
    let complete = |words: &[&str]| home.ok(&[&["__complete", "--"], words].concat());
    assert_eq!(complete(&["user", "passwd", ""]), "anna\n");
    assert_eq!(complete(&["token", "revoke", "c"]), "ci\n");
    let before = home.json(&["user", "list", "--json"]);
    let tokens = home.json(&["token", "list", "--json"]);
    let saved = home.save();
    home.ok(&["user", "disable", "anna"]);
    home.ok(&["token", "revoke", "ci"]);
    home.put_back(&saved);
    assert_eq!(home.json(&["user", "list", "--json"]), before);
    assert_eq!(home.json(&["token", "list", "--json"]), tokens);
}

#[test]
fn a_catalogue_of_an_earlier_gannet_gets_people() {
    let home = Home::new("").with_a_and_b(1).fetched(&["a", "b"]);
    take_back_to_schema_15(&home.data());
    let said = add(&home, "anna", "operator", PASSWORD);
    assert_eq!(said.code, Some(0), "{said:?}");
    let names = fields(&home.json(&["list", "--json"]), &["name"]);
    assert_eq!(Value::from(names), serde_json::json!([["a"], ["b"]]));
    assert_eq!(
        fields(&home.json(&["user", "list", "--json"]), &["name"]).len(),
        1
    );
}
