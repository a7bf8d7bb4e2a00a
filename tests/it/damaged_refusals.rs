//! Bytes that a person failed stay refused though the row of their version, of its blob or of the verdict is damaged.

use std::fs;
use std::path::Path;

use crate::loose::damage;
use crate::origin::{Origin, Reply};
use crate::rig::{Gannet, Said};

const DAMAGES: [&str; 10] = [
    "UPDATE blob SET digest = zeroblob(32) WHERE id = 2",
    "UPDATE blob SET digest = NULL WHERE id = 2",
    "DELETE FROM blob WHERE id = 2",
    "UPDATE version SET blob_id = 'x' WHERE id = 2",
    "UPDATE version SET blob_id = 1 WHERE id = 2",
    "UPDATE version SET source_id = 77 WHERE id = 2",
    "UPDATE version SET digest = NULL WHERE id = 2",
    "UPDATE version SET state = 'qassed' WHERE id = 2",
    "UPDATE verdict SET version_id = 'x' WHERE outcome = 'failed'",
    "DELETE FROM verdict WHERE outcome = 'failed'",
];

#[test]
fn refused_bytes_stay_refused_when_a_row_is_damaged() {
    let origin = Origin::start(true);
    for statement in DAMAGES {
        let gannet = Gannet::trusting(
            origin.ca_file(),
            "[[verifier]]\nname = \"text\"\nsources = [\"*\"]\nbuiltin = \"utf8\"\n",
        );
        origin.on("/b", ["one\n", "two\n"].map(Reply::file));
        gannet.ok(&["add", &origin.url("/b"), "--allow-private", "--name", "b"]);
        gannet.fetch("b");
        gannet.fetch("b");
        gannet.ok(&["verdict", "v2", "text", "failed"]);
        let file = gannet.source("b")["published_path"].clone();
        let file = Path::new(file.as_str().expect("a path")).to_owned();
        let is_refused = |said: &Said| {
            let now = fs::read_to_string(&file).expect("a file");
            assert_ne!(now, "two\n", "{statement}: {said:#?}");
        };
        is_refused(&gannet.run(&["list"]));
        damage(&gannet.data(), statement);
        is_refused(&gannet.run(&["fetch", "b"]));
        is_refused(&gannet.run(&["fetch", "b", "--whole"]));
        // The bytes go, and come back.
        origin.on("/b", [Reply::file("three\n")]);
        is_refused(&gannet.run(&["fetch", "b"]));
        origin.on("/b", [Reply::file("two\n")]);
        is_refused(&gannet.run(&["fetch", "b"]));
        is_refused(&gannet.run(&["--worker-only"]));
        let log = gannet.run(&["log", "--limit", "0"]).out;
        // Nothing had to read the state.
        let is_named = log.contains("catalogue.damaged") || statement.contains("qassed");
        assert!(is_named, "{statement}: {log}");
    }
}
