//! Finds and reads the configuration: flag before environment before file before default.
//!
//! Never creates a folder or a file.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::document::{Document, Field, Section};
use super::duration::parse_duration;
use super::paths::{Paths, expand};
use super::{
    Config, ConfigError, DashboardConfig, Environment, FetchConfig, KeySetting, LogConfig, NoProxy,
    Secrets, SettingOrigin, SettingOrigins, WorkerConfig, Zone, notify, verifiers,
};
use crate::domain::parse_size;

/// What the command line says of the configuration.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--config`: must exist.
    pub config: Option<PathBuf>,
    /// `--data-dir`.
    pub data_dir: Option<PathBuf>,
    /// `--utc`: times for people in UTC, whatever the computer's zone is.
    pub utc: bool,
}

/// What the file says.
#[derive(Default)]
struct FileSettings {
    data_dir: Option<PathBuf>,
    log_dir: Option<PathBuf>,
    secrets_file: Option<PathBuf>,
    fetch: FetchConfig,
    log: LogConfig,
    dashboard: DashboardConfig,
    worker: WorkerConfig,
    verifiers: Vec<super::VerifierConfig>,
    notifiers: Vec<super::NotifierConfig>,
    /// The keys of single values, with their table before a dot.
    keys: BTreeSet<String>,
}

/// What was read of a file, and why it cannot be used as it is.
#[derive(Default)]
struct FileRead {
    path: Option<PathBuf>,
    settings: FileSettings,
    problem: Option<ConfigError>,
    /// Whether the settings hold the data folder that the file names, if it names one.
    tells_folder: bool,
}

impl Config {
    /// Returns the configuration in force.
    ///
    /// The file is `--config`, else `GANNET_CONFIG`, else `config.toml` in the platform's configuration folder; only
    /// the last may be absent. A relative path in the file is taken from the file's folder. When a flag or the
    /// environment says where the data is and nothing in the environment says where the logs are, they go to `log/`
    /// in the data folder, so that a throw-away data folder holds everything.
    pub fn load(flags: &Flags, environment: &Environment) -> Result<Self, ConfigError> {
        let (config, problem) = Self::read(flags, environment)?;
        match problem {
            None => Ok(config),
            Some(problem) => Err(problem),
        }
    }

    /// Returns the configuration in force for the catalogue in its data folder. `remembered` gives, for a data folder, the
    /// file that the catalogue's policy came from: without `--config` and `GANNET_CONFIG` that file is read before the one in
    /// the platform's folder.
    ///
    /// A file that cannot be used keeps no one from a catalogue whose folder is known all the same: [`Config::unusable`] says
    /// why. For whoever only reads, what could be read of the file is enough to know it by.
    ///
    /// # Errors
    ///
    /// A file that a flag or the environment names and that is not there; one that cannot be used, where it may be what names the
    /// data folder.
    pub fn load_for_catalogue(
        flags: &Flags,
        environment: &Environment,
        only_reads: bool,
        remembered: impl FnOnce(&Path) -> Option<PathBuf>,
    ) -> Result<Self, ConfigError> {
        let (config, problem) = Self::read(flags, environment)?;
        let is_sure = only_reads || names_data_dir(flags, environment);
        if !is_sure && let Some(problem) = problem {
            return Err(problem);
        }
        let config = Self {
            unusable: problem.map(|problem| problem.to_string()),
            ..config
        };
        if names_file(flags, environment) {
            return Ok(config);
        }
        let Some(file) = remembered(&config.data_dir) else {
            return Ok(config);
        };
        if config.config_file.as_ref() == Some(&file) {
            return Ok(config);
        }
        match Self::load_remembered(file, flags, environment) {
            // The folders that led to the catalogue stay.
            Ok(found) if found.data_dir != config.data_dir => Ok(Self {
                data_dir: config.data_dir,
                log_dir: config.log_dir,
                origins: SettingOrigins {
                    data_dir: config.origins.data_dir,
                    log_dir: config.origins.log_dir,
                    ..found.origins
                },
                ..found
            }),
            Ok(found) => Ok(found),
            Err(error) => Ok(Self {
                unusable: Some(error.to_string()),
                ..config
            }),
        }
    }

