//! Finds and reads the configuration: flag before environment before file before default.
//!
//! Never creates a folder or a file.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::de::{DeTable, DeValue};

use super::document::Document;
use super::notify::NotifierKeys;
use super::paths::{Paths, expand, home_of_owner};
use super::program_search::folder_of;
use super::queues::QueueKeys;
use super::verifiers::VerifierKeys;
use super::{
    CataloguePlace, Config, ConfigError, DashboardConfig, Environment, FetchConfig, HttpConfig,
    LogConfig, QueuesConfig, RatesConfig, Secrets, SettingOrigin, SettingOrigins, StorageConfig,
    WorkerConfig, Zone, builtin, notify, queues, verifiers,
};

/// The command line options that choose the configuration.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--config`: this file must exist.
    pub config: Option<PathBuf>,
    /// `--data-dir`.
    pub data_dir: Option<PathBuf>,
    /// `--utc`: times are printed in UTC, whatever the computer's zone.
    pub utc: bool,
}

/// The values of the configuration file; the parameters of built-in rules stand below `builtin`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct FileSettings {
    data_dir: Option<PathBuf>,
    log_dir: Option<PathBuf>,
    secrets_file: Option<PathBuf>,
    fetch: FetchConfig,
    log: LogConfig,
    storage: StorageConfig,
    dashboard: DashboardConfig,
    worker: WorkerConfig,
    #[serde(rename = "queues")]
    all_queues: QueuesConfig,
    rates: RatesConfig,
    http: HttpConfig,
    verifier: Vec<VerifierKeys>,
    notify: Vec<NotifierKeys>,
    queue: Vec<QueueKeys>,
    #[serde(skip)]
    verifiers: Vec<super::VerifierConfig>,
    #[serde(skip)]
    notifiers: Vec<super::NotifierConfig>,
    #[serde(skip)]
    queues: Vec<super::QueueConfig>,
    /// The keys of single values, each after its table and a dot.
    #[serde(skip)]
    keys: BTreeSet<String>,
}

/// The settings read from a file, and the error that makes the file unusable, if there is one.
#[derive(Default)]
struct FileRead {
    path: Option<PathBuf>,
    settings: FileSettings,
    problem: Option<ConfigError>,
    /// Whether the file's data folder is known: it was read, or the file has none.
    is_folder_known: bool,
}

impl Flags {
    fn zone(&self, environment: &Environment) -> Zone {
        if self.utc {
            Zone::UTC
        } else {
            Zone::of(environment)
        }
    }
}

impl Config {
    /// Returns the configuration in force.
    ///
    /// The file is `--config`, else `GANNET_CONFIG`, else `config.toml` in the platform's configuration folder; only
    /// the last may be absent. Relative paths in the file start at the file's folder. When a flag or the environment
    /// gives the data folder and the environment gives no log folder, logs go to `log/` in the data folder, so that a
    /// throw-away data folder holds everything.
    pub fn load(flags: &Flags, environment: &Environment) -> Result<Self, ConfigError> {
        let (config, problem) = Self::read(flags, environment)?;
        match problem {
            None => Ok(config),
            Some(problem) => Err(problem),
        }
    }

