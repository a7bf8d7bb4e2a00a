//! What is not tested on this machine, or not by `cargo test`, is said with its reason.

use std::io::Write as _;

/// Set where nothing may be left out: in `.ci/run`.
const ALL: &str = "GANNET_TEST_ALL";

/// Says what this machine lacks for a test, which passes. Fails the test where nothing may be left out.
#[track_caller]
pub(crate) fn left_out(what: &str, why: &str) {
    say(what, why);
    #[expect(clippy::disallowed_methods, reason = "the tests' own setting")]
    let is_all = std::env::var_os(ALL).is_some();
    assert!(!is_all, "left out, in spite of {ALL}: {what}: {why}");
}

/// Says what is run by other means than `cargo test`.
pub(crate) fn run_elsewhere(what: &str, how: &str) {
    say(what, how);
}

/// Says so on stderr, past what the harness keeps to itself of a test that passes.
fn say(what: &str, why: &str) {
    // Nobody listens where this cannot be written.
    let _ = writeln!(std::io::stderr(), "left out: {what}: {why}");
}
