//! The main job with the real program against a scripted HTTPS origin: fetch, keep, verify, publish, log.

use std::fs;
use std::path::Path;

use gannet::domain::{Actor, SourceId, Stamp};
use gannet::store::{SourceChange, Store};
use serde_json::{Value, json};

use crate::rig::{Gannet, Home, Origin, Reply, said, sqlite, until};

fn rig(more: &str) -> Home {
    Home::new(more)
}

fn add(gannet: &Gannet, origin: &Origin, path: &str, more: &[&str]) {
    let address = origin.url(path);
    gannet.ok(&[&["add", &address, "1h", "--allow-private"], more].concat());
}

fn published(gannet: &Gannet, name: &str) -> Vec<u8> {
    let path = gannet.source(name)["published_path"]
        .as_str()
        .expect("a published file")
        .to_owned();
    fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn outcomes(history: &Value) -> Vec<&str> {
    let attempts = history["attempts"].as_array().expect("attempts");
    attempts
        .iter()
        .filter_map(|attempt| attempt["outcome"].as_str())
        .collect()
}

#[test]
fn a_file_that_changes_and_comes_back_is_three_versions_and_two_blobs() {
    let gannet = rig("");
    let origin = &gannet.origin;
    origin.on(
        "/a.txt",
        ["one\n", "one\n", "two\n", "one\n"].map(Reply::file),
    );
    add(&gannet, origin, "/a.txt", &[]);
    let summaries: Vec<_> = (0..4).map(|_| gannet.fetch("a.txt")).collect();
    assert_eq!(
        summaries
            .iter()
            .map(|s| s["new"].as_u64())
            .collect::<Vec<_>>(),
        [1, 0, 1, 1].map(Some)
    );
    let history = gannet.history("a.txt");
    assert_eq!(outcomes(&history), ["new", "new", "unchanged", "new"]);
    assert_eq!(history["attempts"][2]["http_status"], 304);
    let digests: Vec<_> = history["versions"]
        .as_array()
        .expect("versions")
        .iter()
        .map(|v| v["digest"].clone())
        .collect();
    assert_eq!(digests.len(), 3);
    assert!(digests[0] == digests[2] && digests[0] != digests[1]);
    for (reference, content) in [
        ("a.txt", "one\n"),
        ("a.txt~1", "two\n"),
        ("a.txt~2", "one\n"),
        ("1", "one\n"),
    ] {
        assert_eq!(
            gannet.bytes(&["cat", reference]),
            content.as_bytes(),
            "{reference}"
        );
    }
    assert_eq!(published(&gannet, "a.txt"), b"one\n");
    let catalogue = sqlite::read(&gannet.data());
    let blobs: i64 = catalogue
        .query_row("SELECT count(*) FROM blob", [], |row| row.get(0))
        .expect("a count");
    assert_eq!(blobs, 2);
}

#[test]
fn json_has_the_promised_shape() {
    let gannet = rig("[[verifier]]\nname = \"json\"\nsources = [\"*.json\"]\nbuiltin = \"json\"\n");
    let origin = &gannet.origin;
    let reply = Reply::file("{}")
        .header("content-type", "application/json")
        .header("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT");
    origin.on("/r.json", [reply, Reply::status(503)]);
    add(
        &gannet,
        origin,
        "/r.json",
        &["--tag", "t", "--name", "r.json"],
    );
    gannet.fetch("r.json");
    gannet.fetch("r.json");
    let keys = |value: &Value| {
        value
            .as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect::<Vec<_>>()
            .join(" ")
    };
    let source = gannet.source("r.json");
    assert_eq!(
        keys(&source),
        "id name address interval enabled tags last_attempt_at next_due_at last_outcome \
         failures version_id verified published_path set state removed_at published_version_id \
         wanted_version_id publish_error size_bytes digest error_kind error set_error withdrawn_at \
         withdrawn_because dated_id day dated"
    );
    assert_eq!(
        (
            &source["verified"],
            &source["failures"],
            &source["last_outcome"],
            &source["state"],
            &source["size_bytes"],
            &source["error_kind"],
        ),
        (
            &json!("passed"),
            &json!(1),
            &json!("failed"),
            &json!("down"),
            &json!(2),
            &json!("status")
        )
    );
    let history = gannet.history("r.json");
    assert_eq!(
        keys(&history["attempts"][0]),
        "id started_at duration_ms outcome http_status size_bytes version_id digest error_kind error asked final_address \
         peer proxy tls certificate redirects"
    );
    assert_eq!(
        (
            &history["attempts"][0]["error_kind"],
            &history["attempts"][0]["http_status"]
        ),
        (&json!("status"), &json!(503))
    );
    let version = &history["versions"][0];
    assert_eq!(
        keys(version),
        "id digest size_bytes stored_bytes name media_type last_modified fetched_at verified policy_revision \
         published verdicts"
    );
    assert_eq!(version["last_modified"], "1994-11-06T08:49:37Z");
    assert_eq!(version["verdicts"][0]["outcome"], "passed");
    assert!(
        version["digest"]
            .as_str()
            .is_some_and(|digest| digest.starts_with("sha256:"))
    );
}

#[test]
fn what_fails_verification_is_kept_and_never_published() {
    let gannet = rig("[[verifier]]\nname = \"json\"\nsources = [\"*\"]\nbuiltin = \"json\"\n");
    let origin = &gannet.origin;
    origin.on(
        "/p.json",
        ["{\"good\":1}", "<html>sorry</html>", "{\"good\":2}"].map(Reply::file),
    );
    add(&gannet, origin, "/p.json", &[]);
    gannet.fetch("p.json");
    let bad = gannet.run(&["fetch", "p.json"]);
    assert_eq!(bad.code, Some(1), "{bad:?}");
    assert_eq!(published(&gannet, "p.json"), b"{\"good\":1}");
    assert_eq!(gannet.source("p.json")["verified"], "failed");
    assert_eq!(gannet.bytes(&["cat", "p.json"]), b"<html>sorry</html>");
    // A person overrules the verifier, and takes it back.
    let version = gannet.source("p.json")["version_id"].to_string();
    gannet.ok(&[
        "verdict",
        &version,
        "json",
        "passed",
        "--detail",
        "looked at it",
    ]);
    assert_eq!(published(&gannet, "p.json"), b"<html>sorry</html>");
    assert_eq!(
        gannet.run(&["verify", &format!("v{version}")]).code,
        Some(1)
    );
    assert_eq!(published(&gannet, "p.json"), b"{\"good\":1}");
    gannet.fetch("p.json");
    assert_eq!(published(&gannet, "p.json"), b"{\"good\":2}");
    let log = gannet.ok(&["log", "--json"]);
    for action in [
        "source.added",
        "fetch.new",
        "verdict.passed",
        "verdict.failed",
        "file.published",
        "pass.finished",
    ] {
        assert!(log.contains(action), "{action}: {log}");
    }
    assert!(log.contains("tester@"), "{log}");
}

#[test]
fn a_verifier_that_could_not_judge_is_asked_again_at_the_next_pass() {
    let gannet = rig("");
    let origin = &gannet.origin;
    origin.on("/x", [Reply::file("content")]);
    let gate = gannet.path("ready");
    let script = gannet.path("check.sh");
    fs::write(&script, format!("test -e {} || exit 9\n", gate.display())).expect("a script");
    let ca_file = origin.ca_file().display().to_string();
    gannet.configure(&format!(
        "[fetch]\nca_file = {ca_file:?}\n[[verifier]]\nname = \"gate\"\nsources = [\"*\"]\ncommand = [\"sh\", {:?}, \"{{path}}\"]\n",
        script.display().to_string()
    ));
    add(&gannet, origin, "/x", &[]);
    let first = gannet.run(&["--worker-only", "--json"]);
    assert_eq!(first.code, Some(1), "{first:?}");
    assert_eq!(
        (
            gannet.source("x")["verified"].clone(),
            gannet.source("x")["published_path"].clone()
        ),
        (json!("error"), Value::Null)
    );
    fs::write(&gate, "").expect("the gate opens");
    // Nothing is due this hour; the verifier is asked all the same.
    let second = gannet.json(&["--worker-only", "--json"]);
    assert_eq!(
        (second["attempts"].clone(), second["passed"].clone()),
        (json!(0), json!(1))
    );
    assert_eq!(published(&gannet, "x"), b"content");
}

#[test]
fn cron_hears_nothing_when_all_is_well() {
    let gannet = rig("");
    let origin = &gannet.origin;
    origin.on("/x", [Reply::file("content")]);
    origin.on("/gone", [Reply::status(404)]);
    add(&gannet, origin, "/x", &[]);
    let quiet = gannet.run(&["--worker-only"]);
    assert_eq!(
        (quiet.code, quiet.out.as_str(), quiet.err.as_str()),
        (Some(0), "", "")
    );
    assert_eq!(published(&gannet, "x"), b"content");
    let nothing_due = gannet.run(&["--worker-only"]);
    assert_eq!((nothing_due.code, nothing_due.out.as_str()), (Some(0), ""));
    assert_eq!(origin.requests().len(), 1);
    add(&gannet, origin, "/gone", &[]);
    let loud = gannet.run(&["--worker-only"]);
    assert_eq!(loud.code, Some(1));
    assert!(loud.out.contains("1 failed"), "{loud:?}");
    assert!(gannet.ok(&["show", "gone"]).contains("404 Not Found"));
}

#[test]
fn a_secret_reaches_the_server_and_nothing_else() {
    const SECRET: &str = "hunter2-swordfish";
    let mut gannet = rig("");
    gannet.origin.on(
        "/k",
        [
            Reply::file("content"),
            Reply::redirect(302, &gannet.origin.url(&format!("/loop?key={SECRET}"))),
        ],
    );
    gannet.origin.on("/loop", [Reply::status(403)]);
    gannet.set("API_KEY", SECRET);
    let address = format!("{}?key=${{API_KEY}}", gannet.origin.url("/k"));
    gannet.ok(&[
        "add",
        &address,
        "--name",
        "keyed",
        "--allow-private",
        "--header",
        "Authorization: Bearer ${API_KEY}",
    ]);
    gannet.fetch("keyed");
    let request = gannet.origin.requests()[0].clone();
    assert_eq!(
        request.header("authorization"),
        Some(format!("Bearer {SECRET}").as_str())
    );
    assert!(request.path.contains(SECRET));
    let failed = gannet.run(&["fetch", "keyed"]);
    let mut said = format!("{failed:?}");
    for arguments in [
        &["list"][..],
        &["show", "keyed"],
        &["history", "keyed", "--json"],
        &["log", "--json"],
        &["dump", "--json"],
        &["dump", "--toml"],
    ] {
        said += &gannet.ok(arguments);
    }
    assert!(
        said.contains("${API_KEY}") && !said.contains(SECRET),
        "{said}"
    );
    for file in files_below(&gannet.path("")) {
        let bytes = fs::read(&file).unwrap_or_default();
        let found = bytes
            .windows(SECRET.len())
            .any(|window| window == SECRET.as_bytes());
        assert!(!found, "{} holds the secret", file.display());
    }
}

fn files_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files.extend(files_below(&entry.path())),
            _ => files.push(entry.path()),
        }
    }
    files
}

