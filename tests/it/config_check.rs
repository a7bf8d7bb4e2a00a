//! `config check` on this machine: what keeps gannet from working is found before a pass finds it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::rig::{Gannet, Home, Origin, Reply, Terminal, in_mount_namespace, left_out};

#[test]
fn certificates_and_folders_are_tried() {
    let gannet = Gannet::new();
    fs::write(gannet.path("no.pem"), "no certificate").expect("a file");
    fs::write(gannet.path("file"), "").expect("a file");
    for (toml, data_dir, expected) in [
        (
            "[fetch]\nca_file = \"gone.pem\"\n",
            "data",
            "cannot read certificates from",
        ),
        (
            "[fetch]\nca_file = \"no.pem\"\n",
            "data",
            "no certificate in it",
        ),
        ("", "/proc/nope/x", "cannot use /proc/nope/x for the data: "),
        ("", "file", "file for the data: not a directory"),
        ("", "file/below", "for the data: "),
        (
            "log_dir = \"/proc/nope/log\"\n",
            "data",
            "cannot use /proc/nope/log for the logs: ",
        ),
    ] {
        gannet.configure(toml);
        let mut check = gannet.command(&["config", "check"]);
        let data_dir = gannet.path("").join(data_dir);
        if toml.contains("log_dir") {
            // A data folder that the environment names keeps the logs with it.
            gannet.configure(&format!("data_dir = {data_dir:?}\n{toml}"));
            check.env_remove("GANNET_DATA_DIR");
        } else {
            check.env("GANNET_DATA_DIR", &data_dir);
        }
        let said = crate::rig::said(&check.output().expect("gannet runs"));
        assert_eq!(said.code, Some(2), "{toml}{data_dir:?}: {said:#?}");
        assert!(said.err.contains(expected), "{toml}{data_dir:?}: {said:#?}");
        assert!(
            !said.err.contains(" at path "),
            "the name of a try: {said:#?}"
        );
        assert!(!said.out.contains(": valid\n"), "{said:#?}");
    }
    gannet.configure("");
    assert!(gannet.ok(&["config", "check"]).contains(": valid\n"));
    assert!(!gannet.data().exists(), "nothing is left of the try");
}

#[test]
fn a_folder_that_others_work_in_is_no_problem() {
    if !rustix::process::getuid().is_root() {
        left_out(
            "what needs two accounts",
            "only root can become another account",
        );
        return;
    }
    let gannet = Gannet::new();
    gannet.ok(&["build_db"]);
    for folder in [gannet.path(""), gannet.data()] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("a mode");
    }
    fs::set_permissions(
        gannet.data().join("gannet.db"),
        fs::Permissions::from_mode(0o644),
    )
    .expect("a mode");
    let mut check = std::process::Command::new("setpriv");
    check
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(env!("CARGO_BIN_EXE_gannet"))
        .args(["config", "check"])
        .env("HOME", gannet.path(""))
        .env("GANNET_CONFIG", gannet.path("config.toml"))
        .env("GANNET_DATA_DIR", gannet.data());
    let said = crate::rig::said(&check.output().expect("setpriv runs"));
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert!(
        said.out.contains("warning: this account may not write to"),
        "{said:#?}"
    );
}

