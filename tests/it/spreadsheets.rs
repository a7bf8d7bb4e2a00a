//! CSV of every table, limits that mean the same everywhere, and files of sources that are wrong.

use crate::rig::{Gannet, Home, Reply};

fn rig() -> Home {
    let gannet =
        Home::new("[[verifier]]\nname = \"json\"\nsources = [\"*\"]\nbuiltin = \"json\"\n");
    let origin = &gannet.origin;
    origin.on("/a", ["{}", "{ }", "no"].map(Reply::file));
    gannet.ok(&["add", &origin.url("/a"), "--allow-private"]);
    for _ in 0..3 {
        gannet.fetch("a");
    }
    gannet
}

#[test]
fn every_table_is_there_as_csv_with_the_fields_of_its_json() {
    let gannet = rig();
    for (arguments, rows, columns) in [
        (
            &["list"][..],
            1,
            &["id", "digest", "size_bytes", "state", "error"][..],
        ),
        (
            &["history", "a"],
            3,
            &["id", "outcome", "version_id", "digest"],
        ),
        (
            &["history", "a", "--versions"],
            3,
            &["id", "digest", "size_bytes", "verified", "published"],
        ),
        (
            &["verdicts"],
            3,
            &[
                "source",
                "version_id",
                "verifier",
                "outcome",
                "detail",
                "argv",
            ],
        ),
        (
            &["log", "--source", "a"],
            10,
            &["at", "actor", "action", "source", "version_id"],
        ),
        (&["list", "--sets"], 0, &["name", "verified"]),
    ] {
        let text = gannet.ok(&[arguments, &["--csv"]].concat());
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header = reader.headers().expect("a header").clone();
        for column in columns {
            assert!(
                header.iter().any(|name| name == *column),
                "{arguments:?}: {column}: {text}"
            );
        }
        let records: Vec<_> = reader
            .records()
            .collect::<Result<_, _>>()
            .expect("good rows");
        assert!(records.len() >= rows, "{arguments:?}: {text}");
    }
    let attempts = gannet.ok(&["history", "a", "--csv"]);
    for (column, distinct) in [("digest", 3), ("certificate", 1)] {
        let mut reader = csv::Reader::from_reader(attempts.as_bytes());
        let header = reader.headers().expect("a header").clone();
        let at = header.iter().position(|name| name == column);
        let at = at.expect("the column");
        let records: Vec<_> = reader.records().map(|row| row.expect("a row")).collect();
        let digests: Vec<_> = records.iter().map(|row| &row[at]).collect();
        let is_digest = |text: &&str| text.starts_with("sha256:") && text.len() == 71;
        assert_eq!(digests.len(), 3, "{attempts}");
        assert!(digests.iter().all(is_digest), "{attempts}");
        let distinct_ones: std::collections::HashSet<_> = digests.into_iter().collect();
        assert_eq!(distinct_ones.len(), distinct, "{attempts}");
    }
    let published = gannet.ok(&["history", "a", "--csv", "--versions"]);
    assert_eq!(published.matches(",true").count(), 1, "{published}");
    for arguments in [
        &["history", "a", "--versions"][..],
        &["log", "--csv", "--json"],
        &["verdicts", "--csv", "--json"],
    ] {
        assert_eq!(gannet.run(arguments).code, Some(2), "{arguments:?}");
    }
}

#[test]
fn no_limit_is_zero_everywhere() {
    let gannet = rig();
    let lines = |arguments: &[&str]| gannet.ok(arguments).lines().count();
    for command in [&["log"][..], &["history", "a"], &["verdicts"]] {
        let with = |limit: &str| lines(&[command, &["--csv", "--limit", limit]].concat());
        assert_eq!(with("1"), 2, "{command:?}");
        assert!(with("0") > 3, "{command:?}");
        assert_eq!(with("0"), with("1000"), "{command:?}");
    }
}

#[test]
fn a_file_of_sources_is_told_everything_that_is_wrong() {
    let gannet = Gannet::new();
    let file = gannet.path("sources.toml");
    for (text, parts) in [
        (
            "[[source]]\naddress = \"ftp://h/a\"\n[[source]]\naddress = \"https://h/b\"\ninterval = \"1x\"\n",
            ["sources.toml:2: ", "sources.toml:5: "],
        ),
        (
            "[[source]]\nadress = \"x\"\n[[source]]\naddress = \"https://h/b\"\nenabled = 1\n",
            ["sources.toml:2: ", "sources.toml:5: "],
        ),
        (
            "[[source]]\naddress = \"https://h/a\"\nname = \"17\"\n[[source]]\naddress = \"https://h/b\"\ntags = [\"a b\"]\n",
            [
                "sources.toml:3: `17` cannot be a name",
                "sources.toml:6: `a b` cannot be a tag",
            ],
        ),
        (
            "sources:\n  - address: https://h/a\n",
            ["not TOML", "gannet dump --toml"],
        ),
    ] {
        std::fs::write(&file, text).expect("a file");
        let said = gannet.run(&["apply", &file.display().to_string()]);
        assert_eq!(said.code, Some(2), "{said:?}");
        for part in parts {
            assert!(said.err.contains(part), "{part}: {said:?}");
        }
    }
    let folder = gannet.path("man").display().to_string();
    let said = gannet.ok(&["man", &folder]);
    assert!(
        said.contains(&format!("manual pages in {folder}")),
        "{said}"
    );
}
