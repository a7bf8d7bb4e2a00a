//! A set through the real program: two sources with one tag, the one with the checksums of the other, and what readers see of them.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use gannet::domain::Digest;
use rustix::fs::{Mode, OFlags};
use serde_json::Value;

use super::gannet::Gannet;
use super::home::{Home, fixture};
use super::samples::hourly;

fixture! {
    /// Two sources with one tag, and a verifier that checks the one by the other.
    pub(crate) struct Release;
}

pub(crate) const SUMS_VERIFIER: &str = r#"
[[verifier]]
name = "sums"
scope = "set"
sources = ["tag:release"]
command = ["sh", "-c", "cd \"$1\" && sha256sum --quiet -c SHA256SUMS", "sh", "{path}"]
"#;

pub(crate) fn sums_of(files: &[(&str, &str)]) -> String {
    let line = |(name, content): &(&str, &str)| {
        format!("{}  {name}\n", Digest::of(content.as_bytes()).to_hex())
    };
    files.iter().map(line).collect()
}

impl Release {
    pub(crate) fn new() -> Self {
        Self::with(SUMS_VERIFIER)
    }

    pub(crate) fn with(verifiers: &str) -> Self {
        Self::within(Home::new(verifiers))
    }

    /// Begins at a time of the past, with an edition that was published then.
    pub(crate) fn of_time(time: DateTime<Utc>) -> Self {
        let release = Self(Home::new(SUMS_VERIFIER));
        release.serve("one");
        let names = ["data.csv", "SHA256SUMS"];
        let sources = names.map(|name| {
            let mut new = hourly(name, release.url(name));
            new.settings.tags = Some(vec!["release".to_owned()]);
            new
        });
        release.act_at(time, async |app| {
            app.add(sources.into()).await.expect("added");
        });
        release.fetch_at(time, &names);
        release
    }

    /// Begins with a home that has no sources yet.
    pub(crate) fn within(home: Home) -> Self {
        let release = Self(home);
        release.add("data.csv", "release");
        release.add("SHA256SUMS", "release");
        release.serve("one");
        release
    }

    /// Adds a source with this tag, and returns what was said.
    pub(crate) fn add(&self, name: &str, tag: &str) -> String {
        self.0.add(name, &["--tag", tag])
    }

    /// Lets the origin serve this data, and checksums that agree with it.
    pub(crate) fn serve(&self, data: &str) {
        self.serve_data(data);
        self.serve_sums(data);
    }

    pub(crate) fn serve_data(&self, data: &str) {
        self.0.serve("data.csv", data);
    }

    pub(crate) fn serve_sums(&self, data: &str) {
        self.0.serve("SHA256SUMS", &sums_of(&[("data.csv", data)]));
    }

    pub(crate) fn fetch(&self) -> Value {
        self.gannet.fetch("tag:release")
    }

    pub(crate) fn link(&self) -> PathBuf {
        self.gannet.data().join("sets/release")
    }

    /// What readers of the set see in the data file; nothing when there is no set.
    pub(crate) fn data(&self) -> Option<String> {
        fs::read_to_string(self.link().join("data.csv")).ok()
    }

    /// The files of the set that readers see.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.link()).into_iter().flatten().flatten();
        let mut names: Vec<_> = entries
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    pub(crate) fn show(&self) -> Value {
        self.gannet.json(&["show", "set:release", "--json"])
    }

    /// The actions on sets so far, with their details.
    pub(crate) fn events(&self) -> Vec<String> {
        let log = self.gannet.ok(&["log", "--json", "--limit", "1000"]);
        let events = log
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let of_sets = events.filter(|event| {
            event["action"]
                .as_str()
                .is_some_and(|a| a.starts_with("set."))
        });
        of_sets
            .map(|event| {
                format!(
                    "{} {}",
                    event["action"].as_str().unwrap_or(""),
                    event["detail"].as_str().unwrap_or("")
                )
            })
            .collect()
    }
}

pub(crate) fn plain_files(gannet: &Gannet) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![gannet.data().join("published")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                found.push(entry.path());
            }
        }
    }
    found
}

const SUMS: &str = "SHA256SUMS";

/// Enters the set through its link once, and returns each file that the checksums name with its content; nothing when there
/// is no set. Panics for a file that is missing, or not what the checksums say.
pub(crate) fn read_through(link: &Path) -> Option<Vec<(String, Vec<u8>)>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = match rustix::fs::open(link, flags, Mode::empty()) {
        Err(rustix::io::Errno::NOENT) => return None,
        opened => opened.expect("the folder"),
    };
    let read = |name: &str| {
        let file = rustix::fs::openat(&folder, name, OFlags::RDONLY, Mode::empty());
        let mut bytes = Vec::new();
        File::from(file.unwrap_or_else(|error| panic!("{name}: {error}")))
            .read_to_end(&mut bytes)
            .expect("a file");
        bytes
    };
    let sums = String::from_utf8(read(SUMS)).expect("text");
    let files = sums.lines().map(|line| {
        let (digest, name) = line.split_once("  ").expect("a line of checksums");
        let bytes = read(name);
        assert_eq!(
            Digest::of(&bytes).to_hex(),
            digest,
            "{name} is of another edition"
        );
        (name.to_owned(), bytes)
    });
    Some(files.collect())
}
