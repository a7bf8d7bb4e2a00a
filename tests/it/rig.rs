//! The rig of tests that run the real program: a throw-away home, its configuration, and what the program said.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gannet::app::{App, NewSource};
use gannet::archive::Archive;
use gannet::clock::Clock;
use gannet::config::{
    Config, DashboardConfig, FetchConfig, LogConfig, Secrets, WorkerConfig, Zone,
};
use gannet::domain::Actor;
use gannet::store::Store;
use serde_json::Value;

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
        let folder = tempfile::tempdir().expect("a temporary folder");
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

    pub(crate) fn history(&self, name: &str) -> Value {
        self.json(&["history", name, "--json"])
    }
}

/// Waits until another process has done something. Fails after a minute, which is long enough for any machine: that process may
/// have ended instead.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !is_so() {
        assert!(Instant::now() < deadline, "not seen: {what}");
        std::thread::yield_now();
    }
}

pub(crate) fn said(output: &Output) -> Said {
    Said {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Takes settings that are at their defaults, but for interval, tags and private addresses, back to the columns of schema 23.
pub(crate) const SETTINGS_OF_SCHEMA_23: &str = "CREATE TEMP TABLE old AS
        SELECT id, interval_hours, tags, coalesce(settings ->> 'allow_private', 0) AS allow_private FROM source;
    ALTER TABLE source DROP COLUMN interval_hours; ALTER TABLE source DROP COLUMN enabled; ALTER TABLE source DROP COLUMN tags;
    ALTER TABLE source DROP COLUMN publish; ALTER TABLE source DROP COLUMN settings;
    ALTER TABLE source DROP COLUMN checksum; ALTER TABLE policy DROP COLUMN checksum;
    ALTER TABLE withdrawal DROP COLUMN was_published; ALTER TABLE withdrawal DROP COLUMN left_size;
    ALTER TABLE withdrawal DROP COLUMN left_mtime; ALTER TABLE withdrawal DROP COLUMN left_inode; DROP TABLE left_file;
    ALTER TABLE source ADD COLUMN interval_hours INTEGER NOT NULL DEFAULT 24; ALTER TABLE source ADD COLUMN enabled INTEGER NOT NULL DEFAULT 1;
    ALTER TABLE source ADD COLUMN tags TEXT NOT NULL DEFAULT '[]'; ALTER TABLE source ADD COLUMN headers TEXT NOT NULL DEFAULT '[]';
    ALTER TABLE source ADD COLUMN allow_private INTEGER NOT NULL DEFAULT 0; ALTER TABLE source ADD COLUMN allow_http INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE source ADD COLUMN allow_empty INTEGER NOT NULL DEFAULT 0; ALTER TABLE source ADD COLUMN publish TEXT NOT NULL DEFAULT 'passed';
    ALTER TABLE source ADD COLUMN max_size_bytes INTEGER;
    UPDATE source SET (interval_hours, tags, allow_private) = (SELECT interval_hours, tags, allow_private FROM old WHERE old.id = source.id);
    DROP TABLE old; ALTER TABLE event DROP COLUMN by_hand; DROP INDEX source_removed_path; DROP INDEX file_set_published;";

/// A source of an origin on loopback, to be fetched every hour.
pub(crate) fn hourly(name: &str, address: String) -> NewSource {
    let mut new = NewSource::at(address);
    new.settings.name = Some(name.to_owned());
    new.settings.interval = Some("1h".parse().expect("an interval"));
    new.settings.allow_private = Some(true);
    new
}

/// Returns a configuration of nothing but where everything lies.
pub(crate) fn bare_config(folder: &Path) -> Config {
    Config {
        data_dir: folder.to_owned(),
        log_dir: folder.join("log"),
        config_file: None,
        unusable: None,
        origins: gannet::config::SettingOrigins::default(),
        fetch: FetchConfig::default(),
        log: LogConfig::default(),
        dashboard: DashboardConfig::default(),
        worker: WorkerConfig::default(),
        notifiers: Vec::new(),
        verifiers: Vec::new(),
        secrets: Secrets::default(),
        zone: Zone::UTC,
    }
}

/// Opens the use-cases over the data folder of a configuration, in this process.
pub(crate) fn open_app(config: Config, clock: impl Clock + 'static) -> Arc<App> {
    let folder = config.data_dir.clone();
    Arc::new(App::new(
        Arc::new(config),
        Arc::new(clock),
        Store::open(&folder.join("gannet.db")).expect("a catalogue"),
        Arc::new(Archive::open(&folder).expect("an archive")),
        Actor("tester".to_owned()),
    ))
}

/// Gives a connection the checksum of rows as the catalogue computes it: FNV-1a of the kind, the bytes and the length of each value.
pub(crate) fn add_row_checksum(sql: &rusqlite::Connection) {
    use rusqlite::functions::FunctionFlags;
    use rusqlite::types::ValueRef;
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    let checksum = |values: &rusqlite::functions::Context<'_>| {
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        for value in (0..values.len()).map(|index| values.get_raw(index)) {
            let bytes = match value {
                ValueRef::Null => Vec::new(),
                ValueRef::Integer(number) => number.to_le_bytes().to_vec(),
                ValueRef::Real(number) => number.to_le_bytes().to_vec(),
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.to_vec(),
            };
            let length = (bytes.len() as u64).to_le_bytes();
            for byte in [value.data_type() as u8]
                .into_iter()
                .chain(bytes)
                .chain(length)
            {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
        Ok(hash.cast_signed())
    };
    sql.create_scalar_function("row_checksum", -1, flags, checksum)
        .expect("a function");
}

/// Gives versions that a test changed behind the store's back the checksum that their rows have to carry.
pub(crate) fn write_checksums(sql: &rusqlite::Connection) {
    write_checksums_of_schema_12(sql);
    update_versions(sql, include_str!("../../src/store/sqlite/schema/020.sql"));
}

/// Gives them the checksum that says nothing of their states, as schemas before 20 have it.
pub(crate) fn write_checksums_of_schema_12(sql: &rusqlite::Connection) {
    update_versions(sql, include_str!("../../src/store/sqlite/schema/012.sql"));
}

fn update_versions(sql: &rusqlite::Connection, migration: &str) {
    let update = migration
        .split_inclusive(';')
        .find(|statement| statement.contains("version SET"))
        .expect("a migration that changes checksums");
    sql.execute_batch(update).expect("checksums");
}