/// The check does not end well where the next pass cannot do its work, and ends with the code of that pass.
#[test]
fn the_check_ends_as_the_next_pass_would() {
    let mut gannet = Home::new("");
    gannet
        .origin
        .on("/a.json", [Reply::file("1"), Reply::file("2")]);
    let json = "[[verifier]]\nname = \"json\"\nsources = [\"*\"]\nbuiltin = \"json\"\n";
    gannet.set("SHORT", "12345");
    let fetch = fs::read_to_string(gannet.path("config.toml")).expect("a configuration");
    let with_json = format!("{fetch}\n{json}");
    gannet.configure(&with_json);
    gannet.ok(&["add", &gannet.origin.url("/a.json"), "--allow-private"]);
    gannet.fetch("a.json");
    let check = || gannet.run(&["config", "check"]);
    let pass = || gannet.run(&["fetch", "a.json"]);
    assert_eq!((check().code, pass().code), (Some(0), Some(0)));

    let proxy = format!("{fetch}proxy = \"${{SHORT}}\"\n{json}");
    for (toml, code, words) in [
        (
            &*proxy,
            2,
            "cannot use the proxy of the configuration: the secret SHORT has fewer than 6 bytes",
        ),
        (
            &fetch,
            2,
            "with this configuration the next pass fetches, judges and publishes nothing",
        ),
    ] {
        gannet.configure(toml);
        let said = check();
        assert!(
            said.code == Some(code) && said.err.contains(words),
            "{toml}: {said:#?}"
        );
        assert!(pass().code >= Some(2), "{toml}");
    }
    gannet.configure(&with_json);
    assert_eq!(check().code, Some(0));
    fs::write(gannet.path("other.toml"), &with_json).expect("a file");
    let other = gannet.path("other.toml").display().to_string();
    let said = gannet.run(&["--config", &other, "config", "check"]);
    let words = "with this configuration the next pass judges and publishes nothing";
    assert!(
        said.code == Some(2) && said.err.contains(words),
        "{said:#?}"
    );
    assert_eq!(gannet.run(&["--config", &other, "fetch"]).code, Some(2));

    // A catalogue of before the last change, put back.
    let (catalogue, copy) = (gannet.data().join("gannet.db"), gannet.path("copy.db"));
    fs::copy(&catalogue, &copy).expect("copied");
    gannet.ok(&["edit", "a.json", "--tag", "later"]);
    for beside in ["gannet.db-wal", "gannet.db-shm"] {
        let _ = fs::remove_file(gannet.data().join(beside));
    }
    fs::copy(&copy, &catalogue).expect("put back");
    let said = check();
    assert!(
        said.code == Some(3) && said.err.contains("is an older copy"),
        "{said:#?}"
    );
    assert!(
        said.err.contains("config adopt-archive") && !said.out.contains("valid"),
        "{said:#?}"
    );
    assert_eq!(pass().code, Some(3));
    gannet.ok(&["config", "adopt-archive"]);
    assert_eq!((check().code, pass().code), (Some(0), Some(0)));
}

/// A file system that is full or mounted read-only stops the worker of every account.
#[test]
fn a_disk_that_cannot_be_written_is_found_by_the_check() {
    let fill = |folder: &str| {
        format!(
            "mkdir -p {folder}; cp -a {folder} \"$HOME/copy\"; mount -t tmpfs -o size=1m,mode=700 none {folder}
            cp -a \"$HOME/copy/.\" {folder}; cat /dev/zero >{folder}/fill 2>/dev/null || true"
        )
    };
    let protect = |folder: &str| {
        format!(
            "mkdir -p {folder}; mount --bind {folder} {folder}; mount -o remount,bind,ro {folder}"
        )
    };
    let (data, logs) = ("\"$data\"", "\"$data/log\"");
    for (mount, check, pass, words) in [
        (protect(data), 3, 3, "is mounted read-only"),
        (protect(logs), 3, 3, "is mounted read-only"),
        (fill(data), 3, 3, "no room left on the file system at"),
        (fill(logs), 0, 0, "no room left on the file system at"),
        ("true".to_owned(), 0, 0, ""),
    ] {
        let gannet = Home::new("").with_source("a", ["1"]);
        let script = format!(
            "rm \"$data/reserve\"; {mount}
            code=0; \"$gannet\" config check 2>&1 || code=$?; echo \"check $code\"
            code=0; \"$gannet\" --worker-only >\"$HOME/pass\" 2>&1 || code=$?; echo \"pass $code\""
        );
        let Some(said) = in_mount_namespace(&gannet, &script) else {
            return;
        };
        let ends = format!("check {check}\npass {pass}\n");
        assert!(said.out.ends_with(&ends), "{mount}: {said:#?}");
        assert!(said.out.contains(words), "{mount}: {said:#?}");
    }
}

