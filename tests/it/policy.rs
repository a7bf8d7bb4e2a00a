//! Whose verifiers count: the policy of the catalogue, with the real program and several configuration files.

mod environments;
mod no_file;
mod outlook;
mod refused;
mod unasked;
mod unread;
mod words;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::rig::{Gannet, Home, Reply, Said, fixture, seen, sqlite, verifier};

const PAGE: &str = "<html>an error page</html>";

fixture! {
    /// A home whose only source passes the verifier `json` of `config.toml`, which is in force.
    struct Scene;
}

impl Scene {
    fn new<R: Into<Reply>>(replies: impl IntoIterator<Item = R>) -> Self {
        let home = Home::on_disk(&json_verifier());
        home.origin.on("/x.json", replies);
        home.ok(&["add", &home.url("x.json"), "1h", "--allow-private"]);
        Self(home)
    }

    /// Runs the program with another configuration file.
    fn with(&self, config: &str, arguments: &[&str]) -> Said {
        let path = self.path(config).display().to_string();
        let mut all = vec!["--config", &path];
        all.extend(arguments);
        self.run(&all)
    }

    /// Runs the program without `--config` and `GANNET_CONFIG`.
    fn bare(&self, arguments: &[&str]) -> Said {
        let output = self.bare_command(arguments).output();
        crate::rig::said(&output.expect("gannet runs"))
    }

    fn bare_command(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(arguments);
        command.env_remove("GANNET_CONFIG");
        command
    }

    fn published(&self) -> Option<String> {
        let path = self.data().join("published");
        let host = fs::read_dir(path).ok()?.next()?.ok()?.path();
        fs::read_to_string(host.join("x.json")).ok()
    }

    fn state(&self) -> String {
        let state = &self.source("x.json")["verified"];
        state.as_str().expect("a state").to_owned()
    }

    fn actions(&self) -> Vec<String> {
        // By a configuration of its own: the home's may be broken.
        self.write_config("reading.toml", "");
        let said = self.with("reading.toml", &["log", "--json"]);
        let events = said.out.lines().map(|line| -> Value {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
        });
        events
            .map(|event| event["action"].as_str().expect("an action").to_owned())
            .collect()
    }
}

fn json_verifier() -> String {
    verifier("json", "builtin = \"json\"")
}

#[track_caller]
fn refused(said: &Said, files: &[&Path]) {
    assert_eq!(said.code, Some(2), "{said:#?}");
    for file in files {
        assert!(said.err.contains(&file.display().to_string()), "{said:#?}");
    }
    assert!(said.err.contains("config adopt"), "{said:#?}");
}

