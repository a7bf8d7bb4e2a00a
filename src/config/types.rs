//! The validated configuration.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::Spanned;

use super::http::HttpConfig;
use super::values::{
    DEFAULT_TIMEOUT, duration, one_path, redis_address, size, user_agent, web_address, within,
};
use super::{
    Builtin, CataloguePlace, NoProxy, ObjectsPlace, ProxyAddress, RatesConfig, RatesRule,
    ResourceLimits, Schema, Secrets, SettingOrigin, SettingOrigins, StorageConfig, Zone,
};
use crate::domain::text_form::{prints_text, reads_text};
use crate::domain::words::words;
use crate::domain::{NoticeRules, Pattern, Provider, QueueName, Scope, Weight};

/// The configuration in force.
#[derive(Clone)]
pub struct Config {
    /// The folder of `published/`, `sets/`, `trash/` and `tmp/`, and of the places that `[storage]` does not give.
    pub data_dir: PathBuf,
    /// The folder of the log files.
    pub log_dir: PathBuf,
    /// The configuration file that was read, if there was one.
    pub config_file: Option<PathBuf>,
    /// Why the file that the catalogue's policy came from, or the platform's file, is unusable. Then the defaults or
    /// another file are in force, under which nothing is fetched or judged.
    pub unusable: Option<String>,
    /// `[fetch]`.
    pub fetch: FetchConfig,
    /// `[log]`.
    pub log: LogConfig,
    /// `[storage]`.
    pub storage: StorageConfig,
    /// `[dashboard]`.
    pub dashboard: DashboardConfig,
    /// `[worker]`.
    pub worker: WorkerConfig,
    /// `[queues]`.
    pub all_queues: QueuesConfig,
    /// `[rates]`.
    pub rates: RatesConfig,
    /// `[http]`.
    pub http: HttpConfig,
    /// `[[verifier]]`, in the order of the file.
    pub verifiers: Vec<VerifierConfig>,
    /// `[[notify]]`, in the order of the file.
    pub notifiers: Vec<NotifierConfig>,
    /// `[[queue]]`, in the order of the file.
    pub queues: Vec<QueueConfig>,
    /// The secrets of `secrets_file` and of the environment.
    pub secrets: Secrets,
    /// The zone in which people read and write times.
    pub zone: Zone,
    /// The origins of the settings.
    pub origins: SettingOrigins,
}

impl Config {
    /// Returns whether the default data folder is read although the unusable configuration file may name another.
    pub fn assumes_data_dir(&self) -> bool {
        self.origins.data_dir == SettingOrigin::Assumed
    }

    /// Returns the place of the catalogue.
    pub fn catalogue_place(&self) -> CataloguePlace {
        self.storage.catalogue_place(&self.data_dir)
    }

    /// Returns the place of large objects.
    pub fn objects_place(&self) -> ObjectsPlace {
        self.storage.objects_place(&self.data_dir)
    }
}

/// How files are fetched.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct FetchConfig {
    /// Extra trusted certificates in PEM files, beside the system's: `ca_file` and `SSL_CERT_FILE`.
    #[serde(rename = "ca_file", deserialize_with = "one_path", skip_serializing)]
    pub ca_files: Vec<PathBuf>,
    /// The proxy for every request except webhooks to this machine. The environment's proxy variables are ignored.
    pub proxy: Option<ProxyAddress>,
    /// The hosts that are reached without the proxy.
    pub no_proxy: Vec<NoProxy>,
    /// The `User-Agent` of requests.
    #[serde(deserialize_with = "user_agent")]
    pub user_agent: String,
    /// The time to connect, TLS included; by default 10 s.
    #[serde(with = "duration")]
    pub connect_timeout: Duration,
    /// The time between two reads; by default 30 s.
    #[serde(with = "duration")]
    pub read_timeout: Duration,
    /// The time for one try, redirects and body included; by default 1 h.
    #[serde(rename = "timeout", with = "duration")]
    pub total_timeout: Duration,
    /// The least mean rate of a body over each `read_timeout`, in bytes a second; by default 100.
    #[serde(rename = "min_rate", with = "size")]
    pub min_rate_bytes: u64,
    /// The tries of one attempt; by default 3.
    #[serde(deserialize_with = "within::<1, 10, _, _>")]
    pub max_tries: u32,
    /// The requests at once to one host; by default 2.
    #[serde(deserialize_with = "within::<1, 64, _, _>")]
    pub per_host: usize,
    /// The requests at once; by default 64.
    #[serde(deserialize_with = "within::<1, 256, _, _>")]
    pub total: usize,
    /// The largest body of a source without a limit of its own, before and after decompression; by default 256 MiB.
    #[serde(rename = "max_size", with = "size")]
    pub max_size_bytes: u64,
}