#[test]
fn every_thirtieth_request_asks_for_the_whole_file() {
    let gannet = rig("");
    let origin = &gannet.origin;
    origin.on("/x", [Reply::file("content")]);
    add(&gannet, origin, "/x", &[]);
    for _ in 0..31 {
        gannet.fetch("x");
    }
    let requests = origin.requests();
    let unconditional: Vec<_> = requests
        .iter()
        .enumerate()
        .filter(|(_, r)| r.header("if-none-match").is_none())
        .map(|(at, _)| at)
        .collect();
    assert_eq!(unconditional, [0, 29]);
    assert_eq!(
        gannet.history("x")["versions"].as_array().map(Vec::len),
        Some(1)
    );
}

#[test]
fn a_damaged_blob_is_named_not_published_and_healed_by_the_next_fetch() {
    let gannet = rig("");
    let origin = &gannet.origin;
    origin.on(
        "/x",
        [Reply::file(
            "content of some length, which compresses a little, content",
        )],
    );
    add(&gannet, origin, "/x", &[]);
    gannet.fetch("x");
    sqlite::ruin_blobs(&gannet.data());
    sqlite::forget_what_is_published(&gannet.data(), true);
    fs::remove_file(
        gannet
            .data()
            .join("published")
            .join(origin.host().replace(':', "_"))
            .join("x"),
    )
    .expect("it was published");
    let read = gannet.run(&["cat", "x"]);
    assert_eq!((read.code, read.out.as_str()), (Some(3), ""));
    assert!(
        read.err.contains("damaged") && read.err.contains("sha256:"),
        "{read:?}"
    );
    let pass = gannet.run(&["--worker-only"]);
    assert_eq!(pass.code, Some(3), "{pass:?}");
    assert!(pass.err.contains("damaged"), "{pass:?}");
    assert!(gannet.ok(&["log"]).contains("archive.damaged"));
    assert_eq!(gannet.source("x")["published_path"], Value::Null);
    gannet.run(&["fetch", "x"]);
    assert_eq!(
        origin
            .requests()
            .last()
            .and_then(|r| r.header("if-none-match").map(str::to_owned)),
        None
    );
    assert_eq!(
        gannet.bytes(&["cat", "x"]),
        b"content of some length, which compresses a little, content"
    );
    gannet.ok(&["--worker-only"]);
    assert_eq!(
        published(&gannet, "x"),
        b"content of some length, which compresses a little, content"
    );
    assert!(gannet.ok(&["log"]).contains("archive.healed"));
}

