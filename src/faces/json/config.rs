//! The JSON of the configuration in force.

use serde::Serialize;

use crate::config::{Config, NotifierConfig, SettingInForce, VerifierConfig};

/// The whole of `config show --json`.
#[derive(Serialize)]
pub(crate) struct ConfigJson<'a> {
    file: Option<String>,
    /// Why the configuration file is unusable.
    problem: Option<&'a str>,
    settings: Vec<SettingJson>,
    verifiers: Vec<EntryJson<'a>>,
    notifiers: Vec<EntryJson<'a>>,
}

#[derive(Serialize)]
struct SettingJson {
    key: String,
    value: Option<toml::Value>,
    origin: String,
}

/// A verifier or a notifier.
#[derive(Serialize)]
struct EntryJson<'a> {
    name: &'a str,
    /// Its kind and its behaviour, in words.
    words: String,
}

impl<'a> ConfigJson<'a> {
    /// The functions describe a verifier and a notifier in words.
    pub(crate) fn new(
        config: &'a Config,
        verifier_words: fn(&VerifierConfig) -> String,
        notifier_words: fn(&NotifierConfig) -> String,
    ) -> Self {
        let file = config.config_file.as_ref();
        let settings = config.settings_in_force().into_iter();
        let setting = |one: SettingInForce| SettingJson {
            key: one.key,
            value: one.value,
            origin: one.origin.to_string(),
        };
        let entry = |name, words| EntryJson { name, words };
        let verifiers = config.verifiers.iter();
        let notifiers = config.notifiers.iter();
        Self {
            file: file.map(|file| file.display().to_string()),
            problem: config.unusable.as_deref(),
            settings: settings.map(setting).collect(),
            verifiers: verifiers
                .map(|one| entry(&*one.name, verifier_words(one)))
                .collect(),
            notifiers: notifiers
                .map(|one| entry(&*one.name, notifier_words(one)))
                .collect(),
        }
    }
}