#[test]
fn what_failed_is_not_published_by_a_process_with_other_verifiers_or_none() {
    let rig = Scene::new([Reply::file(PAGE)]);
    assert_eq!(rig.fetch("x.json")["failed_verification"], 1);
    rig.write_config("other.toml", "");
    rig.write_config("utf8.toml", &verifier("json", "builtin = \"utf8\""));
    let (own, other) = (rig.path("config.toml"), rig.path("other.toml"));
    for config in ["other.toml", "utf8.toml"] {
        for judging in [
            &["verify", "x.json"][..],
            &["verify", "--stale"],
            &["verdict", "1", "json", "passed"],
        ] {
            let said = rig.with(config, judging);
            refused(&said, &[&own, &rig.path(config)]);
        }
        assert_eq!(rig.state(), "failed");
        assert_eq!(rig.published(), None);
    }
    // Changes of sources are no judgement, and publish nothing either.
    assert_eq!(
        rig.with("other.toml", &["edit", "x.json", "--tag", "a"])
            .code,
        Some(0)
    );
    assert_eq!((rig.state().as_str(), rig.published()), ("failed", None));

    // The operator means it.
    let said = rig.with("other.toml", &["config", "adopt"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert!(said.out.contains("removed json"), "{said:#?}");
    assert_eq!(rig.with("other.toml", &["verify", "x.json"]).code, Some(0));
    assert_eq!(rig.published().as_deref(), Some(PAGE));
    // A policy without verifiers is one, too: no other file takes its place by itself.
    for config in ["config.toml", "utf8.toml"] {
        refused(&rig.with(config, &["verify", "x.json"]), &[&other]);
        assert_eq!(rig.published().as_deref(), Some(PAGE), "{config}");
    }
    assert_eq!(rig.with("other.toml", &["verify", "x.json"]).code, Some(0));
    rig.ok(&["config", "adopt"]);
    assert_eq!(rig.run(&["verify", "x.json"]).code, Some(1));
    assert_eq!(rig.published(), None);
}

#[test]
fn a_process_with_another_file_reads_and_fetches_and_its_versions_wait() {
    let rig = Scene::new(["1", "2", PAGE].map(Reply::file));
    rig.fetch("x.json");
    assert_eq!(rig.published().as_deref(), Some("1"));
    rig.write_config("other.toml", "");
    for reading in [
        &["list"][..],
        &["show", "x.json"],
        &["history", "x.json"],
        &["cat", "x.json"],
    ] {
        assert_eq!(rig.with("other.toml", reading).code, Some(0));
    }
    let own = rig.path("config.toml");
    refused(&rig.with("other.toml", &["fetch", "x.json"]), &[&own]);
    assert_eq!(
        (rig.state().as_str(), rig.published().as_deref()),
        ("pending", Some("1"))
    );
    // The next right pass judges what waits, and publishes it.
    assert_eq!(rig.run(&["--worker-only"]).code, Some(0));
    assert_eq!(
        (rig.state().as_str(), rig.published().as_deref()),
        ("passed", Some("2"))
    );
    // With nothing new there is nothing to refuse; it is said all the same.
    refused(&rig.with("other.toml", &["fetch", "x.json"]), &[&own]);
    assert_eq!(
        (rig.state().as_str(), rig.published().as_deref()),
        ("pending", Some("2"))
    );
    let said = rig.with("other.toml", &["fetch", "x.json"]);
    assert!(said.err.contains(&own.display().to_string()), "{said:#?}");
    assert_eq!(rig.run(&["--worker-only"]).code, Some(1));
    assert_eq!(
        (rig.state().as_str(), rig.published().as_deref()),
        ("failed", Some("2"))
    );
}

#[test]
fn the_file_is_remembered_and_its_edits_are_adopted() {
    let rig = Scene::new(["1", "2", PAGE].map(Reply::file));
    // Neither a flag nor the environment names a file: the catalogue does.
    assert_eq!(rig.bare(&["fetch", "x.json"]).code, Some(0));
    assert_eq!(rig.published().as_deref(), Some("1"));
    let edited = json_verifier() + &verifier("small", "builtin = \"size\"\nmax = \"1B\"");
    rig.write_config("config.toml", &edited);
    // Whoever reads does not write.
    rig.ok(&["list"]);
    let policy = rig.json(&["config", "show", "--policy", "--json"]);
    assert_eq!(policy["revision"], 1);
    let said = rig.bare(&["fetch", "x.json"]);
    assert!(said.err.contains("added small"), "{said:#?}");
    let policy = rig.json(&["config", "show", "--policy", "--json"]);
    assert_eq!(policy["revision"], 2);
    assert_eq!(policy["is_own"], true);
    let path = rig.path("config.toml").display().to_string();
    assert_eq!(policy["file"], Value::from(path));
    let names = policy["verifiers"].as_array().expect("verifiers").iter();
    let names: Vec<_> = names.map(|one| one["name"].as_str()).collect();
    assert_eq!(names, [Some("json"), Some("small")]);
    // Once, and as one event.
    let said = rig.bare(&["fetch", "x.json"]);
    assert!(!said.err.contains("added small"), "{said:#?}");
    let adoptions = rig
        .actions()
        .into_iter()
        .filter(|one| one == "policy.adopted");
    assert_eq!(adoptions.count(), 2);
    // A removed verifier has no say any more.
    rig.write_config(
        "config.toml",
        &verifier("small", "builtin = \"size\"\nmax = \"1KiB\""),
    );
    let said = rig.run(&["verify", "x.json"]);
    assert!(
        said.err
            .contains("removed json; changed small (definition)"),
        "{said:#?}"
    );
    assert_eq!(
        (rig.state().as_str(), rig.published().as_deref()),
        ("passed", Some(PAGE))
    );
}

#[test]
fn a_removed_or_renamed_file_is_another_file() {
    let rig = Scene::new(["1", PAGE].map(Reply::file));
    rig.fetch("x.json");
    let (own, moved) = (rig.path("config.toml"), rig.path("moved.toml"));
    fs::rename(&own, &moved).expect("renamed");
    // Gone: what a bare command finds is no configuration at all.
    refused(&rig.bare(&["verify", "x.json"]), &[&own]);
    refused(
        &rig.with("moved.toml", &["verify", "x.json"]),
        &[&own, &moved],
    );
    assert_eq!(rig.bare(&["list"]).code, Some(0));
    // Followed through a link it is the same.
    std::os::unix::fs::symlink(&moved, &own).expect("a link");
    assert_eq!(rig.with("moved.toml", &["verify", "x.json"]).code, Some(0));
    fs::remove_file(&own).expect("removed");
    assert_eq!(rig.with("moved.toml", &["config", "adopt"]).code, Some(0));
    assert_eq!(rig.with("moved.toml", &["verify", "x.json"]).code, Some(0));
    assert_eq!(rig.bare(&["verify", "x.json"]).code, Some(0));
    assert_eq!(rig.published().as_deref(), Some("1"));
}

#[test]
fn a_process_without_the_file_changes_no_set() {
    let rig = Scene::new(["1"].map(Reply::file));
    let set = "[[verifier]]\nname = \"s\"\nscope = \"set\"\nsources = [\"tag:release\"]\nexternal = true\n";
    rig.write_config("config.toml", set);
    rig.ok(&["edit", "x.json", "--tag", "release"]);
    rig.fetch("x.json");
    rig.ok(&["verdict", "set:release", "s", "passed"]);
    let members = || rig.json(&["list", "--sets", "--json"]);
    let before = members();
    assert!(before.to_string().contains("\"release\""), "{before}");
    rig.write_config("other.toml", "");
    for writing in [
        &["add", "https://example.org/b", "--tag", "release"][..],
        &["fetch", "x.json"],
        &["--worker-only"],
        &["verdict", "set:release", "s", "failed"],
        &["verify", "set:release"],
    ] {
        rig.with("other.toml", writing);
    }
    let link = rig.data().join("sets/release/x.json");
    assert_eq!(fs::read_to_string(link).expect("still there"), "1");
    // A source that was added meanwhile is in the set of the policy in force.
    let after = members();
    assert_eq!(after[0]["published"], before[0]["published"], "{after}");
}

#[test]
fn a_state_change_names_the_revision_of_the_policy() {
    let rig = Scene::new([Reply::file(PAGE)]);
    rig.fetch("x.json");
    rig.write_config(
        "config.toml",
        &verifier("json", "builtin = \"json\"\nadvisory = true"),
    );
    rig.run(&["verify", "--stale"]);
    let history = rig.history("x.json");
    assert_eq!(history["versions"][0]["policy_revision"], 2, "{history}");
    let log = rig.ok(&["log", "--json"]);
    let events: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let of = |action: &str| events.iter().find(|event| event["action"] == action);
    let failed = of("version.failed").expect("an event");
    assert_eq!(failed["policy_revision"], 1, "{failed}");
    let recounted = of("version.recounted").expect("an event");
    assert_eq!(recounted["policy_revision"], 2, "{recounted}");
    assert_eq!(recounted["detail"], "failed -> unverified");
}

/// What counts is what is set when the state is recorded, not when the fetch began.
#[test]
fn a_tag_that_comes_while_a_version_is_judged_asks_its_verifiers() {
    for judging in [&["fetch", "x.json"][..], &["verify", "x.json"]] {
        let rig = Scene::new([Reply::file(PAGE)]);
        let gate = rig.path("gate");
        let waits = format!(
            "command = [\"/bin/sh\", \"-c\", \"[ ! -p {0} ] || cat {0}\"]",
            gate.display()
        );
        let strict = json_verifier().replace("\"*\"", "\"tag:strict\"");
        rig.write_config("config.toml", &(verifier("waits", &waits) + &strict));
        if judging[0] == "verify" {
            rig.fetch("x.json");
            // Published since nothing else judges it; from here on it must not be.
            assert_eq!(rig.published().as_deref(), Some(PAGE));
        }
        let made = Command::new("mkfifo").arg(&gate).status();
        assert!(made.expect("mkfifo runs").success());
        let mut child = rig.start(judging);
        let pipe = fs::OpenOptions::new().write(true).open(&gate);
        rig.ok(&["edit", "x.json", "--tag", "strict"]);
        fs::remove_file(&gate).expect("removed");
        drop(pipe.expect("a reader"));
        child.wait().expect("its end");
        if judging[0] == "fetch" {
            assert_eq!((rig.state().as_str(), rig.published()), ("pending", None));
        }
        rig.run(&["--worker-only"]);
        rig.run(&["verify", "x.json"]);
        assert_eq!((rig.state().as_str(), rig.published()), ("failed", None));
    }
}

/// A worker that stays, ended with the test.
struct Service(Child);

impl Service {
    fn start(gannet: &Gannet) -> Self {
        Self::of(gannet.command(&["--worker-only", "--loop"]))
    }

    fn of(mut command: Command) -> Self {
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().expect("gannet starts"))
    }

    fn hang_up(&self) {
        let pid = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("a process"), Signal::HUP).expect("the signal is sent");
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_worker_that_stays_reads_its_configuration_again() {
    let rig = Scene::new(["1", "2"].map(Reply::file));
    let mut service = Service::start(&rig);
    let told = |action: &str, times: usize| {
        let told = rig.actions().iter().filter(|one| *one == action).count();
        (told >= times).then_some(())
    };
    seen("its first pass", || told("pass.finished", 1));
    // One that comes during a pass is heard after it.
    let heard = |action: &str, times: usize| {
        seen(action, || {
            service.hang_up();
            told(action, times)
        });
    };
    let revision = || {
        let policy = rig.json(&["config", "show", "--policy", "--json"]);
        policy["revision"].as_i64().expect("a revision")
    };
    rig.write_config(
        "config.toml",
        &(json_verifier() + &verifier("utf8", "builtin = \"utf8\"")),
    );
    heard("policy.adopted", 2);
    assert_eq!(revision(), 2);
    // One that is broken, and one that is gone, leave what was in force before.
    for broken in [Some("[[verifier]]\nname = \n"), None] {
        let path = rig.path("config.toml");
        let before = rig.actions();
        let rejected = before
            .iter()
            .filter(|one| *one == "config.rejected")
            .count();
        match broken {
            Some(text) => fs::write(path, text).expect("a file"),
            None => fs::remove_file(path).expect("removed"),
        }
        heard("config.rejected", rejected + 1);
    }
    rig.write_config("config.toml", &json_verifier());
    heard("policy.adopted", 3);
    assert_eq!(revision(), 3);
    assert!(service.0.try_wait().expect("a look").is_none(), "it lives");
}

#[test]
fn a_rejected_edit_that_is_taken_back_is_over_whichever_process_reads_the_file_next() {
    let commands: [&[&str]; 4] = [
        &["--worker-only"],
        &["fetch", "x.json"],
        &["config", "adopt"],
        &["--worker-only", "--loop"],
    ];
    for command in commands {
        let rig = Scene::new([Reply::file("1")]);
        let count = |action: &str| rig.actions().iter().filter(|one| *one == action).count();
        let service = Service::start(&rig);
        seen("its first pass", || {
            (count("pass.finished") > 0).then_some(())
        });
        rig.write_config("config.toml", "[[verifier]]\nname = \n");
        seen("the rejection", || {
            service.hang_up();
            (count("config.rejected") > 0).then_some(())
        });
        assert_eq!(count("config.reloaded"), 0, "{command:?}");
        drop(service);
        rig.write_config("config.toml", &json_verifier());
        let mut child = rig.start(command);
        seen("the end of the rejection", || {
            (count("config.reloaded") == 1).then_some(())
        });
        let _ = child.kill();
        child.wait().expect("its end");
    }
}

#[test]
fn an_edit_is_adopted_wholly_or_not_at_all_however_the_process_dies() {
    const ROUNDS: u32 = 30;
    let rig = Scene::new([Reply::file("1")]);
    rig.ok(&["edit", "x.json", "--tag", "release"]);
    let set = "[[verifier]]\nname = \"s\"\nscope = \"set\"\nsources = [\"tag:release\"]\nexternal = true\n";
    let start = Instant::now();
    rig.fetch("x.json");
    let longest = start.elapsed();
    for round in 0..ROUNDS {
        let is_set = round % 2 == 0;
        rig.write_config(
            "config.toml",
            &if is_set {
                json_verifier() + set
            } else {
                json_verifier()
            },
        );
        let mut child = rig.start(&["fetch", "x.json"]);
        let deadline = Instant::now() + longest * round / ROUNDS;
        while Instant::now() < deadline {}
        child.kill().expect("killed, or ended by itself");
        child.wait().expect("its end");
        let (verifiers, members): (String, i64) = sqlite::read(&rig.data())
            .query_row(
                "SELECT verifiers, (SELECT count(*) FROM set_member) FROM policy ORDER BY revision DESC LIMIT 1",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .expect("a policy");
        assert_eq!(
            verifiers.contains("release"),
            members == 1,
            "round {round}: {verifiers}"
        );
    }
}

#[test]
fn two_processes_with_two_readings_of_the_file_end_with_the_newer_one() {
    let rig = Scene::new([Reply::file("1")]);
    for round in 0..10 {
        let old = rig.start(&["verify", "x.json"]);
        rig.write_config(
            "config.toml",
            &(json_verifier() + &verifier(&format!("v{round}"), "builtin = \"utf8\"")),
        );
        let new = rig.start(&["fetch", "x.json"]);
        for mut child in [old, new] {
            child.wait().expect("its end");
        }
        let policy = rig.json(&["config", "show", "--policy", "--json"]);
        let names = policy["verifiers"].to_string();
        assert!(names.contains(&format!("v{round}")), "{policy}");
    }
}

/// A verifier whose verdict does not count, since its configuration was edited while it ran, is not run again by the same
/// pass, which still has the former one.
#[test]
fn an_edit_that_comes_during_a_fetch_has_no_verifier_run_twice() {
    for arguments in [
        &["fetch", "x.json", "--json"][..],
        &["--worker-only", "--json"],
    ] {
        let rig = Scene::new(["1", "2"].map(Reply::file));
        let waits = verifier("legal", "external = true");
        rig.write_config(
            "edited.toml",
            &(verifier("slow", "command = [\"true\"]") + &waits),
        );
        let at = |name: &str| rig.path(name).display().to_string();
        let program = env!("CARGO_BIN_EXE_gannet");
        let script = format!(
            "echo run >>{}; cp {} {}; {program} --data-dir {} --config {} config adopt",
            at("runs"),
            at("edited.toml"),
            at("config.toml"),
            rig.data().display(),
            at("config.toml")
        );
        let script = rig.program("check", &script);
        rig.write_config(
            "config.toml",
            &verifier("slow", &format!("command = [{script:?}]")),
        );
        let said = rig.run(arguments);
        let pass: Value = serde_json::from_str(&said.out).expect("JSON");
        assert_eq!(pass["new"], 1, "{arguments:?}: {said:#?}");
        assert_eq!(pass["awaiting_verdicts"], 1, "{arguments:?}: {said:#?}");
        let runs = fs::read_to_string(rig.path("runs")).expect("a file");
        assert_eq!(runs, "run\n", "{arguments:?}: {said:#?}");
    }
}
