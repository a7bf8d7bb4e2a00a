//! What a verifier's program may use: limits that hold in every process, and what is said of one that met its own.

use std::time::Duration;

use gannet::config::ResourceLimits;
use gannet::domain::{Judgement, VerdictOutcome};
use tempfile::TempDir;

use crate::rig::verifiers::{PATIENCE, content, facts, limited};

/// Runs a script under limits.
async fn run(script: &str, limits: ResourceLimits) -> Judgement {
    let verifier = limited(&["/bin/sh", "-c", script], limits, PATIENCE);
    let work_dir = TempDir::new().expect("a folder");
    verifier.judge(&content(), &facts(), work_dir.path()).await
}

fn assert_error(judgement: &Judgement, expected: &str) {
    assert_eq!(judgement.outcome, VerdictOutcome::Error, "{judgement:?}");
    assert_eq!(judgement.detail, format!("could not judge: {expected}"));
}

#[tokio::test]
async fn limits_are_set_in_every_process() {
    // CPU in seconds, files in 512 bytes, memory in KiB.
    let show = "sh -c 'ulimit -t; ulimit -c; ulimit -f; ulimit -v; ulimit -n; ulimit -Ht'";
    let by_default = run(show, ResourceLimits::default()).await;
    let lines: Vec<_> = by_default.output.lines().collect();
    assert_eq!(lines[..4], ["unlimited", "0", "2097152", "unlimited"]);
    assert_eq!(lines[5], "unlimited");
    let limits = ResourceLimits {
        cpu: Some(Duration::from_secs(7)),
        memory_bytes: Some(64 << 20),
        file_size_bytes: 1 << 20,
        open_files: Some(20),
        ..ResourceLimits::default()
    };
    let limited = run(show, limits).await;
    assert_eq!(limited.output, "7\n0\n2048\n65536\n20\n8\n");
}

#[tokio::test]
async fn a_program_that_dies_by_a_limit_could_not_judge() {
    let limits = ResourceLimits {
        cpu: Some(Duration::from_secs(1)),
        file_size_bytes: 1 << 20,
        ..ResourceLimits::default()
    };
    let beyond = "used more than 1 s of CPU (limits.cpu)";
    assert_error(&run("while :; do :; done", limits).await, beyond);
    let deaf = run("trap '' XCPU; while :; do :; done", limits).await;
    let killed = "killed by signal 9, as after 1 s of CPU (limits.cpu)";
    assert_error(&deaf, killed);

    let beyond = "wrote a file of more than 1.0 MiB (limits.file_size)";
    let large = "head -c 1048577 /dev/zero >large";
    assert_error(&run(&format!("exec {large}"), limits).await, beyond);
    // The shell lives, and says how its last command ended.
    let by_shell = run(&format!("{large}; exit $?"), limits).await;
    assert!(by_shell.detail.contains(beyond), "{by_shell:?}");
    assert_eq!(by_shell.exit_code, Some(153));
    let small = run("head -c 1048576 /dev/zero >small", limits).await;
    assert_eq!(small.outcome, VerdictOutcome::Passed, "{small:?}");
}

#[tokio::test]
async fn a_program_that_fills_its_folder_is_ended() {
    let limits = ResourceLimits {
        folder_bytes: 1 << 20,
        ..ResourceLimits::default()
    };
    let full = "its working folder grew beyond 1.0 MiB (limits.folder)";
    // A thing apart in a folder that is closed to its owner.
    let body = "trap '' TERM; mkdir a; setsid sh -c 'cd a; chmod 300 .; head -c 2000000 /dev/zero >b' & sleep 1000";
    assert_error(&run(body, limits).await, full);
    let many = "while :; do mkdir $((n+=1)); done";
    assert_error(&run(many, limits).await, full);
}

#[tokio::test]
async fn a_folder_that_cannot_be_measured_is_not_trusted() {
    let nest = "d=$(printf %0250d 0); while mkdir $d && cd $d; do :; done; mkdir -p $d/$d/$d";
    let judgement = run(&format!("{nest}; sleep 1000"), ResourceLimits::default()).await;
    assert_eq!(judgement.outcome, VerdictOutcome::Error, "{judgement:?}");
    let why = "could not judge: its working folder cannot be measured (limits.folder): ";
    assert!(judgement.detail.starts_with(why), "{judgement:?}");
}
