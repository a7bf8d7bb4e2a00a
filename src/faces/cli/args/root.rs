//! The program's own options, and the list of its commands.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, CommandFactory as _, Parser, Subcommand};

use super::{
    AddArgs, ApplyArgs, CatArgs, DiffArgs, DumpArgs, EditArgs, ExportArgs, FetchArgs, GrepArgs,
    HistoryArgs, ImportArgs, IntervalArgs, LegacyEnabledArgs, LegacyIntervalArgs, ListArgs,
    LogArgs, MessagesArgs, RatesArgs, RatesIngestArgs, RatesWhat, RemoveArgs, ReportArgs,
    RestoreArgs, SelectArgs, ShowArgs, SqlArgs, TokenArgs, UserArgs, VerdictArgs, VerdictsArgs,
    VerifyArgs,
};
use crate::config::parse_listen_address;
use crate::domain::IntervalError;
use crate::faces::cli::manual::Topic;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  done, but a fetch or a verdict failed
  2  the request is wrong: bad argument, no such source or version
  3  could not run: store locked, disk full, damaged content

SOURCE is an id, a name, an address, a glob on names and addresses, or tag:NAME.
VERSION is an id (217 or v217), SOURCE (its newest), SOURCE~N (N versions back), SOURCE@TIME (as it was then),
  SOURCE:published (what consumers see) or SOURCE:published@TIME (what they saw then).
TIME is 2h, 3d, yesterday, 2026-01-31 or 2026-01-31T12:00: local, unless it ends in Z or +01:00.

`gannet help` lists the topics of the manual, `gannet help TOPIC` prints one, `gannet COMMAND --help` has examples.";

/// The heading of the options of every command.
const EVERYWHERE: &str = "With every command";

/// Fetches the files you depend on, keeps every version, publishes only what your verifiers passed.
#[derive(Debug, Parser)]
#[command(name = "gannet", version, after_help = EXIT_CODES, max_term_width = 110, disable_help_subcommand = true)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent switches of one program"
)]
pub struct Cli {
    /// Read this configuration file
    #[arg(long, value_name = "FILE", global = true, help_heading = EVERYWHERE)]
    pub config: Option<PathBuf>,
    /// Keep the catalogue and the files in this folder
    #[arg(long, value_name = "DIR", global = true, help_heading = EVERYWHERE)]
    pub data_dir: Option<PathBuf>,
    /// Show times in UTC, not in the computer's zone; JSON and CSV are always in UTC
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub utc: bool,
    /// Print results only; on stderr warnings, errors and failures
    #[arg(long, short, global = true, help_heading = EVERYWHERE)]
    pub quiet: bool,
    /// Make one pass over all sources that are due, then exit: for cron
    #[arg(long)]
    pub worker_only: bool,
    /// Keep running, and work whenever a source is due: for systemd
    #[arg(long = "loop", requires = "worker_only")]
    pub stay: bool,
    /// Print the pass as JSON; with --loop a line for each that did something
    #[arg(long, requires = "worker_only")]
    pub json: bool,
    /// The options of the dashboard.
    #[command(flatten)]
    pub dashboard: DashboardArgs,
    /// The command.
    #[command(subcommand)]
    pub command: Option<Command>,
}

impl Cli {
    /// Parses `arguments`, the first of which is the program's name. Help, version and usage errors are returned for
    /// clap to print, with exit code 0 or 2.
    pub fn read_from<T: Into<OsString>>(
        arguments: impl IntoIterator<Item = T>,
    ) -> Result<Self, clap::Error> {
        let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
        Self::try_parse_from(&arguments)
            .map_err(|error| explain_negative(error, &arguments))
            .map_err(without_noise)?
            .checked()
    }

    /// Returns whether the command prints a pass as one JSON object.
    pub fn prints_pass_json(&self) -> bool {
        match &self.command {
            Some(Command::Fetch(args)) => args.json,
            Some(_) => false,
            None => self.json && !self.stay,
        }
    }

    /// Refuses what clap's rules cannot express: the worker's options together with a command.
    fn checked(self) -> Result<Self, clap::Error> {
        // `args_conflicts_with_subcommands` would refuse `--config FILE list` too.
        if self.worker_only && self.command.is_some() {
            let message = "--worker-only stands alone: it takes no command";
            return Err(Self::command().error(ErrorKind::ArgumentConflict, message));
        }
        Ok(self)
    }
}