/// Bytes that do not compress, so that their stored form is too large for the catalogue.
fn noise() -> Vec<u8> {
    let mut state = 1_u64;
    std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as u8
    })
    .take(3 << 20)
    .collect()
}

#[test]
fn an_object_that_was_cut_short_makes_the_next_request_unconditional() {
    let gannet = rig("");
    let origin = &gannet.origin;
    origin.on("/big.bin", [Reply::file(noise())]);
    add(&gannet, origin, "/big.bin", &[]);
    gannet.fetch("big.bin");
    let objects = files_below(&gannet.data().join("objects"));
    let object = fs::OpenOptions::new().write(true).open(&objects[0]);
    object
        .and_then(|file| file.set_len(1 << 20))
        .expect("it is cut");
    assert_eq!(gannet.fetch("big.bin")["unchanged"], 1);
    assert_eq!(origin.requests()[1].header("if-none-match"), None);
    assert_eq!(gannet.bytes(&["cat", "big.bin"]), noise());
}

#[test]
fn content_that_comes_back_heals_its_damaged_blob() {
    let gannet = rig("");
    let origin = &gannet.origin;
    origin.on("/x", ["one\n", "two\n", "one\n"].map(Reply::file));
    origin.on("/y", [Reply::file("two\n")]);
    add(&gannet, origin, "/x", &[]);
    add(&gannet, origin, "/y", &[]);
    gannet.fetch("x");
    gannet.fetch("x");
    sqlite::ruin_blobs(&gannet.data());
    // Once as an older version of the same source, once as another source's.
    assert_eq!(gannet.fetch("x")["new"], 1);
    assert_eq!(gannet.fetch("y")["new"], 1);
    for (reference, content) in [
        ("x", "one\n"),
        ("x~1", "two\n"),
        ("x~2", "one\n"),
        ("y", "two\n"),
    ] {
        assert_eq!(
            gannet.bytes(&["cat", reference]),
            content.as_bytes(),
            "{reference}"
        );
    }
    assert_eq!(published(&gannet, "x"), b"one\n");
}

