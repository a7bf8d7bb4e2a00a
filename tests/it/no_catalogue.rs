//! A data folder that is mistyped, or whose disk is not mounted, is never a new, healthy, empty store.

use crate::origin::{Origin, Reply};
use crate::rig::{Gannet, Said};
use crate::terminal::Terminal;

#[test]
fn only_what_brings_sources_in_begins_a_store() {
    let gannet = Gannet::new();
    std::fs::write(gannet.path("sources.toml"), "").expect("a file");
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
        &["apply", &sources, "--dry-run"],
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
    ] {
        let gannet = Gannet::new();
        gannet.ok(arguments);
        assert!(gannet.data().join("gannet.db").exists(), "{arguments:?}");
        gannet.ok(&["list"]);
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
fn the_dashboard_asks_before_it_begins_a_store() {
    for (answer, begins) in [("n\r", false), ("\r", false), ("y\r", true)] {
        let gannet = Gannet::new();
        let mut terminal = Terminal::start(&gannet, &["--no-worker"]);
        terminal.wait_for("There is no catalogue in");
        terminal.press(answer);
        if begins {
            terminal.wait("the dashboard", vt100::Screen::alternate_screen);
            terminal.press("q");
        }
        assert!(terminal.ended().success(), "{answer:?}");
        assert_eq!(
            gannet.data().join("gannet.db").exists(),
            begins,
            "{answer:?}"
        );
    }
}