/// The default `User-Agent`.
const DEFAULT_USER_AGENT: &str = concat!("gannet/", env!("CARGO_PKG_VERSION"));

impl FetchConfig {
    /// Returns whether the operator set the user agent.
    pub fn has_own_user_agent(&self) -> bool {
        self.user_agent != DEFAULT_USER_AGENT
    }
}

impl Default for FetchConfig {
    fn default() -> Self {
        Self {
            ca_files: Vec::new(),
            proxy: None,
            no_proxy: Vec::new(),
            user_agent: DEFAULT_USER_AGENT.to_owned(),
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            total_timeout: Duration::from_hours(1),
            min_rate_bytes: 100,
            max_tries: 3,
            per_host: 2,
            total: 64,
            max_size_bytes: 256 << 20,
        }
    }
}

/// The settings of the log.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// The number of daily log files that are kept; by default 30.
    #[serde(deserialize_with = "within::<1, 3650, _, _>")]
    pub keep_days: usize,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { keep_days: 30 }
    }
}

/// The dashboard's colours and keys.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DashboardConfig {
    /// The colours.
    pub theme: ThemeChoice,
    /// `[dashboard.keys]`, in the order of the file.
    #[serde(deserialize_with = "key_settings", serialize_with = "print_keys")]
    pub keys: Vec<KeySetting>,
    /// Whether the dashboard runs in tmux: `$TMUX` is set.
    #[serde(skip)]
    pub in_tmux: bool,
}

words!(
    "a theme":
    /// The terminal colours of the dashboard.
    #[derive(Default)]
    pub enum ThemeChoice {
        /// By the terminal: `dark`, `plain` with eight colours, `mono` without colours or under `NO_COLOR`.
        #[default]
        Auto = "auto",
        /// For a dark background.
        Dark = "dark",
        /// For a light background.
        Light = "light",
        /// The first eight colours, none of them bright.
        Plain = "plain",
        /// No colour at all.
        Mono = "mono",
    }
);
reads_text!(ThemeChoice);
prints_text!(ThemeChoice);

/// One line of `[dashboard.keys]`: an action and the keys bound to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySetting {
    /// The action's name, unchecked.
    pub action: String,
    /// Its keys, unchecked; an empty list disables the action.
    pub keys: Vec<String>,
    /// The line in the configuration file, from 1.
    pub line: usize,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a text in quotes or a list of them")]
enum KeysOfAction {
    One(String),
    Many(Vec<String>),
}

/// Reads the keys of actions, in the order of the file. `line` holds the byte offset of an action in the text.
fn key_settings<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<KeySetting>, D::Error> {
    let actions = BTreeMap::<Spanned<String>, KeysOfAction>::deserialize(deserializer)?;
    let settings = actions.into_iter().map(|(action, keys)| KeySetting {
        line: action.span().start,
        action: action.into_inner(),
        keys: match keys {
            KeysOfAction::One(key) => vec![key],
            KeysOfAction::Many(keys) => keys,
        },
    });
    let mut settings: Vec<_> = settings.collect();
    settings.sort_by_key(|setting| setting.line);
    Ok(settings)
}

fn print_keys<S: Serializer>(settings: &[KeySetting], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(settings.iter().map(|one| (&one.action, &one.keys)))
}

/// One `[[verifier]]`.
#[derive(Clone, Debug)]
pub struct VerifierConfig {
    /// The unique name.
    pub name: String,
    /// The sources that it judges: one matching pattern is enough.
    pub sources: Vec<Pattern>,
    /// The kind with its parameters.
    pub kind: VerifierKind,
    /// The weight of its verdicts; by default [`Weight::Required`].
    pub weight: Weight,
    /// The scope that it judges; by default one file.
    pub scope: Scope,
    /// The time after which it counts as unable to judge; by default 30 s.
    pub timeout: Duration,
}

