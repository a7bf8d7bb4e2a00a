//! What is said of the policy before anything is done: which one is in force, and what the next command makes of it.

use super::{Scene, json_verifier, verifier};
use crate::rig::{Gannet, Home, Reply};

/// Returns the page of `config check` with this configuration file, and what `list` and `show` say on stderr. The check ends as
/// a pass would.
#[track_caller]
fn said(rig: &Scene, config: &str) -> (String, String) {
    let check = rig.with(config, &["config", "check"]);
    let nothing = [
        "judges and publishes nothing",
        "fetches, judges and publishes nothing",
    ];
    let is_undone = nothing.iter().any(|words| {
        check.err == format!("gannet: with this configuration the next pass {words}\n")
    });
    assert!(is_undone || check.err.is_empty(), "{check:?}");
    let code = if is_undone { 2 } else { 0 };
    assert_eq!(check.code, Some(code), "{check:?}");
    let [list, show, policy] = [
        &["list"][..],
        &["show", "x.json"],
        &["config", "show", "--policy"],
    ]
    .map(|arguments| rig.with(config, arguments));
    assert_eq!(list.err, show.err);
    // Where no policy is in force, these words are the page: they are said once.
    let page = format!("{}{}", policy.out, policy.err);
    assert!(page.contains(&list.err), "{policy:?}");
    assert_eq!(
        page.matches("no policy is in force").count(),
        usize::from(page.contains("no policy"))
    );
    let is_once = policy.err.is_empty() || policy.err == list.err;
    assert!(is_once, "{policy:?}");
    assert_eq!(is_undone, list.err.contains("nothing is "), "{list:?}");
    // Both say the same in the same words.
    let note = list.err.trim().trim_start_matches("warning: ");
    let note = note.trim_end_matches("; `gannet config check` says what to do");
    for line in note.split("; ") {
        assert!(check.out.contains(line), "{line}: {check:?}");
    }
    (check.out, list.err)
}

#[test]
fn the_policy_in_force_and_what_becomes_of_it_are_said() {
    let adopts = "the next pass or changing command adopts";
    let kept = "versions that are there keep their states until `gannet verify --stale`";
    let unjudged = "every version is published as it comes";
    let rig = Scene(Home::new(""));
    rig.serve("x.json", "{}");
    let address = rig.url("x.json");
    let path = |name: &str| rig.path(name).display().to_string();
    let own = path("config.toml");
    rig.write_config("none.toml", "");
    rig.write_config("other.toml", &verifier("text", "builtin = \"utf8\""));
    rig.with("none.toml", &["add", &address, "--allow-private"]);
    rig.write_config("config.toml", &json_verifier());

    // Nothing was adopted yet.
    let (page, note) = said(&rig, "none.toml");
    assert!(page.contains(&format!(
        "no policy is in force\nno verifiers: {unjudged}\n"
    )));
    assert_eq!(note, "");
    let (page, note) = said(&rig, "config.toml");
    assert!(page.contains(&format!(
        "no policy is in force yet\n{adopts} this configuration: added json\n"
    )));
    assert_eq!(
        note,
        format!("no policy is in force yet; {adopts} this configuration: added json\n")
    );

    // Versions of before stay as they are when it is adopted.
    rig.with("none.toml", &["fetch", "x.json"]);
    let (page, _) = said(&rig, "config.toml");
    assert!(
        page.contains(&format!(
            "{adopts} this configuration: added json; {kept}\n"
        )),
        "{page}"
    );

    rig.ok(&["verify", "x.json"]);
    let in_force = format!("policy 1 from {own} is in force");
    let (page, note) = said(&rig, "config.toml");
    assert!(page.contains(&format!("{in_force}\nthis configuration says the same\n")));
    assert_eq!(note, "");

    // Another file, with and without verifiers.
    for other in ["other.toml", "none.toml"] {
        let (page, note) = said(&rig, other);
        assert!(
            page.contains(&in_force) && !page.contains(unjudged),
            "{page}"
        );
        let why = format!("come from {own}, but this process uses {}", path(other));
        assert!(
            note.contains(&why) && note.contains("config check"),
            "{note}"
        );
        let way = format!("`gannet --config {} config adopt`", path(other));
        assert!(page.contains(&why) && page.contains(&way), "{page}");
        let named = note.matches(&own).count() + note.matches(&path(other)).count();
        assert_eq!((named, note.lines().count()), (2, 1), "{note}");
    }

    // Edited since, and emptied.
    let edited = json_verifier() + &verifier("text", "builtin = \"utf8\"");
    rig.write_config("config.toml", &edited);
    let (page, _) = said(&rig, "config.toml");
    assert!(page.contains(&format!(
        "{in_force}\nthat file was edited since: {adopts} the edit: added text; {kept}\n"
    )));
    rig.write_config("config.toml", "");
    let (page, note) = said(&rig, "config.toml");
    assert!(
        page.contains(&in_force) && !page.contains("no verifiers"),
        "{page}"
    );
    assert!(
        note.starts_with("warning: ") && note.contains("nothing is fetched, judged or published"),
        "{note}"
    );

    // Somebody said that this is meant.
    rig.ok(&["config", "adopt"]);
    let (page, note) = said(&rig, "config.toml");
    let line = format!("policy 2 from {own} is in force\nit has no verifiers: {unjudged}\n");
    assert!(page.contains(&line), "{page}");
    assert_eq!(note, "");
}

