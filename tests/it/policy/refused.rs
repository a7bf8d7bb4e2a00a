//! Processes that may not judge: by a configuration that cannot be read again, is gone, broken, emptied, or another's.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::process::Stdio;

use serde_json::Value;

use super::{PAGE, Scene, Service, json_verifier, refused, verifier};
use crate::rig::{Home, Reply, Said, said, seen, sqlite};

impl Scene {
    /// Runs the program with a configuration that comes through `redirection` of a shell.
    fn through(&self, redirection: &str, config: &str, arguments: &str) -> Said {
        let gannet = env!("CARGO_BIN_EXE_gannet");
        let mut shell = self.command(&[]);
        let environment: Vec<_> = shell
            .get_envs()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .collect();
        shell = std::process::Command::new("bash");
        shell
            .env_clear()
            .envs(environment)
            .env_remove("GANNET_CONFIG")
            .current_dir(self.path(""))
            .stdin(Stdio::null())
            .arg("-c")
            .arg(
                redirection
                    .replace("CONFIG", config)
                    .replace("GANNET", gannet)
                    .replace("ARGUMENTS", arguments),
            );
        said(&shell.output().expect("a shell"))
    }

    fn revision(&self) -> Value {
        self.write_config("reading.toml", "");
        let policy = self.with("reading.toml", &["config", "show", "--policy", "--json"]);
        let policy: Value = serde_json::from_str(&policy.out).expect("JSON");
        policy["revision"].clone()
    }

    fn count(&self, action: &str) -> usize {
        let actions = self.actions();
        actions.iter().filter(|one| *one == action).count()
    }
}

#[test]
fn a_configuration_that_cannot_be_read_again_is_none_to_judge_by() {
    let rig = Scene::new(["1", PAGE, PAGE, PAGE].map(Reply::file));
    rig.fetch("x.json");
    let strict = json_verifier() + &verifier("utf8", "builtin = \"utf8\"");
    rig.write_config("strict.toml", &strict);
    let both = &["config.toml", "strict.toml"][..];
    // A redirected file is known by where it leads to.
    let another = &["strict.toml"][..];
    for (redirection, configs) in [
        ("GANNET --config <(cat CONFIG) ARGUMENTS", both),
        ("cat CONFIG | GANNET --config /dev/stdin ARGUMENTS", both),
        ("GANNET --config /dev/stdin ARGUMENTS < CONFIG", another),
        (
            "GANNET --config /proc/self/fd/0 ARGUMENTS < CONFIG",
            another,
        ),
    ] {
        for config in configs {
            let listed = rig.through(redirection, config, "list");
            assert_eq!(listed.code, Some(0), "{redirection}: {listed:#?}");
            let fetched = rig.through(redirection, config, "fetch x.json");
            assert_eq!(fetched.code, Some(2), "{redirection}: {fetched:#?}");
            let adopted = rig.through(redirection, config, "config adopt");
            assert_eq!(adopted.code, Some(2), "{redirection}: {adopted:#?}");
            assert!(adopted.err.contains("read again"), "{adopted:#?}");
        }
        assert_eq!(rig.published().as_deref(), Some("1"), "{redirection}");
    }
    assert_eq!(rig.revision(), 1);
    assert_eq!(rig.run(&["--worker-only"]).code, Some(1));
    assert_eq!(
        (rig.state().as_str(), rig.published().as_deref()),
        ("failed", Some("1"))
    );
}

#[test]
fn where_no_policy_is_in_force_a_pipe_begins_none() {
    let rig = Scene::new([PAGE].map(Reply::file));
    rig.write_config("piped.toml", &json_verifier());
    rig.configure("");
    let other = Scene(Home::new("").with_source("x.json", [PAGE]));
    other.write_config("piped.toml", &json_verifier());
    let fetched = other.through(
        "GANNET --config <(cat CONFIG) ARGUMENTS",
        "piped.toml",
        "fetch x.json",
    );
    assert_eq!(fetched.code, Some(2), "{fetched:#?}");
    assert!(fetched.err.contains("read again"), "{fetched:#?}");
    assert_eq!(other.published(), None);
    // The program took nothing from the pipe that counts from now on.
    assert_eq!(other.run(&["--worker-only"]).code, Some(0));
    assert_eq!(other.published().as_deref(), Some(PAGE));
}

