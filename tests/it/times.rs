//! Which version is meant, by time and by what consumers see; and in which zone people read and write times.

use chrono::TimeDelta;
use gannet::clock::{Clock as _, SystemClock};
use gannet::domain::{Actor, Publication, SourceId, Stamp, VersionId};
use gannet::store::{ServedVersion, Store};

use crate::rig::{Gannet, Home, Origin, Reply, Terminal, at, hourly};

const JSON_RULE: &str = "[[verifier]]\nname = \"json\"\nsources = [\"*\"]\nbuiltin = \"json\"\n";

/// Three versions of one file, of which the middle one and the newest are bad.
fn good_bad_bad() -> Home {
    let gannet = Home::new(JSON_RULE);
    let origin = &gannet.origin;
    origin.on("/p.json", ["[1]", "[2", "[3"].map(Reply::file));
    gannet.ok(&["add", &origin.url("/p.json"), "--allow-private"]);
    for _ in 0..3 {
        gannet.fetch("p.json");
    }
    gannet
}

#[test]
fn what_consumers_see_is_told_from_the_newest() {
    let gannet = good_bad_bad();
    for (reference, content, is_bad) in [
        ("p.json", "[3", true),
        ("p.json~1", "[2", true),
        ("v1", "[1]", false),
        ("p.json:published", "[1]", false),
        ("1:published", "[1]", false),
    ] {
        let said = gannet.run(&["cat", reference]);
        assert_eq!(
            (said.code, said.out.as_str()),
            (Some(0), content),
            "{reference}"
        );
        let notes = said
            .err
            .contains("failed its verification; published is v1: gannet cat p.json:published");
        assert_eq!(notes, is_bad, "{reference}: {said:?}");
    }
    let history = gannet.history("p.json");
    let published: Vec<_> = history["versions"]
        .as_array()
        .expect("versions")
        .iter()
        .collect();
    let published: Vec<_> = published
        .iter()
        .map(|one| one["published"].as_bool())
        .collect();
    assert_eq!(published, [Some(false), Some(false), Some(true)]);
    let table = gannet.ok(&["history", "p.json"]);
    let line = table
        .lines()
        .find(|line| line.contains(" now "))
        .expect("a mark");
    assert!(line.trim_start().starts_with("v1 "), "{table}");
}

#[test]
fn what_consumers_saw_is_in_the_log() {
    let gannet = Home::new(JSON_RULE);
    let origin = &gannet.origin;
    origin.on("/p.json", ["[1]", "[2]", "[3"].map(Reply::file));
    gannet.ok(&["add", &origin.url("/p.json"), "--allow-private"]);
    for hours in [72, 48, 24] {
        let then = SystemClock.now() - TimeDelta::hours(hours);
        gannet.fetch_at(then, &["p.json"]);
    }
    for (reference, content) in [
        ("p.json:published", Some("[2]")),
        ("p.json:published@1h", Some("[2]")),
        ("p.json:published@2d", Some("[2]")),
        ("p.json:published@49h", Some("[1]")),
        ("p.json:published@4d", None),
        ("p.json@1h", Some("[3")),
        ("p.json@25h", Some("[2]")),
        ("p.json@49h", Some("[1]")),
        ("p.json@4d", None),
    ] {
        let said = gannet.run(&["cat", reference]);
        match content {
            Some(content) => assert_eq!(said.out, content, "{reference}: {said:?}"),
            None => assert!(
                said.code == Some(2) && said.err.contains("hint: "),
                "{said:?}"
            ),
        }
    }
    gannet.ok(&["remove", "p.json"]);
    let gone = gannet.run(&["cat", "p.json:published"]);
    assert!(
        gone.code == Some(2) && gone.err.contains("nothing of p.json is published"),
        "{gone:?}"
    );
}

