//! A data folder that is mistyped, or whose disk is not mounted, is never a new, healthy, empty store.

use crate::rig::{Gannet, Origin, Reply, Said, Terminal};

#[test]
fn only_what_brings_something_in_begins_a_store() {
    let gannet = Gannet::new();
    let one = "[[source]]\naddress = \"https://example.org/a\"\n";
    std::fs::write(gannet.path("sources.toml"), one).expect("a file");
    let sources = gannet.path("sources.toml").display().to_string();
    let export = gannet.path("export").display().to_string();
    let refused: &[&[&str]] = &[
        &["list"],
        &["show", "1"],
        &["history", "1"],
        &["log"],
        &["cat", "1"],
        &["diff", "1", "2"],
        &["export", &export],
        &["dump", "--json"],
        &["verdicts"],
        &["verify", "1"],
        &["verdict", "1", "text", "passed"],
        &["interval", "1", "1h"],
        &["enable", "1"],
        &["disable", "1"],
        &["edit", "1", "--interval", "6h"],
        &["remove", "1"],
        &["fetch", "1"],
        &["notify", "test", "mail"],
        &["user", "list"],
        &["user", "passwd", "ann"],
        &["token", "list"],
        &["token", "revoke", "ann"],
        &["messages", "list"],
        &["messages", "queues"],
        &["messages", "drop", "0190163d-8694-739b-aea5-966c26f8ad91"],
        &["consume"],
        &["--worker-only"],
        &["--worker-only", "--loop"],
    ];
    for arguments in refused {
        let Said { code, err, .. } = gannet.run(arguments);
        assert_eq!(code, Some(3), "{arguments:?}: {err}");
        let folder = gannet.data().display().to_string();
        assert!(
            err.contains(&format!("no catalogue in {folder}")),
            "{arguments:?}: {err}"
        );
        assert!(err.contains("gannet add"), "{arguments:?}: {err}");
        assert!(!gannet.data().exists(), "{arguments:?}");
    }
    for arguments in [
        &["add", "https://example.org/a"][..],
        &["apply", &sources],
        &["build_db"],
        &["token", "create", "sensor", "--role", "ingest"],
        &["messages", "send", "17"],
    ] {
        let gannet = Gannet::new();
        gannet.ok(arguments);
        assert!(gannet.data().join("gannet.db").exists(), "{arguments:?}");
        gannet.ok(&["list"]);
    }
}

