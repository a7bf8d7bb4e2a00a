//! A clock that jumps under the real program, by libfaketime (Debian package `faketime`).

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::rig::{Home, left_out, until};

const LIBRARY: &str = "faketime/libfaketime.so.1";

fn library() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let mut found = folders.map(|folder| folder.path().join(LIBRARY));
    found.find(|path| path.exists())
}

/// A command by a clock that is so many hours off.
fn faked(home: &Home, library: &PathBuf, arguments: &[&str]) -> Command {
    let mut command = home.command(arguments);
    command
        .env("LD_PRELOAD", library)
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .env("DONT_FAKE_MONOTONIC", "1");
    command
}

#[test]
fn a_pass_by_a_wrong_clock_costs_at_most_two_hours() {
    let Some(library) = library() else {
        return left_out("a clock that jumps", "libfaketime is not there");
    };
    let home = Home::new("").with_source("a", ["one"]);
    let pass = |hour: i64| {
        let mut command = faked(&home, &library, &["--worker-only"]);
        let status = command.env("FAKETIME", format!("{hour:+}h")).status();
        assert!(status.expect("gannet runs").success(), "at {hour} h");
    };
    assert_eq!(home.pass().code, Some(0));
    // One pass by a wrong clock, either way: by the right one the source is tried again within its interval of 1 h, and an hour.
    for (turn, off) in (1..).zip([2, 30, 8760, 60_000, -2, -8760, -60_000]) {
        let hour = 4 * turn;
        pass(hour + off);
        let before = home.origin.requests().len();
        // As cron does, each hour.
        for later in 0..3 {
            pass(hour + later);
        }
        let tried = home.origin.requests().len() - before;
        assert!(
            tried > 0,
            "not tried within 2 h after a clock off by {off} h"
        );
    }
    assert!(!home.events("times.mended").is_empty());
}

/// While it sleeps its clock is set back by a year: it wakes within a minute or two.
#[test]
fn a_worker_that_stays_wakes_when_its_clock_is_set_back() {
    let Some(library) = library() else {
        return left_out("a clock that is set back", "libfaketime is not there");
    };
    let home = Home::new("").with_source("a", ["one"]);
    let clock = home.path("clock");
    fs::write(&clock, "+400d").expect("a clock");
    let mut worker = faked(&home, &library, &["--worker-only", "--loop"]);
    worker
        .env("FAKETIME_TIMESTAMP_FILE", &clock)
        .env("FAKETIME_NO_CACHE", "1")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut worker = worker.spawn().expect("gannet starts");
    until("its first pass", || {
        !home.events("pass.finished").is_empty()
    });
    // Nothing tells that it sleeps: it does a moment after its pass has ended.
    std::thread::sleep(Duration::from_secs(2));
    let before = home.origin.requests().len();
    fs::write(&clock, "+0d").expect("a clock");
    let wakes = (0..170).any(|_| {
        std::thread::sleep(Duration::from_secs(1));
        home.origin.requests().len() > before
    });
    worker.kill().expect("killed");
    worker.wait().expect("its end");
    assert!(wakes, "it sleeps on after its clock was set back");
}