#[test]
fn a_file_that_was_withdrawn_was_not_seen() {
    let gannet = good_bad_bad();
    let store = Store::open(&gannet.data().join("gannet.db")).expect("a catalogue");
    let at = |text: &str| Stamp {
        at: text.parse().expect("a time"),
        actor: Actor("tester".to_owned()),
    };
    let (source, runtime) = (
        SourceId(1),
        tokio::runtime::Runtime::new().expect("a runtime"),
    );
    for (publication, time) in [
        (Publication::Withdraw, "2030-01-01T10:00:00Z"),
        (Publication::Publish(VersionId(2)), "2030-01-01T11:00:00Z"),
    ] {
        runtime
            .block_on(store.record_publication(source, publication, None, Vec::new(), at(time)))
            .expect("recorded");
    }
    let seen = |time: &str| {
        let at = time.parse().expect("a time");
        runtime
            .block_on(store.read(ServedVersion(source, Some(at))))
            .expect("read")
    };
    assert_eq!(seen("2030-01-01T09:59:00Z"), Some(VersionId(1)));
    assert_eq!(seen("2030-01-01T10:30:00Z"), None);
    assert_eq!(seen("2030-01-01T11:30:00Z"), Some(VersionId(2)));
}

#[test]
fn a_version_that_is_not_there_says_why() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://nowhere.invalid/p.csv"]);
    let never = gannet.run(&["cat", "p.csv"]);
    assert!(
        never.err.contains("p.csv has no version yet\n"),
        "{never:?}"
    );
    gannet.fetch("p.csv");
    for (reference, why) in [
        ("p.csv", "p.csv has no version yet (last attempt: dns"),
        ("p.csv~3", "p.csv has no version yet"),
        ("p.csv@2x", "`2x` is not a time: give 2h"),
        ("p.csv~x", "`x` is not how many versions back"),
        ("p.csv:publish", "give :published"),
        ("q.csv", "did you mean p.csv?"),
    ] {
        let said = gannet.run(&["cat", reference]);
        assert!(
            said.code == Some(2) && said.err.contains(why),
            "{reference}: {said:?}"
        );
    }
    let gannet = Home::new("");
    let origin = &gannet.origin;
    origin.on("/there.csv", [Reply::file("1")]);
    gannet.ok(&["add", "https://nowhere.invalid/p.csv"]);
    let address = origin.url("/there.csv");
    gannet.ok(&["add", &address, "--allow-private"]);
    gannet.fetch("there.csv");
    for (reference, why) in [
        (
            "there.csv~7",
            "no version `there.csv~7`: there.csv has 1 version",
        ),
        (
            "there.csv@2h",
            "no version `there.csv@2h`: there.csv had none yet",
        ),
        (
            "there.csv:published@2h",
            "no version `there.csv:published@2h`: nothing of it was published then",
        ),
        ("there.csv:published@1s", "`1s` is not a time: give 2h"),
        (
            "there.csv:published@2100-01-01",
            "`there.csv:published@2100-01-01`: that time lies in the future",
        ),
        (
            "there.csv@2100-01-01T12:00Z",
            "that time lies in the future",
        ),
        ("there.csv@2100-01-01", "that time lies in the future"),
        (
            &format!("{address}@2h"),
            &format!("no version `{address}@2h`: "),
        ),
    ] {
        let said = gannet.run(&["cat", reference]);
        assert!(
            said.code == Some(2) && said.err.contains(why),
            "{reference}: {said:?}"
        );
    }
    assert_eq!(gannet.ok(&["cat", "there.csv:published@today"]), "1");
    let log = gannet.run(&["log", "--since", "2100-01-01"]);
    assert!(
        log.code == Some(2) && log.err.contains("in the future"),
        "{log:?}"
    );
    for name in ["v12", "a~1", "a@yesterday", "a:published"] {
        let said = gannet.run(&["edit", "p.csv", "--name", name]);
        assert!(
            said.code == Some(2) && said.err.contains("cannot be a name"),
            "{said:?}"
        );
    }
    assert!(
        gannet
            .run(&["edit", "p.csv", "--name", "v12"])
            .err
            .contains("a version's id")
    );
}