#[test]
fn a_file_that_was_emptied_takes_no_verifier_away_by_itself() {
    let rig = Scene::new(["1", PAGE].map(Reply::file));
    rig.fetch("x.json");
    rig.fetch("x.json");
    let asked = rig.origin.requests().len();
    let own = rig.path("config.toml");
    let trusting = format!("[fetch]\nca_file = {:?}\n", rig.origin.ca_file());
    for left in ["", "\n\n", "# all of it is commented out\n", &trusting] {
        fs::write(&own, left).expect("a configuration");
        for judging in [
            &["fetch", "x.json"][..],
            &["verify", "x.json"],
            &["--worker-only"],
        ] {
            refused(&rig.run(judging), &[&own]);
        }
        for reading in [
            &["list"][..],
            &["show", "x.json"],
            &["config", "show", "--policy"],
        ] {
            let said = rig.run(reading);
            assert_eq!(said.code, Some(0), "{said:#?}");
            let warning =
                "has no verifier any more, but the catalogue's policy has json: nothing is fetched";
            assert!(said.err.contains(warning), "{reading:?}: {said:#?}");
        }
        assert_eq!(rig.published().as_deref(), Some("1"), "{left:?}");
        assert_eq!(rig.revision(), 1);
    }
    // Nor is fetched without the settings that went with them.
    assert_eq!(rig.origin.requests().len(), asked);
    let said = rig.run(&["config", "adopt"]);
    assert!(said.out.contains("removed json"), "{said:#?}");
    rig.ok(&["verify", "x.json"]);
    assert_eq!(rig.published().as_deref(), Some(PAGE));
}

#[test]
fn without_the_file_that_the_catalogue_goes_by_nothing_is_fetched() {
    let rig = Scene::new(["1"].map(Reply::file));
    rig.fetch("x.json");
    let own = rig.path("config.toml");
    let whole = fs::read_to_string(&own).expect("a configuration");
    let asked = rig.origin.requests().len();
    let secrets = format!("secrets_file = \"none.env\"\n{whole}");
    let mut events = 0;
    for broken in [Some("[[verifier]]\nname = \n"), Some(&secrets), None] {
        match broken {
            Some(text) => fs::write(&own, text).expect("a configuration"),
            None => fs::remove_file(&own).expect("removed"),
        }
        for reading in [
            &["list"][..],
            &["show", "x.json"],
            &["cat", "x.json"],
            &["log"],
            &["config", "show", "--policy"],
        ] {
            let said = rig.bare(reading);
            assert_eq!(said.code, Some(0), "{said:#?}");
            let named = if broken == Some(&secrets) {
                "none.env"
            } else {
                "config.toml"
            };
            assert!(said.err.contains(named), "{reading:?}: {said:#?}");
            assert!(!said.err.contains("can fetch"), "{reading:?}: {said:#?}");
        }
        for working in [
            &["fetch", "x.json"][..],
            &["--worker-only"],
            &["--worker-only"],
            &["verify", "x.json"],
        ] {
            refused(&rig.bare(working), &[]);
        }
        assert_eq!(rig.bare(&["config", "check"]).code, Some(2));
        events += 1;
        assert_eq!(rig.count("config.rejected"), events, "once for each reason");
    }
    assert_eq!(rig.origin.requests().len(), asked);
    fs::write(&own, whole).expect("a configuration");
    assert_eq!(rig.bare(&["fetch", "x.json"]).code, Some(0));
}