    /// Returns the configuration in force for the catalogue at its place. `remembered` returns, for a place, the file
    /// that the catalogue's policy came from. Without `--config` and `GANNET_CONFIG`, that file is
    /// read in preference to the one in the platform's folder.
    ///
    /// A catalogue whose data folder is known is opened even when the configuration file is unusable;
    /// [`Config::unusable`] then holds the reason. Commands that only read trust the data folder in such a file, and
    /// read the default one if what the file says of it is lost ([`Config::assumes_data_dir`]).
    ///
    /// # Errors
    ///
    /// A flag or the environment gives a file that does not exist. The file is unusable, no flag or variable gives a
    /// data folder, and the command does more than read.
    pub fn load_for_catalogue(
        flags: &Flags,
        environment: &Environment,
        only_reads: bool,
        remembered: impl FnOnce(&CataloguePlace) -> Option<PathBuf>,
    ) -> Result<Self, ConfigError> {
        let (config, problem) = Self::read(flags, environment)?;
        let is_sure = only_reads || chosen_data_dir(flags, environment).is_some();
        if !is_sure && let Some(problem) = problem {
            return Err(problem);
        }
        let unusable = problem.map(|problem| {
            let folder = config.data_dir.display();
            if config.assumes_data_dir() {
                format!("{problem}\nthis file may name another data folder: the default one is read, {folder}")
            } else {
                problem.to_string()
            }
        });
        let config = Self { unusable, ..config };
        if is_file_given(flags, environment) || config.assumes_data_dir() {
            return Ok(config);
        }
        let Some(file) = remembered(&config.catalogue_place()) else {
            return Ok(config);
        };
        if config.config_file.as_ref() == Some(&file) {
            return Ok(config);
        }
        Ok(match Self::load_remembered(file, flags, environment) {
            Ok(found) => found.with_places_of(config),
            Err(error) => Self {
                unusable: Some(error.to_string()),
                ..config
            },
        })
    }

    /// Returns the configuration with the places of `config`, which led to the catalogue.
    fn with_places_of(self, config: Self) -> Self {
        if self.data_dir == config.data_dir && self.storage == config.storage {
            return self;
        }
        Self {
            data_dir: config.data_dir,
            log_dir: config.log_dir,
            storage: config.storage,
            origins: SettingOrigins {
                data_dir: config.origins.data_dir,
                log_dir: config.origins.log_dir,
                ..self.origins
            },
            ..self
        }
    }

    /// Returns the file in the platform's configuration folder if it exists but is not in use because the catalogue
    /// remembers another, and neither a flag nor the environment gives a file.
    pub fn passed_over_file(&self, flags: &Flags, environment: &Environment) -> Option<PathBuf> {
        if is_file_given(flags, environment) {
            return None;
        }
        let used = self.config_file.as_ref()?;
        let file = default_file(environment)?;
        (file != *used && file.is_file()).then_some(file)
    }

    fn load_remembered(
        file: PathBuf,
        flags: &Flags,
        environment: &Environment,
    ) -> Result<Self, ConfigError> {
        // Opening a path that has become a pipe would block until its other end is opened.
        if std::fs::metadata(&file).is_ok_and(|found| !found.is_file()) {
            return Err(ConfigError::Missing { path: file });
        }
        let flags = Flags {
            config: Some(file),
            ..flags.clone()
        };
        Self::load(&flags, environment)
    }

    /// Returns the readable part of the configuration, and the error that kept the rest from being read. The result
    /// does not name an unusable file: no version is judged under such a file, and no catalogue adopts it.
    fn read(
        flags: &Flags,
        environment: &Environment,
    ) -> Result<(Self, Option<ConfigError>), ConfigError> {
        let file = read_file(flags, environment)?;
        let (mut settings, mut problem) = (file.settings, file.problem);
        settings.dashboard.in_tmux = environment.get("TMUX").is_some();
        let chosen = chosen_data_dir(flags, environment);
        let mut origins = origins(flags, environment, &mut settings);
        if chosen.is_none() && !file.is_folder_known && problem.is_some() {
            origins.data_dir = SettingOrigin::Assumed;
        }
        let folders = folders(chosen, &settings, environment);
        let (data_dir, log_dir) = folders.map_err(|error| problem.take().unwrap_or(error))?;
        origins.has_environment_certificates = add_certificates(&mut settings, environment)?;
        let secrets = read_secrets(settings.secrets_file.as_deref(), environment, &mut problem);
        let config = Self {
            data_dir: absolute(data_dir, environment)?,
            log_dir: absolute(log_dir, environment)?,
            config_file: file.path.filter(|_| problem.is_none()),
            unusable: None,
            fetch: settings.fetch,
            log: settings.log,
            storage: settings.storage,
            dashboard: settings.dashboard,
            worker: settings.worker,
            all_queues: settings.all_queues,
            rates: settings.rates,
            http: settings.http,
            verifiers: settings.verifiers,
            notifiers: settings.notifiers,
            queues: settings.queues,
            secrets,
            zone: flags.zone(environment),
            origins,
        };
        Ok((config, problem))
    }
}

