//! Faults: killed at any moment, a full disk, two passes at once, signals. Nothing is lost, and the next pass goes on.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::origin::{Gate, Origin, Reply};
use crate::rig::{Gannet, said, until};

/// Writes a file of sources and returns its path.
fn write_sources(gannet: &Gannet, origin: &Origin, paths: &[String]) -> String {
    let entry = |path: &String| {
        let (address, name) = (origin.url(path), &path[1..]);
        format!("[[source]]\naddress = {address:?}\nname = {name:?}\nallow_private = true\n")
    };
    let entries: Vec<_> = paths.iter().map(entry).collect();
    let file = gannet.path("sources.toml");
    fs::write(&file, entries.concat()).expect("the file is written");
    file.display().to_string()
}

/// Adds sources by a file, all due at once.
fn add_files(gannet: &Gannet, origin: &Origin, paths: &[String]) {
    gannet.ok(&["apply", &write_sources(gannet, origin, paths)]);
}

/// Steps through numbers that look random and are the same in every run.
fn scatter(seed: u64) -> u64 {
    (seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407))
        >> 33
}

/// Returns bytes that do not compress, the same in every run.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed;
    let bytes = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    });
    bytes.take(length).collect()
}

fn content(path: usize, round: u64) -> Vec<u8> {
    if path == 7 {
        // Large, and it does not compress: it lives in the archive's own folder, the others in the catalogue.
        return noise(round, 1_200_000);
    }
    let line = |n: u64| format!("{path},{round},{n},{}\n", scatter(n * 1000 + round));
    (0..40).map(line).collect::<String>().into_bytes()
}

/// Returns the names of all objects, and of those that a blob names.
fn objects(gannet: &Gannet) -> (Vec<String>, Vec<String>) {
    let folders = fs::read_dir(gannet.data().join("objects")).expect("objects");
    let mut found = Vec::new();
    for folder in folders.flatten() {
        for object in fs::read_dir(folder.path()).expect("a folder").flatten() {
            let (folder, object) = (folder.file_name(), object.file_name());
            found.push(format!("{}/{}", folder.display(), object.display()));
        }
    }
    let catalogue =
        rusqlite::Connection::open(gannet.data().join("gannet.db")).expect("the catalogue");
    let mut named = catalogue
        .prepare("SELECT object FROM blob WHERE object IS NOT NULL ORDER BY object")
        .expect("a query");
    let named = named.query_map([], |row| row.get(0)).expect("rows");
    let named = named.collect::<Result<_, _>>().expect("names");
    found.sort();
    (found, named)
}

fn check_catalogue(gannet: &Gannet) {
    let catalogue =
        rusqlite::Connection::open(gannet.data().join("gannet.db")).expect("the catalogue");
    let check: String = catalogue
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .expect("a check");
    assert_eq!(check, "ok");
    let dangling: i64 = catalogue
        .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| {
            row.get(0)
        })
        .expect("a check");
    assert_eq!(dangling, 0);
}

/// Returns how long a run takes that nobody kills, in microseconds: a slow machine gets later deaths, not earlier ones.
fn time_of_a_run(gannet: &Gannet, origin: &Origin, paths: &[String]) -> u64 {
    for path in paths {
        origin.on(path, [Reply::file("a,b\n")]);
    }
    let start = std::time::Instant::now();
    gannet.fetch("*");
    u64::try_from(start.elapsed().as_micros()).expect("a short time")
}