#[test]
fn what_brings_nothing_in_begins_no_store() {
    let gannet = Gannet::new();
    let write = |name: &str, text: &str| {
        std::fs::write(gannet.path(name), text).expect("a file");
        gannet.path(name).display().to_string()
    };
    let password = "https://joe:sesame1@h/x";
    let no_toml = write("no.toml", &format!("[[source]]\naddress = \"{password}\n"));
    let refused = write(
        "refused.toml",
        &format!("[[source]]\naddress = \"{password}\"\n"),
    );
    let no_yaml = write("no.yaml", &format!("url: {password}\n b: [1\n"));
    let jobs = write("jobs.yaml", &format!("url: {password}\n---\ncommand: df\n"));
    let list = write(
        "list.txt",
        &format!("{password} 6h\nhttps://joe:sesame1h/\n"),
    );
    let watches = write(
        "w.json",
        &format!("{{\"watching\": {{\"1\": {{\"url\": \"{password}\"}}}}}}"),
    );
    let empty = write("empty", "# nothing\n");
    let missing = gannet.path("missing").display().to_string();
    for (arguments, code) in [
        (&["add", "not-an-address"][..], 2),
        (&["add", password], 2),
        (&["add", "https://joe:sesame1h/"], 2),
        (&["add", "https://example.org/", "--name", "17"], 2),
        (&["add_url", "http://example.org/", "1h"], 2),
        (
            &["add", "https://example.org/a", "https://EXAMPLE.org/a"],
            2,
        ),
        (&["add", "https://10.0.0.1/a"], 2),
        (&["add", "https://example.org/", "30m"], 2),
        (&["add", "-"], 0),
        (&["apply", &missing], 2),
        (&["apply", &empty], 0),
        (&["apply", &empty, "--prune", "--yes"], 0),
        (&["apply", &empty, "--dry-run"], 0),
        (&["apply", "/dev/null"], 0),
        (&["apply", "-"], 0),
        (&["import", "/dev/null"], 0),
        (&["import", "-"], 0),
        (&["token", "create", "a b", "--role", "ingest"], 2),
        (&["messages", "send", "{"], 2),
        (&["messages", "send", "1\n{", "--lines"], 2),
        (&["apply", &no_toml], 2),
        (&["apply", &refused], 2),
        (&["import", &missing], 2),
        (&["import", &no_yaml], 2),
        (&["import", &jobs], 1),
        (&["import", &list], 1),
        (&["import", &list, "--json"], 1),
        (&["import", &watches], 1),
        (&["import", &list, "--dry-run"], 1),
    ] {
        let said = gannet.run(arguments);
        assert_eq!(said.code, Some(code), "{arguments:?}: {said:#?}");
        assert!(!gannet.data().exists(), "{arguments:?}");
        let shown = said.out + &said.err;
        assert!(!shown.contains("sesame"), "{arguments:?}: {shown}");
    }
    let sources = write(
        "sources.toml",
        "[[source]]\naddress = \"https://example.org/1\"\n",
    );
    let planned = gannet.ok(&["apply", &sources, "--dry-run"]);
    assert_eq!(planned, "+ add example.org-1 https://example.org/1\n");
    assert!(!gannet.data().exists());
    // Stdin is read once, for the look before and for the run.
    let list = "https://example.org/a 90m\nhttps://example.org/b\n";
    let said = gannet.run_with(&["import", "-", "--dry-run"], list);
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert!(
        said.err.contains("taken without its interval `90m`"),
        "{said:#?}"
    );
    assert!(!gannet.data().exists());
    let said = gannet.run_with(&["import", "-"], list);
    assert!(said.out.contains("added 2 sources"), "{said:#?}");
    for (arguments, text) in [
        (&["add", "-"][..], "https://example.org/a\n"),
        (
            &["apply", "-"],
            "[[source]]\naddress = \"https://example.org/a\"\n",
        ),
    ] {
        let gannet = Gannet::new();
        let said = gannet.run_with(arguments, text);
        assert_eq!(said.code, Some(0), "{said:#?}");
        assert_eq!(gannet.source("a")["id"], 1);
    }
}

#[test]
fn a_worker_without_sources_says_so_and_is_not_alive() {
    let origin = Origin::start(true);
    origin.on("/beat", [Reply::file("ok")]);
    let heartbeat = format!("[worker]\nheartbeat = \"{}\"\n", origin.url("/beat"));
    let gannet = Gannet::trusting(origin.ca_file(), &heartbeat);
    gannet.ok(&["build_db"]);
    let said = gannet.run(&["--worker-only"]);
    assert_eq!((said.code, said.out.as_str()), (Some(0), ""), "{said:#?}");
    assert!(
        said.err.contains("no sources in") && said.err.lines().count() == 1,
        "{said:#?}"
    );
    assert!(origin.requests().is_empty());
}

#[test]
fn the_dashboard_and_the_service_ask_before_they_begin_a_store() {
    let service: &[_] = &["serve", "--no-worker", "--listen", "127.0.0.1:0"];
    for (face, end) in [(&["--no-worker"][..], "q"), (service, "\x03")] {
        for (answer, begins) in [("n\r", false), ("\r", false), ("y\r", true)] {
            let gannet = Gannet::new();
            let mut terminal = Terminal::start(&gannet, face);
            terminal.wait_for("There is no catalogue in");
            terminal.press(answer);
            if begins && face == service {
                terminal.wait_for("/sign-in/");
            } else if begins {
                terminal.wait("the dashboard", vt100::Screen::alternate_screen);
            }
            if begins {
                terminal.press(end);
            }
            assert!(terminal.ended().success(), "{face:?} {answer:?}");
            let has_begun = gannet.data().join("gannet.db").exists();
            assert_eq!(has_begun, begins, "{face:?} {answer:?}");
        }
    }
}