    /// Returns the file in the platform's configuration folder when it is there and, without a flag or the environment naming
    /// one, not the file in use: the catalogue remembers another.
    pub fn passed_over_file(&self, flags: &Flags, environment: &Environment) -> Option<PathBuf> {
        if names_file(flags, environment) {
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
        // One that is a pipe by now would be waited for.
        if std::fs::metadata(&file).is_ok_and(|found| !found.is_file()) {
            return Err(ConfigError::Missing { path: file });
        }
        let flags = Flags {
            config: Some(file),
            ..flags.clone()
        };
        Self::load(&flags, environment)
    }

    /// Returns what can be read of the configuration, and why that is not all of it.
    fn read(
        flags: &Flags,
        environment: &Environment,
    ) -> Result<(Self, Option<ConfigError>), ConfigError> {
        let FileRead {
            path: config_file,
            mut settings,
            mut problem,
            tells_folder,
        } = read_file(flags, environment)?;
        let chosen = flags
            .data_dir
            .clone()
            .or_else(|| environment.path("GANNET_DATA_DIR"));
        if chosen.is_none()
            && !tells_folder
            && let Some(problem) = problem
        {
            return Err(problem);
        }
        let mut origins = origins(flags, environment, &mut settings);
        let (data_dir, log_dir) = folders(chosen, &settings, environment)?;
        if let Some(path) = environment.path("SSL_CERT_FILE") {
            settings.fetch.ca_files.push(absolute(path, environment)?);
            origins.has_environment_certificates = true;
        }
        let secrets = match settings.secrets_file {
            Some(path) => Secrets::read(&path, environment),
            None => Ok(Secrets::of_environment(environment)),
        };
        let secrets = secrets.unwrap_or_else(|error| {
            problem.get_or_insert(error);
            Secrets::of_environment(environment)
        });
        let config = Self {
            data_dir: absolute(data_dir, environment)?,
            log_dir: absolute(log_dir, environment)?,
            // One that cannot be used is nothing to judge by, nor to adopt.
            config_file: config_file.filter(|_| problem.is_none()),
            unusable: None,
            fetch: settings.fetch,
            log: settings.log,
            dashboard: DashboardConfig {
                in_tmux: environment.get("TMUX").is_some(),
                ..settings.dashboard
            },
            worker: settings.worker,
            verifiers: settings.verifiers,
            notifiers: settings.notifiers,
            secrets,
            zone: if flags.utc {
                Zone::UTC
            } else {
                Zone::of(environment)
            },
            origins,
        };
        Ok((config, problem))
    }
}

/// Returns where the settings come from; which file with certificates, is added when it is read.
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
    // Below the data folder, where that was chosen.
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
        has_environment_certificates: false,
    }
}

/// Returns where the data and the logs go.
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
    // A data folder that the file names keeps the platform's log folder only when the file says so too.
    let state = folders
        .and_then(|folders| folders.state.clone())
        .filter(|_| settings.data_dir.is_none());
    let log_dir = log_dir.or(state).unwrap_or_else(|| data_dir.join("log"));
    Ok((data_dir, log_dir))
}

fn names_data_dir(flags: &Flags, environment: &Environment) -> bool {
    flags.data_dir.is_some() || environment.path("GANNET_DATA_DIR").is_some()
}

/// Returns whether a flag or the environment names the configuration file.
fn names_file(flags: &Flags, environment: &Environment) -> bool {
    flags.config.is_some() || environment.path("GANNET_CONFIG").is_some()
}

/// A shell leaves `~` as it is in `--data-dir=~/data`, and so do crontabs and units of systemd.
fn absolute(path: PathBuf, environment: &Environment) -> Result<PathBuf, ConfigError> {
    expand(&path, environment)
        .map_err(std::io::Error::other)
        .and_then(std::path::absolute)
        .map_err(|source| ConfigError::Relative { path, source })
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
    let document = Document::new(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        document.problem(&error.span().unwrap_or(0..0), error.message());
    }
    let paths = Paths {
        folder: path.parent().unwrap_or(Path::new("/")),
        environment,
    };
    // What follows a syntax error is guesswork: its problems would only distract.
    let settings = if errors.is_empty() {
        FileSettings {
            keys: keys_of(table.get_ref()),
            ..read_root(Section::root(&document, &table), paths)
        }
    } else {
        FileSettings::default()
    };
    let is_named = table.get_ref().contains_key("data_dir");
    let tells_folder = errors.is_empty() && is_named == settings.data_dir.is_some();
    let problems = document.into_problems();
    let problem = (!problems.is_empty()).then(|| ConfigError::Invalid {
        path: path.clone(),
        problems,
    });
    FileRead {
        path: Some(path),
        settings,
        problem,
        tells_folder,
    }
}

/// Returns the keys of a file, those of its tables with the name of the table before a dot.
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