/// No option begins with a digit: `-1d` was meant as an interval, so the error explains intervals.
fn explain_negative(error: clap::Error, arguments: &[OsString]) -> clap::Error {
    // clap reports only the part that it takes for an option, `-1`.
    let Some(ContextValue::String(part)) = error.get(ContextKind::InvalidArg) else {
        return error;
    };
    let begins = |text: &str| {
        text.starts_with(part.as_str()) && text[1..].starts_with(|c: char| c.is_ascii_digit())
    };
    let mut texts = arguments.iter().filter_map(|argument| argument.to_str());
    match texts.find(|text| text.starts_with('-') && begins(text)) {
        Some(text) if error.kind() == ErrorKind::UnknownArgument => {
            let message = IntervalError(text.to_owned()).to_string();
            Cli::command().error(ErrorKind::ValueValidation, message)
        }
        _ => error,
    }
}

/// Words that people try in place of `--worker-only`.
const FOR_WORKERS: [&str; 4] = ["run", "start", "daemon", "worker"];
/// The largest number of typing errors for which a suggestion is useful.
const MOST_SLIPS: usize = 2;

/// Removes useless advice from a usage error: options as values, the predecessor's commands, dissimilar commands.
fn without_noise(mut error: clap::Error) -> clap::Error {
    if error.kind() == ErrorKind::UnknownArgument && !has_near_option(&error) {
        error.remove(ContextKind::SuggestedArg);
        error.remove(ContextKind::Suggested);
    }
    let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidSubcommand) else {
        return error;
    };
    let typed = typed.clone();
    let suggested = match error.remove(ContextKind::SuggestedSubcommand) {
        Some(ContextValue::Strings(names)) => names,
        Some(ContextValue::String(name)) => vec![name],
        _ => Vec::new(),
    };
    if let Some(tip) = tip_for(&typed) {
        let tips = ContextValue::StyledStrs(vec![tip.into()]);
        error.insert(ContextKind::Suggested, tips);
        return error;
    }
    let cli = Cli::command();
    let helps = |name: &String| {
        let is_shown = cli
            .find_subcommand(name)
            .is_some_and(|one| !one.is_hide_set());
        is_shown && strsim::damerau_levenshtein(&typed, name) <= MOST_SLIPS
    };
    let names: Vec<_> = suggested.into_iter().filter(helps).collect();
    if !names.is_empty() {
        error.insert(
            ContextKind::SuggestedSubcommand,
            ContextValue::Strings(names),
        );
    }
    error
}

/// Returns advice for an unknown command.
fn tip_for(typed: &str) -> Option<String> {
    if FOR_WORKERS.contains(&typed) {
        let tip = "one pass: 'gannet --worker-only'; a worker that keeps running: 'gannet --worker-only --loop'";
        return Some(tip.to_owned());
    }
    if typed == "version" {
        return Some("'gannet --version' prints it".to_owned());
    }
    let topic = Topic::find(typed)?;
    let name = topic.name;
    Some(format!("a topic of the manual: 'gannet help {name}'"))
}

/// Returns whether the suggested option resembles the typed one: it begins like it, or differs by a typing error.
fn has_near_option(error: &clap::Error) -> bool {
    let option = |kind| match error.get(kind) {
        Some(ContextValue::String(option)) => option.split(['=', ' ']).next(),
        _ => None,
    };
    let typed = option(ContextKind::InvalidArg);
    let suggested = option(ContextKind::SuggestedArg);
    typed.zip(suggested).is_some_and(|(typed, suggested)| {
        suggested.starts_with(typed) || strsim::damerau_levenshtein(typed, suggested) <= MOST_SLIPS
    })
}

/// All commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// A command that needs only the use-cases.
    #[command(flatten)]
    App(AppCommand),
    /// Fetch sources now, due or not
    Fetch(FetchArgs),
    /// Run the HTTP service, with the worker in it
    Serve(ServeArgs),
    /// Persist messages as they come, and do nothing else
    #[command(
        after_help = "The service, the dashboard and passes persist messages, too. Several processes on one catalogue share the work.\n\nExample:\n  gannet consume"
    )]
    Consume,
    /// Show gannet at work: a small HTTPS origin on loopback and a temporary data folder
    #[command(
        after_help = "Examples:\n  gannet demo\n  gannet demo --worker-only\n  gannet demo --serve"
    )]
    Demo(DemoArgs),
    /// Check the configuration, or print the one in force
    Config(ConfigArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Print completions of a command line, for the completion scripts.
    #[command(name = "__complete", hide = true)]
    Complete(CompleteArgs),
    /// Print a topic of the manual, or the help of a command; without arguments, list both
    Help(HelpArgs),
    /// Print the manual page, or write all of them for `man` into a folder
    Man(ManArgs),
}