/// Named by a flag or the environment, it is warned of in the same way: the catalogue's folder is known.
#[test]
fn a_named_file_that_cannot_be_used_keeps_nobody_from_reading() {
    let rig = Scene::new(["1"].map(Reply::file));
    rig.fetch("x.json");
    let own = rig.path("config.toml");
    let whole = fs::read_to_string(&own).expect("a configuration");
    let asked = rig.origin.requests().len();
    for (broken, why) in [
        (whole.replace("[[verifier]]", "[[verifier"), "config.toml:4"),
        (format!("{whole}schema = \"gone.json\"\n"), "gone.json"),
        (format!("secrets_file = \"none.env\"\n{whole}"), "none.env"),
        (format!("{whole}[unknown]\n"), "unknown"),
    ] {
        fs::write(&own, broken).expect("a configuration");
        for reading in [&["list"][..], &["show", "x.json"], &["cat", "x.json"]] {
            let said = rig.run(reading);
            assert_eq!(said.code, Some(0), "{reading:?}: {said:#?}");
            assert!(said.err.contains(why), "{reading:?}: {said:#?}");
        }
        for working in [&["fetch", "x.json"][..], &["--worker-only"]] {
            let said = rig.run(working);
            assert_eq!(said.code, Some(2), "{working:?}: {said:#?}");
            assert!(said.err.contains(why), "{working:?}: {said:#?}");
        }
        // It is not what is adopted, either.
        let adopted = rig.run(&["config", "adopt"]);
        assert!(
            adopted.code == Some(2) && adopted.err.contains(why),
            "{adopted:#?}"
        );
    }
    // Where nothing else names the folder, what can be read of the file does, for whoever only reads.
    let data = rig.data().display().to_string();
    let mut texts = vec![format!("data_dir = {data:?}\n[unknown]\n")];
    texts.push("data_dir = 5\n".to_owned());
    for (text, code) in texts.iter().zip([0, 2]) {
        fs::write(&own, text).expect("a configuration");
        let mut list = rig.command(&["list"]);
        let said = said_of(list.env_remove("GANNET_DATA_DIR"));
        assert_eq!(said.code, Some(code), "{text}: {said:#?}");
        let mut edit = rig.command(&["edit", "x.json", "--tag", "t"]);
        let said = said_of(edit.env_remove("GANNET_DATA_DIR"));
        assert_eq!(said.code, Some(2), "{text}: {said:#?}");
    }
    assert_eq!(rig.origin.requests().len(), asked);
    assert_eq!(rig.revision(), 1);
}

#[test]
fn every_refused_pass_says_so_and_sends_no_heartbeat() {
    let rig = Scene::new(["1"].map(Reply::file));
    rig.origin.on("/beat", [Reply::ok("")]);
    rig.fetch("x.json");
    let beat = format!("[worker]\nheartbeat = {:?}\n", rig.origin.url("/beat"));
    rig.write_config("other.toml", &beat);
    let own = rig.path("config.toml");
    for _ in 0..2 {
        refused(&rig.with("other.toml", &["--worker-only"]), &[&own]);
        let said = rig.with("other.toml", &["--worker-only", "--json"]);
        let pass: Value = serde_json::from_str(&said.out).expect("JSON");
        let error = pass["error"].as_str().expect("an error");
        assert!(error.contains("config.toml"), "{error}");
    }
    let beats = || {
        let requests = rig.origin.requests();
        requests.iter().filter(|one| one.path == "/beat").count()
    };
    assert_eq!(beats(), 0);
    assert_eq!(rig.count("config.rejected"), 1);
    let listed = rig.with("other.toml", &["list"]);
    assert!(listed.err.contains("config.toml"), "{listed:#?}");
    // The same file's, it is sent.
    rig.write_config("config.toml", &(beat + &json_verifier()));
    rig.ok(&["--worker-only"]);
    assert_eq!(beats(), 1);
}

