//! What the logs know of a source that was purged, which the manual says: `gannet log` that it was purged, and what happened to its
//! set; the log files everything. Through the real program.

use crate::rig::{Gannet, Origin, Reply};

/// What every verifier of this test prints.
const PRINTED: &str = "found in the file";

#[test]
fn the_events_of_a_purged_source_are_in_the_log_files_alone() {
    for (name, tag, verifier) in [
        ("single", "other", "sources = [\"single\"]\n"),
        ("member", "eu", "sources = [\"tag:eu\"]\nscope = \"set\"\n"),
    ] {
        let is_member = tag == "eu";
        let origin = Origin::start(true);
        origin.on("/x", [Reply::file("x")]);
        let command = format!("command = [\"sh\", \"-c\", \"echo {PRINTED}; exit 1\"]");
        let toml = format!("[[verifier]]\nname = \"look\"\n{verifier}{command}\n");
        let gannet = Gannet::trusting(origin.ca_file(), &toml);
        let url = origin.url("/x");
        gannet.ok(&["add", &url, "--name", name, "--tag", tag, "--allow-private"]);
        gannet.run(&["fetch", name]);
        assert!(gannet.ok(&["log"]).contains(PRINTED));
        gannet.ok(&["remove", name, "--purge", "--yes"]);

        let log = gannet.ok(&["log"]);
        let of_source = log.lines().filter(|line| line.contains(name));
        let of_source: Vec<_> = of_source.collect();
        assert!(
            matches!(of_source[..], [one] if one.contains("source.purged")),
            "{log}"
        );
        assert_eq!(log.contains(PRINTED), is_member, "{log}");
        let files = std::fs::read_dir(gannet.data().join("log")).expect("logs");
        let files = files
            .flatten()
            .map(|file| std::fs::read_to_string(file.path()));
        let files = files.map(|text| text.expect("a log file"));
        let all = files.collect::<String>();
        assert!(all.contains("fetch.new") && all.contains(PRINTED), "{all}");
    }
}

#[test]
fn whoever_purges_can_read_what_is_deleted() {
    let gannet = Gannet::new();
    let help = gannet.ok(&["remove", "--help"]);
    assert!(
        help.contains("every version, attempt, verdict and event"),
        "{help}"
    );
    let topic = gannet.ok(&["help", "storage"]);
    let topic = topic.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        topic.contains("The events of the source go with it: `gannet log` keeps `source.purged`"),
        "{topic}"
    );
    assert!(
        topic.contains("The log files, of JSON lines, are not rewritten"),
        "{topic}"
    );
}
