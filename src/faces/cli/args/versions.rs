//! Arguments of the commands that fetch, read and judge versions.

use std::path::PathBuf;

use clap::Args;

use super::TableFormat;
use crate::domain::VerdictOutcome;

const VERSION_HELP: &str =
    "217 or v217, SOURCE (its newest), SOURCE~N (N versions back), SOURCE@TIME or SOURCE:published";

/// `fetch`.
#[derive(Debug, Args)]
#[command(
    after_help = "What a verifier could not judge yet is judged again. Exit code 1 says that a fetch failed, or that the newest version \
of a source failed or could not be judged.\n\nExamples:\n  gannet fetch prices tag:rates\n  gannet fetch prices --whole"
)]
pub struct FetchArgs {
    /// Id, name, address, glob or tag:NAME
    #[arg(value_name = "SOURCE", required = true)]
    pub sources: Vec<String>,
    /// Ask for the whole file, not only whether it changed: a server may say "unchanged" wrongly
    #[arg(long)]
    pub whole: bool,
    /// Print the pass's summary as JSON
    #[arg(long)]
    pub json: bool,
}

/// `cat`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  gannet cat prices\n  gannet cat prices:published > prices.csv\n  gannet cat prices@yesterday\n  gannet cat prices:published@2026-01-31T12:00"
)]
pub struct CatArgs {
    #[arg(help = VERSION_HELP)]
    /// Which version.
    pub version: String,
    /// Write it into this file; - is stdout, also for what is not text on a terminal
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `diff`.
#[derive(Debug, Args)]
#[command(after_help = "\
Text is compared line by line, as patch reads it; other content by sizes, digests and the place where it differs.

Examples:
  gannet diff prices
  gannet diff prices~3 prices")]
pub struct DiffArgs {
    #[arg(help = VERSION_HELP)]
    /// Which version; alone, it is compared with the one before it.
    pub version: String,
    /// Compare with this one; without it, VERSION is compared with the one before it
    #[arg(value_name = "VERSION")]
    pub other: Option<String>,
}

/// `export`.
#[derive(Debug, Args)]
#[command(after_help = "\
Files are DIR/<source>/<time fetched>-v<version>-<file name>; DIR/manifest.json names each with its digest. Every file is checked against its digest. One that is there already stays; a different one in its place is an error.

Example:
  gannet export /srv/backup prices")]
pub struct ExportArgs {
    /// The folder; made when it is not there
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Id, name, address, glob or tag:NAME; all, removed ones too, when none is given
    #[arg(value_name = "SOURCE")]
    pub sources: Vec<String>,
}

/// `verify`.
#[derive(Debug, Args)]
#[command(after_help = "\
SOURCE means all its versions, oldest first. A bare number is a source's id here; v217, SOURCE~N and SOURCE@TIME are single versions.

With --stale, every version is judged again for which a verifier has no verdict yet, or one by another definition or program than it has now; by that verifier only. It can be stopped at any time: the next one goes on from there.

Examples:
  gannet verify prices
  gannet verify v217 prices~1
  gannet verify set:release
  gannet verify --stale")]
pub struct VerifyArgs {
    /// A source (all its versions), a version as v217, SOURCE~N or SOURCE@TIME, or set:NAME (the newest edition of a set); sources only with --stale
    #[arg(value_name = "SOURCE|VERSION|SET", required_unless_present = "stale")]
    pub targets: Vec<String>,
    /// Judge again what a verifier that has changed since had judged; of all sources when none is given
    #[arg(long)]
    pub stale: bool,
    /// Begin with the newest versions
    #[arg(long, requires = "stale")]
    pub newest_first: bool,
    /// An array with an object for each version; with --stale, a summary with those whose state changed
    #[arg(long)]
    pub json: bool,
}

/// `verdicts`.
#[derive(Debug, Args)]
#[command(after_help = "\
Newest first. A bare number is a source's id here; v217, SOURCE~N, SOURCE@TIME and SOURCE:published are single versions. A fingerprint is the digest of a verifier's definition and program files; its first digits are enough.

Examples:
  gannet verdicts --verifier schema --outcome failed
  gannet verdicts v217 --full
  gannet verdicts prices --fingerprint 3f9a --json")]
pub struct VerdictsArgs {
    /// Id, name, address, glob or tag:NAME, a version as v217, SOURCE~N or SOURCE@TIME, or one set:NAME; all when none is given
    #[arg(value_name = "SOURCE|VERSION|SET")]
    pub sources: Vec<String>,
    /// Only this verifier's
    #[arg(long, value_name = "VERIFIER")]
    pub verifier: Option<String>,
    /// Only those of judges whose fingerprint begins so
    #[arg(long, value_name = "HEX", value_parser = parse_fingerprint)]
    pub fingerprint: Option<String>,
    /// Only those that say this
    #[arg(long, value_name = "passed|failed|error|pending")]
    pub outcome: Option<VerdictOutcome>,
    /// At most so many; 0 is all
    #[arg(long, short = 'n', value_name = "N", default_value_t = 100)]
    pub limit: u32,
    /// Everything that the verifiers printed, as far as it is kept, instead of a line for each verdict
    #[arg(long, conflicts_with_all = ["json", "csv"])]
    pub full: bool,
    /// An array with everything that is kept of each
    #[arg(long)]
    json: bool,
    /// A row for each, with the fields of --json but the definition
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

impl VerdictsArgs {
    /// Returns what to print.
    pub fn format(&self) -> TableFormat {
        TableFormat::from_flags(self.json, self.csv)
    }
}

fn parse_fingerprint(text: &str) -> Result<String, String> {
    let hex = text.to_ascii_lowercase();
    if hex.is_empty() || hex.len() > 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err("expected hexadecimal digits, 64 at most".to_owned());
    }
    Ok(hex)
}

/// `verdict`.
#[derive(Debug, Args)]
#[command(
    after_help = "A verdict is best given by the id of the version that was read: SOURCE is whatever is its newest by now.\n\nExamples:\n  gannet verdict v217 legal failed --detail 'licence missing'\n  gannet verdict set:release legal passed"
)]
pub struct VerdictArgs {
    #[arg(help = format!("{VERSION_HELP}; set:NAME is the newest edition of a set"), value_name = "VERSION|SET")]
    /// On which version.
    pub version: String,
    /// The name of the verifier that says so
    pub verifier: String,
    /// What it says
    #[arg(value_name = "passed|failed", value_parser = parse_outcome)]
    pub outcome: VerdictOutcome,
    /// Why, in one line
    #[arg(long, value_name = "TEXT")]
    pub detail: Option<String>,
}

fn parse_outcome(text: &str) -> Result<VerdictOutcome, String> {
    let expected = |_| format!("`{text}` is not a verdict: expected passed or failed");
    match text.parse().map_err(expected)? {
        VerdictOutcome::Error | VerdictOutcome::Pending => Err(
            "a verdict is passed or failed; error and pending are what gannet records when a verifier could not judge, or has not yet".to_owned(),
        ),
        outcome => Ok(outcome),
    }
}