/// Adds the certificates of the environment, and returns whether there are any.
fn add_certificates(
    settings: &mut FileSettings,
    environment: &Environment,
) -> Result<bool, ConfigError> {
    let Some(path) = environment.path("SSL_CERT_FILE") else {
        return Ok(false);
    };
    settings.fetch.ca_files.push(absolute(path, environment)?);
    Ok(true)
}

/// Returns the origins of the settings; `SSL_CERT_FILE` is added when it is read.
fn origins(
    flags: &Flags,
    environment: &Environment,
    settings: &mut FileSettings,
) -> SettingOrigins {
    let of_environment = |name| {
        let is_set = environment.path(name).is_some();
        is_set.then_some(SettingOrigin::Environment(name))
    };
    let of_file = |is_set: bool| is_set.then_some(SettingOrigin::File);
    let data_dir = flags
        .data_dir
        .as_ref()
        .map(|_| SettingOrigin::Flag("--data-dir"));
    let data_dir = data_dir.or_else(|| of_environment("GANNET_DATA_DIR"));
    // A data folder from a flag or the environment holds the logs too.
    let log_dir = of_environment("GANNET_LOG_DIR").or(match data_dir {
        Some(_) => None,
        None => of_file(settings.log_dir.is_some()),
    });
    SettingOrigins {
        data_dir: data_dir
            .or_else(|| of_file(settings.data_dir.is_some()))
            .unwrap_or_default(),
        log_dir: log_dir.unwrap_or_default(),
        keys: std::mem::take(&mut settings.keys),
        is_file_named: is_file_given(flags, environment),
        has_environment_certificates: false,
    }
}

/// Returns the data folder and the log folder.
fn folders(
    chosen: Option<PathBuf>,
    settings: &FileSettings,
    environment: &Environment,
) -> Result<(PathBuf, PathBuf), ConfigError> {
    let log_dir = environment.path("GANNET_LOG_DIR").or_else(|| {
        let inside = chosen.as_ref().map(|data| data.join("log"));
        inside.or_else(|| settings.log_dir.clone())
    });
    let folders = environment.folders();
    let data_dir = chosen
        .or_else(|| settings.data_dir.clone())
        .or_else(|| folders.map(|folders| folders.data.clone()))
        .ok_or(ConfigError::NoDataDir)?;
    // The platform's log folder is no default for the logs of a data folder from the file.
    let state = folders
        .and_then(|folders| folders.state.clone())
        .filter(|_| settings.data_dir.is_none());
    let log_dir = log_dir.or(state).unwrap_or_else(|| data_dir.join("log"));
    Ok((data_dir, log_dir))
}

/// Returns the data folder given by a flag or the environment.
fn chosen_data_dir(flags: &Flags, environment: &Environment) -> Option<PathBuf> {
    let of_environment = || environment.path("GANNET_DATA_DIR");
    flags.data_dir.clone().or_else(of_environment)
}

/// Returns whether a flag or the environment gives the configuration file.
fn is_file_given(flags: &Flags, environment: &Environment) -> bool {
    flags.config.is_some() || environment.path("GANNET_CONFIG").is_some()
}

/// Makes a path absolute, `~` included: shells, crontabs and systemd do not expand it in `--data-dir=~/data`.
fn absolute(path: PathBuf, environment: &Environment) -> Result<PathBuf, ConfigError> {
    expand(&path, environment)
        .map_err(std::io::Error::other)
        .and_then(std::path::absolute)
        .map_err(|source| ConfigError::Relative { path, source })
}

/// Reads the secrets. If their file is unusable, uses the environment's alone, and sets `problem` unless it is set.
fn read_secrets(
    file: Option<&Path>,
    environment: &Environment,
    problem: &mut Option<ConfigError>,
) -> Secrets {
    match file.map(|path| Secrets::read(path, environment)) {
        Some(Ok(secrets)) => return secrets,
        Some(Err(error)) => _ = problem.get_or_insert(error),
        None => {}
    }
    Secrets::of_environment(environment)
}