#[test]
fn people_read_and_write_the_time_of_their_zone() {
    const ZONE: &str = "XST-05:30";
    let mut gannet = Home::new("");
    gannet.origin.on("/a", [Reply::file("a")]);
    // 17:30:30 in the zone.
    let then = at("2026-01-31T12:00:30Z");
    let added = hourly("a", gannet.origin.url("/a"));
    gannet.act_at(then, async |app| {
        app.add(vec![added]).await.expect("added");
    });
    gannet.fetch_at(then, &["a"]);
    gannet.set("TZ", ZONE);
    for (arguments, parts) in [
        (
            ["list"].as_slice(),
            ["LAST (XST-05:30)", "2026-01-31 17:30 "],
        ),
        (
            &["history", "a"],
            ["STARTED (XST-05:30)", "2026-01-31 17:30 "],
        ),
        (
            &["show", "a"],
            [
                "last fetched  2026-01-31 17:30 XST-05:30",
                "FETCHED (XST-05:30)",
            ],
        ),
        (
            &["log"],
            ["2026-01-31 17:30:30+05:30  source.added", "fetch.new"],
        ),
        (&["list", "--utc"], ["LAST (UTC)", "2026-01-31 12:00 "]),
        (
            &["log", "--utc"],
            ["2026-01-31 12:00:30Z  source.added", "fetch.new"],
        ),
        (
            &["list", "--json"],
            ["\"2026-01-31T12:00:30.000Z\"", "last_attempt_at"],
        ),
        (
            &["history", "a", "--csv"],
            ["2026-01-31T12:00:30.000Z", "started_at"],
        ),
    ] {
        let out = gannet.ok(arguments);
        for part in parts {
            assert!(out.contains(part), "{arguments:?}: {part}: {out}");
        }
    }
    for (reference, is_there) in [
        ("a@2026-01-31T17:31", true),
        ("a@2026-01-31T17:30", false),
        ("a@2026-01-31T12:01Z", true),
        ("a@2026-01-31T12:01", false),
        ("a@2026-01-31T13:01+01:00", true),
        ("a@2026-01-31", true),
        ("a@2026-01-30", false),
    ] {
        let found = gannet.run(&["cat", reference]).code == Some(0);
        assert_eq!(found, is_there, "{reference}");
    }
    assert_eq!(gannet.ok(&["log", "--since", "2026-01-31T17:31"]), "");
    assert_ne!(gannet.ok(&["log", "--since", "2026-01-31T12:00Z"]), "");
    for (zone, heading, time) in [
        ("Nowhere/Atlantis", "UTC", "12:00"),
        // No dates of summer time: every system has its own.
        ("CET-1CEST", "UTC", "12:00"),
        (
            "CET-1CEST,M3.5.0,M10.5.0/3",
            "CET-1CEST,M3.5.0,M10.5.0/3",
            "13:00",
        ),
        (
            "AEST-10AEDT,M10.1.0,M4.1.0/3",
            "AEST-10AEDT,M10.1.0,M4.1.0/3",
            "23:00",
        ),
    ] {
        gannet.set("TZ", zone);
        let out = gannet.ok(&["list"]);
        let parts = [format!("LAST ({heading})"), format!("2026-01-31 {time} ")];
        assert!(parts.iter().all(|part| out.contains(part)), "{zone}: {out}");
    }
}

#[test]
fn what_is_not_text_does_not_reach_a_terminal_unasked() {
    let gannet = Home::new("");
    let origin = &gannet.origin;
    origin.on("/evil", [Reply::file("a\u{1b}]0;owned\u{7}b")]);
    origin.on("/plain", [Reply::file("plain text")]);
    for name in ["evil", "plain"] {
        gannet.ok(&["add", &origin.url(&format!("/{name}")), "--allow-private"]);
    }
    gannet.fetch("*");
    let file = gannet.path("out").display().to_string();
    for (arguments, refused) in [
        (["cat", "evil"].as_slice(), true),
        (&["cat", "plain"], false),
        (&["cat", "evil", "--output", "-"], false),
        (&["cat", "evil", "-o", &file], false),
    ] {
        let mut terminal = Terminal::start(&gannet, arguments);
        let ended = terminal.ended();
        assert_eq!(
            ended.exit_code(),
            if refused { 2 } else { 0 },
            "{arguments:?}"
        );
        let screen = terminal.screen().contents();
        assert_eq!(screen.contains("--output -"), refused, "{screen}");
    }
    assert_eq!(std::fs::read(&file).expect("a file"), b"a\x1b]0;owned\x07b");
    assert_eq!(gannet.bytes(&["cat", "evil"]), b"a\x1b]0;owned\x07b");
}