const IDLE: &str = "[[verifier]]\nname = \"typo\"\nsources = [\"tag:prizes\"]\nbuiltin = \"utf8\"\n\
    [[verifier]]\nname = \"set\"\nscope = \"set\"\nsources = [\"tag:relaese\"]\ncommand = [\"true\"]\n\
    [[verifier]]\nname = \"right\"\nsources = [\"tag:prices\"]\nbuiltin = \"utf8\"\n\
    [[notify]]\nname = \"ops\"\nsources = [\"*.cvs\"]\ncommand = [\"true\"]\n";

#[test]
fn what_selects_nothing_is_told_by_the_check_by_a_service_and_by_the_dashboard() {
    let origin = Origin::start(true);
    origin.on("/a.csv", [Reply::file("a")]);
    let gannet = Gannet::new();
    gannet.configure(IDLE);
    // Without sources everything selects nothing.
    gannet.ok(&["build_db"]);
    assert!(!gannet.ok(&["config", "check"]).contains("now"));
    gannet.ok(&[
        "add",
        "https://example.org/a.csv",
        "--tag",
        "prices",
        "--disabled",
    ]);
    let page = gannet.ok(&["config", "check"]);
    let idle = [
        "verifier typo judges nothing: no source is selected by tag:prizes now",
        "verifier set judges nothing: no source is selected by tag:relaese now",
        "notifier ops hears of nothing: no source is selected by *.cvs now",
    ];
    for line in idle {
        assert!(page.contains(&format!("warning: {line}")), "{page}");
    }
    assert_eq!(page.matches(" now").count(), idle.len(), "{page}");
    // Cron is not mailed each hour.
    assert_eq!(gannet.run(&["--worker-only"]).err, "");
    let mut worker = gannet.start(&["--worker-only", "--loop"]);
    let mut err = std::io::BufReader::new(worker.stderr.take().expect("a pipe"));
    for line in idle {
        let mut said = String::new();
        std::io::BufRead::read_line(&mut err, &mut said).expect("a line");
        assert_eq!(said.trim_end(), format!("warning: {line}"));
    }
    worker.kill().expect("it runs");
    worker.wait().expect("it ends");
    let mut terminal = Terminal::start(&gannet, &["--no-worker"]);
    terminal.wait_for("verifier typo judges nothing");
    terminal.press("q");
    assert!(terminal.ended().success());
}

#[test]
fn a_configuration_that_every_account_may_change_is_warned_of() {
    let gannet = Gannet::new();
    let file = gannet.path("config.toml");
    let folder = gannet.path("");
    for (path, mode, expected) in [
        (&file, 0o666, true),
        (&file, 0o664, false),
        (&folder, 0o777, true),
        (&folder, 0o1777, false),
        (&folder, 0o755, false),
    ] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
        for command in [&["build_db"][..], &["config", "check"]] {
            let said = gannet.run(command);
            assert_eq!(said.code, Some(0), "{said:#?}");
            let told = format!("{}{}", said.out, said.err);
            let is_told = told.contains("every account may write to");
            assert_eq!(is_told, expected, "{command:?} {mode:o} {told}");
        }
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).expect("a mode");
    }
}