impl Command {
    /// Returns the arguments of `rates ingest`, the one of its commands that needs a worker.
    pub fn ingest(&self) -> Option<&RatesIngestArgs> {
        match self {
            Self::App(
                AppCommand::LegacyIngest(args)
                | AppCommand::Rates(RatesArgs {
                    what: RatesWhat::Ingest(args),
                }),
            ) => Some(args),
            _ => None,
        }
    }
}

/// The commands that need only the use-cases.
#[derive(Debug, Subcommand)]
pub enum AppCommand {
    /// Watch an address
    Add(AddArgs),
    /// List the sources and their states
    #[command(visible_aliases = ["ls", "status"])]
    List(ListArgs),
    /// Show one source: settings, schedule, versions with their verdicts, attempts
    Show(ShowArgs),
    /// List a source's attempts and versions
    History(HistoryArgs),
    /// Show the log: events, when and by whom
    Log(LogArgs),
    /// Change how often sources are fetched
    Interval(IntervalArgs),
    /// Fetch sources when due
    #[command(after_help = "Example:\n  gannet enable prices 'rates-*'")]
    Enable(SelectArgs),
    /// Do not fetch sources
    #[command(after_help = "Example:\n  gannet disable tag:prices")]
    Disable(SelectArgs),
    /// Change the settings of sources
    Edit(EditArgs),
    /// Remove sources; their history stays unless --purge
    #[command(visible_aliases = ["rm", "delete"])]
    Remove(RemoveArgs),
    /// Bring removed sources back, with their history
    Restore(RestoreArgs),
    /// Write a version's bytes to stdout
    Cat(CatArgs),
    /// Compare two versions
    Diff(DiffArgs),
    /// Write every version of sources into a folder, with a manifest
    Export(ExportArgs),
    /// List the versions of sources that contain a text
    Grep(GrepArgs),
    /// Look into the catalogue with a query in SQL
    Sql(SqlArgs),
    /// Write an HTML page of what list and history print
    Report(ReportArgs),
    /// Add the addresses in a file of urlwatch, changedetection.io, or a plain list
    Import(ImportArgs),
    /// Run the verifiers again
    Verify(VerifyArgs),
    /// Record an outside verdict on a version
    Verdict(VerdictArgs),
    /// List verdicts: outcome, verifier, version, actor
    Verdicts(VerdictsArgs),
    /// Test a notifier
    Notify(NotifyArgs),
    /// Add people who may sign in to the service, and change them
    User(UserArgs),
    /// Create tokens for programs that use the service, and revoke them
    Token(TokenArgs),
    /// Send messages, and see what was pushed
    Messages(MessagesArgs),
    /// Watch currency rates, and show them
    Rates(RatesArgs),
    /// Make the sources match a TOML file
    Apply(ApplyArgs),
    /// Print the whole catalogue, or the TOML file that `apply` reads
    Dump(DumpArgs),
    /// Create the catalogue if it does not exist.
    #[command(name = "build_db", hide = true)]
    LegacyBuild,
    /// The predecessor's name of `rates ingest`.
    #[command(name = "ingest_rates", hide = true)]
    LegacyIngest(RatesIngestArgs),
    /// The predecessor's name of `add`.
    #[command(name = "add_url", hide = true)]
    LegacyAdd(LegacyIntervalArgs),
    /// The predecessor's name of `interval`.
    #[command(name = "set_interval", hide = true)]
    LegacyInterval(LegacyIntervalArgs),
    /// The predecessor's name of `enable` and `disable`.
    #[command(name = "url_enabled", hide = true)]
    LegacyEnabled(LegacyEnabledArgs),
}

