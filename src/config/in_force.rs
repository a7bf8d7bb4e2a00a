//! Every single-valued setting in force, and its origin. Verifiers and notifiers are lists of their own.
//!
//! Never holds a secret: secrets stand by name, and values that look like one are masked.

use std::path::Path;
use std::time::Duration;

use toml::Value;

use super::{Config, FetchConfig, SettingOrigin, SettingOrigins};
use crate::domain::{duration_setting, exact_size, masked};

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

impl Config {
    /// Returns every single-valued setting, in the order of the commented configuration file.
    pub fn settings_in_force(&self) -> Vec<SettingInForce> {
        let mut settings = Settings {
            origins: &self.origins,
            all: Vec::new(),
        };
        settings.add_from(
            "data_dir",
            Some(path(&self.data_dir)),
            self.origins.data_dir,
        );
        settings.add_from("log_dir", Some(path(&self.log_dir)), self.origins.log_dir);
        settings.add("secrets_file", self.secrets.file().map(path));
        settings.add_fetch(&self.fetch);
        settings.add("log.keep_days", Some(number(self.log.keep_days)));
        settings.add("dashboard.theme", Some(text(self.dashboard.theme.as_str())));
        for keys in &self.dashboard.keys {
            let value = keys.keys.iter().map(|key| text(key)).collect();
            let key = format!("dashboard.keys.{}", keys.action);
            settings.add_from(&key, Some(Value::Array(value)), SettingOrigin::File);
        }
        let heartbeat = self.worker.heartbeat.as_deref();
        settings.add("worker.heartbeat", heartbeat.map(|url| text(&masked(url))));
        settings.all
    }
}

struct Settings<'a> {
    origins: &'a SettingOrigins,
    all: Vec<SettingInForce>,
}

impl Settings<'_> {
    fn add(&mut self, key: &str, value: Option<Value>) {
        let origin = if self.origins.keys.contains(key) {
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

    fn add_fetch(&mut self, fetch: &FetchConfig) {
        let is_environment = self.origins.has_environment_certificates;
        let (files, of_environment) = match fetch.ca_files.split_last() {
            Some((last, others)) if is_environment => (others, Some(last)),
            _ => (&fetch.ca_files[..], None),
        };
        self.add("fetch.ca_file", files.first().map(|file| path(file)));
        if let Some(file) = of_environment {
            let origin = SettingOrigin::Environment("SSL_CERT_FILE");
            self.add_from("fetch.ca_file", Some(path(file)), origin);
        }
        let proxy = fetch.proxy.as_ref();
        self.add(
            "fetch.proxy",
            proxy.map(|proxy| text(&masked(proxy.as_str()))),
        );
        let no_proxy = fetch.no_proxy.iter().map(|host| text(&host.to_string()));
        self.add("fetch.no_proxy", Some(Value::Array(no_proxy.collect())));
        self.add("fetch.user_agent", Some(text(&fetch.user_agent)));
        for (key, value) in [
            ("fetch.connect_timeout", duration(fetch.connect_timeout)),
            ("fetch.read_timeout", duration(fetch.read_timeout)),
            ("fetch.timeout", duration(fetch.total_timeout)),
            ("fetch.min_rate", size(fetch.min_rate_bytes)),
            ("fetch.max_tries", Value::Integer(fetch.max_tries.into())),
            ("fetch.per_host", number(fetch.per_host)),
            ("fetch.total", number(fetch.total)),
            ("fetch.max_size", size(fetch.max_size_bytes)),
        ] {
            self.add(key, Some(value));
        }
    }
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn path(path: &Path) -> Value {
    text(&path.to_string_lossy())
}

fn number(number: usize) -> Value {
    Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

fn size(bytes: u64) -> Value {
    text(&exact_size(bytes))
}

fn duration(duration: Duration) -> Value {
    text(&duration_setting(duration))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::duration::parse_duration;

    #[test]
    fn durations_are_said_as_they_are_read() {
        for (written, said) in [
            ("500ms", "500ms"),
            ("1500ms", "1500ms"),
            ("30s", "30s"),
            ("90s", "90s"),
            ("120s", "2m"),
            ("60m", "1h"),
            ("24h", "24h"),
        ] {
            let read = parse_duration(written).expect(written);
            assert_eq!(duration(read), text(said), "{written}");
            assert_eq!(parse_duration(said), Ok(read), "{said}");
        }
    }
}