#[test]
fn a_tilde_leads_home_and_a_reason_is_given() {
    let gannet = Gannet::new();
    gannet.configure("data_dir = \"~/of/mine\"\nlog_dir = \"~/log\"\n");
    let mut add = gannet.command(&["add", "https://example.org/a"]);
    add.env_remove("GANNET_DATA_DIR");
    assert!(add.status().expect("gannet runs").success());
    assert!(gannet.path("of/mine/gannet.db").exists() && gannet.path("log").exists());
    let mut list = gannet.command(&["list", "--data-dir=~/of/mine"]);
    assert!(list.status().expect("gannet runs").success());
    for (toml, config, expected) in [
        (
            "data_dir = \"~joe/data\"\n",
            None,
            "only `~/` stands for a home folder",
        ),
        (
            "secrets_file = \"gone\"\n",
            None,
            "gone: No such file or directory",
        ),
        ("", Some(gannet.path("")), "Is a directory"),
    ] {
        gannet.configure(toml);
        let mut check = gannet.command(&["config", "check"]);
        check.envs(config.map(|path| ("GANNET_CONFIG", path)));
        let said = crate::rig::said(&check.output().expect("gannet runs"));
        assert_eq!(said.code, Some(2), "{toml}: {said:#?}");
        assert!(said.err.contains(expected), "{toml}: {said:#?}");
    }
    fs::write(gannet.path("config.toml"), b"\xff\xfe").expect("a file");
    let said = gannet.run(&["config", "check"]);
    assert!(said.code == Some(2) && said.err.contains("valid UTF-8"));
}

#[test]
fn an_account_without_variables_is_called_by_its_name() {
    let gannet = Gannet::new();
    let mut add = gannet.command(&["add", "https://example.org/a"]);
    add.env_remove("USER");
    assert!(add.status().expect("gannet runs").success());
    let list = std::process::Command::new("id")
        .arg("-un")
        .output()
        .expect("id runs");
    let name = String::from_utf8_lossy(&list.stdout).trim().to_owned();
    let log = gannet.ok(&["log"]);
    assert!(log.contains(&format!("{name}@")), "{name}: {log}");
}

