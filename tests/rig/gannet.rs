//! The real program in a throw-away home: its configuration, its data, and what it said.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use super::origin::Origin;
use super::waiting::until;

use super::folder::folder;

/// The password of the people of the tests.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A home of its own for the real program.
pub(crate) struct Gannet {
    folder: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

/// What one run said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Gannet {
    /// A home with an empty configuration.
    pub(crate) fn new() -> Self {
        Self::within(folder())
    }

    /// A home whose path has no links in it, as one in memory has: for tests of how paths are named.
    pub(crate) fn on_disk() -> Self {
        Self::within(tempfile::tempdir().expect("a temporary folder"))
    }

    fn within(folder: tempfile::TempDir) -> Self {
        let gannet = Self {
            folder,
            environment: Vec::new(),
        };
        gannet.configure("");
        gannet
    }

    /// A home that trusts this certificate authority, with more configuration behind it.
    pub(crate) fn trusting(ca_file: &Path, more: &str) -> Self {
        let gannet = Self::new();
        gannet.configure(&format!(
            "[fetch]\nca_file = {:?}\n{more}",
            ca_file.display().to_string()
        ));
        gannet
    }

    pub(crate) fn configure(&self, toml: &str) {
        fs::write(self.path("config.toml"), toml).expect("the configuration is written");
    }

    /// Sets a variable of the program's environment.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// A path inside this home.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    /// Where the program keeps its data.
    pub(crate) fn data(&self) -> PathBuf {
        self.path("data")
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gannet"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", self.folder.path())
            .env("USER", "tester")
            .env("TZ", "UTC")
            .env("GANNET_CONFIG", self.path("config.toml"))
            .env("GANNET_DATA_DIR", self.data())
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        said(&self.command(arguments).output().expect("gannet runs"))
    }

    /// Runs the program with this text as its stdin.
    pub(crate) fn run_with(&self, arguments: &[&str], text: &str) -> Said {
        let path = self.path("stdin");
        fs::write(&path, text).expect("a file");
        let stdin = fs::File::open(&path).expect("a file");
        said(
            &self
                .command(arguments)
                .stdin(stdin)
                .output()
                .expect("gannet runs"),
        )
    }

    /// Runs the program and insists on exit code 0.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert_eq!(said.code, Some(0), "gannet {arguments:?}: {said:#?}");
        said.out
    }

    /// Runs the program, insists on exit code 0, and reads the JSON that it printed.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let out = self.ok(arguments);
        serde_json::from_str(&out)
            .unwrap_or_else(|error| panic!("gannet {arguments:?}: {error}: {out}"))
    }

    /// Runs the program and returns the bytes it wrote.
    pub(crate) fn bytes(&self, arguments: &[&str]) -> Vec<u8> {
        let output = self.command(arguments).output().expect("gannet runs");
        assert!(
            output.status.success(),
            "gannet {arguments:?}: {:?}",
            said(&output)
        );
        output.stdout
    }

    /// Adds a person who may sign in to the service with [`PASSWORD`].
    pub(crate) fn add_person(&self, name: &str, role: &str) {
        let added = self.run_with(
            &["user", "add", name, "--role", role],
            &format!("{PASSWORD}\n"),
        );
        assert_eq!(added.code, Some(0), "{added:?}");
    }

    /// Starts the program and leaves it running.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().expect("gannet starts")
    }

    /// Fetches these sources now and returns the pass's summary, whatever its exit code.
    pub(crate) fn fetch(&self, selector: &str) -> Value {
        let said = self.run(&["fetch", selector, "--json"]);
        serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:#?}"))
    }

    /// One of the sources that `list` shows.
    pub(crate) fn source(&self, name: &str) -> Value {
        let list = self.json(&["list", "--json"]);
        let found = list
            .as_array()
            .into_iter()
            .flatten()
            .find(|source| source["name"] == name);
        found
            .unwrap_or_else(|| panic!("no source {name} in {list}"))
            .clone()
    }

    /// Writes a file of sources for `apply`, named after their paths at an origin, and returns where it is.
    pub(crate) fn write_sources(&self, origin: &Origin, paths: &[String]) -> String {
        let entry = |path: &String| {
            let (address, name) = (origin.url(path), &path[1..]);
            format!("[[source]]\naddress = {address:?}\nname = {name:?}\nallow_private = true\n")
        };
        let entries: Vec<_> = paths.iter().map(entry).collect();
        let file = self.path("sources.toml");
        fs::write(&file, entries.concat()).expect("the file is written");
        file.display().to_string()
    }

    /// Adds such sources, all due at once.
    pub(crate) fn add_files(&self, origin: &Origin, paths: &[String]) {
        self.ok(&["apply", &self.write_sources(origin, paths)]);
    }

    /// The names of all objects in the archive, sorted.
    pub(crate) fn objects(&self) -> Vec<String> {
        let folders = fs::read_dir(self.data().join("objects")).into_iter();
        let mut found = Vec::new();
        for folder in folders.flatten().flatten() {
            for object in fs::read_dir(folder.path()).expect("a folder").flatten() {
                let (folder, object) = (folder.file_name(), object.file_name());
                found.push(format!("{}/{}", folder.display(), object.display()));
            }
        }
        found.sort();
        found
    }

    /// What lies in `tmp/` beside the locks.
    pub(crate) fn temporary(&self) -> Vec<String> {
        let entries = fs::read_dir(self.data().join("tmp")).expect("tmp");
        entries
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| !name.ends_with("lock"))
            .collect()
    }

    /// Waits until a process says this in the log file.
    pub(crate) fn wait_for_log(&self, text: &str) {
        until(&format!("`{text}` in the log"), || {
            let files = fs::read_dir(self.data().join("log")).into_iter();
            files
                .flatten()
                .flatten()
                .flat_map(|file| fs::read_to_string(file.path()))
                .any(|lines| lines.contains(text))
        });
    }

    pub(crate) fn history(&self, name: &str) -> Value {
        self.json(&["history", name, "--json"])
    }
}

pub(crate) fn said(output: &Output) -> Said {
    Said {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