/// The options of the dashboard.
#[derive(Clone, Copy, Debug, Default, Args)]
#[command(next_help_heading = "Dashboard")]
pub struct DashboardArgs {
    /// Only view: start no worker in the dashboard
    #[arg(long, conflicts_with = "worker_only")]
    pub no_worker: bool,
    /// Change nothing, start no worker
    #[arg(long, conflicts_with = "worker_only")]
    pub read_only: bool,
    /// Draw in 7-bit ASCII
    #[arg(long, conflicts_with = "worker_only")]
    pub ascii: bool,
}

/// `config`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  gannet config template > config.toml\n  gannet config check\n  gannet config keys"
)]
pub struct ConfigArgs {
    /// What to print
    #[command(subcommand)]
    pub what: ConfigWhat,
}

/// What to do with the configuration.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum ConfigWhat {
    /// Print the configuration in force; --policy: the verifiers and sets of the catalogue
    Show(ConfigShowArgs),
    /// Put the verifiers and sets of this configuration file in force, replacing another file's
    #[command(after_help = "Example:\n  gannet --config /etc/gannet/config.toml config adopt")]
    Adopt,
    /// Adopt the archive in the data folder for this catalogue; deletes nothing
    #[command(
        after_help = "For when the catalogue is lost and there is no copy to restore; files in objects/ are kept.\nPublished files and sets that differ from this catalogue's are listed. Replacing them needs a confirmation: a question on a terminal, --yes elsewhere."
    )]
    AdoptArchive(AdoptArchiveArgs),
    /// Report the problems of the configuration, or print the one in force
    #[command(
        after_help = "Exit codes:\n  0  the next pass can do its work; lines that begin with `warning:` deserve a look\n  2  the configuration cannot be used, or the next pass would judge and publish nothing under it\n  3  the catalogue is unreadable, or does not belong to the archive beside it"
    )]
    Check,
    /// Print a configuration file that describes every setting with its default, all commented out
    Template,
    /// Print the dashboard's keys in force, as a page of Markdown
    Keys,
}

/// `config adopt-archive`.
#[derive(Clone, Copy, Debug, Args)]
pub struct AdoptArchiveArgs {
    /// Do not ask before older contents replace published files
    #[arg(long, short)]
    pub yes: bool,
}

/// `config show`.
#[derive(Clone, Copy, Debug, Args)]
pub struct ConfigShowArgs {
    /// Print the policy: the verifiers and sets in force in this catalogue, and the file that they came from
    #[arg(long)]
    pub policy: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `notify`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  gannet notify test mail")]
pub struct NotifyArgs {
    /// What to do with a notifier
    #[command(subcommand)]
    pub what: NotifyWhat,
}

/// What to do with a notifier.
#[derive(Debug, Subcommand)]
pub enum NotifyWhat {
    /// Send a sample message and print the answer
    Test {
        /// The name of a notifier in the configuration
        #[arg(value_name = "NOTIFIER")]
        name: String,
    },
}

/// `serve`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  gannet serve\n  gannet serve --listen 127.0.0.1:9000 --no-worker"
)]
pub struct ServeArgs {
    /// Listen on this address and port, such as localhost:8080 [default: the configuration's `http.listen`, else 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = parse_listen_address)]
    pub listen: Option<SocketAddr>,
    /// Serve only; another process makes the passes
    #[arg(long)]
    pub no_worker: bool,
}

/// `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Make three passes without a screen, and print what happened
    #[arg(long)]
    pub worker_only: bool,
    /// Serve the demo's pages, and print a link that signs you in
    #[arg(long, conflicts_with = "worker_only")]
    pub serve: bool,
}

/// `completions`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  gannet completions bash > ~/.local/share/bash-completion/completions/gannet"
)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// `__complete`.
#[derive(Debug, Args)]
pub struct CompleteArgs {
    /// The words after the program's name, the last one incomplete
    #[arg(last = true, allow_hyphen_values = true)]
    pub words: Vec<String>,
}

/// `help`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  gannet help verifiers\n  gannet help configuration | less\n  gannet help config adopt"
)]
pub struct HelpArgs {
    /// A topic of the manual, or a command
    #[arg(value_name = "TOPIC|COMMAND")]
    pub words: Vec<String>,
}

/// `man`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  gannet man | man -l -\n  gannet man ~/.local/share/man")]
pub struct ManArgs {
    /// Write a page for each command and each topic into man1, man5 and man7 in this folder
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
}