/// Starts a pass that has recorded its version and waits for the lock that the test holds.
fn pass_before_publishing(gannet: &Gannet) -> (fs::File, std::process::Child) {
    let lock = fs::File::create(gannet.data().join("tmp/published.lock")).expect("the lock");
    lock.lock().expect("the lock is free");
    let pass = gannet.start(&["--worker-only"]);
    until("the version", || {
        !gannet.source("x")["version_id"].is_null()
    });
    (lock, pass)
}

#[test]
fn a_verdict_that_comes_before_the_file_is_published_counts() {
    let gannet = rig("[[verifier]]\nname = \"text\"\nsources = [\"*\"]\nbuiltin = \"utf8\"\n");
    let origin = &gannet.origin;
    origin.on("/x", [Reply::file("content")]);
    add(&gannet, origin, "/x", &[]);
    let (lock, pass) = pass_before_publishing(&gannet);
    until("the verdict", || gannet.source("x")["verified"] == "passed");
    gannet.ok(&["verdict", "1", "text", "failed"]);
    drop(lock);
    let pass = said(&pass.wait_with_output().expect("the pass ends"));
    assert_eq!(pass.code, Some(0), "{pass:?}");
    assert_eq!(gannet.source("x")["published_path"], Value::Null);
    assert_eq!(files_below(&gannet.data().join("published")).len(), 0);
}