#[test]
fn killed_two_hundred_times_nothing_is_lost() {
    const ROUNDS: u64 = 200;
    let origin = Origin::start(true);
    let gannet = Gannet::trusting(
        origin.ca_file(),
        "per_host = 8\n[[verifier]]\nname = \"lines\"\nsources = [\"[0-3].csv\"]\ncommand = [\"grep\", \"-q\", \",\", \"{path}\"]\n",
    );
    let paths: Vec<_> = (0..8).map(|n| format!("/{n}.csv")).collect();
    add_files(&gannet, &origin, &paths);
    let window = time_of_a_run(&gannet, &origin, &paths);
    for round in 0..ROUNDS {
        for (n, path) in paths.iter().enumerate() {
            // The large file changes less often, so that most rounds get far.
            match (n, round % 8) {
                (7, 0) => origin.on(path, [Reply::file(content(n, round / 8))]),
                (7, _) => {}
                _ => origin.on(path, [Reply::file(content(n, round))]),
            }
        }
        let mut child = gannet.start(&["fetch", "*"]);
        // Not a wait for anything: the moment at which the knife falls.
        std::thread::sleep(Duration::from_micros(scatter(round) % window));
        child.kill().expect("killed, or ended by itself");
        child.wait().expect("it ended");
        check_catalogue(&gannet);
    }
    let summary = gannet.fetch("*");
    assert_eq!(
        (&summary["attempts"], &summary["failed"]),
        (&Value::from(8), &Value::from(0)),
        "{summary}"
    );
    // The last death may have come between a version and its verdict: a pass over what is undecided judges it.
    gannet.ok(&["--worker-only"]);
    let mut versions = 0;
    for (n, path) in paths.iter().enumerate() {
        let name = &path[1..];
        let newest = content(n, if n == 7 { (ROUNDS - 1) / 8 } else { ROUNDS - 1 });
        assert!(gannet.bytes(&["cat", name]) == newest, "{name}");
        let published = gannet.source(name)["published_path"]
            .as_str()
            .expect("published")
            .to_owned();
        let lies_there = fs::read(published).expect("the published file");
        assert!(lies_there == newest, "{name}");
        versions += gannet.history(name)["versions"]
            .as_array()
            .map_or(0, Vec::len);
    }
    // Many rounds must have got as far as keeping something, or this test shows nothing.
    assert!(versions > 100, "{versions}");
    let export = gannet.path("export");
    gannet.ok(&["export", &export.display().to_string()]);
    assert_eq!(temporary(&gannet), [""; 0]);
    check_catalogue(&gannet);
    let (found, named) = objects(&gannet);
    assert!(!named.is_empty());
    assert_eq!(found, named, "every object is named by a blob");
}

/// Returns what lies in `tmp/` beside the locks.
fn temporary(gannet: &Gannet) -> Vec<String> {
    let entries = fs::read_dir(gannet.data().join("tmp")).expect("tmp");
    entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| !name.ends_with("lock"))
        .collect()
}

#[test]
fn what_the_dead_did_not_record_goes_to_the_trash_and_nothing_of_the_living() {
    let origin = Origin::start(true);
    origin.on("/x", [Reply::file("content")]);
    let gannet = Gannet::trusting(origin.ca_file(), "");
    add_files(&gannet, &origin, &["/x".to_owned()]);
    let living = gannet::archive::Archive::open(&gannet.data()).expect("an archive");
    let owner = living.machine().owner();
    let tag = owner.strip_prefix("run-").expect("the name of an owner");
    let digest = "c".repeat(62);
    let folder = gannet.data().join("objects").join("ab");
    fs::create_dir_all(&folder).expect("a folder");
    let mine = format!("{digest}-{tag}-12345678");
    for name in [
        &mine,
        // Made by a process that is gone, by one of an older gannet, and something else.
        &format!("{digest}-dead00-12345678"),
        &format!("{digest}-12345678"),
        "no-object",
    ] {
        fs::write(folder.join(name), "form").expect("an object");
    }
    let dead = gannet.data().join("tmp").join("run-dead");
    fs::create_dir(&dead).expect("a folder");
    fs::write(dead.join("lock"), "").expect("a lock that nobody holds");
    gannet.ok(&["--worker-only"]);
    let ours = format!("ab/{mine}");
    assert_eq!(objects(&gannet).0, [ours, "ab/no-object".to_owned()]);
    assert_eq!(temporary(&gannet), [owner]);
    let day = fs::read_dir(gannet.data().join("trash")).expect("a trash");
    let day = day.flatten().next().expect("a day").path();
    let thrown = fs::read_dir(day.join("objects/ab")).expect("objects");
    assert_eq!(thrown.count(), 2);
}

