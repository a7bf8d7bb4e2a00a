//! What is said of the newest version of a source when consumers do not see it: by `cat`, `diff`, `export`, and `fetch`, which
//! brought it.

use crate::rig::{Gannet, Gate, Home, Origin, Reply, said, until};

const VERIFIERS: &str = r#"
[[verifier]]
name = "json"
sources = ["failed"]
builtin = "json"
[[verifier]]
name = "legal"
sources = ["pending"]
external = true
[[verifier]]
name = "broken"
sources = ["error"]
command = ["/no/such/program"]
[[verifier]]
name = "pair"
scope = "set"
sources = ["tag:held"]
command = ["sh", "-c", "! grep -q two \"$1\"/*", "sh", "{path}"]
"#;

/// Sources of one origin whose first version is published, and whose second is not: each is called by the reason.
fn home(names: &[&str]) -> Home {
    let gannet = Home::new("");
    let origin = &gannet.origin;

    for name in names {
        origin.on(&format!("/{name}"), [Reply::file("1")]);
        let address = origin.url(&format!("/{name}"));
        let tag = if *name == "held" { "held" } else { "other" };
        gannet.ok(&["add", &address, "1h", "--allow-private", "--tag", tag]);
    }
    gannet
}

fn judge_by(gannet: &Gannet, origin: &Origin, verifiers: &str) {
    let ca_file = origin.ca_file().display().to_string();
    gannet.configure(&format!("[fetch]\nca_file = {ca_file:?}\n{verifiers}"));
}

#[test]
fn what_consumers_do_not_see_is_told_with_what_they_see() {
    let names = ["failed", "pending", "error", "held", "good"];
    let gannet = home(&names);
    let origin = &gannet.origin;
    let only_set = VERIFIERS.split("[[verifier]]").last().unwrap_or_default();
    judge_by(&gannet, origin, &format!("[[verifier]]{only_set}"));
    for name in names {
        gannet.fetch(name);
    }
    judge_by(&gannet, origin, VERIFIERS);
    for name in names {
        let next = if name == "good" { "2" } else { "{two" };
        origin.on(&format!("/{name}"), [Reply::file(next)]);
    }
    let fetched = gannet.run(&["fetch", "*"]);
    for (name, said, why) in [
        ("failed", Some("failed its verification"), "json: not JSON"),
        ("pending", Some("waits for a verdict"), ""),
        (
            "error",
            Some("could not be judged"),
            "broken: cannot start /no/such/program",
        ),
        (
            "held",
            Some("is held back by its set held (failed by pair"),
            "set held: failed by pair",
        ),
        ("good", None, ""),
    ] {
        let source = gannet.source(name);
        let (newest, seen) = (&source["version_id"], &source["published_version_id"]);
        let cat = gannet.run(&["cat", name]);
        let diff = gannet.run(&["diff", name]);
        let published = gannet.run(&["cat", &format!("{name}:published")]);
        let Some(said) = said else {
            assert_eq!((cat.err.as_str(), diff.err.as_str()), ("", ""), "{name}");
            continue;
        };
        assert_ne!(newest, seen, "{name}");
        assert_eq!((cat.out.as_str(), published.out.as_str()), ("{two", "1"));
        assert_eq!(published.err, "", "{name}");
        let what = format!("v{newest} of {name} {said}");
        let hint = format!("; published is v{seen}: gannet cat {name}:published\n");
        for (command, err) in [("cat", &cat.err), ("diff", &diff.err)] {
            assert!(
                err.contains(&what) && err.ends_with(&hint),
                "{command}: {err}"
            );
        }
        let row = fetched.out.lines().find(|line| line.starts_with(name));
        assert!(
            row.is_some_and(|row| row.contains(why)),
            "{name}: {fetched:#?}"
        );
    }
    // An older version that passed is what was asked for.
    assert_eq!(gannet.run(&["cat", "pending~1"]).err, "");
    let folder = gannet.path("exported").display().to_string();
    let exported = gannet.run(&["export", &folder]);
    assert!(
        exported.err.contains("3 versions did not pass"),
        "{exported:#?}"
    );
}

#[test]
fn what_is_published_whatever_its_verdicts_is_said_to_be() {
    let gannet = home(&["failed"]);
    let origin = &gannet.origin;
    judge_by(&gannet, origin, VERIFIERS);
    gannet.ok(&["edit", "failed", "--publish", "newest"]);
    origin.on("/failed", [Reply::file("{two")]);
    gannet.run(&["fetch", "failed"]);
    let said = gannet.run(&["cat", "failed"]);
    assert!(
        said.err
            .ends_with("failed its verification; it is published all the same\n"),
        "{said:?}"
    );
    // Of what was removed, nothing is published; of good bytes, nothing is said.
    gannet.ok(&["remove", "failed"]);
    let said = gannet.run(&["cat", "failed"]);
    assert!(
        said.err.ends_with("; nothing of it is published\n"),
        "{said:?}"
    );
}

#[test]
fn a_source_that_changed_while_it_was_fetched_was_tried() {
    for (change, why) in [
        (
            &["edit", "good", "--header", "x-new: 1"][..],
            "edited while it was fetched",
        ),
        (
            &["edit", "good", "--max-size", "5MiB"],
            "edited while it was fetched",
        ),
        (&["remove", "good"], "removed while it was fetched"),
    ] {
        let gannet = home(&["good"]);
        let origin = &gannet.origin;
        let gate = Gate::new();
        origin.on("/good", [Reply::file("2").behind(&gate)]);
        let fetch = gannet.start(&["fetch", "good"]);
        until("the request", || !origin.requests().is_empty());
        gannet.ok(change);
        gate.open();
        let ended = said(&fetch.wait_with_output().expect("an end"));
        assert_eq!(ended.code, Some(1), "{change:?}: {ended:#?}");
        for part in ["dropped", why] {
            assert!(ended.out.contains(part), "{change:?}: {ended:#?}");
        }
        assert!(!ended.out.contains("not tried"), "{change:?}: {ended:#?}");
        if change[0] == "edit" {
            // It is due again at once.
            let again = gannet.run(&["--worker-only", "--json"]);
            assert!(
                again.code == Some(0) && again.out.contains("\"new\": 1"),
                "{again:#?}"
            );
        }
    }
}