fn default_file(environment: &Environment) -> Option<PathBuf> {
    let folders = environment.folders()?;
    Some(folders.config.join("config.toml"))
}

fn read_file(flags: &Flags, environment: &Environment) -> Result<FileRead, ConfigError> {
    let named = flags
        .config
        .clone()
        .or_else(|| environment.path("GANNET_CONFIG"));
    let must_exist = named.is_some();
    let Some(path) = named.or_else(|| default_file(environment)) else {
        return Ok(FileRead::default());
    };
    let path = absolute(path, environment)?;
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(parse(&text, path, environment)),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !must_exist => {
            Ok(FileRead::default())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(ConfigError::Missing { path }),
        Err(source) => Ok(FileRead {
            path: Some(path.clone()),
            problem: Some(ConfigError::Unreadable { path, source }),
            ..FileRead::default()
        }),
    }
}

fn parse(text: &str, path: PathBuf, environment: &Environment) -> FileRead {
    let document = Document::parse(text);
    let is_toml = document.is_toml();
    let (folder, owner_home) = (folder_of(&path), home_of_owner(&path));
    let paths = Paths {
        folder: &folder,
        owner_home: owner_home.as_deref(),
        environment,
    };
    let settings = read_document(&document, paths);
    let is_named = document.table().get_ref().contains_key("data_dir");
    let is_folder_known = if is_toml {
        is_named == settings.data_dir.is_some()
    } else {
        !text.contains("data_dir")
    };
    let problems = document.into_problems();
    let problem = (!problems.is_empty()).then(|| ConfigError::Invalid {
        path: path.clone(),
        problems,
    });
    FileRead {
        path: Some(path),
        settings,
        problem,
        is_folder_known,
    }
}

const LACKS_KEY: &str = "a certificate needs its private key: give `key` too";
const LACKS_CERTIFICATE: &str = "a private key needs its certificate: give `cert` too";

/// Returns the keys of a file; those of a table follow its name and a dot.
fn keys_of(table: &DeTable<'_>) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for (key, value) in table {
        match value.get_ref() {
            DeValue::Table(below) => {
                let below = below.keys();
                keys.extend(below.map(|name| format!("{}.{}", key.get_ref(), name.get_ref())));
            }
            _ => drop(keys.insert(key.get_ref().to_string())),
        }
    }
    keys
}

fn read_document(document: &Document<'_>, paths: Paths<'_>) -> FileSettings {
    let mut table = document.table().clone();
    builtin::nest_parameters(document, table.get_mut(), paths);
    let mut read: FileSettings = document.read(table);
    let mut certificates = read.fetch.ca_files.pop();
    for (key, path) in [
        (&["data_dir"][..], &mut read.data_dir),
        (&["log_dir"], &mut read.log_dir),
        (&["secrets_file"], &mut read.secrets_file),
        (&["fetch", "ca_file"], &mut certificates),
        (&["http", "cert"], &mut read.http.cert),
        (&["http", "key"], &mut read.http.key),
    ] {
        let found = path
            .take()
            .map(|path| paths.resolve(&path.to_string_lossy()));
        *path = found.and_then(|found| {
            let note = |why| document.problem_of(key, why);
            found.map_err(note).ok()
        });
    }
    read.fetch.ca_files.extend(certificates);
    match (&read.http.cert, &read.http.key) {
        (Some(_), None) => document.problem_of(&["http", "cert"], LACKS_KEY),
        (None, Some(_)) => document.problem_of(&["http", "key"], LACKS_CERTIFICATE),
        _ => {}
    }
    for setting in &mut read.dashboard.keys {
        setting.line = document.line(&(setting.line..setting.line));
    }
    FileSettings {
        verifiers: verifiers::verifiers(document, std::mem::take(&mut read.verifier), paths),
        notifiers: notify::notifiers(document, std::mem::take(&mut read.notify), paths),
        queues: queues::queues(document, std::mem::take(&mut read.queue), paths),
        keys: keys_of(document.table().get_ref()),
        ..read
    }
}
