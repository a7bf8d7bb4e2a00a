//! Where few processes are allowed: the program works, or says why it cannot, and never hangs or breaks down.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::rig::{Gannet, said};

/// An account that has no other process: the limit counts all of an account, and does not hold for root.
const NOBODY_ELSE: u32 = 54_321;

#[cfg(target_os = "linux")]
#[test]
fn a_pass_works_or_says_that_it_lacks_threads() {
    let is_root = rustix::process::geteuid().is_root();
    let gannet = Gannet::new();
    gannet.ok(&["add", "https://example.invalid/a", "1h", "--disabled"]);
    let home = gannet.path("");
    fs::set_permissions(&home, fs::Permissions::from_mode(0o755)).expect("a mode");
    // Whoever runs it has to reach it, and to write.
    let program = gannet.path("gannet");
    fs::copy(env!("CARGO_BIN_EXE_gannet"), &program).expect("a copy");
    if is_root {
        let owner = format!("{NOBODY_ELSE}:{NOBODY_ELSE}");
        let given = Command::new("chown")
            .args(["-R", &owner])
            .arg(&home)
            .status();
        assert!(given.expect("chown runs").success());
    }
    for most in (1..=13).chain([500]) {
        let limit = format!("--nproc={most}");
        let mut command = Command::new("timeout");
        command
            .args(["60", "prlimit", &limit])
            .arg(&program)
            .args(["--worker-only", "--data-dir"])
            .arg(gannet.data())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", &home);
        if is_root {
            command.uid(NOBODY_ELSE).gid(NOBODY_ELSE);
        }
        let said = said(&command.output().expect("it runs"));
        assert!(!said.err.contains("panicked"), "{most}: {said:?}");
        // As many as the machine's cores and a few are needed, whatever the number of cores.
        let is_enough = said.code == Some(0);
        assert!(is_enough || said.code == Some(3), "{most}: {said:?}");
        assert!(!is_enough || most > 8, "{most}: {said:?}");
        assert!(is_enough || most < 500 || !is_root, "{most}: {said:?}");
        for part in ["threads that it takes", "ulimit -u"] {
            assert!(is_enough || said.err.contains(part), "{most}: {said:?}");
        }
    }
}
