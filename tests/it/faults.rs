//! Faults: killed at any moment, a full disk, two passes at once, signals. Nothing is lost, and the next pass goes on.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use gannet::clock::{Clock as _, SystemClock};
use gannet::domain::WorkerInfo;
use gannet::store::{Fact, LooseObjects, Store};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::rig::{Gannet, Gate, Home, Reply, noise, rows, said, until};

#[test]
fn what_the_dead_did_not_record_goes_to_the_trash_and_nothing_of_the_living() {
    let gannet = Home::new("");
    let origin = &gannet.origin;
    origin.on("/x", [Reply::file("content")]);
    gannet.add_files(origin, &["/x".to_owned()]);
    let living = gannet::archive::Archive::open(&gannet.data()).expect("an archive");
    let owner = living.machine().owner();
    let digest = "c".repeat(62);
    let folder = gannet.data().join("objects").join("ab");
    fs::create_dir_all(&folder).expect("a folder");
    let mine = format!("{digest}-living-12345678");
    let dead = format!("{digest}-dead00-12345678");
    announce(&gannet, &living.machine().new_worker(), &mine);
    let killed = WorkerInfo {
        folder: "run-dead".to_owned(),
        ..living.machine().new_worker()
    };
    announce(&gannet, &killed, &dead);
    for name in [
        &mine,
        &dead,
        // Of which the catalogue knows nothing, one by an older gannet, and something else.
        &format!("{digest}-strange-12345678"),
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
    assert_eq!(gannet.objects(), [ours, "ab/no-object".to_owned()]);
    assert_eq!(gannet.temporary(), [owner]);
    let day = fs::read_dir(gannet.data().join("trash")).expect("a trash");
    let day = day.flatten().next().expect("a day").path();
    let thrown = fs::read_dir(day.join("objects/ab")).expect("objects");
    assert_eq!(thrown.count(), 3);
    assert_eq!(pending(&gannet), [format!("ab/{mine}")]);
}

/// Names an object in `objects/ab` that a worker is about to record.
fn announce(gannet: &Gannet, worker: &WorkerInfo, name: &str) {
    let store = Store::open(&gannet.data().join("gannet.db")).expect("the catalogue");
    let pending = Fact::ObjectPending {
        name: format!("ab/{name}"),
        worker: worker.id.clone(),
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for fact in [Fact::WorkerSeen(worker.clone()), pending] {
        let stamp = rows::stamp(SystemClock.now());
        runtime.block_on(store.record(fact, stamp)).expect("noted");
    }
}

/// Returns the objects that are announced, by a time at which no worker lives any more.
fn pending(gannet: &Gannet) -> Vec<String> {
    let store = Store::open(&gannet.data().join("gannet.db")).expect("the catalogue");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let far = SystemClock.now() + chrono::TimeDelta::days(1);
    runtime
        .block_on(store.read(LooseObjects(far)))
        .expect("names")
}

#[test]
fn a_full_disk_is_told_and_recovered_from() {
    let gannet = Home::new("");
    let origin = &gannet.origin;

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
    gannet.write_sources(origin, &paths);
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
    let gannet = Home::new("");
    let origin = &gannet.origin;

    let paths: Vec<_> = (0..60).map(|n| format!("/{n}.txt")).collect();
    for path in &paths {
        origin.on(path, [Reply::file(path.clone())]);
    }
    gannet.add_files(origin, &paths);
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
    let gannet = Home::new("");
    let origin = &gannet.origin;
    let gate = Gate::new();
    let paths: Vec<_> = (0..20).map(|n| format!("/{n}.txt")).collect();
    for path in &paths {
        origin.on(path, [Reply::file(path.clone()).behind(&gate)]);
    }
    gannet.add_files(origin, &paths);
    let child = gannet.start(&["--worker-only", "--json"]);
    origin.arrived(2).await;
    signal(&child, Signal::TERM);
    // It has heard when it says so in its log; only then may what is in flight go on.
    gannet.wait_for_log("a signal came");
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
    let gannet = Home::new("");
    let origin = &gannet.origin;
    let gate = Gate::new();
    origin.on("/x", [Reply::file("content").behind(&gate)]);
    gannet.add_files(origin, &["/x".to_owned()]);
    let child = gannet.start(&["--worker-only", "--loop"]);
    origin.arrived(1).await;
    signal(&child, Signal::INT);
    gannet.wait_for_log("a signal came");
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
    let gannet = Home::new("");
    let origin = &gannet.origin;
    origin.on("/x", [Reply::file("content")]);
    gannet.add_files(origin, &["/x".to_owned()]);
    let lock = fs::File::create(gannet.data().join("tmp/published.lock")).expect("a file");
    lock.lock().expect("the lock");
    let mut child = gannet.start(&["--worker-only"]);
    until("the version is kept", || {
        !gannet.source("x")["version_id"].is_null()
    });
    signal(&child, Signal::TERM);
    gannet.wait_for_log("a signal came");
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
    let gannet = Home::new("");
    let origin = &gannet.origin;
    let gate = Gate::new();
    let paths: Vec<_> = (0..10).map(|n| format!("/{n}.txt")).collect();
    for path in &paths {
        origin.on(path, [Reply::file(path.clone()).behind(&gate)]);
    }
    gannet.add_files(origin, &paths);
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
    let gannet = Home::new("");
    let origin = &gannet.origin;
    origin.on("/x", [Reply::file("content")]);
    gannet.add_files(origin, &["/x".to_owned()]);
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
    assert_eq!(gannet.temporary(), [""; 0]);
}