#[test]
fn what_comes_back_under_another_file_waits_for_the_one_that_judges() {
    let rig = Scene::new(["1"].map(Reply::file));
    rig.fetch("x.json");
    rig.write_config("other.toml", "");
    rig.ok(&["remove", "x.json"]);
    assert_eq!(rig.published(), None);
    let said = rig.with("other.toml", &["restore", "x.json"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert!(said.err.contains("may not publish"), "{said:#?}");
    let own = rig.path("config.toml").display().to_string();
    assert!(said.err.contains(&own), "{said:#?}");
    assert_eq!(rig.published(), None);
    for (config, changing, is_told) in [
        ("other.toml", &["disable", "x.json"][..], true),
        ("other.toml", &["enable", "x.json"], true),
        ("other.toml", &["edit", "x.json", "--tag", "t"], true),
        ("config.toml", &["edit", "x.json", "--tag", "u"], false),
    ] {
        let said = rig.with(config, changing);
        assert_eq!(said.code, Some(0), "{said:#?}");
        let has_told = said.err.contains("may not publish");
        assert_eq!(has_told, is_told, "{changing:?}: {said:#?}");
    }
    rig.run(&["--worker-only"]);
    assert_eq!(rig.published().as_deref(), Some("1"));
}

#[test]
fn what_is_removed_under_another_file_keeps_its_file_until_the_one_that_judges() {
    for (case, removing) in [
        ("removed", &["remove", "x.json"][..]),
        ("pruned", &["apply", "none.toml", "--prune", "--yes"]),
    ] {
        let rig = Scene::new(["1"].map(Reply::file));
        rig.fetch("x.json");
        rig.write_config("other.toml", "");
        fs::write(rig.path("none.toml"), "").expect("a file");
        let none = rig.path("none.toml").display().to_string();
        let removing: Vec<_> = removing
            .iter()
            .map(|word| if *word == "none.toml" { &*none } else { word })
            .collect();
        let (own, other) = (rig.path("config.toml"), rig.path("other.toml"));
        let ways = [
            "this process may not publish".to_owned(),
            format!("use `--config {}`", own.display()),
            format!("`gannet --config {} config adopt`", other.display()),
        ];
        // Removed and brought back, nothing has happened to what consumers read.
        for arguments in [&removing[..], &["restore", "x.json"], &removing] {
            let said = rig.with("other.toml", arguments);
            assert_eq!(said.code, Some(0), "{case}: {said:#?}");
            for way in &ways {
                assert!(said.err.contains(way), "{case}: {way}: {said:#?}");
            }
            rig.with("other.toml", &["--worker-only"]);
            assert_eq!(rig.published().as_deref(), Some("1"), "{case}");
        }
        rig.ok(&["--worker-only"]);
        assert_eq!(rig.published(), None, "{case}");
    }
}

#[test]
fn what_is_purged_under_another_file_goes_at_once() {
    let rig = Scene::new(["1"].map(Reply::file));
    rig.fetch("x.json");
    rig.write_config("other.toml", "");
    let said = rig.with("other.toml", &["remove", "x.json"]);
    assert!(said.out.contains("; still published at "), "{said:#?}");
    let said = rig.with("other.toml", &["remove", "--purge", "1", "--yes"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert_eq!(rig.published(), None);
}

#[test]
fn a_worker_that_was_given_no_file_follows_the_one_that_is_adopted() {
    let rig = Scene::new(["1"].map(Reply::file));
    rig.fetch("x.json");
    rig.write_config("other.toml", &verifier("utf8", "builtin = \"utf8\""));
    let service = Service::of(rig.bare_command(&["--worker-only", "--loop"]));
    let adopted = rig.with("other.toml", &["config", "adopt"]);
    assert_eq!(adopted.code, Some(0), "{adopted:#?}");
    // An edit of the file that is in force now is the worker's to adopt.
    rig.write_config(
        "other.toml",
        &(verifier("utf8", "builtin = \"utf8\"") + &json_verifier()),
    );
    seen("the edit is adopted", || {
        service.hang_up();
        (rig.revision() == 3).then_some(())
    });
}

#[test]
fn another_file_does_not_pass_for_the_policy() {
    let rig = Scene::new(["1"].map(Reply::file));
    rig.fetch("x.json");
    rig.write_config("other.toml", "");
    for page in [&["config", "check"][..], &["config", "show"]] {
        let said = rig.with("other.toml", page);
        assert!(said.out.contains("config.toml"), "{said:#?}");
        assert!(!said.out.contains("as it comes"), "{said:#?}");
    }
    let shown = rig.with("other.toml", &["show", "x.json", "--json"]);
    let shown: Value = serde_json::from_str(&shown.out).expect("JSON");
    assert_eq!(shown["verifiers"], serde_json::json!(["json"]));
    // A copy says the same, and is told to be another file all the same.
    rig.write_config("copy.toml", &json_verifier());
    let said = rig.with("copy.toml", &["verify", "x.json"]);
    refused(&said, &[&rig.path("copy.toml")]);
    assert!(said.err.contains("says the same"), "{said:#?}");
}

#[test]
fn adopting_what_is_in_force_is_no_revision_and_is_heard_of_quietly() {
    let rig = Scene::new(["1"].map(Reply::file));
    let said = rig.run(&["-q", "fetch", "x.json"]);
    assert!(!said.err.contains("adopted"), "{said:#?}");
    let again = rig.ok(&["config", "adopt"]);
    let own = rig.path("config.toml").display().to_string();
    assert!(again.contains("already") && again.contains(&own), "{again}");
    assert_eq!(rig.revision(), 1);
    rig.write_config("config.toml", &verifier("json", "builtin = \"utf8\""));
    let said = rig.run(&["-q", "fetch", "x.json"]);
    assert!(said.err.contains("policy 2 adopted"), "{said:#?}");
    assert!(said.err.contains("`gannet verify --stale`"), "{said:#?}");
    // The catalogue keeps paths as text.
    let odd = rig.path("").join(std::ffi::OsStr::from_bytes(b"\xff.toml"));
    fs::copy(rig.path("config.toml"), &odd).expect("a copy");
    let mut adopt = rig.command(&["config", "adopt"]);
    let said = said_of(adopt.env("GANNET_CONFIG", &odd));
    assert_eq!(said.code, Some(2), "{said:#?}");
    assert!(said.err.contains("UTF-8"), "{said:#?}");
}

#[test]
fn the_first_verifiers_of_a_catalogue_with_versions_are_told_to_have_judged_none() {
    for (arguments, has_versions) in [
        (&["config", "adopt"][..], true),
        (&["fetch", "x.json"], true),
        (&["--worker-only"], true),
        (&["edit", "x.json", "--interval", "2h"], true),
        (&["config", "adopt"], false),
        (&["fetch", "x.json"], false),
    ] {
        let gannet = Home::new("").with_source("x.json", ["1"]);
        if has_versions {
            gannet.fetch("x.json");
        }
        gannet.write_config("config.toml", &json_verifier());
        let said = gannet.run(arguments);
        let said = said.out + &said.err;
        assert!(said.contains("policy 1 adopted"), "{arguments:?}: {said}");
        let is_told =
            said.contains("what is published stays") && said.contains("gannet verify --stale");
        // A fetch that adopts has no version yet when it does.
        assert_eq!(is_told, has_versions, "{arguments:?}: {said}");
    }
}

#[test]
fn an_edit_that_is_not_adopted_yet_is_noted_by_whoever_looks() {
    let rig = Scene::new(["1"].map(Reply::file));
    let set = "[[verifier]]\nname = \"s\"\nscope = \"set\"\nsources = [\"tag:release\"]\nexternal = true\n";
    rig.ok(&["edit", "x.json", "--tag", "release", "--interval", "1h"]);
    rig.fetch("x.json");
    for edited in [
        json_verifier() + set,
        set.to_owned(),
        verifier("utf8", "builtin = \"utf8\""),
    ] {
        rig.write_config("config.toml", &edited);
        for looking in [&["list"][..], &["show", "set:release"], &["show", "x.json"]] {
            let said = rig.run(looking);
            assert!(said.err.contains("was edited since"), "{said:#?}");
            assert!(said.err.contains("config.toml"), "{said:#?}");
        }
        let changed = rig.run(&["edit", "x.json", "--interval", "2h"]);
        assert!(changed.err.contains("adopted"), "{changed:#?}");
        let list = rig.run(&["list"]);
        assert!(!list.err.contains("was edited since"), "{list:#?}");
        rig.write_config("config.toml", &json_verifier());
        rig.ok(&["config", "adopt"]);
        let is_set = edited.contains("release");
        let is_told = changed
            .err
            .contains("stays as it is at its own path until an edition");
        assert_eq!(is_told, is_set, "{changed:#?}");
    }
}

#[test]
fn the_platforms_file_that_is_passed_over_is_named() {
    let rig = Scene::new(["1"].map(Reply::file));
    rig.fetch("x.json");
    let folder = rig.path(".config/gannet");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("config.toml"), "").expect("a configuration");
    for asking in [&["config", "check"][..], &["config", "adopt"]] {
        let bare = rig.bare(asking);
        assert_eq!(bare.code, Some(0), "{bare:#?}");
        let bare = bare.out + &bare.err;
        assert!(
            bare.contains("is not used: the catalogue remembers"),
            "{bare}"
        );
        let named = rig.run(asking);
        assert!(!(named.out + &named.err).contains("is not used"));
    }
}

/// A policy that no file is known of leads nobody to one that is none.
#[test]
fn a_policy_that_came_from_no_file_is_told_with_a_way_on() {
    let rig = Scene::new(["1", PAGE].map(Reply::file));
    rig.write_config("other.toml", &verifier("utf8", "builtin = \"utf8\""));
    rig.write_config("empty.toml", "");
    rig.fetch("x.json");
    sqlite::forget_policy_file(&rig.data());
    let file = |name: &str| rig.path(name).display().to_string();
    let way_of = |name: &str| {
        format!(
            "put a configuration in force: `gannet --config {} config adopt`",
            file(name)
        )
    };
    let no_own =
        "put the configuration that has them in force: `gannet --config FILE config adopt`";
    let foreign = "come from a process without a configuration file, but this process uses";
    for (config, words, way) in [
        (Some("config.toml"), foreign, way_of("config.toml")),
        (Some("other.toml"), foreign, way_of("other.toml")),
        (Some("empty.toml"), foreign, way_of("empty.toml")),
        (
            None,
            "this process has no configuration file, and so no verifier, but the catalogue's policy has",
            no_own.to_owned(),
        ),
    ] {
        for arguments in [
            &["fetch", "x.json"][..],
            &["verify", "x.json"],
            &["config", "check"],
        ] {
            let said = match config {
                Some(config) => rig.with(config, arguments),
                None => rig.bare(arguments),
            };
            let told = format!("{}{}", said.out, said.err);
            assert!(
                told.contains(words) && told.contains(&way),
                "{config:?} {arguments:?}: {said:#?}"
            );
            assert!(!told.contains("--config a process"), "{said:#?}");
        }
        let edit = ["edit", "x.json", "--no-tags"];
        let said = config.map_or_else(|| rig.bare(&edit), |config| rig.with(config, &edit));
        let needs = "by the next pass with a configuration that";
        assert!(said.err.contains(needs), "{config:?}: {said:#?}");
    }
    let adopted = rig.with("config.toml", &["config", "adopt"]);
    assert_eq!(adopted.code, Some(0), "{adopted:#?}");
    // Nothing is refused any more: what it has is no good version.
    let fetched = rig.run(&["fetch", "x.json"]);
    assert!(fetched.code == Some(1) && fetched.out.contains("failed"));
}

fn said_of(command: &mut std::process::Command) -> Said {
    said(&command.output().expect("gannet runs"))
}
