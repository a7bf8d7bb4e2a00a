//! Every single-valued setting in force, and its origin. Verifiers and notifiers are lists of their own.
//!
//! Never holds a secret: secrets stand by name, and values that look like one are masked.

use std::path::Path;

use serde::Serialize;
use serde_json::Value as Json;
use toml::Value;

use super::{
    Config, DashboardConfig, FetchConfig, HttpConfig, LogConfig, QueuesConfig, RatesConfig,
    SettingOrigin, SettingOrigins, StorageConfig, WorkerConfig,
};

/// One setting in force.
#[derive(Clone, Debug, PartialEq)]
pub struct SettingInForce {
    /// Its key, after its table and a dot: `fetch.max_tries`.
    pub key: String,
    /// Its value in TOML; `None` if it is not set and has no default.
    pub value: Option<Value>,
    /// Its origin.
    pub origin: SettingOrigin,
}

/// The tables of single-valued settings, in the order of the commented configuration file.
#[derive(Serialize)]
struct Tables<'a> {
    fetch: &'a FetchConfig,
    log: &'a LogConfig,
    storage: &'a StorageConfig,
    dashboard: &'a DashboardConfig,
    worker: &'a WorkerConfig,
    queues: &'a QueuesConfig,
    rates: &'a RatesConfig,
    http: &'a HttpConfig,
}

impl Config {
    /// Returns every single-valued setting, in the order of the commented configuration file.
    pub fn settings_in_force(&self) -> Vec<SettingInForce> {
        let origins = &self.origins;
        let mut settings = Settings {
            origins,
            all: Vec::new(),
        };
        settings.add_from("data_dir", Some(path(&self.data_dir)), origins.data_dir);
        settings.add_from("log_dir", Some(path(&self.log_dir)), origins.log_dir);
        settings.add("secrets_file", self.secrets.file().map(path));
        let (files, of_environment) = match self.fetch.ca_files.split_last() {
            Some((last, others)) if origins.has_environment_certificates => (others, Some(last)),
            _ => (&self.fetch.ca_files[..], None),
        };
        settings.add("fetch.ca_file", files.first().map(|file| path(file)));
        if let Some(file) = of_environment {
            let origin = SettingOrigin::Environment("SSL_CERT_FILE");
            settings.add_from("fetch.ca_file", Some(path(file)), origin);
        }
        let tables = Tables {
            fetch: &self.fetch,
            log: &self.log,
            storage: &self.storage,
            dashboard: &self.dashboard,
            worker: &self.worker,
            queues: &self.all_queues,
            rates: &self.rates,
            http: &self.http,
        };
        let tables = serde_json::to_value(tables).expect("texts, numbers and lists of texts");
        settings.add_below("", &tables);
        settings.all
    }
}

struct Settings<'a> {
    origins: &'a SettingOrigins,
    all: Vec<SettingInForce>,
}

impl Settings<'_> {
    /// Adds a value, or each value of a table and of the tables in it.
    fn add_below(&mut self, key: &str, value: &Json) {
        match value {
            Json::Object(table) => {
                let dot = if key.is_empty() { "" } else { "." };
                for (name, value) in table {
                    self.add_below(&format!("{key}{dot}{name}"), value);
                }
            }
            Json::Null => self.add(key, None),
            value => self.add(key, Value::try_from(value).ok()),
        }
    }

    fn add(&mut self, key: &str, value: Option<Value>) {
        // The keys of a table within a table count as one.
        let of_file = &self.origins.keys;
        let table = key.rsplit_once('.').map(|(table, _)| table);
        let origin = if of_file.contains(key) || table.is_some_and(|table| of_file.contains(table))
        {
            SettingOrigin::File
        } else {
            SettingOrigin::Default
        };
        self.add_from(key, value, origin);
    }

    fn add_from(&mut self, key: &str, value: Option<Value>, origin: SettingOrigin) {
        self.all.push(SettingInForce {
            key: key.to_owned(),
            value,
            origin,
        });
    }
}

fn path(path: &Path) -> Value {
    Value::String(path.to_string_lossy().into_owned())
}