fn read_root(mut root: Section<'_>, paths: Paths<'_>) -> FileSettings {
    let mut settings = FileSettings {
        data_dir: read_path(&mut root, "data_dir", paths),
        log_dir: read_path(&mut root, "log_dir", paths),
        secrets_file: read_path(&mut root, "secrets_file", paths),
        ..FileSettings::default()
    };
    if let Some(section) = root.section("fetch") {
        settings.fetch = read_fetch(section, paths);
    }
    if let Some(mut section) = root.section("log") {
        if let Some(days) = section.number("keep_days", 1..=3650) {
            settings.log.keep_days = days as usize;
        }
        section.finish();
    }
    if let Some(section) = root.section("dashboard") {
        settings.dashboard = read_dashboard(section);
    }
    if let Some(mut section) = root.section("worker") {
        let heartbeat = section.parsed("heartbeat", verifiers::parse_web_address);
        settings.worker.heartbeat = heartbeat.map(|field| field.value);
        section.finish();
    }
    settings.verifiers = verifiers::read(root.sections("verifier"), paths);
    settings.notifiers = notify::read(root.sections("notify"), paths);
    root.finish();
    settings
}

fn read_dashboard(mut section: Section<'_>) -> DashboardConfig {
    let mut dashboard = DashboardConfig::default();
    let theme = section.parsed("theme", str::parse);
    set(&mut dashboard.theme, theme);
    if let Some(mut keys) = section.section("keys") {
        for (name, texts) in keys.named_texts() {
            dashboard.keys.push(KeySetting {
                line: keys.line(&name.span),
                action: name.value.to_owned(),
                keys: texts.into_iter().map(str::to_owned).collect(),
            });
        }
        keys.finish();
    }
    section.finish();
    dashboard
}

fn read_path(section: &mut Section<'_>, key: &'static str, paths: Paths<'_>) -> Option<PathBuf> {
    let path = section.parsed(key, |text| match text {
        "" => Err("expected a path, found nothing in the quotes".to_owned()),
        text => paths.resolve(text),
    });
    path.map(|field| field.value)
}

fn read_fetch(mut section: Section<'_>, paths: Paths<'_>) -> FetchConfig {
    let mut fetch = FetchConfig::default();
    fetch
        .ca_files
        .extend(read_path(&mut section, "ca_file", paths));
    fetch.proxy = section.parsed("proxy", str::parse).map(|field| field.value);
    fetch.no_proxy = read_no_proxy(&mut section);
    set(
        &mut fetch.user_agent,
        section.parsed("user_agent", parse_user_agent),
    );
    set(
        &mut fetch.connect_timeout,
        section.parsed("connect_timeout", parse_duration),
    );
    set(
        &mut fetch.read_timeout,
        section.parsed("read_timeout", parse_duration),
    );
    set(
        &mut fetch.total_timeout,
        section.parsed("timeout", parse_duration),
    );
    set(
        &mut fetch.min_rate_bytes,
        section.parsed("min_rate", parse_size),
    );
    set(
        &mut fetch.max_size_bytes,
        section.parsed("max_size", parse_size),
    );
    read_limits(&mut section, &mut fetch);
    section.finish();
    fetch
}

fn read_no_proxy(section: &mut Section<'_>) -> Vec<NoProxy> {
    let entries = section.texts("no_proxy").map(|field| field.value);
    let mut rules = Vec::new();
    for entry in entries.into_iter().flatten() {
        match entry.value.parse() {
            Ok(rule) => rules.push(rule),
            Err(problem) => section.problem(&entry.span, format!("no_proxy: {problem}")),
        }
    }
    rules
}

fn read_limits(section: &mut Section<'_>, fetch: &mut FetchConfig) {
    if let Some(tries) = section.number("max_tries", 1..=10) {
        fetch.max_tries = tries;
    }
    if let Some(count) = section.number("per_host", 1..=64) {
        fetch.per_host = count as usize;
    }
    if let Some(count) = section.number("total", 1..=256) {
        fetch.total = count as usize;
    }
}

fn set<T>(target: &mut T, field: Option<Field<T>>) {
    if let Some(field) = field {
        *target = field.value;
    }
}

/// A field value of RFC 9110 §5.5, kept to visible ASCII and spaces.
fn parse_user_agent(text: &str) -> Result<String, String> {
    let visible = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    if text.trim().is_empty() || !text.bytes().all(visible) {
        return Err(format!(
            "`{}` is not a user agent: give visible ASCII text",
            text.escape_debug()
        ));
    }
    Ok(text.trim().to_owned())
}
