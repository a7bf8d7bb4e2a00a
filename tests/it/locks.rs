//! Locks: nobody else can take one, nobody who reads needs one, and none is waited for in silence or for ever.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::rig::{Gannet, Home, Reply, left_out, said, until};

const LOCKS: [&str; 5] = [
    "lock",
    "published.lock",
    "sets.lock",
    "notify.lock",
    "mark.lock",
];

/// Takes a lock as another process would, whose number is that of this one.
fn hold(gannet: &Gannet, name: &str) -> File {
    let mut file = File::create(gannet.data().join("tmp").join(name)).expect("a file");
    file.lock().expect("a free lock");
    writeln!(file, "{}", std::process::id()).expect("written");
    file
}

fn home(more: &str) -> Home {
    let gannet = Home::new(more);
    let origin = &gannet.origin;
    origin.on("/x", [Reply::file("content")]);
    let url = origin.url("/x");
    gannet.ok(&["add", &url, "1h", "--allow-private", "--tag", "release"]);
    gannet
}

#[test]
fn no_other_account_can_take_a_lock() {
    let gannet = home(
        "[[verifier]]\nname = \"set\"\nscope = \"set\"\nsources = [\"tag:release\"]\ncommand = [\"true\"]\n",
    );
    gannet.ok(&["--worker-only"]);
    let mode = |path: &std::path::Path| {
        let found = fs::metadata(path).expect("it is there");
        found.permissions().mode() & 0o777
    };
    assert_eq!(mode(&gannet.data().join("tmp")), 0o700);
    let is_lock = |name: &str| name.ends_with("lock");
    for entry in fs::read_dir(gannet.data()).expect("a folder").flatten() {
        assert!(!is_lock(&entry.file_name().to_string_lossy()), "{entry:?}");
    }
    for entry in fs::read_dir(gannet.data().join("tmp"))
        .expect("a folder")
        .flatten()
    {
        assert!(
            LOCKS.contains(&entry.file_name().to_string_lossy().as_ref()),
            "{entry:?}"
        );
        assert_eq!(mode(&entry.path()), 0o600, "{entry:?}");
    }
    // A folder that was made wider by hand, or came so out of a backup.
    fs::set_permissions(gannet.data().join("tmp"), fs::Permissions::from_mode(0o755))
        .expect("a mode");
    gannet.ok(&["disable", "x"]);
    assert_eq!(mode(&gannet.data().join("tmp")), 0o700);
}

#[test]
fn whoever_reads_waits_for_no_lock() {
    let gannet = home("");
    gannet.ok(&["--worker-only"]);
    let held = LOCKS.map(|name| hold(&gannet, name));
    let begun = Instant::now();
    for command in [&["list"][..], &["cat", "x"], &["log"], &["dump", "--toml"]] {
        let said = gannet.run(command);
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:#?}");
    }
    assert!(
        begun.elapsed() < Duration::from_secs(8),
        "{:?}",
        begun.elapsed()
    );
    drop(held);
}

#[test]
fn a_wait_is_told_with_its_cause_and_ends_with_it() {
    let gannet = home("");
    let held = hold(&gannet, "published.lock");
    let mut pass = gannet.start(&["--worker-only"]);
    let mut err = BufReader::new(pass.stderr.take().expect("a pipe"));
    let mut line = String::new();
    err.read_line(&mut line).expect("a line");
    let holder = format!("waiting for process {} (since 2", std::process::id());
    assert!(
        line.contains(&holder) && line.contains("which changes published files"),
        "{line}"
    );
    drop(held);
    assert!(pass.wait().expect("it ends").success());
    assert!(gannet.source("x")["published_path"].is_string());
}

#[test]
fn a_lock_that_is_never_given_up_ends_the_command_with_its_holder() {
    let gannet = home("");
    let _held = hold(&gannet, "lock");
    let said = gannet.run(&["disable", "x"]);
    assert_eq!(said.code, Some(3), "{said:#?}");
    let holder = format!("waited 10 s for process {}", std::process::id());
    assert!(
        said.err.contains(&holder) && said.err.contains("kill -CONT"),
        "{said:#?}"
    );
}

fn signal(child: &std::process::Child, signal: Signal) {
    let id = i32::try_from(child.id()).expect("a process id");
    kill_process(Pid::from_raw(id).expect("a process id"), signal).expect("the signal is sent");
}

#[test]
fn a_stopped_process_that_judges_a_set_holds_nobody_up() {
    let gannet = home("");
    let origin = &gannet.origin;
    gannet.fetch("x");
    let begun = gannet.path("begun");
    let script = format!("touch {}; sleep 1000", begun.display());
    let ca_file = origin.ca_file().display().to_string();
    gannet.configure(&format!(
        "[fetch]\nca_file = {ca_file:?}\n[[verifier]]\nname = \"slow\"\nscope = \"set\"\nsources = [\"tag:release\"]\ntimeout = \"1h\"\ncommand = [\"sh\", \"-c\", {script:?}]\n"
    ));
    let mut first = gannet.start(&["--worker-only"]);
    until("the set is judged", || begun.exists());
    signal(&first, Signal::STOP);
    let second = gannet.run(&["fetch", "x"]);
    let holder = format!(
        "sets are left alone: waited 10 s for process {}",
        first.id()
    );
    let all = format!("{}{}", second.out, second.err);
    assert!(all.contains(&holder), "{second:#?}");
    assert_eq!(second.code, Some(0), "{second:#?}");
    // A fetch that was asked for was made.
    assert_eq!(
        gannet.history("x")["attempts"].as_array().map(Vec::len),
        Some(2)
    );
    signal(&first, Signal::CONT);
    signal(&first, Signal::TERM);
    signal(&first, Signal::TERM);
    first.wait().expect("it ends");
}

#[test]
fn another_account_is_refused_at_the_folder() {
    let gannet = home("");
    if !rustix::process::getuid().is_root() {
        left_out(
            "what needs two accounts",
            "only root can become another account",
        );
        return;
    }
    for folder in [gannet.path(""), gannet.data()] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("a mode");
    }
    for name in LOCKS {
        let mut flock = Command::new("setpriv");
        flock
            .args([
                "--reuid=65534",
                "--regid=65534",
                "--clear-groups",
                "flock",
                "--nonblock",
            ])
            .arg(gannet.data().join("tmp").join(name))
            .arg("true");
        let said = said(&flock.output().expect("flock runs"));
        assert!(
            said.code != Some(0) && said.err.contains("Permission denied"),
            "{said:#?}"
        );
    }
}