#[test]
fn a_full_disk_is_told_and_recovered_from() {
    let origin = Origin::start(true);
    let gannet = Gannet::trusting(origin.ca_file(), "");
    // Together more than the disk takes.
    let noise = |seed: u64| noise(seed, 600_000);
    let paths: Vec<_> = (0..6).map(|n| format!("/{n}.bin")).collect();
    for (seed, path) in (0..).zip(&paths) {
        origin.on(path, [Reply::file(noise(seed))]);
    }
    // A file system of 3 MiB in a mount namespace of its own: it goes with the shell.
    fs::create_dir_all(gannet.data()).expect("a folder");
    let script = format!(
        "set -e; mount -t tmpfs -o size=3m none '{data}'; {gannet} apply '{sources}' >/dev/null; set +e
         {gannet} --worker-only --json; echo \"first=$?\"
         {gannet} fetch '*'; echo \"full=$?\"
         mount -o remount,size=64m '{data}'
         {gannet} fetch '*' --json; echo \"second=$?\"
         {gannet} list --json; {gannet} export '{export}' >/dev/null; echo \"export=$?\"",
        data = gannet.data().display(),
        sources = gannet.path("sources.toml").display(),
        gannet = env!("CARGO_BIN_EXE_gannet"),
        export = gannet.path("export").display(),
    );
    write_sources(&gannet, &origin, &paths);
    let template = gannet.command(&[]);
    let mut unshare = Command::new("unshare");
    // Root needs no namespace of users, and some machines refuse it one.
    if !rustix::process::getuid().is_root() {
        unshare.args(["--user", "--map-root-user"]);
    }
    unshare.args(["--mount", "sh", "-c", &script]).env_clear();
    unshare.envs(
        template
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    let said = said(&unshare.output().expect("unshare runs"));
    assert!(
        said.out.contains("first=3") || said.out.contains("first=1"),
        "{said:#?}"
    );
    // What became of each source is told, whether the pass got as far as trying it or not.
    let full = said.out.split("first=").nth(1).unwrap_or_default();
    let full = full.split("full=").next().unwrap_or_default();
    let untried = full.matches("not tried").count() + full.matches("failed").count();
    assert!(untried > 0 && !full.contains("nothing was due"), "{full}");
    // On the error stream are the failed attempts as well as what ended the pass.
    let trouble = said.err.to_lowercase();
    assert!(
        trouble.contains("no room") || trouble.contains("no space"),
        "{said:#?}"
    );
    assert!(
        said.out.contains("second=0") && said.out.contains("export=0"),
        "{said:#?}"
    );
    for (seed, path) in (0..).zip(&paths) {
        let folder = gannet.path("export").join(&path[1..]);
        let files: Vec<_> = fs::read_dir(&folder).expect("exported").flatten().collect();
        assert_eq!(files.len(), 1, "{path}");
        assert_eq!(fs::read(files[0].path()).expect("a file"), noise(seed));
    }
}

#[test]
fn two_passes_at_once_fetch_each_source_once() {
    let origin = Origin::start(true);
    let gannet = Gannet::trusting(origin.ca_file(), "");
    let paths: Vec<_> = (0..60).map(|n| format!("/{n}.txt")).collect();
    for path in &paths {
        origin.on(path, [Reply::file(path.clone())]);
    }
    add_files(&gannet, &origin, &paths);
    let passes: Vec<_> = (0..3)
        .map(|_| gannet.start(&["--worker-only", "--json"]))
        .collect();
    let mut attempts = 0;
    for pass in passes {
        let output = pass.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(0), "{:?}", said(&output));
        let summary: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        attempts += summary["attempts"].as_u64().expect("a number");
    }
    assert_eq!(attempts, 60);
    let mut requested: Vec<_> = origin
        .requests()
        .into_iter()
        .map(|request| request.path)
        .collect();
    requested.sort();
    requested.dedup();
    assert_eq!((requested.len(), origin.requests().len()), (60, 60));
}