#[test]
fn every_table_fits_a_narrow_terminal() {
    let origin = Origin::start(true);
    for (path, reply) in [
        ("/prices-of-everything.json", Reply::file("{")),
        ("/good.json", Reply::file("{}")),
        ("/member", Reply::file("x")),
        ("/down", Reply::status(404)),
    ] {
        origin.on(path, [reply]);
    }
    let verifiers = "[[verifier]]\nname = \"well-formed\"\nsources = [\"*.json\"]\nbuiltin = \"json\"\n\
        [[verifier]]\nname = \"pair\"\nscope = \"set\"\nsources = [\"tag:s\"]\ncommand = [\"sh\", \"-c\", \"echo the price of line 3 is missing; exit 1\"]\n";
    let gannet = Gannet::trusting(origin.ca_file(), verifiers);
    for path in [
        "/prices-of-everything.json",
        "/good.json",
        "/member",
        "/down",
    ] {
        let tag = if path == "/member" { "s" } else { "t" };
        gannet.ok(&["add", &origin.url(path), "--allow-private", "--tag", tag]);
    }
    gannet.run(&["fetch", "*"]);
    gannet.ok(&["remove", "down"]);
    for columns in [40, 60, 80] {
        for command in [
            &["list"][..],
            &["list", "--sets"],
            &["list", "--removed"],
            &["show", "set:s"],
            &["verdicts"],
            &["history", "prices-of-everything.json"],
            &["history", "4"],
            &["log"],
            &["grep", "x", "*"],
        ] {
            let start = crate::rig::Start::gannet(&gannet, command);
            let mut terminal = start.env("NO_COLOR", "1").size(columns, 24).run();
            assert!(terminal.ended().success(), "{command:?}");
            let raw = String::from_utf8_lossy(&terminal.raw).into_owned();
            // Whole addresses and paths are left to be copied.
            let too_long = |line: &&str| {
                let is_place = |word: &str| word.contains("://") || word.contains("/sets/");
                line.chars().count() > usize::from(columns) && !line.split(' ').any(is_place)
            };
            let wide: Vec<_> = raw.split("\r\n").filter(too_long).collect();
            assert!(wide.is_empty(), "{columns} {command:?}: {wide:#?}");
            assert!(raw.lines().count() > 1, "{command:?}: {raw}");
        }
    }
    let mut terminal = crate::rig::Start::gannet(&gannet, &["verdicts"])
        .size(80, 24)
        .run();
    assert!(terminal.ended().success());
    let screen = terminal.screen().contents();
    assert!(screen.contains("BY tester@"), "{screen}");
}

#[test]
fn a_terminal_shows_ages_and_colours() {
    let gannet = Home::new("");
    let origin = &gannet.origin;
    origin.on("/down", [Reply::status(404)]);
    gannet.ok(&["add", &origin.url("/down"), "--allow-private"]);
    gannet.ok(&["add", "https://example.org/never"]);
    gannet.fetch("down");
    let mut terminal = Terminal::start(&gannet, &["list"]);
    assert!(terminal.ended().success());
    let (screen, raw) = (terminal.screen().contents(), terminal.raw.clone());
    for part in ["1 min ago", "in ", "now", "down(1)"] {
        assert!(screen.contains(part), "{part}: {screen}");
    }
    assert!(
        raw.windows(12).any(|bytes| bytes == b"\x1b[33mdown(1)"),
        "{raw:?}"
    );
    let mut plain = crate::rig::Start::gannet(&gannet, &["list"])
        .env("NO_COLOR", "1")
        .run();
    assert!(plain.ended().success() && !plain.raw.contains(&0x1b));
    assert!(!gannet.ok(&["list"]).contains('\u{1b}'));
}