impl VerifierConfig {
    /// Returns the verifier of a provider's rates, which is in force whatever the configuration says.
    pub fn of_rates(provider: Provider) -> Self {
        Self {
            name: provider.verifier(),
            sources: vec![Pattern::of_rates(provider)],
            kind: VerifierKind::Builtin(Builtin::Rates(RatesRule { provider })),
            weight: Weight::Required,
            scope: Scope::Source,
            timeout: DEFAULT_TIMEOUT,
        }
    }
}

/// The kind of a verifier.
#[derive(Clone, Debug)]
pub enum VerifierKind {
    /// A program.
    Command {
        /// The absolute path of the program, found when the configuration was read, and its arguments. `{path}` in an
        /// argument is the path of a read-only copy of the content.
        argv: Vec<String>,
        /// Whether the program gets the content on its stdin.
        stdin: bool,
        /// The exit codes that mean failed; by default `[1]`.
        failed: Vec<i32>,
        /// `[verifier.limits]`.
        limits: ResourceLimits,
    },
    /// A built-in rule.
    Builtin(Builtin),
    /// A service that receives the content by POST.
    Http {
        /// The address; may hold `${NAME}`.
        url: String,
        /// The secret that signs requests (Standard Webhooks); may hold `${NAME}`.
        secret: Option<String>,
        /// The time for a verdict that was promised (202); by default 24 h.
        deadline: Duration,
        /// What it is sent.
        send: VerifierInput,
    },
    /// Somebody outside, who records verdicts with `gannet verdict`.
    External {
        /// The time for a verdict; by default 24 h.
        deadline: Duration,
    },
}

words!(
    "what is sent":
    /// What an HTTP verifier is sent.
    #[derive(Default)]
    pub enum VerifierInput {
        /// The bytes of the version.
        #[default]
        Bytes = "bytes",
        /// A link to them, which can be used once, and one for the verdict.
        Link = "link",
    }
);
reads_text!(VerifierInput);

/// The worker's additional tasks.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorkerConfig {
    /// The address that is requested after each pass that did its work; may hold `${NAME}`.
    #[serde(with = "web_address")]
    pub heartbeat: Option<String>,
}

/// Where messages wait until they are persisted.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct QueuesConfig {
    /// The address of the Redis server on which they wait, in place of the catalogue; may hold `${NAME}`.
    #[serde(with = "redis_address")]
    pub redis: Option<String>,
}

/// One `[[notify]]`.
#[derive(Clone, Debug)]
pub struct NotifierConfig {
    /// The unique name.
    pub name: String,
    /// The sources whose changes it reports: one matching pattern is enough.
    pub sources: Vec<Pattern>,
    /// The changes that it reports, and how often.
    pub rules: NoticeRules,
    /// The kind with its parameters.
    pub kind: NotifierKind,
    /// The time after which a delivery counts as failed; by default 30 s.
    pub timeout: Duration,
}

/// One `[[queue]]`.
#[derive(Clone, Debug)]
pub struct QueueConfig {
    /// The name, which no other has.
    pub name: QueueName,
    /// What its messages have to be; any JSON without one.
    pub schema: Option<Schema>,
    /// How long its messages stay when they are persisted; for ever without.
    pub keep: Option<Duration>,
}

/// The kind of a notifier.
#[derive(Clone, Debug)]
pub enum NotifierKind {
    /// A program that gets the notice on its stdin.
    Command {
        /// The absolute path of the program, found when the configuration was read, and its arguments. `{path}` in an
        /// argument is the path of a file with the changes as JSON.
        argv: Vec<String>,
    },
    /// A service that receives the notice by POST.
    Webhook {
        /// The address; may hold `${NAME}`.
        url: String,
        /// The secret that signs requests (Standard Webhooks); may hold `${NAME}`.
        secret: Option<String>,
        /// The format of the body.
        format: NoticeFormat,
    },
}

words!(
    "a format":
    /// The format of a webhook's body.
    #[derive(Default)]
    pub enum NoticeFormat {
        /// JSON with the changes and the text.
        #[default]
        Json = "json",
        /// The text alone.
        Text = "text",
    }
);
reads_text!(NoticeFormat);
