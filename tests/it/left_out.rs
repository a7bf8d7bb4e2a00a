//! What `cargo test` leaves out is said, and `.ci/run` runs what needs no more than this machine.

use crate::rig::run_elsewhere;

#[test]
fn what_is_left_out_is_said_and_run_before_a_change_lands() {
    let manifest = include_str!("../../Cargo.toml");
    let targets = manifest.split("[[test]]").skip(1);
    let left: Vec<_> = targets
        .filter(|target| target.lines().any(|line| line == "test = false"))
        .filter_map(|target| target.lines().find_map(|line| line.strip_prefix("name = ")))
        .collect();
    assert_eq!(left, ["\"screens\"", "\"stress\""]);
    let ci = include_str!("../../.ci/run");
    assert!(ci.contains("\ncargo test --locked --test stress\n"), "{ci}");
    run_elsewhere(
        "the stress tests",
        "they keep every core busy for minutes; run `cargo test --test stress`, as .ci/run does",
    );
    run_elsewhere(
        "the whole job over a shell",
        "it needs nginx and a release build; run tests/acceptance.sh",
    );
    run_elsewhere(
        "the README's pictures",
        "they are made, not tested; run `cargo test --test screens`",
    );
}
