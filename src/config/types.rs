//! What the configuration says, after validation.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::values::{duration, one_path, size, user_agent, web_address, within};
use super::{Builtin, NoProxy, ProxyAddress, ResourceLimits, Secrets, SettingOrigins, Zone};
use crate::domain::text_form::reads_text;
use crate::domain::words::words;
use crate::domain::{NoticeRules, Pattern, Scope, Weight};

/// Everything that is in force.
#[derive(Clone)]
pub struct Config {
    /// Where the catalogue (`gannet.db`), `objects/`, `published/` and `tmp/` lie.
    pub data_dir: PathBuf,
    /// Where the log files lie.
    pub log_dir: PathBuf,
    /// The file that was read, if there was one.
    pub config_file: Option<PathBuf>,
    /// Why the file that the catalogue was adopted from, or the platform's, could not be read. What is in force then are the
    /// defaults, or another file, by which nothing is fetched or judged.
    pub unusable: Option<String>,
    /// `[fetch]`.
    pub fetch: FetchConfig,
    /// `[log]`.
    pub log: LogConfig,
    /// `[dashboard]`.
    pub dashboard: DashboardConfig,
    /// `[worker]`.
    pub worker: WorkerConfig,
    /// `[[verifier]]`, in the file's order.
    pub verifiers: Vec<VerifierConfig>,
    /// `[[notify]]`, in the file's order.
    pub notifiers: Vec<NotifierConfig>,
    /// `secrets_file`, and the environment.
    pub secrets: Secrets,
    /// In which zone people read and write times.
    pub zone: Zone,
    /// Where the settings come from.
    pub origins: SettingOrigins,
}

/// How files are fetched.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FetchConfig {
    /// PEM files with certificates to trust beside the system's: `ca_file`, and `SSL_CERT_FILE`.
    #[serde(rename = "ca_file", deserialize_with = "one_path")]
    pub ca_files: Vec<PathBuf>,
    /// The proxy for every request, but webhooks to this machine; the environment's proxy variables are not read.
    pub proxy: Option<ProxyAddress>,
    /// The hosts that are reached without it.
    pub no_proxy: Vec<NoProxy>,
    /// The `User-Agent` field.
    #[serde(deserialize_with = "user_agent")]
    pub user_agent: String,
    /// Time to connect, TLS included: 10 s.
    #[serde(deserialize_with = "duration")]
    pub connect_timeout: Duration,
    /// Time between two reads: 30 s.
    #[serde(deserialize_with = "duration")]
    pub read_timeout: Duration,
    /// Time for one try, redirects and body included: 1 h.
    #[serde(rename = "timeout", deserialize_with = "duration")]
    pub total_timeout: Duration,
    /// The least mean rate of a body, in bytes a second, over each `read_timeout`: 100.
    #[serde(rename = "min_rate", deserialize_with = "size")]
    pub min_rate_bytes: u64,
    /// Requests of one attempt, retries included: 3.
    #[serde(deserialize_with = "within::<1, 10, _, _>")]
    pub max_tries: u32,
    /// Requests at once to one host: 2.
    #[serde(deserialize_with = "within::<1, 64, _, _>")]
    pub per_host: usize,
    /// Requests at once: 64.
    #[serde(deserialize_with = "within::<1, 256, _, _>")]
    pub total: usize,
    /// The largest body, before and after decompression, of a source that does not say: 256 MiB.
    #[serde(rename = "max_size", deserialize_with = "size")]
    pub max_size_bytes: u64,
}

/// What `User-Agent` says when nothing is configured.
const DEFAULT_USER_AGENT: &str = concat!("gannet/", env!("CARGO_PKG_VERSION"));

impl FetchConfig {
    /// Tells whether the user agent is the operator's own.
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

/// How the log is kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// Daily log files that are kept: 30.
    #[serde(deserialize_with = "within::<1, 3650, _, _>")]
    pub keep_days: usize,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { keep_days: 30 }
    }
}

/// How the dashboard looks, and its keys.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DashboardConfig {
    /// Which colours.
    pub theme: ThemeChoice,
    /// `[dashboard.keys]`, in the file's order.
    #[serde(deserialize_with = "key_settings")]
    pub keys: Vec<KeySetting>,
    /// Whether the terminal is one of tmux: `$TMUX` is set.
    #[serde(skip)]
    pub in_tmux: bool,
}