#[test]
fn a_source_that_is_removed_before_its_file_is_published_leaves_none() {
    let gannet = rig("");
    let origin = &gannet.origin;
    origin.on("/x", [Reply::file("content")]);
    add(&gannet, origin, "/x", &[]);
    let (lock, pass) = pass_before_publishing(&gannet);
    // What `gannet remove` does once it has the lock, which no one can be sure to get before the pass does.
    let store = Store::open(&gannet.data().join("gannet.db")).expect("the catalogue");
    let id = SourceId(1);
    let removal = vec![SourceChange::Remove { id, purge: false }];
    let stamp = Stamp {
        at: "2026-01-31T12:30:00Z".parse().expect("a time"),
        actor: Actor("joe@host by cli".to_owned()),
    };
    tokio::runtime::Runtime::new()
        .expect("a runtime")
        .block_on(store.change_sources(removal, stamp))
        .expect("removed");
    drop((store, lock));
    let pass = said(&pass.wait_with_output().expect("the pass ends"));
    assert_eq!((pass.code, pass.err.as_str()), (Some(0), ""), "{pass:?}");
    assert_eq!(files_below(&gannet.data().join("published")).len(), 0);
}

#[test]
fn a_removed_source_is_not_fetched() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/x"]);
    gannet.ok(&["remove", "x"]);
    let refused = gannet.run(&["fetch", "1"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(
        refused.err.contains("source 1 (x) was removed"),
        "{refused:?}"
    );
}

#[test]
fn a_password_in_an_address_is_never_repeated() {
    let gannet = Gannet::new();
    let file = gannet.path("sources.toml");
    let bad = "https://joe:hunter2pw@example.org:99999/x";
    fs::write(&file, format!("[[source]]\naddress = \"{bad}\"\n")).expect("a file");
    let file = file.display().to_string();
    for arguments in [
        ["add", bad].as_slice(),
        &["show", bad],
        &["cat", bad],
        &["cat", "https://joe:hunter2pw@example.org/x~2"],
        &["fetch", "ftp://joe:hunter2pw@example.org/*"],
        &["list", "https://joe:hunter2pw@example.org/[x"],
        &["add", "https://example.org/x", "--name", &format!("{bad}?")],
        &["apply", &file],
    ] {
        let said = gannet.run(arguments);
        assert_ne!(said.code, Some(0), "{said:?}");
        assert!(!format!("{said:?}").contains("hunter2pw"), "{said:?}");
    }
}

#[test]
fn a_name_comes_before_what_else_it_may_mean() {
    let gannet = rig("");
    let origin = &gannet.origin;
    origin.on("/a", ["one", "two", "three"].map(Reply::file));
    origin.on("/b", [Reply::file("other")]);
    add(&gannet, origin, "/a", &["--name", "x"]);
    add(&gannet, origin, "/b", &["--name", "y"]);
    // Such a name is not given any more; an older catalogue may have one.
    sqlite::rename_source(&gannet.data(), "y", "x~2");
    for name in ["x", "x", "x", "x~2"] {
        gannet.fetch(name);
    }
    for (reference, content) in [("x~2", "other"), ("x~1", "two"), ("1~2", "one")] {
        assert_eq!(
            gannet.bytes(&["cat", reference]),
            content.as_bytes(),
            "{reference}"
        );
    }
    let verified = gannet.json(&["verify", "x~2", "--json"]);
    assert_eq!(verified[0]["source"], "x~2");
    // A name that gannet chooses is never like that.
    gannet.ok(&["add", "https://example.org/y~2"]);
    gannet.source("y-2");
}

#[test]
fn another_address_leaves_the_file_where_it_is_and_says_so() {
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.org/x"]);
    let said = gannet.ok(&["edit", "x", "--address", "https://example.org/y"]);
    assert!(said.contains("its published path: example.org/x"), "{said}");
}

#[test]
fn a_missing_object_makes_the_next_request_unconditional() {
    let gannet = rig("");
    let origin = &gannet.origin;
    let noise = noise();
    origin.on("/big.bin", [Reply::file(noise.clone())]);
    add(&gannet, origin, "/big.bin", &[]);
    gannet.fetch("big.bin");
    assert_eq!(gannet.fetch("big.bin")["unchanged"], 1);
    assert!(origin.requests()[1].header("if-none-match").is_some());
    let objects = files_below(&gannet.data().join("objects"));
    assert_eq!(objects.len(), 1);
    fs::remove_file(&objects[0]).expect("the object goes");
    assert_eq!(gannet.fetch("big.bin")["unchanged"], 1);
    assert_eq!(origin.requests()[2].header("if-none-match"), None);
    assert_eq!(gannet.bytes(&["cat", "big.bin"]), noise);
    assert_eq!(
        gannet.history("big.bin")["versions"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
}

#[test]
fn sources_whose_paths_collide_are_told_and_stay_apart() {
    let gannet = rig("");
    let origin = &gannet.origin;
    origin.on("/a", [Reply::file("a")]);
    origin.on("/A", [Reply::file("A")]);
    origin.on("/a/b", [Reply::file("b")]);
    add(&gannet, origin, "/a", &["--name", "one"]);
    for (path, name) in [("/A", "two"), ("/a/b", "three")] {
        let said = gannet.run(&["add", &origin.url(path), "--allow-private", "--name", name]);
        assert_eq!(said.code, Some(0));
        assert!(
            format!("{}{}", said.out, said.err).contains("~2")
                || format!("{}{}", said.out, said.err).contains("~3"),
            "{said:?}"
        );
    }
    gannet.fetch("*");
    for (name, content) in [("one", "a"), ("two", "A"), ("three", "b")] {
        assert_eq!(published(&gannet, name), content.as_bytes());
    }
}

#[test]
fn removing_keeps_the_history_unless_it_is_purged() {
    let gannet = rig("");
    let origin = &gannet.origin;
    origin.on("/x", [Reply::file("content")]);
    add(&gannet, origin, "/x", &[]);
    gannet.fetch("x");
    let path = gannet.source("x")["published_path"]
        .as_str()
        .expect("a path")
        .to_owned();
    let again = gannet.run(&["add", &origin.url("/x"), "--allow-private"]);
    assert_eq!(again.code, Some(2));
    assert!(
        again.err.contains("taken") && again.err.contains('x'),
        "{again:?}"
    );
    gannet.ok(&["remove", "x"]);
    assert!(!Path::new(&path).exists());
    assert_eq!(gannet.json(&["list", "--json"]), json!([]));
    assert_eq!(gannet.bytes(&["cat", "v1"]), b"content");
    gannet.ok(&["remove", "1", "--purge", "--yes"]);
    assert_eq!(gannet.run(&["cat", "v1"]).code, Some(2));
}

#[test]
fn the_earlier_command_names_work() {
    let gannet = rig("");
    let origin = &gannet.origin;
    origin.on("/x", [Reply::file("content")]);
    let address = "https://example.org/x";
    gannet.ok(&["build_db"]);
    gannet.ok(&["add_url", address, "12h"]);
    gannet.ok(&["set_interval", address, "2d"]);
    gannet.ok(&["url_enabled", address, "False"]);
    let source = gannet.source("x");
    assert_eq!(
        (source["interval"].clone(), source["enabled"].clone()),
        (json!("2d"), json!(false))
    );
    gannet.ok(&["url_enabled", address, "True"]);
    assert!(gannet.ok(&["dump"]).contains(address));
}

#[test]
fn a_file_of_sources_is_applied_as_a_whole() {
    let gannet = Gannet::new();
    let file = gannet.path("sources.toml");
    let write = |text: &str| fs::write(&file, text).expect("the file is written");
    let file_name = file.display().to_string();
    write(
        "[[source]]\naddress = \"https://example.org/a.csv\"\ninterval = \"1h\"\ntags = [\"t\"]\n[[source]]\naddress = \"https://example.org/b.csv\"\n",
    );
    gannet.ok(&["build_db"]);
    let dry = gannet.ok(&["apply", &file_name, "--dry-run"]);
    assert!(dry.contains("+ add a.csv"), "{dry}");
    assert_eq!(gannet.json(&["list", "--json"]), json!([]));
    gannet.ok(&["apply", &file_name]);
    write(&gannet.ok(&["dump", "--toml"]));
    assert!(
        gannet
            .ok(&["apply", &file_name, "--prune"])
            .contains("nothing to do")
    );
    write(
        "[[source]]\naddress = \"https://example.org/a.csv\"\ninterval = \"2h\"\n[[source]]\naddress = \"ftp://example.org/c\"\n",
    );
    assert_eq!(gannet.run(&["apply", &file_name, "--prune"]).code, Some(2));
    assert_eq!(gannet.source("a.csv")["interval"], "1h");
    write(
        "[[source]]\naddress = \"https://example.org/a.csv\"\ninterval = \"2h\"\ntags = [\"t\"]\n",
    );
    let plan = gannet.ok(&["apply", &file_name, "--prune"]);
    assert!(
        plan.contains("~ edit a.csv: interval 1h -> 2h") && plan.contains("- remove b.csv"),
        "{plan}"
    );
    assert_eq!(
        gannet.json(&["list", "--json"]).as_array().map(Vec::len),
        Some(1)
    );
}

#[test]
fn names_swap_and_rotate_by_a_file_of_sources() {
    type Entries = &'static [(&'static str, &'static str)];
    let gannet = Gannet::new();
    let file = gannet.path("sources.toml");
    let apply = |entries: &[(&str, &str)], more: &[&str]| {
        let tables: Vec<_> = entries
            .iter()
            .map(|(name, path)| {
                format!("[[source]]\nname = \"{name}\"\naddress = \"https://example.org/{path}\"\n")
            })
            .collect();
        let text = tables.concat();
        fs::write(&file, text).expect("the file is written");
        gannet.run(&[&["apply", &file.display().to_string()], more].concat())
    };
    let names = || {
        let list = gannet.json(&["list", "--json"]);
        let mut all: Vec<_> = list
            .as_array()
            .expect("a list")
            .iter()
            .map(|source| {
                (
                    source["id"].as_i64(),
                    source["name"].as_str().map(str::to_owned),
                )
            })
            .collect();
        all.sort();
        all.into_iter()
            .filter_map(|(_, name)| name)
            .collect::<Vec<_>>()
    };
    let steps: [(Entries, &[&str]); 4] = [
        (&[("a", "1"), ("b", "2"), ("c", "3")], &["a", "b", "c"]),
        (&[("b", "1"), ("a", "2"), ("c", "3")], &["b", "a", "c"]),
        (&[("a", "1"), ("c", "2"), ("b", "3")], &["a", "c", "b"]),
        // `a` at a new address is another source: the one that was called so is known by its address.
        (
            &[("a", "4"), ("d", "1"), ("c", "2"), ("b", "3")],
            &["d", "c", "b", "a"],
        ),
    ];
    for (entries, expected) in steps {
        let said = apply(entries, &[]);
        assert_eq!(said.code, Some(0), "{said:?}");
        assert_eq!(names(), expected);
    }
    // Source 2 is not in the file and keeps its name: the plan says so before anything is done.
    for more in [&["--dry-run"][..], &[]] {
        let refused = apply(&[("c", "1")], more);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.err.contains("taken by source 2"), "{refused:?}");
    }
    assert_eq!(apply(&[("c", "1")], &["--prune", "--yes"]).code, Some(0));
    assert_eq!(names(), ["c"]);
}

#[test]
fn only_what_is_published_is_for_other_accounts() {
    use std::os::unix::fs::PermissionsExt as _;
    let gannet = rig("");
    let origin = &gannet.origin;
    origin.on("/x", [Reply::file("content")]);
    add(&gannet, origin, "/x", &[]);
    gannet.fetch("x");
    let mode = |path: &Path| fs::metadata(path).expect("it exists").permissions().mode() & 0o077;
    for private in ["gannet.db", "objects", "tmp"] {
        assert_eq!(mode(&gannet.data().join(private)), 0, "{private}");
    }
    let path = gannet.source("x")["published_path"]
        .as_str()
        .expect("a path")
        .to_owned();
    assert_eq!(mode(Path::new(&path)), 0o044);
}