#[test]
fn a_schema_whose_formats_are_only_notes_is_told_by_the_check() {
    let gannet = Gannet::new();
    for (schema, more, is_told) in [
        (r#"{"properties": {"day": {"format": "date"}}}"#, "", true),
        (
            r#"{"anyOf": [{"format": "email"}]}"#,
            "format = false",
            true,
        ),
        (
            r#"{"properties": {"day": {"format": "date"}}}"#,
            "format = true",
            false,
        ),
        (
            r#"{"properties": {"format": {"type": "string"}}}"#,
            "",
            false,
        ),
    ] {
        std::fs::write(gannet.path("s.json"), schema).expect("a schema");
        gannet.configure(&format!(
            "[[verifier]]\nname = \"days\"\nsources = [\"*\"]\nbuiltin = \"json\"\nschema = \"s.json\"\n{more}\n"
        ));
        let page = gannet.ok(&["config", "check"]);
        let line = "warning: the schema of verifier days says `format`, which asserts nothing";
        assert_eq!(page.contains(line), is_told, "{schema} {more}: {page}");
    }
}

#[test]
fn secrets_that_no_request_is_made_with_are_told_by_the_check() {
    let mut gannet = Gannet::new();
    gannet.set("SHORT", "12345");
    gannet.set("LONG", "123456");
    gannet.set("EMPTY", "");
    for (name, expected) in [
        ("SHORT", "${SHORT} has a value of fewer than 6 bytes"),
        ("EMPTY", "${EMPTY} has no value"),
        ("NONE", "${NONE} has no value"),
        ("LONG", ""),
    ] {
        for toml in [
            format!("[worker]\nheartbeat = \"https://example.org/${{{name}}}\"\n"),
            format!(
                "[[verifier]]\nname = \"v\"\nsources = [\"*\"]\nhttp = \"https://example.org/${{{name}}}\"\n"
            ),
        ] {
            gannet.configure(&toml);
            let page = gannet.ok(&["config", "check"]);
            assert!(page.contains(expected), "{toml}: {page}");
            assert_eq!(page.contains("${"), !expected.is_empty(), "{toml}: {page}");
        }
    }
}

#[test]
fn secrets_of_sources_are_told_by_the_check() {
    let mut gannet = Gannet::new();
    gannet.set("SHORT", "12345");
    gannet.set("LONG", "123456");
    gannet.configure("");
    let page = gannet.ok(&["config", "check"]);
    assert!(!page.contains("warning"), "no catalogue: {page}");
    for (name, more) in [
        ("user", &["--user", "joe:${NOT_THERE}"][..]),
        ("header", &["--header", "X-Key: ${SHORT}"]),
        (
            "good",
            &["--header", "X-Key: ${LONG}", "--user", "joe:${LONG}"],
        ),
        ("one", &["--user", "${SHARED}:${LONG}"]),
        ("two", &["--user", "${SHARED}:${SHARED}"]),
        ("three", &["--header", "X-Key: ${SHARED}", "--disabled"]),
        ("gone", &["--user", "joe:${REMOVED}"]),
        (
            "${IN_ADDRESS}/four",
            &["--name", "four", "--user", "x:${SHARED}"],
        ),
    ] {
        let address = format!("https://example.org/{name}");
        gannet.ok(&[&["add", &address], more].concat());
    }
    gannet.ok(&["remove", "gone"]);
    let page = gannet.ok(&["config", "check"]);
    let told: Vec<_> = page.lines().filter(|line| line.contains("${")).collect();
    let expected = [
        "warning: source four: ${IN_ADDRESS} has no value in",
        "warning: source user: ${NOT_THERE} has no value in",
        "warning: sources four, one, three and 1 more: ${SHARED} has no value in",
        "warning: source header: ${SHORT} has a value of fewer than 6 bytes",
    ];
    assert_eq!(told.len(), expected.len(), "{page}");
    for (line, start) in told.iter().zip(expected) {
        assert!(line.starts_with(start), "{start}: {page}");
    }
    assert!(page.contains(": valid\n"), "{page}");
}

#[test]
fn a_verifier_without_its_program_is_no_good_end() {
    let gannet = Gannet::new();
    let text = gannet.path("text");
    fs::write(&text, "no program").expect("a file");
    let verifier = |program: &str| {
        format!(
            "[[verifier]]\nname = \"look\"\nsources = [\"*\"]\ncommand = [{program:?}, \"{{path}}\"]\n"
        )
    };
    let notifier = "[[notify]]\nname = \"ops\"\ncommand = [\"/nope/tell\"]\n";
    let script = |name: &str, first_line: &str| {
        let path = gannet.path(name);
        fs::write(&path, format!("{first_line}\nexit 0\n")).expect("a script");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a mode");
        path.display().to_string()
    };
    let text = text.display().to_string();
    for (toml, what, code) in [
        (
            verifier("/nope/check"),
            "verifier look: cannot use the program",
            1,
        ),
        (
            verifier("nope-check"),
            "verifier look: cannot use the program",
            1,
        ),
        (verifier(&text), "verifier look: cannot use the program", 1),
        (verifier("/tmp"), "verifier look: cannot use the program", 1),
        (
            verifier("true") + notifier,
            "notifier ops: cannot use the program",
            0,
        ),
        (verifier("/bin/true"), "", 0),
        (verifier(&script("sh", "#!/bin/sh")), "", 0),
        (verifier(&script("env-sh", "#!/usr/bin/env sh")), "", 0),
        (
            verifier(&script("nope", "#!/nope/python3")),
            "nope`: its interpreter `/nope/python3` is not there\n",
            1,
        ),
        (
            verifier(&script("env-nope", "#!/usr/bin/env nope-python3")),
            "`nope-python3`, which it has `env` look for, is not found in ",
            1,
        ),
        (
            verifier(&script("crlf", "#!/bin/sh\r")),
            "its first line ends with a carriage return",
            1,
        ),
    ] {
        gannet.configure(&toml);
        let said = gannet.run(&["config", "check"]);
        assert_eq!(said.code, Some(code), "{toml}: {said:?}");
        assert!(said.out.contains(what), "{toml}: {said:?}");
        let words = "the next pass cannot judge by look";
        assert_eq!(said.err.contains(words), code == 1, "{toml}: {said:?}");
    }
}

#[test]
fn a_verifier_without_its_program_ends_the_pass_as_it_ended_the_check() {
    let origin = Origin::start(true);
    origin.on("/a", [Reply::file("a")]);
    let verifier =
        "[[verifier]]\nname = \"look\"\nsources = [\"*\"]\ncommand = [\"/nope/check\"]\n";
    let gannet = Gannet::trusting(origin.ca_file(), verifier);
    gannet.ok(&["add", &origin.url("/a"), "--allow-private"]);
    for command in [&["config", "check"][..], &["--worker-only"]] {
        let said = gannet.run(command);
        assert_eq!(said.code, Some(1), "{command:?}: {said:?}");
    }
}

#[test]
fn that_there_is_no_policy_is_said_once() {
    let gannet = Gannet::new();
    gannet.ok(&["build_db"]);
    let unjudged = "no policy is in force; no verifiers: every version is published as it comes\n";
    let said = gannet.run(&["config", "show", "--policy"]);
    assert_eq!((said.out.as_str(), said.err.as_str()), (unjudged, ""));
    gannet.configure("[[verifier]]\nname = \"j\"\nsources = [\"*\"]\nbuiltin = \"json\"\n");
    let adopts = "no policy is in force yet; the next pass or changing command adopts this configuration: added j\n";
    let said = gannet.run(&["config", "show", "--policy"]);
    assert_eq!((said.out.as_str(), said.err.as_str()), (adopts, ""));
    assert_eq!(
        gannet.ok(&["config", "show", "--policy", "--json"]),
        "null\n"
    );
    gannet.configure("nonsense");
    let said = gannet.run(&["config", "show", "--policy"]);
    assert_eq!(
        said.out.matches("no policy").count(),
        said.out.lines().count(),
        "{said:?}"
    );
}

/// One rule for a configuration that is gone and one that is broken, where the data folder is known all the same.
#[test]
fn without_a_usable_configuration_changes_are_recorded_and_nothing_is_fetched() {
    const VERIFIER: &str = "[[verifier]]\nname = \"json\"\nsources = [\"*\"]\nbuiltin = \"json\"\n";
    for text in [None, Some("x = \n"), Some("colour = 1\n")] {
        let gannet = Gannet::new();
        gannet.configure(VERIFIER);
        gannet.ok(&["add", "https://example.org/a"]);
        match text {
            None => fs::remove_file(gannet.path("config.toml")).expect("removed"),
            Some(text) => gannet.configure(text),
        }
        let run = |arguments: &[&str]| {
            let mut command = gannet.command(arguments);
            command.env_remove("GANNET_CONFIG");
            crate::rig::said(&command.output().expect("gannet runs"))
        };
        let (reads, changes) = ("reading goes on", "changes of sources are recorded");
        for (arguments, code, words) in [
            (&["list"][..], 0, reads),
            (&["config", "show"], 0, reads),
            (&["add", "https://example.org/b"], 0, changes),
            (&["edit", "a", "--tag", "x"], 0, changes),
            (&["remove", "b"], 0, changes),
            (&["restore", "b"], 0, changes),
            (
                &["fetch", "a"],
                2,
                "nothing is fetched, judged or published",
            ),
            (
                &["--worker-only"],
                2,
                "nothing is fetched, judged or published",
            ),
            (&["config", "check"], 2, "config"),
        ] {
            let said = run(arguments);
            assert_eq!(said.code, Some(code), "{text:?} {arguments:?}: {said:#?}");
            assert!(
                said.err.contains(words),
                "{text:?} {arguments:?}: {said:#?}"
            );
            let says_both = said.err.contains(reads) && said.err.contains(changes);
            assert!(!says_both, "{said:#?}");
        }
        gannet.configure(VERIFIER);
        let names = gannet.json(&["list", "--json"]);
        assert_eq!(names.as_array().map(Vec::len), Some(2), "{names}");
    }
}