words!(
    "a theme":
    /// Which of the terminal's colours the dashboard uses.
    #[derive(Default)]
    pub enum ThemeChoice {
        /// What the terminal says it can: `dark`, `plain` with eight colours, `mono` without any or under `NO_COLOR`.
        #[default]
        Auto = "auto",
        /// For a dark background.
        Dark = "dark",
        /// For a light background.
        Light = "light",
        /// The first eight colours, nothing bright.
        Plain = "plain",
        /// No colour at all.
        Mono = "mono",
    }
);
reads_text!(ThemeChoice);

/// One line of `[dashboard.keys]`: an action and the keys that do it from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySetting {
    /// The action's name, unchecked.
    pub action: String,
    /// Its keys, unchecked; none turns it off.
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

/// Reads the keys of actions, in the file's order: `line` is where in the text an action stands.
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

/// One `[[verifier]]`.
#[derive(Clone, Debug)]
pub struct VerifierConfig {
    /// Unique.
    pub name: String,
    /// Which sources it judges: any pattern that matches is enough.
    pub sources: Vec<Pattern>,
    /// What it is.
    pub kind: VerifierKind,
    /// Whether its verdicts decide: [`Weight::Required`] when not said.
    pub weight: Weight,
    /// What it judges: one file when not said.
    pub scope: Scope,
    /// After this it could not judge: 30 s.
    pub timeout: Duration,
}

/// What a verifier is.
#[derive(Clone, Debug)]
pub enum VerifierKind {
    /// A program.
    Command {
        /// The program, found and made absolute when the configuration was read, and its arguments. `{path}` in an
        /// argument is the path of a read-only copy of the content.
        argv: Vec<String>,
        /// Whether the content is on its stdin.
        stdin: bool,
        /// Exit codes that mean failed: `[1]`.
        failed: Vec<i32>,
        /// `[verifier.limits]`.
        limits: ResourceLimits,
    },
    /// A rule of gannet's own.
    Builtin(Builtin),
    /// A service that gets the content by POST.
    Http {
        /// Where; may hold `${NAME}`.
        url: String,
        /// What requests are signed with, as Standard Webhooks; may hold `${NAME}`.
        secret: Option<String>,
        /// How long it may take with a verdict that it promised (202): 24 h.
        deadline: Duration,
    },
    /// Somebody else, who records verdicts with `gannet verdict`.
    External {
        /// How long that may take: 24 h.
        deadline: Duration,
    },
}

/// What the worker does beside its work.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorkerConfig {
    /// The address that is called after each pass that could do its work; may hold `${NAME}`.
    #[serde(deserialize_with = "web_address")]
    pub heartbeat: Option<String>,
}

/// One `[[notify]]`: who is told of changes.
#[derive(Clone, Debug)]
pub struct NotifierConfig {
    /// Unique.
    pub name: String,
    /// Of which sources: any pattern that matches is enough.
    pub sources: Vec<Pattern>,
    /// Of what, and how often.
    pub rules: NoticeRules,
    /// How.
    pub kind: NotifierKind,
    /// After this it was not told: 30 s.
    pub timeout: Duration,
}

/// How somebody is told.
#[derive(Clone, Debug)]
pub enum NotifierKind {
    /// By a program that gets the message on its stdin.
    Command {
        /// The program, found and made absolute when the configuration was read, and its arguments. `{path}` in an
        /// argument is the path of a file with the changes as JSON.
        argv: Vec<String>,
    },
    /// By a POST.
    Webhook {
        /// Where; may hold `${NAME}`.
        url: String,
        /// What it is signed with, as Standard Webhooks; may hold `${NAME}`.
        secret: Option<String>,
        /// What the body is.
        format: NoticeFormat,
    },
}

words!(
    "a format":
    /// What is posted.
    #[derive(Default)]
    pub enum NoticeFormat {
        /// The changes as JSON, with the text in it.
        #[default]
        Json = "json",
        /// The text alone.
        Text = "text",
    }
);
reads_text!(NoticeFormat);