pub(crate) fn signal(child: &std::process::Child, signal: Signal) {
    let pid =
        Pid::from_raw(i32::try_from(child.id()).expect("a process id")).expect("a process id");
    kill_process(pid, signal).expect("the signal is sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_lets_what_is_in_flight_finish_and_releases_the_rest() {
    let origin = Origin::start(true);
    let gate = Gate::new();
    let paths: Vec<_> = (0..20).map(|n| format!("/{n}.txt")).collect();
    for path in &paths {
        origin.on(path, [Reply::file(path.clone()).behind(&gate)]);
    }
    let gannet = Gannet::trusting(origin.ca_file(), "");
    add_files(&gannet, &origin, &paths);
    let child = gannet.start(&["--worker-only", "--json"]);
    origin.arrived(2).await;
    signal(&child, Signal::TERM);
    // It has heard when it says so in its log; only then may what is in flight go on.
    wait_for_log(&gannet, "a signal came");
    gate.open();
    let output = child.wait_with_output().expect("it ends");
    let summary: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        (&summary["new"], &summary["failed"]),
        (&Value::from(2), &Value::from(0)),
        "{:?}",
        said(&output)
    );
    assert_eq!(output.status.code(), Some(1));
    let trouble = said(&output).err;
    assert!(trouble.contains("18 sources were not tried"), "{trouble}");
    let rest = gannet.json(&["--worker-only", "--json"]);
    assert_eq!(rest["new"], 18);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_stops_at_once() {
    let origin = Origin::start(true);
    let gate = Gate::new();
    origin.on("/x", [Reply::file("content").behind(&gate)]);
    let gannet = Gannet::trusting(origin.ca_file(), "");
    add_files(&gannet, &origin, &["/x".to_owned()]);
    let child = gannet.start(&["--worker-only", "--loop"]);
    origin.arrived(1).await;
    signal(&child, Signal::INT);
    wait_for_log(&gannet, "a signal came");
    let second = Instant::now();
    signal(&child, Signal::INT);
    let output = child.wait_with_output().expect("it ends");
    assert!(
        second.elapsed() < Duration::from_secs(8),
        "{:?}",
        said(&output)
    );
    gate.open();
    assert_eq!(gannet.json(&["--worker-only", "--json"])["new"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_does_not_wait_for_whoever_holds_the_lock() {
    let origin = Origin::start(true);
    origin.on("/x", [Reply::file("content")]);
    let gannet = Gannet::trusting(origin.ca_file(), "");
    add_files(&gannet, &origin, &["/x".to_owned()]);
    let lock = fs::File::create(gannet.data().join("tmp/published.lock")).expect("a file");
    lock.lock().expect("the lock");
    let mut child = gannet.start(&["--worker-only"]);
    until("the version is kept", || {
        !gannet.source("x")["version_id"].is_null()
    });
    signal(&child, Signal::TERM);
    wait_for_log(&gannet, "a signal came");
    let second = Instant::now();
    signal(&child, Signal::TERM);
    until("the pass ends", || {
        child.try_wait().expect("a child").is_some()
    });
    assert!(second.elapsed() < Duration::from_secs(8));
    drop(lock);
    gannet.ok(&["--worker-only"]);
    assert!(gannet.source("x")["published_path"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn nohup_holds() {
    let origin = Origin::start(true);
    let gate = Gate::new();
    let paths: Vec<_> = (0..10).map(|n| format!("/{n}.txt")).collect();
    for path in &paths {
        origin.on(path, [Reply::file(path.clone()).behind(&gate)]);
    }
    let gannet = Gannet::trusting(origin.ca_file(), "");
    add_files(&gannet, &origin, &paths);
    let template = gannet.command(&[]);
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "trap '' HUP; exec \"$0\" --worker-only --json"])
        .arg(env!("CARGO_BIN_EXE_gannet"))
        .env_clear()
        .envs(
            template
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .stdout(std::process::Stdio::piped());
    let child = shell.spawn().expect("a shell");
    origin.arrived(2).await;
    signal(&child, Signal::HUP);
    gate.open();
    let output = child.wait_with_output().expect("it ends");
    let summary: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        (&summary["new"], output.status.code()),
        (&Value::from(10), Some(0))
    );
}

#[test]
fn verify_takes_its_programs_along_when_a_signal_ends_it() {
    let origin = Origin::start(true);
    origin.on("/x", [Reply::file("content")]);
    let gannet = Gannet::trusting(origin.ca_file(), "");
    add_files(&gannet, &origin, &["/x".to_owned()]);
    gannet.fetch("x");
    let started = gannet.path("started");
    let script = format!(
        "echo $$ >{0}.new; mv {0}.new {0}; exec sleep 1000",
        started.display()
    );
    gannet.configure(&format!(
        "[[verifier]]\nname = \"slow\"\nsources = [\"*\"]\ntimeout = \"1h\"\ncommand = [\"sh\", \"-c\", {script:?}]\n"
    ));
    let child = gannet.start(&["verify", "x"]);
    until("the program runs", || started.exists());
    let program = fs::read_to_string(&started).expect("a process id");
    signal(&child, Signal::TERM);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(1), "{:?}", said(&output));
    let running = format!("/proc/{}/cmdline", program.trim());
    // Gone, or a zombie that its new parent has not waited for yet.
    assert!(fs::read(running).unwrap_or_default().is_empty());
    assert_eq!(temporary(&gannet), [""; 0]);
}

/// Returns when a line of the log holds `text`.
pub(crate) fn wait_for_log(gannet: &Gannet, text: &str) {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let files = fs::read_dir(gannet.data().join("log"))
            .into_iter()
            .flatten()
            .flatten();
        if files
            .flat_map(|file| fs::read_to_string(file.path()))
            .any(|lines| lines.contains(text))
        {
            return;
        }
        assert!(Instant::now() < deadline, "the log never said `{text}`");
        std::thread::yield_now();
    }
}