#[test]
fn without_a_catalogue_no_policy_is_in_force_yet() {
    let gannet = Gannet::new();
    let check = || gannet.ok(&["config", "check"]);
    assert!(check().contains("no verifiers: every version is published as it comes"));
    std::fs::write(gannet.path("config.toml"), json_verifier()).expect("a file");
    assert!(check().contains("no policy is in force yet: there is no catalogue"));
}

#[test]
fn a_configuration_that_is_gone_is_said_once() {
    let gannet = Scene::new([Reply::file("{}")]);
    gannet.gannet.ok(&["config", "adopt"]);
    std::fs::remove_file(gannet.gannet.path("config.toml")).expect("removed");
    let check = gannet.bare(&["config", "check"]);
    assert_eq!(check.code, Some(2), "{check:?}");
    let said = check.err.matches("cannot find the configuration file");
    assert_eq!(said.count(), 1, "{check:?}");
}

/// What is done to files, and what is said then.
type Step<'a> = (&'a str, &'a dyn Fn(), String);

#[test]
fn only_an_edited_file_is_said_to_be_edited() {
    let rig = Scene::new([Reply::file("{}")]);
    let schema = |name: &str, text: &str| {
        std::fs::write(rig.path(name), text).expect("a schema");
        rig.path(name).display().to_string()
    };
    let (a, b) = (schema("a.json", "{}"), schema("b.json", "{}"));
    let config = |columns: &str| {
        let json = |name: &str| format!("builtin = \"json\"\nschema = \"{name}.json\"");
        rig.write_config(
            "config.toml",
            &(verifier("a", &json("a"))
                + &verifier("b", &json("b"))
                + &verifier("rows", &format!("builtin = \"csv\"\n{columns}"))),
        );
    };
    config("columns = 1");
    rig.ok(&["config", "adopt"]);
    let adopts = "the next pass or changing command adopts";
    let own = "that file was edited since";
    let steps: [Step; 4] = [
        (
            "one schema",
            &|| drop(schema("a.json", "{\"type\": \"object\"}")),
            format!(
                "{a}, which that file names, was changed since: {adopts} the change: changed a"
            ),
        ),
        (
            "two",
            &|| {
                schema("a.json", "{\"type\": \"array\"}");
                schema("b.json", "{\"type\": \"array\"}");
            },
            format!(
                "{a}, {b}, which that file names, were changed since: {adopts} the changes: changed a"
            ),
        ),
        (
            "a schema and the file",
            &|| {
                schema("b.json", "{\"type\": \"string\"}");
                config("columns = 2");
            },
            format!("{own}, and {b} was changed: {adopts} both: changed b"),
        ),
        (
            "the file",
            &|| config("columns = 3"),
            format!("{own}: {adopts} the edit: changed rows"),
        ),
    ];
    for (step, change, expected) in steps {
        // Files are told apart by time from what was adopted before.
        let adopted = std::time::Instant::now();
        crate::rig::until("the clock goes on", || adopted.elapsed().as_millis() > 30);
        change();
        let list = rig.run(&["list"]);
        assert!(list.err.contains(&expected), "{step}: {list:#?}");
        let is_edited = expected.starts_with(own);
        assert_eq!(list.err.contains("edited"), is_edited, "{step}: {list:#?}");
        rig.ok(&["config", "adopt"]);
    }
}
