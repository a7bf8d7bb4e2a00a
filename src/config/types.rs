//! What the configuration says, after validation.

use std::path::PathBuf;
use std::time::Duration;

use super::{Builtin, NoProxy, ProxyAddress, Secrets, SettingOrigins, Zone};
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
#[derive(Clone, Debug)]
pub struct FetchConfig {
    /// PEM files with certificates to trust beside the system's: `ca_file`, and `SSL_CERT_FILE`.
    pub ca_files: Vec<PathBuf>,
    /// The proxy for every request, but webhooks to this machine; the environment's proxy variables are not read.
    pub proxy: Option<ProxyAddress>,
    /// The hosts that are reached without it.
    pub no_proxy: Vec<NoProxy>,
    /// The `User-Agent` field.
    pub user_agent: String,
    /// Time to connect, TLS included: 10 s.
    pub connect_timeout: Duration,
    /// Time between two reads: 30 s.
    pub read_timeout: Duration,
    /// Time for one try, redirects and body included: 1 h.
    pub total_timeout: Duration,
    /// The least mean rate of a body, in bytes a second, over each `read_timeout`: 100.
    pub min_rate_bytes: u64,
    /// Requests of one attempt, retries included: 3.
    pub max_tries: u32,
    /// Requests at once to one host: 2.
    pub per_host: usize,
    /// Requests at once: 64.
    pub total: usize,
    /// The largest body, before and after decompression, of a source that does not say: 256 MiB.
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
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// Daily log files that are kept: 30.
    pub keep_days: usize,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { keep_days: 30 }
    }
}

/// How the dashboard looks, and its keys.
#[derive(Clone, Debug, Default)]
pub struct DashboardConfig {
    /// Which colours.
    pub theme: ThemeChoice,
    /// `[dashboard.keys]`, in the file's order.
    pub keys: Vec<KeySetting>,
    /// Whether the terminal is one of tmux: `$TMUX` is set.
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

/// What a verifier's program may use. All but `folder` are kept by the kernel, for each process by itself; none is more
/// than gannet itself may use. A core dump is never written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResourceLimits {
    /// CPU time of each process, in whole seconds (SIGXCPU, and a second later SIGKILL): not limited when not set.
    pub cpu: Option<Duration>,
    /// Address space of each process, in bytes; what needs more gets none: not limited when not set.
    pub memory_bytes: Option<u64>,
    /// The largest file that it may write (SIGXFSZ): 1 GiB.
    pub file_size_bytes: u64,
    /// Files that each process may have open: as many as gannet itself when not set.
    pub open_files: Option<u32>,
    /// What the working folder may grow to, beside the copy of the content: 1 GiB. A file counts as the room that it takes
    /// on the disk, at least 4 KiB. Looked at ten times a second at most, so that a program may be a little over it
    /// before it is killed; files that are open and have no name any more are not seen, only `file_size` bounds them.
    pub folder_bytes: u64,
}

impl Default for ResourceLimits {
    fn default() -> Self {
        Self {
            cpu: None,
            memory_bytes: None,
            file_size_bytes: 1 << 30,
            open_files: None,
            folder_bytes: 1 << 30,
        }
    }
}

/// What the worker does beside its work.
#[derive(Clone, Debug, Default)]
pub struct WorkerConfig {
    /// The address that is called after each pass that could do its work; may hold `${NAME}`.
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

/// What is posted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NoticeFormat {
    /// The changes as JSON, with the text in it.
    #[default]
    Json,
    /// The text alone.
    Text,
}
