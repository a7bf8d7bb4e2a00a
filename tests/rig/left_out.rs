//! What is not tested on this machine, or not by `cargo test`, is said with its reason.

use std::io::Write as _;

/// Says so on stderr, past what the harness keeps to itself of a test that passes.
pub(crate) fn left_out(what: &str, why: &str) {
    // Nobody listens where this cannot be written.
    let _ = writeln!(std::io::stderr(), "left out: {what}: {why}");
}
